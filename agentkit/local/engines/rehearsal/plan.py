"""What to call next, and with which arguments: the request planned anew each turn, less what was called already.

The plan is a function of the conversation alone, so that turn two sees the plan of turn one and goes on where it
stopped. A call is never made twice for one request.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from .choose import THRESHOLD, Toolbox
from .clauses import Clause, split_request
from .conversation import Call, Conversation, Tool
from .facts import Fact, facts_in_text, facts_of_result, known_facts
from .fill import Filler
from .lexicon import GENERIC, STOP
from .meaning import Slot, slot_of
from .parallels import values_side_by_side
from .reading import Reading
from .rules import Rules
from .sources import Sources, refers_back
from .words import fold, stem

__all__ = ["Plan", "Step", "looks_like_error", "make_plan"]

_ELLIPTIC = re.compile(
    r"^\s*(?:and|what about|how about|now|also|same|again|what if|ok(?:ay)?,?|then|y|et|und|e|but|or|instead|no,?"
    r"|sorry,?|actually)\b",
    re.IGNORECASE,
)
_ERROR = re.compile(
    r"^\s*(?:an? )?(?:\w+ )?(?:error|exception|traceback|failed|failure)\b|^\s*\w*(?:Error|Exception)\b\s*[:(]"
    r"|\berror occurred\b"
    r"|^\s*\{\s*[\"']error[\"']\s*:(?!\s*(?:null|None|false|False|\"\"))",
    re.IGNORECASE,
)
_MOST_CALLS = 24
_SURE = 1.0
_LOOKUPS = (("find",), ("get",), ("lookup",), ("look",), ("search",), ("fetch",), ("list",), ("retrieve",))


@dataclass(frozen=True)
class Step:
    """One call that the request asks for."""

    tool: Tool
    arguments: dict[str, Any]
    missing: list[Slot] = field(default_factory=list)
    """Required arguments that nobody gave."""

    score: float = 1.0


@dataclass(frozen=True)
class Plan:
    """What to do in this turn."""

    calls: list[Step]
    """To be made now, in order."""

    asking: list[Step]
    """Would be called if their missing arguments were known."""

    score: float
    """Evidence for the best of them."""


def looks_like_error(output: str) -> bool:
    """Return whether a tool's output reports a failure."""
    return _ERROR.search(output[:300]) is not None


def make_plan(conversation: Conversation, rules: Rules) -> Plan:
    """Return what is to be called now."""
    if not conversation.tools:
        return Plan([], [], 0.0)
    return _Planner(conversation, rules).plan()


class _Planner:
    def __init__(self, conversation: Conversation, rules: Rules) -> None:
        self.conversation = conversation
        self.rules = rules
        self.box = Toolbox(conversation.tools)
        self.request = conversation.request
        self.done = [call for call in conversation.now.calls if not conversation.is_handoff(call)]
        self.earlier: list[Call] = []  # the calls of stages that are over: later ones may speak of their results
        self._earlier_facts: list[Fact] | None = None

    def plan(self) -> Plan:
        asking: list[Step] = []
        best = 0.0
        for stage, steps in self._stages():
            complete = [step for step in steps if not step.missing]
            asking += [step for step in steps if step.missing]
            best = max([best, *(step.score for step in steps)])
            fresh = self._fresh(complete)
            if fresh:
                return Plan(fresh[:1] if self.conversation.only_one else fresh[:_MOST_CALLS], asking, best)
            keys = {_key(step.tool.name, step.arguments) for step in complete}
            self.earlier += [call for call in self.done if _key(call.name, call.arguments) in keys]
            if stage >= 0 and self._failed():
                break
        called = {call.name for call in self.done}
        return Plan([], [step for step in asking if step.tool.name not in called], best)

    def _fresh(self, steps: list[Step]) -> list[Step]:
        made = {_key(call.name, call.arguments) for call in self.done}
        fresh = []
        for step in steps:
            key = _key(step.tool.name, step.arguments)
            if key not in made:
                made.add(key)
                fresh.append(step)
        return fresh

    def _failed(self) -> bool:
        return any(call.output is not None and looks_like_error(call.output) for call in self.done)

    def _stages(self) -> Iterator[tuple[int, list[Step]]]:
        """Yield the steps that may be made together, one stage after the other; each is planned when it is reached."""
        if self.rules.orders_all_tools:
            steps = [self._step(tool, self.request, 1.5) for tool in self.conversation.tools]
            yield -1, [step for step in steps if not step.missing]
        ordered = self.rules.ordered_tools(self.conversation.tools)
        for tool in ordered:  # one after the other: what is ordered may need what came before
            step = self._step(tool, self.request, 1.5)
            if not step.missing:
                yield -1, [step]
        if self.conversation.must_call:
            yield 0, self._forced()
            return
        found = False
        clauses = split_request(
            self.request.text, self._starts_anew, lambda text: bool(self.box.matches(Reading(text)))
        )
        for stage, group in _by_stage(clauses, self._is_dependent):
            steps = [step for clause in self._with_tools(group) for step in clause]
            providers = [provider for step in steps for provider in self._providers(step)]
            if providers:
                yield stage, providers
                steps = [step for clause in self._with_tools(group) for step in clause]
            found = found or bool(steps)
            yield stage, steps
        if not found:
            yield 0, self._follow_up() or self._clarified() or self._by_job()

    def _starts_anew(self, text: str) -> bool:
        """Return whether a text begins by asking for something: its first telling word is a tool's."""
        opening = Reading(" ".join(text[:200].split()[:5]))
        for token in opening.tokens:
            if token.stem in GENERIC or fold(token.text) in STOP:
                continue
            within = [entity.kind for entity in opening.entities if entity.start <= token.start < entity.end]
            if "number" in within and token is not opening.tokens[0]:  # "and what's 2 + 3"
                return bool(self.box.matches(Reading(text[:200])))
            if {"number", "proper", "language", "quoted", "date"} & set(within):
                return False
            return self.box.speaks_of(token.stem)
        return False

    def _is_dependent(self, clause: Clause) -> bool:
        return refers_back(clause.reading) and bool(self.box.matches(clause.reading))

    def _with_tools(self, clauses: list[Clause]) -> Iterator[list[Step]]:
        last: Tool | None = None
        for clause in clauses:
            tools = self._tools_for(clause.reading)
            if not tools and last is not None and len(clause.reading.tokens) <= 8:
                step = self._step(last, clause.reading, THRESHOLD, whole=clause.reading)
                if not step.missing and step.arguments:  # "What's the weather in Tokyo? And in Paris?"
                    yield self._fan_out(step, clause.reading)
                continue
            for tool, score in tools:
                step = self._step(tool, clause.reading, score, dependent=self._is_dependent(clause))
                if step.missing and len(tools) == 1:
                    step = self._next_best(step, clause) or step
                last = step.tool
                if step.missing and score < _SURE and not clause.stage and not self._providers(step):
                    continue
                yield self._fan_out(step, clause.reading)

    def _tools_for(self, reading: Reading) -> list[tuple[Tool, float]]:
        matches = self.box.matches(reading)
        if not matches:
            return []
        best = matches[0]
        # "to Spanish and French" with one tool for each language
        named = [match for match in matches if self._by_language(match.tool, reading)]
        if len(named) > 1 and best in named:
            return [(match.tool, match.score) for match in sorted(named, key=lambda m: self._place(m.tool, reading))]
        return [(best.tool, best.score)]

    def _next_best(self, step: Step, clause: Clause) -> Step | None:
        """Return a call of a tool that fits nearly as well and lacks nothing, or None."""
        for match in self.box.matches(clause.reading)[1:4]:
            if match.score > step.score - 0.3:
                other = self._step(match.tool, clause.reading, match.score, dependent=self._is_dependent(clause))
                if not other.missing:
                    return other
        return None

    def _by_language(self, tool: Tool, reading: Reading) -> bool:
        return any(entity.text.lower() in tool.name_words for entity in reading.of("language"))

    def _place(self, tool: Tool, reading: Reading) -> int:
        return min(e.start for e in reading.of("language") if e.text.lower() in tool.name_words)

    # one step

    def _step(
        self, tool: Tool, reading: Reading, score: float, *, whole: Reading | None = None, dependent: bool = False
    ) -> Step:
        referent = self._referent() if dependent else None
        if referent is not None and len(referent) < 40 and re.fullmatch(r"-?\d+(?:\.\d+)?", referent.strip()):
            reading = _with_referent(reading, referent.strip())
        results = [fact for call in reversed(self.earlier) for fact in facts_of_result(call)]
        for facts in (self._facts_before(), [*results, *known_facts(self.conversation, results=False)]):
            sources = Sources(
                clause=reading,
                whole=whole or self.request,
                facts=facts,
                referent=referent,
                command=self.box.command_words(tool),
                told=self.conversation.instructions,
                forced=self.conversation.must_call,
            )
            filler = Filler(sources)
            context = frozenset(stem(word) for word in tool.name_words)
            arguments = filler.fill(tool.parameters, context)
            if not filler.missing:
                break
        if filler.missing and self._is_elliptic():
            earlier = self._earlier_call(tool.name)
            if earlier is not None:
                kept = {k: v for k, v in earlier.arguments.items() if k not in arguments}
                arguments = {
                    name: {**kept, **arguments}[name]
                    for name in tool.parameters.properties
                    if name in {**kept, **arguments}
                }
                filler.missing = [slot for slot in filler.missing if slot.schema.name not in arguments]
        return Step(tool, arguments, filler.missing, score)

    def _facts_before(self) -> list[Fact]:
        """Return what was known before this request's own results, so that a planned call stays the same call."""
        if self._earlier_facts is None:
            facts = facts_in_text(self.request.text[:8_000])
            for exchange in reversed(self.conversation.exchanges[:-1]):
                facts += facts_in_text(exchange.request[:8_000])
            self._earlier_facts = facts + facts_in_text(self.conversation.instructions)
        return self._earlier_facts

    def _referent(self) -> str | None:
        said = [call.output for call in self.earlier if call.output]
        if said:
            return said[-1] if len(said) == 1 or len(said[-1]) < 40 else "\n".join(said)
        earlier = self.conversation.exchanges[-2] if len(self.conversation.exchanges) > 1 else None
        returned = [call.output for call in earlier.calls if call.output] if earlier is not None else []
        if returned:
            return returned[-1]
        return earlier.replies[-1] if earlier is not None and earlier.replies else None

    def _providers(self, step: Step) -> list[Step]:
        """Return calls of other tools that give what is missing: `get_user_city` for a city, a search for an id."""
        found = []
        for slot in step.missing:
            wanted = slot.words - GENERIC | ({"locat", "city"} if slot.meaning == "place" else set())
            for tool in self.conversation.tools:
                if tool.name == step.tool.name:
                    continue
                named = bool(wanted & self.box.command_words(tool))
                searches = slot.meaning == "id" and tool.name_words[:1] in _LOOKUPS and bool(tool.parameters.required)
                if not (named and not tool.parameters.required) and not searches:
                    continue
                provider = self._step(tool, self.request, step.score)
                if not provider.missing and (named or self._is_pointed_at(provider)):
                    found.append(provider)
                    break
        return found

    def _is_pointed_at(self, step: Step) -> bool:
        """Return whether all arguments are things that the request mentions by name, number or address."""
        said = {entity.text for entity in self.request.of("email", "id", "proper", "quoted", "phone")}
        return all(value in said for value in step.arguments.values() if value is not None)

    # several calls from one clause

    def _fan_out(self, step: Step, reading: Reading) -> list[Step]:
        """Return one step for each of the things that the request names side by side ("Tokyo, Oslo and Rome")."""
        if step.missing:
            return [step]
        steps = [step]
        numeric = [n for n, s in step.tool.parameters.properties.items() if _is_numeric(s.kind)]
        for name, value in step.arguments.items():
            if isinstance(value, bool) or not isinstance(value, str | int | float):
                continue
            if not isinstance(value, str) and len(numeric) > 1:
                continue
            slot = slot_of(step.tool.parameters.properties[name], required=True, context=frozenset())
            if slot.schema.kind == "enum" or (slot.meaning == "query" and not reading.of("proper", "quoted", "number")):
                continue
            others = values_side_by_side(reading, value, self.box.command_words(step.tool))
            elsewhere = [given for key, given in step.arguments.items() if key != name]
            if len(others) > 1 and not any(other in elsewhere for other in others):
                steps = [Step(s.tool, {**s.arguments, name: other}, [], s.score) for s in steps for other in others]
            if len(steps) > _MOST_CALLS:
                break
        return steps

    # when the request alone names no tool

    def _forced(self) -> list[Step]:
        if self.done:
            return []
        matches = self.box.matches(self.request)
        tool = matches[0].tool if matches else self.conversation.tools[0]
        return self._fan_out(self._step(tool, self.request, 2.0), self.request)

    def _is_elliptic(self) -> bool:
        return _ELLIPTIC.match(self.request.text) is not None or len(self.request.tokens) <= 6

    def _earlier_call(self, name: str | None = None) -> Call | None:
        offered = {tool.name for tool in self.conversation.tools}
        for exchange in reversed(self.conversation.exchanges[:-1]):
            calls = [call for call in exchange.calls if call.name in offered and name in (None, call.name)]
            if calls:
                return calls[-1]
        return None

    def _follow_up(self) -> list[Step]:
        """Return the last call with what the request changes in it ("What about Oslo?")."""
        earlier = self._earlier_call()
        if earlier is None or not self._is_elliptic():
            return []
        tool = next(tool for tool in self.conversation.tools if tool.name == earlier.name)
        changes = {}
        sources = Sources(self.request, self.request, command=self.box.command_words(tool))
        filler = Filler(sources)
        for name, value in filler.fill(tool.parameters).items():
            slot = slot_of(tool.parameters.properties[name], required=False, context=frozenset())
            running = slot.meaning in ("query", "text", "any", "title", "name") and not self.request.of(
                "proper", "quoted"
            )
            if (
                value is not None
                and value != tool.parameters.properties[name].body.get("default")
                and value is not False
            ):
                if running and _ELLIPTIC.match(self.request.text) is None:
                    continue
                if slot.meaning in ("query", "text", "any") and isinstance(value, str):
                    value = re.sub(r"^(?:and|what about|how about|now|also)\s+", "", value, flags=re.IGNORECASE)
                changes[name] = value
        if not changes:
            return []
        step = Step(tool, {**earlier.arguments, **changes}, [], 0.8)
        return self._fan_out(step, self.request)

    def _clarified(self) -> list[Step]:
        """Return the steps of the request before, if this one gives what was asked back for it."""
        exchanges = self.conversation.exchanges
        if len(exchanges) < 2 or exchanges[-2].calls or not exchanges[-2].replies:
            return []
        if not exchanges[-2].replies[-1].rstrip().endswith("?") or len(self.request.tokens) > 12:
            return []
        both = Reading(f"{exchanges[-2].request}\n{self.request.text}")
        found = []
        for match in self.box.matches(Reading(exchanges[-2].request))[:1]:
            step = self._step(match.tool, both, match.score, whole=both)
            if not step.missing:
                found += self._fan_out(step, both)
        return found

    def _by_job(self) -> list[Step]:
        """Return a call of the tool that the agent is there for, if a request says no more than what to use it on.

        "What about Oslo?" asks a weather assistant for the weather.
        """
        text = self.request.text
        named = self.request.of("proper", "quoted", "number", "date", "email", "url")
        if self._earlier_call() is not None or not named:
            return []
        if _ELLIPTIC.match(text) is None and len(self.request.tokens) > sum(len(e.text.split()) for e in named):
            return []
        for match in self.box.matches(Reading(self.conversation.instructions[:2_000]))[:1]:
            step = self._step(match.tool, self.request, match.score)
            if step.arguments and not step.missing:
                return self._fan_out(step, self.request)
        return []


def _by_stage(clauses: list[Clause], is_dependent: Any) -> list[tuple[int, list[Clause]]]:
    """Group clauses by stage; one that speaks of an earlier one's result comes after it."""
    stages: list[tuple[int, list[Clause]]] = []
    last_stage = -1
    for clause in clauses:
        later = bool(stages) and (clause.stage != last_stage or is_dependent(clause))
        if not stages or later:
            stages.append((len(stages), []))
        stages[-1][1].append(clause)
        last_stage = clause.stage
    return stages


def _with_referent(reading: Reading, referent: str) -> Reading:
    """Put a number in the place of "it" or "the result"."""
    text, count = re.subn(
        r"\b(?:the|that|this) (?:result|answer|sum|product|total|number|difference|quotient|output|value)\b",
        referent,
        reading.text,
        count=1,
        flags=re.IGNORECASE,
    )
    if not count:
        text, count = re.subn(r"\b(?:it|that|this)\b", referent, reading.text, count=1, flags=re.IGNORECASE)
    return Reading(text)


def _is_numeric(kind: str) -> bool:
    return kind in ("integer", "number")


def _key(name: str, arguments: dict[str, Any]) -> str:
    return f"{name}{json.dumps(arguments, sort_keys=True, default=str)}"
