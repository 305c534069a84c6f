"""Dates and times in running text, and their ISO forms.

There is no clock here: a relative date is only counted from a day that the text itself gives.
"""

from __future__ import annotations

import re
from datetime import date, timedelta

__all__ = ["DATE", "TIME", "iso_date", "iso_time", "stated_today"]

_MONTHS = (
    "january february march april may june july august september october november december",
    "jan feb mar apr may jun jul aug sep oct nov dec",
    "enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre",
    "janvier février mars avril mai juin juillet août septembre octobre novembre décembre",
    "januar februar märz april mai juni juli august september oktober november dezember",
)
_MONTH = {name: index for row in _MONTHS for index, name in enumerate(row.split(), start=1)}
_MONTH["sept"] = 9
_DAYS = (
    "monday tuesday wednesday thursday friday saturday sunday",
    "lunes martes miércoles jueves viernes sábado domingo",
    "lundi mardi mercredi jeudi vendredi samedi dimanche",
    "montag dienstag mittwoch donnerstag freitag samstag sonntag",
)
_DAY = {name: index for row in _DAYS for index, name in enumerate(row.split())}
_M = "|".join(sorted(_MONTH, key=len, reverse=True))
_D = "|".join(_DAY)
_ORD = r"\d{1,2}(?:st|nd|rd|th)?"

_CALENDAR = (
    rf"\d{{4}}-\d{{1,2}}-\d{{1,2}}|\d{{1,2}}[/.]\d{{1,2}}[/.]\d{{4}}|\d{{1,2}}/\d{{1,2}}/\d{{2}}"
    rf"|(?:{_M})\.?\s+(?:the\s+)?{_ORD}(?:,?\s+\d{{4}})?(?![\d:])"
    rf"|(?:the\s+)?{_ORD}\s+(?:of\s+|de\s+)?(?:{_M})(?:,?\s+(?:de\s+)?\d{{4}})?"
    rf"|(?:{_M})\s+\d{{4}}"
)
_RELATIVE = (
    rf"(?:(?:next|this|last|coming|every)\s+)?(?:{_D})(?:\s+(?:morning|afternoon|evening|night))?"
    r"|(?:next|this|last)\s+(?:week|month|year|weekend|summer|winter|spring|autumn|fall)"
    r"|(?:the\s+)?day\s+after\s+tomorrow|today|tonight|tomorrow(?:\s+(?:morning|afternoon|evening|night))?|yesterday"
    r"|in\s+(?:\d+|a|one|two|three|four|five|six)\s+(?:days?|weeks?|months?|years?)"
    r"|mañana|hoy|demain|aujourd'hui|morgen|heute|domani|oggi|amanhã"
)
DATE = re.compile(
    rf"(?<![\w-])(?:(?:(?:next|this)\s+)?(?:{_D}),?\s+)?(?:{_CALENDAR})(?![\w])|(?<![\w-])(?:{_RELATIVE})(?![\w])",
    re.IGNORECASE,
)
TIME = re.compile(
    r"(?<![\w:.])(?:\d{1,2}(?::\d{2})?\s?(?:am|pm|a\.m\.|p\.m\.)|\d{1,2}:\d{2}(?::\d{2})?|noon|midnight|midday"
    r"|\d{1,2}\s+o'clock|\d{1,2}h\d{0,2})(?![\w:])",
    re.IGNORECASE,
)
_TODAY = re.compile(
    r"\b(?:today(?:'s date)?|current date|the date|date|now)\s*(?:is|:|=)?\s*(?:today\s*(?:is|:)\s*)?", re.IGNORECASE
)
_ASSUMED = date(2025, 1, 1)


def stated_today(text: str) -> date | None:
    """Return the day that a text gives as today ("Today is 2026-03-02"), or None."""
    for match in _TODAY.finditer(text[:20_000]):
        found = DATE.match(text, match.end())
        if found is not None:
            day = _calendar_day(found[0].lower(), None)
            if day is not None:
                return day
    return None


def iso_date(said: str, today: date | None) -> str:
    """Return `said` as YYYY-MM-DD.

    Where the text gives no year or only a relative day, it is counted from `today`; where that is not known either,
    from 2025-01-01, so that the answer stays valid and the same on every run.
    """
    lower = said.lower().strip()
    reference = today or _ASSUMED
    return (_calendar_day(lower, reference) or _relative_day(lower, reference) or reference).isoformat()


def iso_time(said: str) -> str:
    """Return `said` as HH:MM:SS on the 24-hour clock."""
    lower = said.lower()
    if "midnight" in lower:
        return "00:00:00"
    digits = [int(part) for part in re.findall(r"\d+", lower)[:3]]
    if not digits:
        return "12:00:00"
    hour, minute, second = (*digits, 0, 0)[:3]
    if "p" in lower and hour < 12:
        hour += 12
    if lower.replace(" ", "").endswith(("am", "a.m.")) and hour == 12:
        hour = 0
    return f"{min(hour, 23):02d}:{min(minute, 59):02d}:{min(second, 59):02d}"


def _calendar_day(lower: str, reference: date | None) -> date | None:
    if match := re.search(r"(\d{4})-(\d{1,2})-(\d{1,2})", lower):
        return _day(int(match[1]), int(match[2]), int(match[3]))
    if match := re.search(r"(\d{1,2})[/.](\d{1,2})[/.](\d{2,4})", lower):
        first, second, year = int(match[1]), int(match[2]), int(match[3])
        year += 2000 if year < 100 else 0
        day_first = first > 12 or "." in lower
        return _day(year, second, first) if day_first else _day(year, first, second)
    month = next((_MONTH[word] for word in re.findall(r"[^\W\d_]+", lower) if word in _MONTH), None)
    if month is None:
        return None
    numbers = [int(digits) for digits in re.findall(r"\d+", lower)]
    year_said = next((number for number in numbers if number > 99), None)
    day = next((number for number in numbers if number <= 31), 1)
    if year_said is None and reference is None:
        return None
    if year_said is not None or reference is None:
        return _day(year_said or 0, month, day)
    found = _day(reference.year, month, day)
    return _day(reference.year + 1, month, day) if found is not None and found < reference else found


def _relative_day(lower: str, today: date) -> date | None:
    if "after tomorrow" in lower:
        return today + timedelta(days=2)
    if any(word in lower for word in ("tomorrow", "mañana", "demain", "morgen", "domani", "amanhã")):
        return today + timedelta(days=1)
    if "yesterday" in lower:
        return today - timedelta(days=1)
    weekday = next((index for name, index in _DAY.items() if name in lower), None)
    if weekday is not None:
        if lower.startswith("last"):
            return today - timedelta(days=(today.weekday() - weekday) % 7 or 7)
        return today + timedelta(days=(weekday - today.weekday()) % 7 or 7)
    amount = re.search(r"in\s+(\w+)\s+(day|week|month|year)", lower)
    spelled = {"a": 1, "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6}
    if amount:
        count = int(amount[1][:4]) if amount[1].isdigit() else spelled.get(amount[1], 1)
        return today + timedelta(days=count * {"day": 1, "week": 7, "month": 30, "year": 365}[amount[2]])
    if lower.startswith("next"):
        return today + timedelta(days=7 if "week" in lower else 30 if "month" in lower else 365)
    return today if lower in ("today", "tonight", "hoy", "heute", "oggi", "aujourd'hui") else None


def _day(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None
