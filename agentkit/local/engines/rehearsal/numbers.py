"""Numbers in running text, in digits and in words."""

from __future__ import annotations

import re
from dataclasses import dataclass

__all__ = ["NumberMention", "find_numbers", "plain"]

_UNITS = {
    word: value
    for value, text in enumerate(
        """zero|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|thirteen|fourteen|fifteen|sixteen
        |seventeen|eighteen|nineteen""".replace("\n", "")
        .replace(" ", "")
        .split("|")
    )
    for word in (text,)
}
_TENS = {
    word: 20 + 10 * index
    for index, word in enumerate(("twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"))
}
_SCALES = {"hundred": 100, "thousand": 1_000, "million": 1_000_000, "billion": 1_000_000_000}
_FOREIGN = {
    word: value
    for text in (
        "uno dos tres cuatro cinco seis siete ocho nueve diez",
        "un deux trois quatre cinq six sept huit neuf dix",
        "eins zwei drei vier fünf sechs sieben acht neun zehn",
        "uno due tre quattro cinque sei sette otto nove dieci",
        "um dois três quatro cinco seis sete oito nove dez",
    )
    for value, word in enumerate(text.split(), start=1)
    if word not in ("un", "um", "uno", "six")  # articles, and the English number
}
_SIMPLE = {**_UNITS, **_TENS, **_FOREIGN, "dozen": 12}
_NAMES = sorted({*_SIMPLE, *_SCALES}, key=len, reverse=True)
_NAME = "|".join(_NAMES)
_SPELLED = re.compile(
    rf"\b(?:(minus|negative)\s+)?((?:a\s+(?=hundred|thousand|million|dozen))?(?:{_NAME})"
    rf"(?:(?:\s+and\s+|\s*-\s*|\s+)(?:{_NAME}))*(?:\s+point(?:\s+(?:{'|'.join(_UNITS)}))+)?)\b",
    re.IGNORECASE,
)
_DIGITS = re.compile(
    r"(?<![\w.,/#])([-−+]?)([$€£¥₹]?)(\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?(?:e[-+]?\d+)?|\.\d+)"
    r"(?:\s?(%|percent\b)|\s?(k|thousand|million|billion|m|bn)\b)?(?![\w])",
    re.IGNORECASE,
)
_STUCK = re.compile(r"(\d+(?:\.\d+)?)(?=(?:[a-wyz]{1,3}|[€$£¥])(?![\w]))", re.IGNORECASE)  # 20kg, 15C, 30€
_SUFFIX = {"k": 1e3, "thousand": 1e3, "m": 1e6, "million": 1e6, "bn": 1e9, "billion": 1e9}
_NOT_NUMBERS = re.compile(
    r"\b(?:that|this|which|the|no|any|each|every|some|another|first|last|good)\s+$", re.IGNORECASE
)
_PRONOUN_ONE = re.compile(r"\s+(?:of|by|another|more|should|would|can|is|day)\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class NumberMention:
    """A number as it stands in a text."""

    value: int | float
    start: int
    end: int
    mark: str
    """`"%"`, a currency sign, or nothing."""


def find_numbers(text: str) -> list[NumberMention]:
    """Return the numbers of `text` in order of mention: -3, 1,250.5, 5k, 20%, twenty-one, minus two."""
    found = [*_in_digits(text), *_stuck_to_units(text), *_in_words(text)]
    found.sort(key=lambda mention: (mention.start, -mention.end))
    kept: list[NumberMention] = []
    for mention in found:
        if not kept or mention.start >= kept[-1].end:
            kept.append(mention)
    return kept


def plain(value: float) -> int | float:
    """Return `value` as an int where it is whole and small enough to be written as one."""
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return int(value)
    return value


def _in_digits(text: str) -> list[NumberMention]:
    found = []
    for match in _DIGITS.finditer(text):
        sign, currency, digits, percent, suffix = match.groups()
        if len(digits) > 300:  # past what a float holds
            continue
        value = float(digits.replace(",", "")) if re.search(r"[.eE]", digits) else int(digits.replace(",", ""))
        if value in (float("inf"),):
            continue
        if suffix:
            value *= _SUFFIX[suffix.lower()]
        start = match.start()
        if sign in ("-", "−"):
            value = -value
        mark = "%" if percent else currency
        found.append(NumberMention(plain(value), start, match.end(), mark))
    return found


def _stuck_to_units(text: str) -> list[NumberMention]:
    found = []
    for match in _STUCK.finditer(text):
        before = text[match.start() - 1 : match.start()]
        if (before and (before.isalnum() or before in "._#/-,")) or len(match[1]) > 300:
            continue
        mark = text[match.end()] if text[match.end()] in "€$£¥" else ""
        found.append(NumberMention(plain(float(match[1])), match.start(), match.end(), mark))
    return found


def _in_words(text: str) -> list[NumberMention]:
    found = []
    for match in _SPELLED.finditer(text):
        spelled = match[2].lower()
        alone = spelled == "one"
        if alone and (_NOT_NUMBERS.search(text[: match.start()][-12:]) or _PRONOUN_ONE.match(text, match.end())):
            continue
        for value, start, end in _spelled_values(match[2], match.start(2)):
            negative = match[1] is not None and start == match.start(2)
            found.append(NumberMention(-value if negative else value, match.start() if negative else start, end, ""))
    return found


def _spelled_values(spelled: str, offset: int) -> list[tuple[int | float, int, int]]:
    """Return the numbers in a run of number words: "two and three" are two, "two hundred and three" is one."""
    values: list[tuple[int | float, int, int]] = []
    total = current = 0
    begin: int | None = None
    last_end, last_size, decimals = 0, 10**12, ""
    joined_by_and = in_decimals = False
    for match in re.finditer(r"[^\W\d_]+", spelled):
        word = match[0].lower()
        if word in ("a", "and"):
            joined_by_and = joined_by_and or word == "and"
            continue
        if word == "point":
            in_decimals = True
            continue
        if in_decimals:
            decimals += str(_UNITS[word])
            last_end = match.end()
            continue
        if word in _SCALES:
            scale = _SCALES[word]
            current = (current or 1) * scale
            if scale > 100:
                total, current = total + current, 0
            size = scale
        else:
            value = _SIMPLE[word]
            size = 1 if value < 10 else 10
            fits = last_size >= 100 if joined_by_and else (last_size >= 100 or (last_size == 10 and size == 1))
            fits = fits and not (last_size == 10 and current % 100 < 20 and begin is not None)
            if begin is not None and not fits:
                values.append((total + current, offset + begin, offset + last_end))
                total, current, begin = 0, 0, None
            current += value
        begin = match.start() if begin is None else begin
        last_end, last_size, joined_by_and = match.end(), size, False
    if begin is not None:
        whole: int | float = total + current
        values.append((float(f"{whole}.{decimals}") if decimals else whole, offset + begin, offset + last_end))
    return values
