"""A model's Markdown as HTML that is safe to show.

Outputs of a running notebook are trusted: JupyterLab runs scripts in them and loads images from anywhere. So what a
model says is rendered here, in three steps that each would do for most attacks: Markdown without raw HTML, images as
links that name their host, and an allow-list of tags and attributes over the result.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Sequence
from functools import cache
from html import escape as escape_html
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import urlsplit

from agentkit._secrets import Redactor
from agentkit.notebook.display.highlight import CLASSES, highlight
from agentkit.notebook.display.math import REFUSED, typeset
from agentkit.notebook.display.text import clean, escape_clean, fit

if TYPE_CHECKING:
    import nh3
    from markdown_it import MarkdownIt
    from markdown_it.rules_inline import StateInline
    from markdown_it.token import Token

__all__ = ["formulas_in", "render_markdown"]

_TAGS = {
    *("a", "blockquote", "br", "code", "del", "em", "h1", "h2", "h3", "h4", "h5", "h6", "hr", "li", "ol", "p", "pre"),
    *("s", "span", "strong", "table", "tbody", "td", "th", "thead", "tr", "ul"),
}
_ATTRIBUTES = {"a": {"href", "title"}, "ol": {"start"}, "span": {"class"}, "td": {"style"}, "th": {"style"}}
_URL_SCHEMES = {"http", "https", "mailto"}

# Dollars make a formula only if there is no space inside them and no digit after: prices are not.
_MATH = re.compile(
    r"\$\$(?P<block>[^$]{1,2000}?)\$\$|\\\[(?P<bracket>.{1,2000}?)\\\]|\\\((?P<paren>.{1,1000}?)\\\)"
    r"|\$(?P<inline>[^\s$](?:[^$\n]{0,500}[^\s$\\])?)\$(?!\d)"
    r"|\\begin\{(?P<environment>(?:align|displaymath|eqnarray|equation|gather|multline)\*?)\}.{1,2000}?"
    r"\\end\{(?P=environment)\}",
    re.DOTALL,
)


def render_markdown(text: str, *, math: Literal["tex", "mathml"] = "tex") -> str:
    """Return `text`, Markdown from anywhere, as HTML that can only be looked at.

    Tables, strikethrough, fenced code in colour (by CSS class) and formulas are rendered. HTML in the text is shown as
    text; images become links; links lead to web and mail addresses only. API keys are taken out.

    Args:
        text: The Markdown.
        math: How formulas are written: "tex" as they are, for MathJax, which runs over what a notebook keeps; "mathml"
            for widgets, where none runs.
    """
    environment: dict[str, Any] = {"redact": Redactor().clean}
    if math == "tex":
        return _cleaner().clean(_markdown().render(clean(text), environment))
    # Formulas are put in after the allow-list has been over everything else. Their places are marked by a number that
    # the text can't know.
    mark = f"agentkit-{secrets.token_hex(16)}-"
    formulas: list[str] = []
    shown = _cleaner().clean(_markdown().render(clean(text), environment | {"mark": mark, "formulas": formulas}))
    if not formulas:
        return shown
    typeset_formulas = typeset(formulas)
    first, *rest = shown.split(mark)
    parts = (part.partition(";") for part in rest)
    return first + "".join(f"{typeset_formulas[int(number)]}{after}" for number, _, after in parts)


def formulas_in(text: str) -> list[tuple[int, int]]:
    """Return where Markdown has formulas: start and end of each, in characters from 0, end exclusive."""
    return [match.span() for match in _MATH.finditer(text)] if "$" in text or "\\" in text else []


@cache
def _cleaner() -> nh3.Cleaner:
    import nh3

    return nh3.Cleaner(
        tags=_TAGS,
        attributes=_ATTRIBUTES,
        attribute_filter=_filter_attribute,
        url_schemes=_URL_SCHEMES,
        link_rel="noopener noreferrer nofollow",
    )


def _filter_attribute(tag: str, attribute: str, value: str) -> str | None:
    """Return the value of an allowed attribute, or None where the value is not."""
    match attribute:
        case "href":  # relative addresses would act on the notebook's own server
            return value if value.startswith(("http://", "https://", "mailto:", "#")) else None
        case "style":
            return value if value in ("text-align:left", "text-align:right", "text-align:center") else None
        case "title":
            return clean(value)
        case "class":
            return value if value in CLASSES else None
    return value


@cache
def _markdown() -> MarkdownIt:
    from markdown_it import MarkdownIt

    markdown = MarkdownIt("commonmark", {"html": False}).enable(["table", "strikethrough"])
    markdown.inline.ruler.before("escape", "agentkit_math", _math)
    rules: dict[str, Any] = markdown.renderer.rules  # type: ignore[attr-defined]
    rules["text"] = _text
    rules["image"] = _image
    rules["fence"] = _fence
    rules["code_block"] = _fence
    rules["agentkit_math"] = _math_html
    return markdown


def _text(tokens: Sequence[Token], index: int, options: Any, env: Any) -> str:
    """Render plain text, each sign that would begin a formula in an element of its own, where it begins none."""
    # what entities and backslashes stood for is there only now
    return escape_clean(env["redact"](fit(tokens[index].content)))


def _image(tokens: Sequence[Token], index: int, options: Any, env: Any) -> str:
    """Render an image as a link that says what it is and where it leads. Nothing is loaded from there."""
    token = tokens[index]
    source = str(token.attrGet("src") or "")
    host = urlsplit(source).hostname or "no web address"
    label = f"image: {token.content}" if token.content else "image"
    return f'<a href="{escape_html(source)}">{escape_html(label)} ({escape_html(host)})</a>'


def _fence(tokens: Sequence[Token], index: int, options: Any, env: Any) -> str:
    token = tokens[index]
    words = token.info.split()
    return f"<pre><code>{highlight(token.content, words[0] if words else '')}</code></pre>\n"


def _math(state: StateInline, silent: bool) -> bool:
    """Take a formula as one piece, so that Markdown does not read the signs inside."""
    if state.src[state.pos] not in "$\\":
        return False
    match = _MATH.match(state.src, state.pos, state.posMax)
    if match is None or REFUSED.search(match[0]):
        return False
    if not silent:
        token = state.push("agentkit_math", "", 0)
        token.content = match[0]
    state.pos = match.end()
    return True


def _math_html(tokens: Sequence[Token], index: int, options: Any, env: Any) -> str:
    if "mark" not in env:
        return escape_html(tokens[index].content)
    env["formulas"].append(tokens[index].content)
    return f"{env['mark']}{len(env['formulas']) - 1};"
