"""What an output may be made of. The lists are the promise, written once more apart from the code that keeps it."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import html5lib

import agentkit
from agentkit.notebook.chat.kept import TURNS_CSS
from agentkit.notebook.display.passages import PASSAGES_STYLE
from agentkit.notebook.display.style import KEPT_STYLE, STYLE
from agentkit.notebook.display.tuning_style import TUNING_STYLE
from agentkit.notebook.display.waterfall_style import WATERFALL_STYLE
from agentkit.runtime.graph import svg as drawing
from agentkit.runtime.graph import view as graph_view

__all__ = ["assert_harmless", "assert_plain", "unseen_in"]

# html5lib, because it builds the tree that browsers build, foreign content and all, and in its strict mode refuses
# everything that the standard calls an error: no output relies on how a browser mends it.
_PARSER = html5lib.HTMLParser(tree=html5lib.getTreeBuilder("etree"), strict=True, namespaceHTMLElements=True)
_HTML = "{http://www.w3.org/1999/xhtml}"
_SVG = "{http://www.w3.org/2000/svg}"
_MATHML = "{http://www.w3.org/1998/Math/MathML}"


def _words(text: str, namespace: str = "") -> set[str]:
    return {namespace + word for word in text.split()}


_TAGS = (
    _words("a b blockquote br caption code dd del details div dl dt em figcaption figure", _HTML)
    | _words("h1 h2 h3 h4 h5 h6 hr img li mark ol p pre progress s section span strong sub summary sup", _HTML)
    | _words("table tbody td th thead time tr ul", _HTML)
    | _words("svg g path rect circle ellipse line polyline polygon text tspan title desc defs marker", _SVG)
    | _words("math mrow mi mn mo mtext ms mspace mfrac msqrt mroot msub msup msubsup munder mover", _MATHML)
    | _words("munderover mtable mtr mtd mstyle mpadded mphantom mmultiscripts mprescripts none", _MATHML)
)
_ATTRIBUTES = {
    "a": {"href", "title", "rel"},
    "ol": {"start"},
    "details": {"open", "style"},
    "summary": {"style"},
    "img": {"src", "alt", "width", "height"},
    "div": {"hidden"},
    "span": {"style"},
    "svg": {"style"},
    "td": {"style", "colspan", "rowspan"},
    "th": {"style", "colspan", "rowspan", "scope"},
    "progress": {"value", "max"},
}
_EVERYWHERE = _words("class role aria-label aria-hidden aria-live aria-describedby tabindex")
_DRAWN = (  # attributes of SVG and MathML, all of them numbers, keywords or colours
    _words("x y x1 y1 x2 y2 cx cy r rx ry d points width height viewBox fill stroke stroke-width transform id dx dy")
    | _words("text-anchor font-size font-weight font-style dominant-baseline marker-end marker-start orient refX refY")
    | _words("markerWidth markerHeight markerUnits preserveAspectRatio xmlns stroke-dasharray opacity focusable")
    | _words("display mathvariant stretchy fence separator form lspace rspace accent accentunder largeop")
    | _words("movablelimits columnalign rowspacing columnspacing displaystyle scriptlevel symmetric minsize maxsize")
    | _words("linethickness mathcolor mathbackground mathsize")
)
_STYLE = re.compile(r"text-align: ?(?:left|right|center);?")
_BAR = "display|width|height|min-width|margin-left|padding-left|background-color|border-right"
_BAR_STYLE = re.compile(rf"(?:(?:{_BAR}):[\w #.%-]+;?)+")
_INLINE = re.compile("display:inline")
_SVG_STYLE = re.compile(r"max-width:100%;height:auto;min-width:[0-9]+px")
_DRAWN_VALUE = re.compile(r"[\w\s.,#%()+:-]*")
_LOCAL_REFERENCE = re.compile(r"url\(#[\w-]+\)")
_IMAGE = re.compile(r"data:image/(?:png|jpeg|gif|webp);base64,[A-Za-z0-9+/=]*")

# Every class that the code knows; but those by which a widget's live parts are told are none for a kept output.
_SOURCES = [Path(agentkit.__file__).parent / folder for folder in ("notebook", "runtime/graph")]
_FILES = [path for folder in _SOURCES for path in folder.rglob("*.py")]
_CLASSES = {
    *(name for path in _FILES for name in re.findall(r"\bagk(?:-[a-z0-9]+)*", path.read_text("utf-8"))),
    *_words("b c d f i k m s mathjax_ignore jp-toc-ignore a-ground"),
    *re.findall(r"\ba[a-z]\b", " ".join(drawing._RULES)),
}
_LIVE_CLASSES = {"agk-control", "agk-button"}

# Categories of characters that nobody sees, but that change what is seen; and those of them that writing needs.
_UNSEEN = {"Cc", "Cf", "Cs", "Zl", "Zp"}
_NEEDED = set("\t\n\u00ad\u0600\u0601\u0602\u0603\u0604\u0605\u061c\u06dd\u070f\u08e2\u200c\u200d\u200e\u200f")
_FLAG = re.compile("\U0001f3f4[\U000e0061-\U000e007a]{1,6}\U000e007f")


def unseen_in(text: str) -> list[str]:
    """Return the characters in `text` that must not be shown, by their numbers."""
    seen = _FLAG.sub("", text)
    return sorted({f"U+{ord(c):04X}" for c in set(seen) - _NEEDED if unicodedata.category(c) in _UNSEEN})


def assert_plain(text: str) -> None:
    """Fail where a text holds what would act on a terminal, or hide from a reader."""
    assert unseen_in(text) == []
    text.encode("utf-8")


_OUR_STYLES = (
    STYLE,
    KEPT_STYLE,
    PASSAGES_STYLE,
    WATERFALL_STYLE,
    TUNING_STYLE,
    f"<style>{TURNS_CSS}</style>",
    graph_view._HTML_STYLE,
    graph_view._FILE_STYLE,
)


def assert_harmless(html: str) -> None:
    """Fail where HTML holds anything that is not on the lists."""
    assert_plain(html)
    for style in _OUR_STYLES:
        html = html.replace(style, "")
    for element in _elements(html):
        tag = str(element.tag)
        assert tag in _TAGS, f"There is a <{tag}>."
        for name, value in element.attrib.items():
            _check_attribute(tag, str(name), value)


def _elements(html: str) -> Iterator[Any]:
    root = _PARSER.parseFragment(html)
    yield from list(root.iter())[1:]  # not the fragment itself


def _check_attribute(tag: str, name: str, value: str) -> None:
    kind = tag.rpartition("}")[2]
    drawn = tag.startswith((_SVG, _MATHML))
    allowed = _EVERYWHERE | _ATTRIBUTES.get(kind, set()) | (_DRAWN if drawn else set())
    assert name in allowed, f"<{kind}> has {name}={value[:80]!r}."
    match name:
        case "href":
            assert urlsplit(value).scheme in ("http", "https", "mailto") or value.startswith("#"), value
        case "src":
            assert _IMAGE.fullmatch(value), value[:80]
        case "style":
            allowed_style = {"svg": _SVG_STYLE, "span": _BAR_STYLE, "details": _INLINE, "summary": _INLINE}
            assert allowed_style.get(kind, _STYLE).fullmatch(value), value
        case "class":
            digests = {name for name in value.split() if re.fullmatch("agk-k[0-9a-f]{8}", name)}  # of kept chats
            assert set(value.split()) - digests <= _CLASSES - _LIVE_CLASSES, value
        case _ if drawn and name not in _EVERYWHERE:
            assert _DRAWN_VALUE.fullmatch(value) or _LOCAL_REFERENCE.fullmatch(value), f"{name}={value[:80]!r}"
            assert "url(" not in value or _LOCAL_REFERENCE.fullmatch(value), value
