"""What the instructions order: a language to speak, a form to keep, tools to call, and whom to hand what."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property

from .conversation import Tool
from .languages import languages_named
from .lexicon import GENERIC, STOP
from .words import fold, identifier_words, stem, words

__all__ = ["Form", "Rules", "sentences"]

_SENTENCE = re.compile(
    r"(?<!\b[DMS][rst]\.)(?<!\bMrs\.)(?<!\bProf\.)(?<=[.!?。！？])\s*(?=[^\s.!?。)\]])|\n+"  # not after "Dr."
)
_SPEAK = re.compile(
    r"\b(?:speaks?|respond|reply|replies|answers?|talk|write|communicate|responde|contesta|habla|hablas|réponds"
    r"|répondez|parle|parles"
    r"|antworte|sprich|sprichst|rispondi|parli)\b[^.\n]{0,60}",
    re.IGNORECASE,
)
_TRANSLATES = re.compile(r"\btranslat\w+\b|\btraduc\w+|\btradui\w+|\bübersetz\w+", re.IGNORECASE)
_FIRST = re.compile(
    r"\b(?:first|always|must|begin by|start by|start with|before (?:you )?(?:answer|respond|reply|anything))\b",
    re.IGNORECASE,
)
_CALL = re.compile(r"\b(?:call|use|run|invoke|execute|calling|using|running)\b", re.IGNORECASE)
_CONDITION = re.compile(
    r"\b(?:if|when|whenever|for|to|unless|in case|about|where|should the|questions?|as needed|wherever)\b",
    re.IGNORECASE,
)
_ALL_TOOLS = re.compile(
    r"\b(?:call|use|run|invoke|execute)\s+(?:all|each|every)\s+(?:(?:of|one|the|your|these|available)\s+){0,4}tools?\b",
    re.IGNORECASE,
)
_PROVISO = re.compile(r"\b(?:if|when|whenever|unless|in case|as needed|relevant|don't|do not|never)\b", re.IGNORECASE)
_REPEATS = re.compile(
    r"(?:please |just |always |only |simply |you )*(?:repeat|echo)\b(?! (?:the|your|these) steps)", re.IGNORECASE
)
_SUMMARIZES = re.compile(r"(?:please |just |always |only |simply |you )*(?:summari[sz]e|sum up)\b", re.IGNORECASE)
_OTHERWISE = re.compile(
    r"\b(?:otherwise|else|anything else|all other|any other|everything else|by default|in doubt|other questions)\b",
    re.IGNORECASE,
)
_NEGATED_BY_LANGUAGE = re.compile(r"\b(?:don't|do not|never|not)\b", re.IGNORECASE)


def sentences(text: str) -> list[str]:
    """Return the sentences of `text`, also where no space follows the full stop."""
    return [part for raw in _SENTENCE.split(text) if (part := raw.strip())]


@dataclass(frozen=True, slots=True)
class Form:
    """How an answer is to look."""

    haiku: bool = False
    concise: bool = False
    one_word: bool = False
    upper: bool = False
    lower: bool = False
    bullets: bool = False
    pirate: bool = False
    robot: bool = False


class Rules:
    """The instructions, read for what they order.

    Args:
        text: The instructions.
    """

    def __init__(self, text: str) -> None:
        self.text = text

    @cached_property
    def sentences(self) -> list[str]:
        """The instructions' sentences."""
        return sentences(self.text)

    @cached_property
    def language(self) -> str | None:
        """The language that answers have to be in, as an ISO code, or None."""
        if _TRANSLATES.search(self.text):
            return None
        for match in _SPEAK.finditer(self.text):
            codes = languages_named(match[0])
            if len(codes) == 1 and not _NEGATED_BY_LANGUAGE.search(
                self.text[max(0, match.start() - 12) : match.start()]
            ):
                return codes[0]
        return None

    @cached_property
    def translates_to(self) -> str | None:
        """The language that the agent translates into, as an ISO code, or None."""
        for sentence in self.sentences:
            if _TRANSLATES.search(sentence):
                target = re.search(r"\b(?:to|into|in|al?|en|ins?|auf)\s+([^\W\d_]+)", sentence[:2_000])
                codes = languages_named(sentence)
                if target is not None and codes:
                    return codes[-1]
        return None

    @cached_property
    def form(self) -> Form:
        """The form that answers have to keep."""
        return read_form(self.text)

    def ordered_tools(self, tools: list[Tool]) -> list[Tool]:
        """Return the tools that the instructions order to be called, whatever is asked, in order of mention."""
        found: list[tuple[int, Tool]] = []
        for sentence in self.sentences:
            mentions = [(at, tool) for tool in tools if (at := _mention(sentence, tool.name)) is not None]
            if not mentions or not _CALL.search(sentence):
                continue
            lead = sentence[: mentions[0][0]]
            imperative = re.match(
                r"\s*(?:[-*\d.)]\s*)?(?:then |next |please |you )?(?:call|use|run|invoke|execute)\b",
                lead,
                re.IGNORECASE,
            )
            conditional = _CONDITION.search(sentence.replace("that many", "")) is not None
            if _FIRST.search(lead) or (imperative and not conditional):
                offset = self.text.find(sentence)
                found += [(offset + at, tool) for at, tool in mentions]
        return [tool for _, tool in sorted(found, key=lambda pair: pair[0])]

    @cached_property
    def orders_all_tools(self) -> bool:
        """Whether the instructions order that all tools be called, whatever is asked."""
        return any(_ALL_TOOLS.search(sentence) and not _PROVISO.search(sentence) for sentence in self.sentences)

    @cached_property
    def repeats(self) -> bool:
        """Whether the agent's work is to repeat what it is told."""
        return any(_REPEATS.match(sentence) for sentence in self.sentences)

    @cached_property
    def summarizes(self) -> bool:
        """Whether the agent's work is to sum up what it is given."""
        return any(_SUMMARIZES.match(sentence) for sentence in self.sentences)

    def conditions(self, target: Tool) -> tuple[frozenset[str], bool]:
        """Return the stems of the conditions under which `target` is to be used, and whether it takes the rest.

        "If they ask about refunds, handoff to the refund agent." gives refund; "Otherwise use the general agent." gives
        True.
        """
        said: set[str] = set()
        takes_rest = False
        own = {stem(word) for word in target.name_words}
        for sentence in self.sentences:
            for clause in _clauses_with_targets(sentence):
                if not _speaks_of(clause, target):
                    continue
                if _OTHERWISE.search(clause):
                    takes_rest = True
                    continue
                if re.search(r"\b(?:if|when|whenever|for|about|questions?|asks?)\b|->|→|=>|:", clause, re.IGNORECASE):
                    said |= {stem(word) for word in words(clause) if fold(word) not in STOP}
        noise = {
            "transf",
            "handoff",
            "hand",
            "rout",
            "send",
            "pass",
            "deleg",
            "forward",
            "redirect",
            "call",
            "us",
            "ask",
            "them",
        }
        return frozenset(said - GENERIC - noise - ({"agent"} | (own & GENERIC))), takes_rest

    @cached_property
    def by_language(self) -> bool:
        """Whether the instructions say to choose by language."""
        return re.search(r"\blanguages?\b|\bidiomas?\b|\blangues?\b|\bSprachen?\b|语言", self.text) is not None


def _clauses_with_targets(sentence: str) -> list[str]:
    return re.split(r";|\.\s|, (?:and )?(?=if\b|for\b|when\b|otherwise\b)", sentence, flags=re.IGNORECASE)


def _mention(text: str, name: str) -> int | None:
    """Return where `text` names a tool, as `get_weather`, "get_weather" or "get weather tool"; else None."""
    match = re.search(rf"(?<![\w]){re.escape(name[:80])}(?![\w])", text)
    if match is not None:
        return match.start()
    spaced = " ".join(identifier_words(name))
    if " " in spaced:
        at = text.lower().find(f"{spaced} tool")
        return at if at >= 0 else None
    return None


def _speaks_of(clause: str, target: Tool) -> bool:
    if _mention(clause, target.name) is not None:
        return True
    lower = " ".join(identifier_words(clause))
    name = " ".join(target.name_words)
    if len(name) > 3 and f" {name} " in f" {lower} ":
        return True
    core = [word for word in target.name_words if word not in ("agent", "assistant", "bot")]
    return bool(core) and f" {' '.join(core)} agent " in f" {lower} "


def read_form(text: str) -> Form:
    """Return the form that a text asks for."""
    lower = text.lower()

    def says(pattern: str) -> bool:
        return re.search(pattern, lower) is not None

    return Form(
        haiku=says(r"\bhaikus?\b"),
        concise=says(
            r"\bconcise(?:ly)?\b|\bbrief(?:ly)?\b|\bshort answers?\b|\bas few words\b|\bone sentence\b|\bterse"
        ),
        one_word=says(r"\b(?:one|single)[ -]word\b|\bin a word\b"),
        upper=says(r"\bupper[ -]?case\b|\ball caps\b|\bcapital letters\b|\bin caps\b"),
        lower=says(r"\blower[ -]?case\b"),
        bullets=says(r"\bbullet(?:ed)?\b|\bas a list\b"),
        pirate=says(r"\bpirate\b"),
        robot=says(r"\blike a robot\b|\bas a robot\b"),
    )
