"""Which words a text is found by: stems, parts of identifiers, pairs of letters where a script has no spaces."""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import tantivy

__all__ = ["analyzer", "passage", "prepared", "query_terms"]

_MOST_LETTERS = 128
"""Words longer than this are data."""
_MOST_TERMS = 256
"""Of a query."""

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*[A-Za-z0-9]")
_HUMP = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")

_ACCENTS = re.compile("[\u0300-\u036f]+")
_SPELT = str.maketrans(
    {"ß": "ss", "ẞ": "SS", "æ": "ae", "Æ": "Ae", "œ": "oe", "Œ": "Oe", "ø": "o", "Ø": "O", "ł": "l", "Ł": "L"}
    | {"đ": "d", "Đ": "D", "ð": "d", "Ð": "D", "þ": "th", "Þ": "Th", "ı": "i", "\u00ad": "", "\u200b": " "}
)

_UNSPACED = re.compile(
    "["
    "\u0e00-\u0eff"  # Thai, Lao
    "\u1000-\u109f"  # Myanmar
    "\u1780-\u17ff"  # Khmer
    "\u3005-\u3007\u3041-\u3096\u309d-\u309f\u30a1-\u30fa\u30fc-\u30ff"  # kana
    "\u3105-\u312f\u31a0-\u31bf\u31f0-\u31ff"
    "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"  # Han
    "\uac00-\ud7af"  # Hangul: spaced, but its endings stick to the words
    "\U00020000-\U0003fffd"
    "]+"
)


def analyzer() -> tantivy.TextAnalyzer:
    """Return what makes a prepared text into terms: words, in small letters, without accents, as stems."""
    import tantivy

    builder = tantivy.TextAnalyzerBuilder(tantivy.Tokenizer.simple())
    for step in (
        tantivy.Filter.remove_long(_MOST_LETTERS),
        tantivy.Filter.lowercase(),
        tantivy.Filter.stemmer("English"),
    ):
        builder = builder.filter(step)
    return builder.build()


def query_terms(query: str) -> list[str]:
    """Return the terms of a query, each once."""
    return list(dict.fromkeys(analyzer().analyze(prepared(query, as_query=True))))[:_MOST_TERMS]


def passage(text: str, heading: str) -> str:
    """Return the prepared text of a passage: it is found by its headings too."""
    return prepared(f"{heading}\n{text}" if heading else text)


def prepared(text: str, *, as_query: bool = False) -> str:
    """Return a text with what else it shall be found by.

    `getUserName` and `get_user_name` are also found by their parts and by each other. Of scripts that are written
    without spaces, each pair of neighbouring letters is a word, and each letter too.

    Args:
        text: The text.
        as_query: Whether it is to be looked for: then a single letter counts only where it stands alone.
    """
    if not text.isascii():
        text = _folded(text)
        text = _UNSPACED.sub(_paired_query if as_query else _paired, text)
    parts = _parts(text)
    return f"{text} {' '.join(parts)}" if parts else text


def _parts(text: str) -> list[str]:
    """Return what the names in a text are made of, and those of several words as one."""
    # most words are in one case but for their first letter, which is quickly seen, most quickly without a call
    odd = [w for w in text.split() if not (w.islower() or w.istitle() or w.isupper()) or "_" in w]
    if not odd:
        return []
    parts = []
    for name in dict.fromkeys(_NAME.findall(" ".join(odd))):
        if "_" in name:
            parts.append(name.replace("_", ""))
        if not _is_plain(name):
            parts += _HUMP.findall(name)
    return parts


def _is_plain(word: str) -> bool:
    return word.islower() or word.istitle() or word.isupper()


def _folded(text: str) -> str:
    """Return a text without accents and ligatures. Halves of surrogate pairs, which are no characters, go too."""
    apart = unicodedata.normalize("NFKD", text.encode(errors="replace").decode().translate(_SPELT))
    return unicodedata.normalize("NFC", _ACCENTS.sub("", apart))


def _pairs(letters: str) -> list[str]:
    return [letters[n : n + 2] for n in range(len(letters) - 1)]


def _paired(match: re.Match[str]) -> str:
    letters = match[0]
    return f" {' '.join([*letters, *_pairs(letters)])} "


def _paired_query(match: re.Match[str]) -> str:
    return f" {' '.join(_pairs(match[0]) or match[0])} "
