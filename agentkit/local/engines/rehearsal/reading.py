"""A text as rehearsal-1 reads it: its words, and the things it mentions, each with its place in the text."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property

from .dates import DATE, TIME
from .languages import detect, language_code
from .lexicon import EVENT_NOUNS, STOP, VERBS
from .names import find_names
from .numbers import find_numbers
from .words import UNSPACED, WORD, fold, stem, unspaced_words

__all__ = ["Entity", "Reading", "Token", "clip"]

LIMIT_CHARACTERS = 12_000
"""What is read of a long text: its first and its last half of this."""

_HYPHENATED = re.compile(r"\b[^\W\d_]{1,20}-[^\W\d_]{1,20}\b")
_LONG_GAP = re.compile(r"\s{3,}")  # also keeps patterns that begin with a gap from going quadratic
_QUOTED = re.compile(
    r"\"([^\"\n]{1,2000})\"|“([^”\n]{1,2000})”|«\s?([^»\n]{1,2000}?)\s?»|`([^`\n]{1,2000})`|「([^」\n]{1,500})」"
)
_SINGLE = re.compile(r"(?<![\w'])'((?:[^'\n]|(?<=\w)'(?=\w)){1,2000})'(?!\w)|(?<!\w)‘([^’\n]{1,2000})’(?!\w)")
_EMAIL = re.compile(r"(?<![\w.+-])[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,5}")
_URL = re.compile(r"\bhttps?://[^\s<>\"']{1,2000}|\bwww\.[^\s<>\"']{1,500}", re.IGNORECASE)
_PATH = re.compile(
    r"(?<![\w/:])(?:~?/|\./|\.\./|[A-Za-z]:\\)[\w.~\\/-]{1,300}|(?<![\w@/.])[\w-]{1,80}\.(?:txt|csv|md|py|json|pdf"
    r"|png|jpe?g|xlsx?|docx?|html?|ya?ml|toml|log|ipynb|zip|js|ts|sql|xml)\b"
)
_STREET = re.compile(
    r"(?<![\w-])\d{1,5}[a-z]?\s+(?:[A-Z][\w'-]*\s+){1,4}(?:Street|St|Avenue|Ave|Road|Rd|Lane|Ln|Drive|Dr|Way"
    r"|Boulevard|Blvd|Square|Sq|Court|Ct|Place)\b"
    r"|\b[A-ZÄÖÜ][\wäöüß]*(?:straße|strasse|weg|gasse|platz)\s+\d{1,4}\b"
)
_PHONE = re.compile(r"(?<![\w+])\+?\d[\d ()-]{6,17}\d(?!\w)")
_ID = re.compile(
    r"(?<![\w-])(?=[0-9A-Z]{0,30}[A-Z])\d[0-9A-Z]{7,30}(?![\w-])|"
    r"#\w[\w-]{0,40}|(?<![\w-])(?=[\w-]{0,40}\d)(?=[\w-]{0,40}[A-Za-z])[A-Z][A-Za-z0-9]{0,20}(?:[-_][A-Za-z0-9]{1,20}){0,4}(?![\w-])|(?<![\w-])[a-z]{1,10}[_-](?=\w{0,30}\d)\w{1,30}(?![\w-])"
)


@dataclass(frozen=True, slots=True)
class Token:
    """One word of a text."""

    text: str
    stem: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Entity:
    """Something that a text mentions."""

    kind: str
    """quoted, email, url, path, phone, street, date, time, id, number, language, proper, or phrase."""

    text: str
    """As said, without quotes."""

    start: int
    end: int
    value: int | float | None = None
    """Of a number."""

    mark: str = ""
    """Of a number: `"%"` or a currency sign."""


def clip(text: str, limit: int = LIMIT_CHARACTERS) -> str:
    """Return `text` shortened to its beginning and end, so that reading stays fast on huge inputs."""
    if len(text) > limit:
        text = text[: limit // 2] + "\n" + text[-limit // 2 :]
    return _LONG_GAP.sub(lambda gap: "\n" if "\n" in gap[0] else " ", text.replace("\x00", " "))


class Reading:
    """A text and what was found in it; everything is found when first asked for.

    Args:
        text: The text; of a long one only the beginning and the end are read.
    """

    def __init__(self, text: str) -> None:
        self.text = clip(text)
        self.lower = self.text.lower()
        if len(self.lower) != len(self.text):  # a few letters grow when lowered; offsets must stay right
            self.lower = "".join(c.lower() if len(c.lower()) == 1 else c for c in self.text)

    @cached_property
    def tokens(self) -> list[Token]:
        """The words, in order."""
        found: list[Token] = []
        for match in WORD.finditer(self.text):
            if match[0].isascii() or not UNSPACED.search(match[0]):
                found.append(Token(match[0], stem(match[0]), match.start(), match.end()))
                continue
            for start, end in unspaced_words(match[0]):
                word = match[0][start:end]
                found.append(Token(word, stem(word), match.start() + start, match.start() + end))
        return found

    @cached_property
    def stems(self) -> frozenset[str]:
        """The stems of all words; "sci-fi" gives scifi as well."""
        compounds = (stem(match[0].replace("-", "")) for match in _HYPHENATED.finditer(self.text))
        return frozenset([*(token.stem for token in self.tokens), *compounds])

    @cached_property
    def content_stems(self) -> tuple[str, ...]:
        """The stems that aren't function words, in order, each once."""
        return tuple(dict.fromkeys(t.stem for t in self.tokens if fold(t.text) not in STOP))

    @cached_property
    def language(self) -> str | None:
        """ISO code of the language of the text, or None."""
        return detect(self.text)

    @cached_property
    def entities(self) -> list[Entity]:
        """What the text mentions, in order of mention, without overlaps save inside quotes."""
        found: list[Entity] = []
        taken = bytearray(len(self.text) + 1)
        for kind, entity in self._candidates():
            if any(taken[entity.start : entity.end]):
                continue
            found.append(entity)
            if kind != "quoted":  # what a quotation holds may be asked for as well
                taken[entity.start : entity.end] = b"\x01" * (entity.end - entity.start)
        found.sort(key=lambda entity: (entity.start, -entity.end))
        return found

    def _candidates(self) -> list[tuple[str, Entity]]:
        text = self.text
        listed = [
            Entity("quoted", next(g for g in m.groups() if g), m.start(), m.end()) for m in _QUOTED.finditer(text)
        ]
        listed += [Entity("quoted", m[1] or m[2], m.start(), m.end()) for m in _SINGLE.finditer(text)]
        for kind, pattern in (
            ("email", _EMAIL),
            ("url", _URL),
            ("path", _PATH),
            ("date", DATE),
            ("time", TIME),
            ("street", _STREET),
        ):
            listed += [Entity(kind, m[0].rstrip(".,;:!?)"), m.start(), m.end()) for m in pattern.finditer(text)]
        listed += [Entity("id", m[0], m.start(), m.end()) for m in _ID.finditer(text) if not _is_measure(m[0])]
        listed += [
            Entity("phone", m[0], m.start(), m.end())
            for m in _PHONE.finditer(text)
            if sum(c.isdigit() for c in m[0]) >= 7 and (m[0][0] == "+" or any(c in m[0] for c in "-() "))
        ]
        listed += [Entity("number", text[n.start : n.end], n.start, n.end, n.value, n.mark) for n in find_numbers(text)]
        listed += [
            Entity("language", t.text, t.start, t.end)
            for t in self.tokens
            if t.text[0].isupper() and language_code(t.text) is not None
        ]
        listed += [Entity("proper", text[start:end], start, end) for start, end in find_names(text)]
        return [(entity.kind, entity) for entity in listed]

    def of(self, *kinds: str) -> list[Entity]:
        """Return the entities of these kinds, in order of mention."""
        return [entity for entity in self.entities if entity.kind in kinds]

    def before(self, position: int, count: int = 1) -> list[str]:
        """Return the folded words that stand just before `position`, nearest first."""
        index = self._index(position)
        return [fold(t.text) for t in reversed(self.tokens[max(0, index - count) : index])]

    def after(self, position: int, count: int = 1) -> list[str]:
        """Return the folded words that follow `position`, nearest first."""
        index = self._index(position)
        return [fold(t.text) for t in self.tokens[index : index + count]]

    def _index(self, position: int) -> int:
        """Return the index of the first token that starts at or after `position`."""
        low, high = 0, len(self.tokens)
        while low < high:
            middle = (low + high) // 2
            if self.tokens[middle].start < position:
                low = middle + 1
            else:
                high = middle
        return low

    @cached_property
    def noun_phrases(self) -> list[Entity]:
        """Runs of plain words that are neither function words, verbs, dates nor numbers, in order."""
        blocked = [(e.start, e.end) for e in self.entities if e.kind not in ("quoted", "language")]
        phrases: list[Entity] = []
        run: list[Token] = []
        previous_end = 0
        for token in [*self.tokens, None]:
            breaks = token is None or self._breaks(token, blocked, run)
            between = self.text[previous_end : token.start] if token is not None and run else " "
            gap = not between or re.search(r"[^\s'’-]", between) is not None  # no gap at all: an unspaced script
            if (breaks or gap) and run:
                text = self.text[run[0].start : run[-1].end]
                phrases.append(Entity("phrase", text, run[0].start, run[-1].end))
                run = []
            if token is not None:
                if not breaks:
                    run.append(token)
                previous_end = token.end
        return phrases

    def _breaks(self, token: Token, blocked: list[tuple[int, int]], run: list[Token]) -> bool:
        if fold(token.text) in STOP or any(start <= token.start < end for start, end in blocked):
            return True
        if token.stem in EVENT_NOUNS:
            return False
        previous = self.before(token.start)[:1]
        after_article = bool(run) or previous in (["a"], ["an"], ["the"], ["my"], ["our"])
        after_article = after_article or (
            token.text.endswith("ing") and previous in (["of"], ["for"], ["about"], ["go"])
        )
        return token.stem in VERBS and not after_article


def _is_measure(text: str) -> bool:
    return re.fullmatch(r"[A-Z]?\d+(?:st|nd|rd|th)?", text) is not None and len(text) < 3
