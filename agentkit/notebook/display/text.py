"""Text from outside made fit to be shown: escaped, shortened, without what can't be seen and without keys."""

from __future__ import annotations

import html
import re
from typing import Any

from agentkit._secrets import Redactor, showable_length

__all__ = ["clean", "escape", "escape_clean", "fit", "one_line", "shorten", "showable_length"]

# What a terminal takes for a command: colours, cursor, window title, links, clipboard. Taken out whole where it is
# complete; else the rules below take the character that begins it. No part is scanned twice.
_SEQUENCE = re.compile(
    r"\x1b\[[0-?]{0,64}[ -/]{0,8}[@-~]"  # control sequences
    r"|\x1b[\]PX^_][^\x07\x1b\x9c]{0,4000}(?:\x07|\x1b\\|\x9c)"  # texts for the terminal itself
    r"|\x1b[ -/]{0,8}[0-Z\\^_`-~]"  # two-character commands
)

# Flags such as England's are spelt in tag characters; anywhere else those hide text from a reader, though not from a
# model that the text is given to. A character takes one variation selector; a row of them is hidden data.
_FLAG = "\U0001f3f4[\U000e0061-\U000e007a]{1,6}\U000e007f"
_UNSEEN = re.compile(
    rf"({_FLAG})"
    "|[\x00-\x08\x0b-\x1f\x7f-\x84\x86-\x9f"  # control characters, but for tab, newline and next line
    "\u115f\u1160\u3164\uffa0\u180e"  # letters that show nothing
    "\u200b\u2060-\u2064\u206a-\u206f\ufeff\ufff9-\ufffb"  # no width, no meaning for a reader
    "\u202a-\u202e\u2066-\u2069"  # these turn the direction of text around
    "\ufdd0-\ufdef\U000e0000-\U000e007f"  # no characters; tags
    f"{''.join(chr(plane + last) for plane in range(0, 0x110000, 0x10000) for last in (0xFFFE, 0xFFFF))}]"  # none
    "|(?<=[\ufe00-\ufe0f\U000e0100-\U000e01ef])[\ufe00-\ufe0f\U000e0100-\U000e01ef]+"
)
_LINE_ENDS = re.compile("\r\n|[\r\x85\u2028\u2029]")
_SURROGATES = re.compile("[\ud800-\udfff]")


def fit(text: str) -> str:
    """Return `text` without what a reader can't see, or what acts on the screen instead of being shown on it.

    Without terminal commands, control characters, characters of no width (but for the joiners that scripts and emoji
    need), and those that turn the direction of text around. Halves of surrogate pairs, which are in no encoding, become
    U+FFFD.
    """
    if text.isascii() and text.isprintable():
        return text
    if "\x1b" in text:
        text = _SEQUENCE.sub("", text)
    text = _LINE_ENDS.sub("\n", text)
    return _SURROGATES.sub("\ufffd", _UNSEEN.sub(r"\1", text))


def clean(text: str) -> str:
    """Return `text` as it may be shown: without API keys, and without what `fit` takes out."""
    return Redactor().clean(fit(text))


# What MathJax, which JupyterLab runs over outputs, would take for the beginning of a formula.
_MATH_SIGN = re.compile(r"\$|\\(?=[(\[]|begin|end|ref|eqref)")


def escape(text: Any) -> str:
    """Return `text` as HTML that shows it and does nothing else.

    Dollar signs and what else begins a formula get an element of their own, or JupyterLab takes what stands between
    two of them for one.
    """
    return escape_clean(clean(str(text)))


def escape_clean(text: str) -> str:
    """Return text that `clean` has been over as HTML, as `escape` does."""
    return _MATH_SIGN.sub(r"<span>\g<0></span>", html.escape(text))


def one_line(text: str, limit: int) -> str:
    """Return `text` on one line of at most `limit` characters.

    It is made fit to be shown before it is cut: what is left of half a key nobody would know for one.
    """
    line = " ".join(clean(text).split())
    return line if len(line) <= limit else line[: limit - 1].rstrip() + "…"


def shorten(text: str, limit: int) -> str:
    """Return the beginning of `text`, at most `limit` characters, and how long the whole is. Fit to be shown."""
    text = clean(text)
    if len(text) <= limit:
        return text
    return f"{text[:limit]}… ({len(text):,} characters in all)"
