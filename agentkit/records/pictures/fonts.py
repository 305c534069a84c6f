"""Texts in pictures: names from anywhere, in whichever fonts there are."""

from __future__ import annotations

import contextlib
import functools
import logging
from typing import Any

__all__ = ["drawable", "families", "shortened"]

logger = logging.getLogger("agentkit")

_CJK = (
    "Noto Sans CJK SC", "Noto Sans CJK JP", "Noto Sans SC", "Source Han Sans SC", "Source Han Sans CN",
    "WenQuanYi Micro Hei", "WenQuanYi Zen Hei", "PingFang SC", "PingFang HK", "Hiragino Sans GB", "Hiragino Sans",
    "Heiti SC", "STHeiti", "Songti SC", "Arial Unicode MS", "Microsoft YaHei", "Microsoft JhengHei", "SimHei",
    "SimSun",
    "Malgun Gothic", "Apple SD Gothic Neo", "Yu Gothic", "Meiryo", "MS Gothic", "IPAexGothic", "IPAGothic",
    "TakaoGothic", "AR PL UMing CN", "AR PL UKai CN", "Droid Sans Fallback", "Unifont",
)  # fmt: skip
"""Fonts with Chinese, Japanese or Korean signs, those that look best first."""

_MISSING = "\N{WHITE SQUARE}"
"""Stands for a sign that no font has."""


def families(text: str = "") -> list[str]:
    """Return the fonts to write with: those that are set, and after them, for what these lack, one with CJK signs.

    Args:
        text: What is to be written: where no font has all its signs, those installed of late are looked for.
    """
    import matplotlib as mpl

    if not text.isascii():
        _missing(text)
    settings: Any = mpl.rcParams  # typed by the name of each setting
    found: list[str] = []
    for family in settings["font.family"]:
        found += settings[f"font.{family}"] if family in _GENERIC else [family]
    return [name for name in dict.fromkeys([*found, "DejaVu Sans", *_CJK]) if name in _installed()]


_GENERIC = frozenset({"serif", "sans-serif", "monospace", "cursive", "fantasy"})


def _installed() -> dict[str, str]:
    """Return the fonts of this machine: a file for each name."""
    from matplotlib.font_manager import fontManager

    return _files(len(fontManager.ttflist))  # another number: fonts were added since


@functools.lru_cache(maxsize=1)
def _files(count: int) -> dict[str, str]:
    from matplotlib.font_manager import fontManager

    files: dict[str, str] = {}
    for entry in fontManager.ttflist[:count]:
        if entry.style == "normal" and (entry.name not in files or entry.weight in (400, "normal", "regular")):
            files[entry.name] = entry.fname
    return files


@functools.lru_cache(maxsize=64)
def _signs(file: str) -> frozenset[int]:
    from matplotlib.font_manager import get_font

    font: Any = get_font(file)
    return frozenset(font.get_charmap())


def drawable(text: str) -> str:
    """Return a text as matplotlib can draw it: on a line, dollars that begin no formula, signs that a font has.

    What none has is drawn as a small square; the first time, a line in the log says what to install.
    """
    line = " ".join("".join(sign if sign.isprintable() else " " for sign in text).split())
    if not line.isascii():
        line = _known_signs(line)
    return line.replace("$", r"\$")


def _known_signs(line: str) -> str:
    missing = _missing(line)
    if missing:
        _say_once()
    return "".join(_MISSING if sign in missing else sign for sign in line)


def _missing(line: str) -> set[str]:
    """Return the signs of a line that no font has."""
    missing = _without_font(line)
    if missing and _found_more():
        missing = _without_font(line)
    return missing


def _without_font(line: str) -> set[str]:
    fonts = [_signs(_installed()[name]) for name in families()]
    return {sign for sign in line if sign.isprintable() and not any(ord(sign) in font for font in fonts)}


@functools.cache
def _found_more() -> bool:
    """Look once for fonts that were installed since matplotlib made its list, which it keeps in a file for good."""
    from matplotlib.font_manager import findSystemFonts, fontManager

    known = {entry.fname for entry in fontManager.ttflist}
    for file in sorted(set(findSystemFonts()) - known):
        with contextlib.suppress(Exception):  # whatever it says of a file that it can't read
            fontManager.addfont(file)
    return len(known) < len({entry.fname for entry in fontManager.ttflist})


@functools.cache
def _say_once() -> None:
    logger.warning(
        "Pictures show %s for signs that no font on this machine has. For Chinese, Japanese and Korean install one, "
        "such as Noto Sans CJK (Debian: apt install fonts-noto-cjk), and restart the kernel; for others name one in "
        "matplotlib's rcParams['font.family'].",
        _MISSING,
    )


def shortened(text: str, most: int) -> str:
    """Return a text in at most `most` columns, where a wide sign takes two."""
    from unicodedata import east_asian_width

    room = most
    for place, sign in enumerate(text):
        room -= 2 if east_asian_width(sign) in "WF" else 1
        if room < 0:
            return f"{text[: max(place - 1, 0)].rstrip()}…"
    return text
