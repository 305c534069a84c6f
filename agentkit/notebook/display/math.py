"""Formulas as MathML, which browsers show by themselves: for widgets, where no MathJax runs.

The converter is not trusted with what it makes of a model's text. Its tree is written out here, element by element:
only elements and attributes of a list that can do nothing but be looked at, with values of a known form and lengths
that stay on the page, and all text escaped.
"""

from __future__ import annotations

import re
from functools import lru_cache
from html import escape as escape_html
from typing import TYPE_CHECKING, Literal

from agentkit.notebook.display.text import clean, escape, fit

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from xml.etree.ElementTree import Element

__all__ = ["REFUSED", "mathml", "typeset"]

_LONGEST = 1_000
_MOST_CHARS = 20_000
_MOST_CELLS = 200
_DEEPEST = 40
_MOST_ELEMENTS = 3_000
_LONGEST_LENGTH_EM = 20.0

_ELEMENTS = {
    *("math", "menclose", "mfrac", "mi", "mmultiscripts", "mn", "mo", "mover", "mpadded", "mphantom", "mroot", "mrow"),
    *("mspace", "msqrt", "mstyle", "msub", "msubsup", "msup", "mtable", "mtd", "mtext", "mtr", "munder", "munderover"),
}
_PARTS = dict.fromkeys(("mfrac", "mover", "mroot", "msub", "msup", "munder"), 2) | {"msubsup": 3, "munderover": 3}
_LIMITS = {"msub": "munder", "msubsup": "munderover", "msup": "mover"}
_OPERATORS = {"inf", "lim", "max", "min", "sup"}
_FLAGS = {
    *("accent", "accentunder", "displaystyle", "fence", "largeop", "movablelimits", "separator", "stretchy"),
    "symmetric",
}
_LENGTHS = {"depth", "height", "linethickness", "lspace", "maxsize", "minsize", "rspace", "voffset", "width"}
_WORDS = {
    "display": {"block", "inline"},
    "form": {"infix", "postfix", "prefix"},
    "scriptlevel": {"-1", "0", "1", "2", "+1", "+2"},
}
_CLASSES = {
    ("menclose", "notation", "box"): "agk-box",
    ("mtd", "columnalign", "left"): "agk-left",
    ("mtd", "columnalign", "right"): "agk-right",
}
_COLOUR = re.compile(r"[a-zA-Z]{3,20}|#[0-9a-fA-F]{3}(?:[0-9a-fA-F]{3})?")
_LENGTH = re.compile(r"-?(\d{1,4}(?:\.\d{0,6})?|\.\d{1,6})(em|ex|px|pt|mm|cm|in|%)?")
_EM = {"em": 1.0, "ex": 0.45, "px": 1 / 14, "pt": 1 / 10.5, "mm": 0.27, "cm": 2.7, "in": 6.9, "%": 0.05, None: 1.0}
_REFERENCE = re.compile(r"&#x([0-9a-fA-F]{1,6});")

REFUSED = re.compile(
    r"\\(?:href|url|require|class|style|cssId|html\w*|unicode|include\w*|data|bbox|special|mmlToken|toggle"
    r"|[egx]?def|(?:future)?let|\w*newcommand|providecommand|\w*newenvironment"
    r"|DeclareMathOperator|csname|catcode|\w*chardef)(?![a-z])",
    re.IGNORECASE,
)
"""Commands that no formula may have, whoever typesets it: what links, loads, or names parts of the page; and what would
define a command, which could grow to any size, and in MathJax holds for every later formula."""

_UPRIGHT = re.compile(r"\\mathrm\s*\{\s*([a-zA-Z])\s*\}")  # of one letter it makes an italic one
_ARG = re.compile(r"\\arg(?![a-zA-Z])")
_ENVIRONMENT = re.compile(r"\\(begin|end)\s*\{\s*(\w+\*?)\s*\}")
_KNOWN = {
    *("align*", "array", "Bmatrix", "bmatrix", "cases", "matrix", "pmatrix", "smallmatrix", "split", "Vmatrix"),
    *("vmatrix", "substack"),
}
_ENVIRONMENTS = {
    **dict.fromkeys(("align", "aligned", "eqnarray", "eqnarray*", "flalign", "flalign*"), "align*"),
    **dict.fromkeys(("gather", "gather*", "gathered", "multline", "multline*"), "matrix"),
    **dict.fromkeys(("displaymath", "equation", "equation*", "math"), ""),
    "dcases": "cases",
}
"""What stands for an environment that the converter doesn't know: another that looks like it, or none at all."""


class _NotShowableError(Exception):
    """A formula is not to be shown as one."""


def mathml(source: str, *, display: Literal["inline", "block"] = "inline") -> str | None:
    """Return a formula as a `<math>` element, or None where it is too long, too deep, malformed or of no good.

    Args:
        source: LaTeX, without the signs around it.
        display: "block" for a formula on a line of its own.
    """
    return _mathml(clean(source).strip(), display)


def typeset(formulas: Sequence[str]) -> list[str]:
    """Return formulas, given with the signs or the environment around them, as HTML: MathML, or themselves as code.

    Of one text, some 20,000 characters of formulas become MathML.
    """
    shown, left = [], _MOST_CHARS
    for formula in formulas:
        left -= len(formula)
        signs = next((len(sign) for sign in ("$$", "\\[", "\\(", "$") if formula.startswith(sign)), 0)
        display: Literal["inline", "block"] = "block" if formula.startswith(("$$", "\\[", "\\begin")) else "inline"
        made = mathml(formula[signs : len(formula) - signs], display=display) if left >= 0 else None
        shown.append(made or f"<code>{escape(formula)}</code>")
    return shown


@lru_cache(maxsize=500)  # an answer that streams is rendered again and again
def _mathml(source: str, display: Literal["inline", "block"]) -> str | None:
    if not source or len(source) > _LONGEST or source.count("&") > _MOST_CELLS or _depth(source) > _DEEPEST:
        return None
    if REFUSED.search(source):
        return None
    from latex2mathml.converter import convert_to_element

    try:
        tree = convert_to_element(_spelt(source), display=display)
        return "".join(_Writer(block=display == "block").write(tree))
    except Exception:  # of a package that is fed what a model has made up: it raises what it likes
        return None


def _spelt(source: str) -> str:
    """Return a formula in the words that the converter knows.

    Raises:
        _NotShowableError: It has an environment that is unknown.
    """
    source = _UPRIGHT.sub(r"\\mathrm{\1 }", _ARG.sub(r"\\operatorname{arg}", source))
    return _ENVIRONMENT.sub(_known_environment, source)


def _known_environment(match: re.Match[str]) -> str:
    edge, name = match[1], match[2]
    if name in _KNOWN:
        return match[0]
    if name not in _ENVIRONMENTS:
        raise _NotShowableError(name)
    return f"\\{edge}{{{_ENVIRONMENTS[name]}}}" if _ENVIRONMENTS[name] else "{" if edge == "begin" else "}"


def _depth(source: str) -> int:
    """Return how deep groups are in each other, at most: the converter takes each level by a call of itself."""
    depth = deepest = 0
    for opened, closed in re.findall(r"(\{|\\left(?![a-zA-Z])|\\begin)|(\}|\\right(?![a-zA-Z])|\\end)", source):
        depth += bool(opened) - bool(closed)
        deepest = max(deepest, depth)
    return deepest


class _Writer:
    """Writes a tree of MathML as text, what may be shown of it."""

    def __init__(self, *, block: bool) -> None:
        self._block = block
        self._left = _MOST_ELEMENTS
        self._sized = False

    def write(self, element: Element, depth: int = 0) -> Iterator[str]:
        """Yield an element and all below it.

        Raises:
            _NotShowableError: There are others than those of the list, or too many, or parts are missing.
        """
        self._left -= 1
        tag = element.tag
        if (
            tag not in _ELEMENTS
            or self._left < 0
            or depth > 4 * _DEEPEST
            or len(element) != _PARTS.get(tag, len(element))
        ):
            raise _NotShowableError(tag)
        was_sized = self._sized
        attributes = "".join(f' {name}="{escape_html(value)}"' for name, value in self._attributes(element))
        name = "mrow" if tag == "menclose" else tag
        if self._block and name in _LIMITS and _takes_limits(element[0]):
            name = _LIMITS[name]
        yield f"<{name}{attributes}>{_text(element)}"
        for child in element:
            yield from self.write(child, depth + 1)
            if child.tail and child.tail.strip():
                raise _NotShowableError(child.tail)
        self._sized = was_sized
        yield f"</{name}>"

    def _attributes(self, element: Element) -> Iterator[tuple[str, str]]:
        """Yield the attributes that may be there, in their order. Others are left out."""
        classes = []
        for name, value in element.attrib.items():
            if name in _FLAGS:
                if value in ("true", "false"):
                    yield name, value
            elif name in _LENGTHS:
                if _is_short(value):
                    yield name, value
            elif value in _WORDS.get(name, ()) or (name, value, element.tag) == ("mathvariant", "normal", "mi"):
                yield name, value
            elif name == "mathsize" and not self._sized and _is_short(value):
                self._sized = True  # in each other, they would grow without end
                yield name, value
            elif name in ("mathcolor", "mathbackground") and _COLOUR.fullmatch(value):
                yield name, value
            elif found := _CLASSES.get((element.tag, name, value)):
                classes.append(found)
            elif element.tag == "menclose" and name == "notation" and "strike" in value:
                classes.append("agk-cut")
        if classes:
            yield "class", " ".join(classes)


def _takes_limits(element: Element) -> bool:
    """Tell whether an operator has its limits above and below it, in a formula on a line of its own."""
    return element.tag == "mo" and (element.text in _OPERATORS or element.attrib.get("movablelimits") == "true")


def _is_short(value: str) -> bool:
    match = _LENGTH.fullmatch(value)
    return match is not None and float(match[1]) * _EM[match[2]] <= _LONGEST_LENGTH_EM


def _text(element: Element) -> str:
    """Return an element's text as HTML, in the letters of its alphabet: browsers know no attribute for that."""
    if not element.text:
        return ""
    if element.text.startswith("\\") and element.text[1:].isalpha():
        raise _NotShowableError(element.text)  # a command that the converter doesn't know
    text = fit(_REFERENCE.sub(_character, element.text))
    variant = element.attrib.get("mathvariant", "")
    return escape_html("".join(_in_alphabet(sign, variant) for sign in text) if variant in _ALPHABETS else text)


def _character(match: re.Match[str]) -> str:
    code = int(match[1], 16)
    return chr(code) if code < 0x110000 and not 0xD800 <= code < 0xE000 else "\ufffd"


# Where the capitals, the small letters and the digits of each alphabet begin in Unicode; 0 where it has none.
_ALPHABETS = {
    "bold": (0x1D400, 0x1D41A, 0x1D7CE),
    "italic": (0x1D434, 0x1D44E, 0),
    "bold-italic": (0x1D468, 0x1D482, 0),
    "script": (0x1D49C, 0x1D4B6, 0),
    "fraktur": (0x1D504, 0x1D51E, 0),
    "double-struck": (0x1D538, 0x1D552, 0x1D7D8),
    "sans-serif": (0x1D5A0, 0x1D5BA, 0x1D7E2),
    "sans-serif-italic": (0x1D608, 0x1D622, 0),
    "monospace": (0x1D670, 0x1D68A, 0x1D7F6),
}
# Letters that Unicode had before it got the alphabets, and has not put into them a second time.
_ELSEWHERE = {
    "italic": dict(zip("h", "ℎ", strict=True)),
    "script": dict(zip("BEFHILMRego", "ℬℰℱℋℐℒℳℛℯℊℴ", strict=True)),
    "fraktur": dict(zip("CHIRZ", "ℭℌℑℜℨ", strict=True)),
    "double-struck": dict(zip("CHNPQRZ", "ℂℍℕℙℚℝℤ", strict=True)),
}


def _in_alphabet(sign: str, variant: str) -> str:
    if sign in _ELSEWHERE.get(variant, ""):
        return _ELSEWHERE[variant][sign]
    for first, start in zip("Aa0", _ALPHABETS[variant], strict=True):
        offset = ord(sign) - ord(first)
        if start and 0 <= offset < (10 if first == "0" else 26):
            return chr(start + offset)
    return sign
