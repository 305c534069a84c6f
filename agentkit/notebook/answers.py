"""What is made of an answer besides showing it: the JSON that it is, or a cell with its code."""

from __future__ import annotations

import ast
import json
from typing import TYPE_CHECKING, Any

from agentkit.notebook.options import kind_of

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

    from agentkit.runtime import RunResultBase

__all__ = ["add_cell_with_code", "code_in", "json_text", "json_value", "language_of", "show_no_more"]

_PYTHON = ("python", "py", "python3", "py3", "ipython", "ipython3")


def json_value(output: Any) -> Any:  # whatever an output type is
    """Return what an answer is as JSON: of a structured one its fields, of a text the JSON in it.

    Args:
        output: A run's final output. A text may be JSON as a whole, or hold one block of it among words.

    Raises:
        ValueError: It is no JSON, or has no JSON form; the message says why.
    """
    if not isinstance(output, str):
        from pydantic_core import PydanticSerializationError, to_jsonable_python

        try:
            return to_jsonable_python(output)
        except PydanticSerializationError as error:
            raise ValueError(f"{kind_of(output)} has no JSON form: {error}") from None
    try:
        return json.loads(output, parse_constant=_refuse)
    except (ValueError, RecursionError) as error:
        for language in ("json", ""):
            blocks = [code for name, code in _fences(output) if name == language]
            if len(blocks) == 1:
                return json_value_of_block(blocks[0])
        raise ValueError(_told(error)) from None


def json_value_of_block(code: str) -> Any:
    """Return what a block of JSON stands for.

    Raises:
        ValueError: It is none.
    """
    try:
        return json.loads(code, parse_constant=_refuse)
    except (ValueError, RecursionError) as error:
        raise ValueError(_told(error)) from None


def json_text(result: RunResultBase) -> str | None:
    """Return a run's answer as indented JSON; None where it isn't over, or its answer is no JSON."""
    if result.final_output is None:
        return None
    try:
        return json.dumps(json_value(result.final_output), indent=2, ensure_ascii=False)
    except ValueError:
        return None


def code_in(text: str, language: str) -> str:
    """Return the code of a language in an answer: its fenced blocks, one after the other; "" where there is none.

    Where no block names the language, those count that name none, if they are Python that can be read.

    Args:
        text: The answer, in Markdown.
        language: The notebook's language.
    """
    fences = _fences(text)
    names = _PYTHON if language in _PYTHON else (language,)
    blocks = [code for name, code in fences if name in names]
    if not blocks and language in _PYTHON:
        blocks = [code for name, code in fences if not name and _is_python(code)]
    return "\n\n".join(block.strip("\n") for block in blocks if block.strip())


def language_of(shell: InteractiveShell) -> str:
    """Return the notebook's language, as its kernel calls it."""
    info = getattr(getattr(shell, "kernel", None), "language_info", None)
    return str(info.get("name") or "python").lower() if isinstance(info, dict) else "python"


def add_cell_with_code(shell: InteractiveShell, text: str) -> None:
    """Put a cell with an answer's code below the running one, or say that there is no code.

    Args:
        shell: The notebook's shell; in a terminal the next line is filled in.
        text: The answer.
    """
    language = language_of(shell)
    code = code_in(text, language)
    if code:
        shell.set_next_input(code, replace=False)
    else:
        print(f"No cell was added: the answer has no block of {language.capitalize()} code.")


def show_no_more(shell: InteractiveShell, value: Any) -> None:
    """Let the running cell end without showing its value, which is in its output already.

    IPython asks a formatter by the value's type whether it shows it itself. This one says so of this value, once, and
    is gone when the cell is over.
    """
    if value is None:  # which IPython doesn't show
        return
    formatter: Any = shell.display_formatter.ipython_display_formatter  # type: ignore[union-attr]
    kind = type(value)
    before = formatter.for_type(kind)

    def over(*_: Any) -> None:
        shell.events.unregister("post_execute", over)
        if before is None:
            formatter.pop(kind, None)
        else:
            formatter.for_type(kind, before)

    formatter.for_type(kind, lambda _: None)
    shell.events.register("post_execute", over)


def _fences(text: str) -> list[tuple[str, str]]:
    """Return the fenced blocks of a text, each with the name of its language in small letters."""
    from markdown_it import MarkdownIt

    tokens = MarkdownIt("commonmark").parse(text)
    found = [((token.info.split() or [""])[0].lower(), token.content) for token in tokens if token.type == "fence"]
    return [(name.strip("{}."), code) for name, code in found]


def _is_python(code: str) -> bool:
    try:
        ast.parse(code)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    return True


def _refuse(name: str) -> Any:
    raise ValueError(f"{name} is no JSON")


def _told(error: Exception) -> str:
    if isinstance(error, json.JSONDecodeError):
        return f"{error.msg[0].lower()}{error.msg[1:]} in line {error.lineno}, column {error.colno}"
    return str(error) or type(error).__name__
