"""Descriptions of a tool and its parameters, read from the function's docstring."""

from __future__ import annotations

import logging
import re
import textwrap
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

from agentkit.tooling.callables import own_docstring, own_name

__all__ = ["DocstringStyle", "FuncDocumentation", "generate_func_documentation"]

DocstringStyle = Literal["google", "numpy", "sphinx"]

_SPHINX = re.compile(r"^\s*:(param|parameter|arg|type|return|returns|rtype|raises)\b[^:]*:", re.MULTILINE)
_NUMPY = re.compile(r"^\s*(Parameters|Returns|Yields|Raises|Notes|Examples)\s*\n\s*-{3,}\s*$", re.MULTILINE)
_GOOGLE = re.compile(r"^\s*(Args|Arguments|Params|Parameters|Returns|Yields|Raises|Examples?|Note):\s*$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class FuncDocumentation:
    """What a function's docstring says of it."""

    name: str
    """The function's name."""
    description: str | None
    """The text before the first section, or None without a docstring."""
    param_descriptions: dict[str, str] = field(default_factory=dict)
    """Parameter name to its description, for the parameters that have one."""


def generate_func_documentation(func: Callable[..., Any], style: DocstringStyle | None = None) -> FuncDocumentation:
    """Return what the docstring of `func` says, in google, numpy or sphinx style.

    Args:
        func: Any function, bound method, partial, or object with `__call__`.
        style: The docstring's style; found out from its text when None.
    """
    name, text = own_name(func), own_docstring(func)
    if not text:
        return FuncDocumentation(name, None)
    style = style or _detect_style(text)
    if style is None:  # plain prose: nothing to parse, and the parser need not be loaded
        return FuncDocumentation(name, text.strip())
    return _parse(name, _indented(text) if style == "google" else text, style)


def _detect_style(text: str) -> DocstringStyle | None:
    if _SPHINX.search(text):
        return "sphinx"
    if _NUMPY.search(text):
        return "numpy"
    return "google" if _GOOGLE.search(text) else None


def _indented(text: str) -> str:
    """Return a text that starts with a section's heading with the section indented below it.

    Removing the indentation of a docstring, as Python does, leaves the first line out; so where this is a heading and
    no other section follows, the section's own indentation is what is removed.
    """
    heading, _, rest = text.partition("\n")
    if _GOOGLE.match(heading) is None or rest.startswith((" ", "\n")):
        return text
    return f"{heading}\n{textwrap.indent(rest, '    ')}"


def _parse(name: str, text: str, style: DocstringStyle) -> FuncDocumentation:
    from griffe import Docstring, DocstringSectionKind, parse

    logger = logging.getLogger("griffe")  # it warns of parameters without annotation, which are annotated in the code
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        # the parser takes the first line for one without indentation; so the text starts with the second
        sections = parse(Docstring("\n" + text, lineno=1), style)
    finally:
        logger.setLevel(level)
    prose = [section.value for section in sections if section.kind is DocstringSectionKind.text]
    parameters = {
        parameter.name.lstrip("*"): parameter.description
        for section in sections
        if section.kind is DocstringSectionKind.parameters
        for parameter in section.value
    }
    return FuncDocumentation(name, (prose[0].strip() or None) if prose else None, parameters)
