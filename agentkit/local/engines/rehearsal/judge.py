"""Decisions about a text that it doesn't spell out: is it about homework, is it angry, what category is it."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from . import extract
from .arithmetic import evaluate_text
from .languages import LANGUAGE_NAMES, language_code, languages_named
from .lexicon import GENERIC, STOP, groups_of
from .meaning import Slot
from .reading import Reading
from .rules import Rules, sentences
from .topics import SCHOOL, TOPICS, labels_in, profile, related
from .words import fold, identifier_words, stem, stem_set, word_set, words

__all__ = ["RequestJudge", "sentiment"]

_POSITIVE = stem_set("""
    good great excellent amazing awesome love loved loves wonderful fantastic happy nice best perfect brilliant
    delightful pleased enjoy enjoyed recommend beautiful friendly helpful superb impressed satisfied delicious glad
    excited fast easy thanks outstanding favorite favourite incredible joy bueno buena excelente encanta feliz
    génial excellent super adore gut toll
""")
_NEGATIVE = stem_set("""
    bad terrible awful horrible hate hated hates worst poor disappointing disappointed disappointment angry sad
    broken slow rude useless annoying annoyed waste boring ugly dirty frustrated frustrating unhappy problem fail
    failed failure crash crashes crashed wrong refuse unacceptable disgusting expensive late never cold pathetic
    malo mala terrible horrible odio mauvais nul schlecht furchtbar defective upset scam
""")
_RUDE = stem_set("idiot stupid dumb moron hate kill damn shut crap loser jerk fool bastard hell suck trash disgusting")
_URGENT = stem_set("urgent urgently asap immediately emergency critical now deadline outage down right hurry today")
_SPAM = stem_set(
    "winner won prize free click lottery cash offer claim viagra congratulations bitcoin million guaranteed"
)
_FALL_BACK = (
    "other",
    "unknown",
    "neutral",
    "none",
    "general",
    "medium",
    "normal",
    "misc",
    "miscellaneous",
    "n/a",
    "unclear",
    "mixed",
)
_AUXILIARY = stem_set("""
    is has have contains contain includes include should are was be can needs need requires require mentions mention
    tripwire triggered detected about asks asking whether related relevant request requests text flag check concern
    concerns wants want does do seems
""") | {"us"}
_ASKS_WHETHER = re.compile(
    r"\b(?:check|decide|determine|detect|classify|tell|judge|evaluate|flag|identify|whether|see|assess|verify"
    r"|say)\b|\?|^is\b|^does\b",
    re.IGNORECASE,
)
_NEGATORS = word_set("not no never n't isn't wasn't don't doesn't didn't hardly without nothing")


def _stems(text: str) -> frozenset[str]:
    return frozenset(stem(word) for word in text.split())


_OPENS_QUESTION = re.compile(
    r"\s*(?:who|what|when|where|why|how|which|is|are|can|could|do|does|did|will)\b", re.IGNORECASE
)
_OPENS_GREETING = re.compile(
    r"\s*(?:hi|hello|hey|hola|bonjour|good (?:morning|evening|afternoon)|hallo|ciao)\b", re.IGNORECASE
)


def sentiment(reading: Reading) -> int:
    """Return how many more kind words than unkind ones a text has; "not good" counts as unkind."""
    score = 0
    recent: list[str] = []
    for token in reading.tokens:
        word = fold(token.text)
        value = (token.stem in _POSITIVE) - (token.stem in _NEGATIVE)
        if value and any(previous in _NEGATORS or previous.endswith("n't") for previous in recent[-3:]):
            value = -value if token.stem != "nev" else value
        score += value
        recent.append(word)
    return score


_FEATURES: tuple[tuple[frozenset[str], Callable[[Reading], bool], str], ...] = (
    (_stems("question interrogative"), lambda r: "?" in r.text or bool(_OPENS_QUESTION.match(r.text)), "a question"),
    (_stems("positive happy satisfied pleased"), lambda r: sentiment(r) > 0, "a good mood"),
    (
        _stems("negative angry unhappy complaint complaining upset frustrated dissatisfied"),
        lambda r: sentiment(r) < 0 or "complain" in r.stems or "complaint" in r.stems,
        "a bad mood",
    ),
    (
        _stems(
            "toxic toxicity offensive rude abusive abuse harmful inappropriate insult insulting profane profanity "
            "hate hateful"
        ),
        lambda r: bool(r.stems & _RUDE),
        "rude words",
    ),
    (_stems("safe appropriate clean acceptable polite"), lambda r: not r.stems & _RUDE, "a decent tone"),
    (_stems("quality"), lambda r: sentiment(r) >= 0, "no fault"),
    (_stems("spam phishing scam"), lambda r: len(r.stems & _SPAM) > 1, "spam"),
    (_stems("urgent urgency critical emergency"), lambda r: bool(r.stems & _URGENT), "hurry"),
    (_stems("greeting greets"), lambda r: _OPENS_GREETING.match(r.text) is not None, "a greeting"),
    (_stems("email"), lambda r: bool(r.of("email")), "an e-mail address"),
    (_stems("phone telephone"), lambda r: bool(r.of("phone")), "a phone number"),
    (_stems("url link"), lambda r: bool(r.of("url")), "a link"),
    (
        _stems("pii personal private sensitive"),
        lambda r: bool(r.of("email", "phone", "street")) or "password" in r.stems,
        "personal data",
    ),
    (_stems("date"), lambda r: bool(r.of("date")), "a date"),
)
"""What can be asked of a text and told from it: stems that ask for it, the test, and its name."""


class RequestJudge:
    """Judges one text by the instructions of the agent that was asked.

    Args:
        reading: The text.
        rules: The instructions.
        write: Gives the answer in words, for properties that hold one.
    """

    def __init__(self, reading: Reading, rules: Rules, write: Callable[[], str]) -> None:
        self.reading = reading
        self.rules = rules
        self.write = write
        self.subjects = profile(reading.text, reading.stems)
        self.because: list[str] = []

    # yes or no

    def boolean(self, slot: Slot) -> bool:
        """Return whether what the slot's name, its description or the instructions ask is so."""
        named = [stem(w) for w in identifier_words(slot.schema.name)]
        negated = bool({"not", "non", "no"} & set(named))
        said = frozenset(named) - _AUXILIARY - {"not", "non", "no"}
        concept = said - GENERIC or said
        described = (
            frozenset(stem(w) for w in words(slot.schema.description) if fold(w) not in STOP) - _AUXILIARY - GENERIC
        )
        for target in (concept, concept | described, concept | described | self._question()):
            found = self._decide(target)
            if found is not None:
                return found != negated
        self.because.append(f"nothing in the text points to {_spoken(slot)}")
        return negated

    def _question(self) -> frozenset[str]:
        """Return the stems of what the instructions ask to be checked."""
        asked = [s for s in self.rules.sentences if _ASKS_WHETHER.search(s)] or self.rules.sentences[:2]
        said = {stem(w) for sentence in asked[:4] for w in words(sentence) if fold(w) not in STOP}
        return frozenset(said - _AUXILIARY - GENERIC - {"check", "decid", "determin", "detect", "classify", "user"})

    def _decide(self, target: frozenset[str]) -> bool | None:
        """Return yes or no where these words say what is meant, else None."""
        if not target:
            return None
        known = self._by_feature(target)
        if known is not None:
            return known
        labels = labels_in(target)
        if labels and labels <= {"school"}:
            labels |= labels_in(self._question())
        if labels:
            return self._about(labels)
        shared = [t.text for t in self.reading.tokens if t.stem in target]
        if not shared and target & self.reading.stems:  # a compound: "sci-fi"
            shared = sorted(target & self.reading.stems)
        if shared:
            self.because.append(f"the text says {_quoted(shared)}")
            return True
        groups = {group for word in target for group in groups_of(word)}
        alike = [t.text for t in self.reading.tokens if groups & groups_of(t.stem) and t.stem not in GENERIC]
        if alike:
            self.because.append(f"the text says {_quoted(alike)}")
            return True
        return None

    def _about(self, labels: frozenset[str]) -> bool:
        wanted = labels - {"school"} or SCHOOL
        strength = max((related(self.subjects, topic) for topic in wanted), default=0.0)
        name = " or ".join(sorted(labels - {"school"})) or "school work"
        telling = [t.text for t in self.reading.tokens if any(t.stem in TOPICS[topic] for topic in wanted)]
        if strength >= 0.9:
            self.because.append(
                f"the text says {_quoted(telling)}, which points to {name}" if telling else f"it looks like {name}"
            )
            return True
        self.because.append(f"nothing in the text points to {name}")
        return False

    def _by_feature(self, target: frozenset[str]) -> bool | None:
        """Return yes or no where the text itself shows it: a question mark, an address, rude words."""
        for keys, shown, name in _FEATURES:
            if target & keys:
                answer = shown(self.reading)
                self.because.append(f"the text {'shows' if answer else 'shows no sign of'} {name}")
                return answer
        codes = languages_named(" ".join(target)) or [c for c in map(language_code, target) if c]
        if codes:
            self.because.append(f"the text is in {_language_name(self.reading.language)}")
            return self.reading.language in codes
        return None

    # one of several

    def choice(self, slot: Slot, choices: list[Any]) -> Any:
        """Return the choice that the text fits best."""
        by_name = {str(choice).lower(): choice for choice in choices}
        if "positive" in by_name and "negative" in by_name:
            mood = sentiment(self.reading)
            name = (
                "positive"
                if mood > 0
                else "negative"
                if mood < 0
                else next((n for n in _FALL_BACK if n in by_name), "positive")
            )
            self.because.append(f"the words are mostly {'kind' if mood > 0 else 'unkind' if mood < 0 else 'neutral'}")
            return by_name[name]
        languages = {name: language_code(name) or (name if name in LANGUAGE_NAMES else None) for name in by_name}
        if all(languages.values()) and self.reading.language in languages.values():
            return next(by_name[name] for name, code in languages.items() if code == self.reading.language)
        if set(by_name) <= {"yes", "no", "true", "false", "maybe", "unknown"}:
            answer = self.boolean(slot)
            return next(
                (by_name[n] for n in (("yes", "true") if answer else ("no", "false")) if n in by_name), choices[0]
            )
        ranked = sorted(((self._suits(str(choice)), -index) for index, choice in enumerate(choices)), reverse=True)
        if ranked and ranked[0][0] >= 0.5:
            return choices[-ranked[0][1]]
        if {"high", "low"} <= set(by_name):
            name = "high" if self.reading.stems & _URGENT or sentiment(self.reading) < -1 else "low"
            return (
                by_name.get("medium", by_name[name]) if name == "low" and sentiment(self.reading) < 0 else by_name[name]
            )
        default = slot.schema.body.get("default")
        if default in choices:
            return default
        return next((by_name[name] for name in _FALL_BACK if name in by_name), choices[0])

    def _suits(self, choice: str) -> float:
        parts = {stem(part) for part in identifier_words(choice)}
        score = sum(1.0 for part in parts - GENERIC if part in self.reading.stems)
        groups = {group for part in parts - GENERIC for group in groups_of(part)}
        score += 0.6 * min(2, sum(1 for s in self.reading.content_stems if groups_of(s) & groups and s not in GENERIC))
        labels = labels_in(parts)
        score += max((min(related(self.subjects, topic), 3.0) * 0.8 for topic in labels), default=0.0)
        return score

    # numbers

    def number(self, slot: Slot) -> int | float | None:
        """Return a count, the value of the arithmetic in the text, a confidence or a rating; else None."""
        names = slot.words
        low, high = slot.schema.number("minimum"), slot.schema.number("maximum")
        if names & {"word"}:
            return len(self.reading.tokens)
        if names & {"charact", "character", "char", "length"}:
            return len(self.reading.text)
        if names & {"sentenc"}:
            return len(sentences(self.reading.text))
        worked_out = evaluate_text(self.reading.text)
        if worked_out is not None and not names & {"confid", "confidenc", "scor", "rat"}:
            value = float(worked_out[1])
            return int(value) if value.is_integer() else value
        if names & {"confid", "confidenc", "probability", "certainty", "likelihood"}:
            return 90 if (high or 1) > 1 else 0.9
        if names & {"scor", "rat", "sentiment", "quality", "star", "polarity", "severity"}:
            mood = max(-2, min(2, sentiment(self.reading)))
            bottom, top = (low if low is not None else 0), (high if high is not None else 5 if low is not None else 1)
            return bottom + (top - bottom) * (mood + 2) / 4
        if names & {"count", "numb", "total", "amount"}:
            listed = extract.listed_items(self.reading) or [e.text for e in self.reading.of("proper")]
            return len(listed) if listed else None
        return None

    # words

    def text(self, slot: Slot) -> str | None:
        """Return the text that belongs in a slot, or None where the request itself says it."""
        match slot.meaning:
            case "reason":
                return self.reason()
            case "answer" | "summary" if slot.meaning == "answer" or not self._describes():
                return self.write()
            case "summary":
                return _first_sentence(extract.handed_text(self.reading.text))
            case "text":
                if slot.words & {
                    "text",
                    "input",
                    "original",
                    "quot",
                    "source",
                    "sentenc",
                    "passag",
                    "not",
                    "transcript",
                    "comment",
                    "review",
                }:
                    return None
                return self.write()
            case "query":
                return self.reading.text.strip()[:1_000] if slot.words & {"question", "q"} else None
            case "language":
                if not slot.is_target and not self.reading.of("language"):
                    code = self.reading.language or "en"
                    return code if "code" in slot.words else _language_name(code)
        return None

    def _describes(self) -> bool:
        """Return whether there is a text to sum up, rather than a question to answer."""
        return len(self.reading.tokens) > 8 and not self.reading.text.rstrip().endswith("?")

    def reason(self) -> str:
        """Return why the decisions so far came out as they did, in one sentence."""
        if not self.because:
            return f"This follows from the words of the request: {_first_sentence(self.reading.text)[:200]}"
        said = "; ".join(dict.fromkeys(self.because))
        return f"{said[0].upper()}{said[1:]}."

    def listing(self, slot: Slot) -> list[str]:
        """Return the strings of a list: key words, or points of the answer."""
        phrases = [phrase.text for phrase in self.reading.noun_phrases]
        names = [entity.text for entity in self.reading.of("proper")]
        if slot.meaning in ("tags", "query") or slot.words & {
            "keyword",
            "topic",
            "tag",
            "entity",
            "concept",
            "subject",
        }:
            return list(dict.fromkeys([*names, *(phrase.lower() for phrase in phrases)]))[:12]
        if slot.meaning == "title":
            return list(dict.fromkeys(names or phrases))[:12]
        lines = [line.strip(" -*•\t") for line in self.write().splitlines()]
        points = [re.sub(r"^\d+[.)]\s*", "", line) for line in lines if line]
        if len(points) == 1:
            points = sentences(points[0])
        return [point for point in points if point and not point.endswith(":")][:100]


def _spoken(slot: Slot) -> str:
    return (
        " ".join(w for w in identifier_words(slot.schema.name) if w not in ("is", "has", "are", "contains")) or "that"
    )


def _quoted(found: list[str]) -> str:
    unique = list(dict.fromkeys(found))[:3]
    return " and ".join(f"“{word}”" for word in unique)


def _first_sentence(text: str) -> str:
    parts = sentences(text.strip())
    return (parts[0] if parts else text.strip())[:300]


def _language_name(code: str | None) -> str:
    return LANGUAGE_NAMES.get(code or "en", ("English",))[0]
