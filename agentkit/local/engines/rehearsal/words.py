"""Words as rehearsal-1 compares them: found in text, folded, lightly stemmed.

The stemmer only has to map the forms of one word to one string, for requests and tool descriptions alike; what that
string looks like is of no matter.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

__all__ = [
    "UNSPACED",
    "WORD",
    "fold",
    "identifier_words",
    "stem",
    "stem_set",
    "stems",
    "unspaced_words",
    "word_set",
    "words",
]

WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)*")
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_SEPARATORS = re.compile(r"[\W_]+")
_DOUBLED = re.compile(r"([bgmnprt])\1$")
_IRREGULAR = {
    "times": "times",  # "3 times 4" isn't about time
    "does": "do",
    "children": "child",
    "people": "person",
    "men": "man",
    "women": "woman",
    "paid": "pay",
    "sent": "send",
    "sold": "sell",
    "bought": "buy",
    "sum": "sum",
    "this": "this",
    "news": "news",
    "maths": "math",
    "mathematics": "math",
    "history": "histor",
    "historic": "histor",
    "historical": "histor",
    "billing": "bill",
    "geographical": "geograph",
    "geographic": "geograph",
    "geography": "geograph",
    "technical": "technic",
    "medical": "medic",
    "medicine": "medic",
    "musical": "music",
    "legal": "legal",
    "scientific": "scienc",
    "programming": "program",
    "programmer": "program",
    "conversion": "convert",
    "division": "divid",
    "subtraction": "subtract",
    "reservation": "reserv",
    "cancellation": "cancel",
    "payment": "pay",
    "shipment": "ship",
    "invitation": "invit",
    "confirmation": "confirm",
    "registration": "regist",
    "notification": "notify",
    "application": "apply",
    "recommendation": "recommend",
    "presentation": "present",
    "transportation": "transport",
    "consultation": "consult",
    "documentation": "document",
    "installation": "install",
    "verification": "verify",
    "classification": "classify",
    "explanation": "explain",
    "description": "describ",
    "subscription": "subscrib",
    "introduction": "introduc",
    "production": "produc",
    "solution": "solv",
    "decision": "decid",
    "arrival": "arriv",
    "departure": "depart",
    "approval": "approv",
    "removal": "remov",
    "renewal": "renew",
    "delivery": "deliv",
    "deliveries": "deliv",
    "summary": "summar",
    "summarize": "summar",
    "summarise": "summar",
    "summaries": "summar",
    "analysis": "analys",
    "analyze": "analys",
    "analyse": "analys",
    "humidity": "humid",
    "availability": "availabl",
    "flew": "fly",
    "flies": "fly",
    "wrote": "write",
    "written": "write",
    "found": "find",
    "said": "say",
    "told": "tell",
    "spoken": "speak",
}


UNSPACED = re.compile(r"[\u3040-\u30ff\u4e00-\u9fff]")
"""Letters of scripts that put no spaces between words."""

_UNSPACED_PARTS = re.compile(
    r"天气|天気|时间|時間|搜索|検索|查找|翻译|翻訳|笑话|今天|今日|明天|明日|昨天|昨日|怎么样|怎么|如何|什么|何|多少|请问|请|帮我|查一下|告诉我"
    r"|教えて|ください|です|ます|どう|的|在|是|吗|呢|了|の|は|が|を|に|で|と|や|も|か|和"
)


def unspaced_words(run: str) -> list[tuple[int, int]]:
    """Return where the words of a run without spaces begin and end: a few common ones, and what lies between."""
    spans: list[tuple[int, int]] = []
    position = 0
    for match in _UNSPACED_PARTS.finditer(run):
        if match.start() > position:
            spans.append((position, match.start()))
        spans.append(match.span())
        position = match.end()
    return [*spans, (position, len(run))] if position < len(run) else spans


def word_set(text: str) -> frozenset[str]:
    """Return the words of a list that is written with spaces between them."""
    return frozenset(text.split())


def stem_set(text: str) -> frozenset[str]:
    """Return the stems of such a list."""
    return frozenset(stem(word) for word in text.split())


def words(text: str) -> list[str]:
    """Return the words and numbers of `text` as they are written."""
    return WORD.findall(text)


@lru_cache(maxsize=4096)
def fold(word: str) -> str:
    """Return `word` in lower case and without accents."""
    lower = word.lower().replace("’", "'")
    if lower.isascii():
        return lower
    return "".join(c for c in unicodedata.normalize("NFKD", lower) if not unicodedata.combining(c))


@lru_cache(maxsize=4096)
def identifier_words(name: str) -> tuple[str, ...]:
    """Return the words of a Python or JSON name: `getUserID2` and `get_user_id2` give the same ones."""
    return tuple(part.lower() for part in _SEPARATORS.sub(" ", _CAMEL.sub(" ", name)).split())


@lru_cache(maxsize=8192)
def stem(word: str) -> str:
    """Return the common part of a word's forms: translate, translation and translator give one stem."""
    word = fold(word)
    if word.endswith("'s"):
        word = word[:-2]
    known = _IRREGULAR.get(word) or _IRREGULAR.get(word.removesuffix("s"))
    if known is not None:
        return known
    if len(word) <= 3 or not word.isascii():
        return word
    return _strip_suffix(_strip_plural(word))


def _strip_plural(word: str) -> str:
    if word.endswith("ies") and len(word) > 4:
        return word[:-3] + "y"
    if word.endswith(("sses", "xes", "ches", "shes", "zes")):
        return word[:-2]
    if word.endswith("s") and not word.endswith(("ss", "us", "is")):
        return word[:-1]
    return word


def _strip_suffix(word: str) -> str:
    if word.endswith("ied") and len(word) > 4:
        return word[:-3] + "y"
    for suffix in ("ations", "ation", "ings", "ing", "ator", "ion", "ers", "er", "or", "ed", "ly"):
        if word.endswith(suffix) and len(word) - len(suffix) >= 4 and not word.endswith("ply"):
            word = word[: -len(suffix)]
            if suffix in ("ation", "ations", "ator"):
                word += "at" if len(word) > 4 or word[-1] not in "aeiou" else ""
            break
    else:
        if word.endswith("ing") and len(word) >= 6:
            word = word[:-3]
        elif word.endswith("ed") and len(word) >= 5:
            word = word[:-2]
    word = _DOUBLED.sub(r"\1", word) if len(word) > 3 else word
    return word[:-1] if word.endswith("e") and len(word) > 3 else word


@lru_cache(maxsize=2048)
def stems(text: str) -> tuple[str, ...]:
    """Return the stem of each word of `text`, in order. Meant for short texts: it is cached."""
    return tuple(stem(word) for word in words(text))
