"""Texts that rehearsal-1 makes up: jokes, a haiku, a story, lists, and text of a wanted length.

They are plain and always the same for the same request; they are there to show streaming and rendering, not to inform.
"""

from __future__ import annotations

import re
import zlib
from dataclasses import dataclass

from .numbers import find_numbers
from .reading import Reading
from .rules import read_form
from .tokens import pieces

__all__ = ["Wanted", "haiku", "jokes", "wanted", "write"]

_JOKES = (
    "Why did the loop go to bed early? It was tired of going round in circles.",
    "A list walked into a bar and asked for a table. The bar only had tuples, and they could not be changed.",
    "Why was the number never invited anywhere? It kept dividing the room by zero.",
    "My offline model told me a secret. It's safe: it has nobody to tell.",
    "Why do kernels make poor sailors? They restart at the first wave.",
    "The notebook broke up with the script: it wanted someone who remembers things out of order.",
    "What does a function say when it's cornered? I return!",
    "Why did the variable see a doctor? It had lost all its values.",
    "The cloud wanted to be a comedian, but nobody could connect.",
    "Why did the test bring a ladder? To reach full coverage.",
    "A recursive cook makes soup from leftover soup. It never gets to the base.",
    "Why was the string so calm? It was well escaped.",
    "Two threads met in a doorway. They are still there.",
    "Why did the cache refuse the birthday party? It was past its expiry date.",
    "An empty list has no enemies, and no members either.",
    "Why did the integer join a choir? It was tired of being rounded down.",
    "The dictionary stayed home: it couldn't find its keys.",
    "What is a tool's favourite music? Anything it's called for.",
    "Why was the graph so good at gossip? It knew all the connections.",
    "The regular expression went to a psychologist. They matched on the first session.",
)
_SENTENCES = (
    "{S} can be looked at from many sides, and each of them shows something else.",
    "A first step is to say in plain words what {s} is meant to do.",
    "It helps to begin small, to look closely, and to write down what happens.",
    "Whoever works with {s} soon learns that the simple cases teach the most.",
    "There is a time to plan and a time to try, and the two take turns.",
    "Most questions about {s} become easier when they are split into parts.",
    "A good example is worth more than a long explanation.",
    "What looks difficult in the evening is often clear the next morning.",
    "People who care about {s} tend to ask the same three questions: what, how and why.",
    "The details differ, yet the pattern behind them stays the same.",
    "It is useful to compare two versions side by side and to keep the better one.",
    "In the end {s} is judged by what it does, not by what is said of it.",
    "Careful notes make it possible to come back to {s} later.",
    "Nothing in this paragraph is knowledge: it is rehearsal text, written to be read as it streams.",
    "A short pause between two steps costs little and saves much.",
    "Every now and then it pays to start again from the beginning.",
)
_HAIKU = (
    ("{S} in the morning,", "a small word waits to be said:", "the line begins here."),
    ("Quiet evening, {s}.", "One leaf falls, then another;", "the page stays open."),
    ("Slowly comes {s},", "folding back into itself", "like rain on water."),
    ("{S}, once again,", "calls softly to its own name", "and hears an answer."),
)
_STORY = (
    "Once there was {a} who lived at the edge of a quiet wood and counted the stars until sleep came softly.",
    "Every evening {t} followed a narrow path to the pond and listened to what the water had to tell.",
    "One night the moon stayed away, and {t} lit a small lamp so that the others would find their way home.",
    "They came one after the other, and each of them brought a little light of its own.",
    "By morning the wood was bright, and nobody could say any more whose light had been the first.",
    "So {t} lay down under the oldest tree, content, and slept until noon.",
)
_POEM = (
    "I asked the wind for {s},",
    "it answered with the rain;",
    "I wrote it down on paper,",
    "then read it out again.",
)
_COUNTED = re.compile(
    r"^[\s-]*(?:(?:short|funny|different|new|simple|random|good|great|long|random|sample|quick|more"
    r"|of)\s+){0,3}([^\W\d_]+)",
    re.IGNORECASE,
)
_MAKES = re.compile(
    r"\b(?:write|tell|give|list|name|generate|create|compose|produce|make|draft|suggest|show|print"
    r"|output|count|say|need|want"
    r"|provide|escribe|cuenta|écris|raconte|schreib|erzähl)\w*\b",
    re.IGNORECASE,
)
_TEACHES = re.compile(r"\b(?:explain|describe)\w*\b", re.IGNORECASE)
_MANY = {"words": 50, "tokens": 50, "paragraphs": 2}  # below that an explanation is meant, which nobody here can give
_LONG = re.compile(
    r"\b(?:long|detailed|essay|article|report|in detail|at length|blog post|chapter|guide|tutorial|lengthy)\b",
    re.IGNORECASE,
)
_ABOUT = re.compile(
    r"\b(?:about|on|of|for|regarding|sobre|über|sur)\s+((?:(?:the|a|an|my|our)\s+)?[^.?!,;\n]{1,60})", re.IGNORECASE
)
_PARTS = re.compile(r"\b(?:sub)?headings?\b|\btables?\b|\bcode blocks?\b|\bblocks? of code\b", re.IGNORECASE)
_IN_PARTS = re.compile(
    rf"\b(?:with|using|has|have|contains?|includ\w+|markdown)\b[^.?!]{{0,80}}?(?:{_PARTS.pattern})", re.IGNORECASE
)
_TEXT = re.compile(r"\b(?:text|document|page|answer|reply|summary|post|markdown)\b", re.IGNORECASE)
_WORDS_A_SECTION = 90
_LIMITS = {
    "words": 20_000,
    "tokens": 40_000,
    "paragraphs": 400,
    "sentences": 2_000,
    "items": 1_000,
    "jokes": 200,
    "lines": 2_000,
}


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be made up."""

    kind: str
    """joke, haiku, poem, story, list, words, tokens, paragraphs, sentences, lines or long."""

    count: int
    subject: str
    """What it is about, or `""`."""

    noun: str = ""
    """Of a list: what it lists, in the plural."""

    table: bool = False
    """Of a long text: whether a table is wanted in it."""


def wanted(request: Reading, count_from_tools: int | None = None) -> Wanted | None:
    """Return what a request wants made up, or None where it wants something else.

    Args:
        request: The request, or the instructions that order a text.
        count_from_tools: How many, where a tool has said it ("tell that many jokes").
    """
    text = request.text
    lower = request.lower
    makes = _MAKES.search(text) is not None
    subject = _subject(text)
    counted = _count(request)
    count = count_from_tools if count_from_tools is not None else None
    kinds = (
        ("joke", r"\bjokes?\b|\bchistes?\b|\bblagues?\b|\bwitze?\b"),
        ("haiku", r"\bhaikus?\b"),
        ("poem", r"\bpoems?\b|\bpoema\b|\bpoème\b"),
    )
    for kind, pattern in (*kinds, ("story", r"\bstory\b|\btale\b|\bcuento\b|\bhistoire\b|\bgeschichte\b")):
        if re.search(pattern, lower) and (makes or len(request.tokens) < 8):
            amount = count or (
                counted[0]
                if counted and (counted[1] in ("joke", "haiku", "poem", "sentences", "words") or kind == "joke")
                else 1
            )
            if kind == "story" and counted and counted[1] in ("words", "paragraphs", "tokens"):
                return Wanted(counted[1], _within(counted[0], counted[1]), subject)
            return Wanted(kind, min(max(amount, 0), _LIMITS["jokes"]), subject, counted[1] if counted else "")
    in_parts = (makes or _TEACHES.search(text) is not None) and _IN_PARTS.search(text) is not None
    if in_parts and (_LONG.search(text) or _TEXT.search(text) or (counted and counted[1] in ("words", "paragraphs"))):
        return Wanted("long", _sections(counted), subject, table=re.search(r"\btables?\b", lower) is not None)
    if counted is not None and (makes or (_TEACHES.search(text) and counted[0] >= _MANY.get(counted[1], 10**9))):
        amount, noun = counted
        if noun in _LIMITS:
            return Wanted(noun, _within(amount, noun), subject)
        if noun:
            return Wanted("list", _within(amount, "items"), subject, noun)
    if (makes or _TEACHES.search(text)) and _LONG.search(text):
        return Wanted("long", 6, subject)
    return None


def _sections(counted: tuple[int, str] | None) -> int:
    """Return how many sections come near to so many words or paragraphs."""
    amount, noun = counted or (0, "")
    if noun == "words":
        return max(2, _within(amount, noun) // _WORDS_A_SECTION)
    return _within(amount, noun) if noun == "paragraphs" else 6


def _within(amount: int, noun: str) -> int:
    return max(1, min(amount, _LIMITS[noun]))


def _count(request: Reading) -> tuple[int, str] | None:
    """Return a number with what it counts: (5, "jokes"), (300, "words"), (20, "ideas")."""
    for mention in find_numbers(request.text):
        if not isinstance(mention.value, int) or mention.value < 1:
            continue
        following = _COUNTED.match(request.text, mention.end) or _COUNTED.match(request.text[mention.end :])
        if following is None:
            continue
        noun = following[1].lower()
        if noun in ("word", "token", "paragraph", "sentence", "line", "item"):
            noun += "s"
        if noun in _LIMITS or noun.endswith("s") or noun in ("haiku", "people"):
            return mention.value, noun
    return None


def _subject(text: str) -> str:
    found = [match[1] for match in _ABOUT.finditer(text[:2_000])]
    if not found:
        return ""
    subject = re.split(
        r"\s+(?:in|with|using|that|which|and (?:then|make|keep))\s+(?:\d|exactly|at|about|no|less|is|are|many"
        r"|the form|bullet|markdown|(?:an? |some |many )?(?:(?:sub)?heading|table|code|block))",
        found[0],
    )[0]
    return subject.strip(" \"'")


def jokes(count: int) -> str:
    """Return `count` numbered jokes; a single one without its number."""
    if count == 1:
        return _JOKES[0]
    lines = [f"{index + 1}. {_JOKES[index % len(_JOKES)]}" for index in range(count)]
    if count > len(_JOKES):
        lines.append(f"\n(I know {len(_JOKES)} jokes; after those they begin again.)")
    return "\n".join(lines)


def haiku(subject: str) -> str:
    """Return three lines about `subject`."""
    return "\n".join(_filled(line, subject or "a word") for line in _HAIKU[_pick(subject, len(_HAIKU))])


def write(order: Wanted) -> str:
    """Return the text that was wanted."""
    subject = order.subject or "the subject"
    match order.kind:
        case "joke":
            return jokes(order.count) if order.count else "You asked for no jokes at all, so I keep them to myself."
        case "haiku":
            return "\n\n".join(
                haiku(order.subject if n == 0 else f"{subject} {'again ' * n}".strip()) for n in range(order.count)
            )
        case "poem":
            return "\n".join(_filled(line, order.subject or "a song") for line in _POEM)
        case "story":
            return _story(order)
        case "list":
            return _list(order)
        case "words":
            return _exact_words(order.count, subject)
        case "tokens":
            return _exact_tokens(order.count, subject)
        case "sentences":
            return " ".join(_sentence(n, subject) for n in range(order.count))
        case "lines":
            return "\n".join(_sentence(n, subject) for n in range(order.count))
        case "paragraphs":
            return "\n\n".join(_paragraph(n, subject) for n in range(order.count))
    return long_text(subject, order.count, table=order.table)


def long_text(subject: str, sections: int, *, table: bool = False) -> str:
    """Return a text in Markdown with headings, lists and a block of code; with a table where one is wanted."""
    parts = [f"# {_title(subject)}", "This is rehearsal text: it has the shape of an answer, not its knowledge."]
    for number in range(sections):
        parts += [f"## {number + 1}. {_HEADINGS[number % len(_HEADINGS)]}", _paragraph(number, subject)]
        if number % 3 == 0:
            parts.append("\n".join(f"- {_sentence(number + n + 5, subject)}" for n in range(3)))
            if table and number == 0:
                rows = [f"| {n + 1} | {heading} |" for n, heading in enumerate(_HEADINGS[:sections])]
                parts.append("\n".join(["| section | title |", "|--:|---|", *rows]))
        elif number % 3 == 1:
            parts.append(f'```python\nfor step in range({number + 2}):\n    print("step", step)\n```')
        else:
            parts.append(f"> {_sentence(number + 9, subject)}")
    return "\n\n".join(parts)


_HEADINGS = ("Where to begin", "A small example", "What to watch for", "Step by step", "Variations", "In short")


def _story(order: Wanted) -> str:
    subject = order.subject or "a small lantern"
    bare = re.sub(r"^(?:a|an|the|my|our)\s+", "", subject, flags=re.IGNORECASE)
    article = "an" if bare[:1].lower() in "aeiou" and bare[:3].lower() != "uni" else "a"
    plural = bare.endswith("s") and not bare.endswith("ss")
    values = {"a": bare if plural else f"{article} {bare}", "t": f"the {bare}"}
    count = order.count if order.noun == "sentences" else len(_STORY)
    lines = [_STORY[n % len(_STORY)] for n in range(max(1, min(count, 200)))]
    text = " ".join(line.replace("{a}", values["a"]).replace("{t}", values["t"]) for line in lines)
    return text.replace(" who lived", " who lived") if not plural else text.replace("there was", "there were")


def _list(order: Wanted) -> str:
    one = (
        order.noun[:-3] + "y"
        if order.noun.endswith("ies")
        else order.noun[:-1]
        if order.noun.endswith("s")
        else order.noun
    )
    about = f" for {order.subject}" if order.subject and order.noun not in order.subject else ""
    lines = [f"{n + 1}. {one.capitalize()} {n + 1}{about}" for n in range(order.count)]
    note = (
        f"I know no real {order.noun}, so these {order.count} lines only hold their places:" if order.count > 1 else ""
    )
    return "\n".join([note, "", *lines] if note else lines)


def _exact_words(count: int, subject: str) -> str:
    words: list[str] = []
    number = 0
    while len(words) < count:
        words += _sentence(number, subject).split()
        number += 1
    text = " ".join(words[:count]).rstrip(",;:")
    paragraphs = re.sub(r"((?:[^.]*\.){5}) ", r"\1\n\n", text)
    return paragraphs if paragraphs.endswith(".") else paragraphs + "."


def _exact_tokens(count: int, subject: str) -> str:
    sections = 3 + count // 100
    found = pieces(long_text(subject, sections))
    while len(found) < count:
        sections *= 2
        found = pieces(long_text(subject, sections))
    return "".join(found[:count])


def _paragraph(number: int, subject: str) -> str:
    return " ".join(_sentence(number * 5 + n, subject) for n in range(5))


def _sentence(number: int, subject: str) -> str:
    return _filled(_SENTENCES[number % len(_SENTENCES)], subject)


def _filled(line: str, subject: str) -> str:
    upper = subject[:1].upper() + subject[1:]
    return line.replace("{S}", upper).replace("{s}", subject)


def _title(subject: str) -> str:
    return subject[:1].upper() + subject[1:]


def _pick(text: str, count: int) -> int:
    return zlib.crc32(text.encode("utf-8", "replace")) % count


def shaped(text: str, instructions: str) -> str:
    """Return `text` in the form that the instructions ask for, as far as that can be done by rule."""
    form = read_form(instructions)
    if form.bullets and "\n" not in text and len(text) > 40:
        text = "\n".join(f"- {part}" for part in re.split(r"(?<=[.!?])\s+", text) if part)
    if form.pirate:
        text = f"Arr, matey! {text}"
    if form.robot:
        text = f"Beep. {text} Boop."
    if form.upper:
        text = text.upper()
    if form.lower and not form.upper:
        text = text.lower()
    return text
