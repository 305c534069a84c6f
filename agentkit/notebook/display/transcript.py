"""What there is to see of a run: the one view-model of the live view, the kept output and the console."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from agentkit import _json
from agentkit.notebook.display.file_search import Citation, FileSearch, Passage, citations_of

if TYPE_CHECKING:
    from agentkit.runtime import AgentToolStreamEvent, RunItem, RunResultBase, StreamEvent

__all__ = ["Change", "Step", "Transcript", "model_name"]

StepState = Literal["running", "ok", "failed", "stopped", "rejected", "waiting"]

_TEXT_DELTAS = frozenset({"response.output_text.delta", "response.refusal.delta"})
_ENOUGH_TEXT = 60
"""Characters after which the growing text of an inner run is worth showing again."""


@dataclass(slots=True)
class Step:
    """Something on the way to the answer: a tool call, a handoff, a text or a thought in between."""

    kind: Literal["call", "handoff", "text", "thought"]
    """What it is."""
    key: str
    """Tells it from the run's other steps."""
    title: str
    """The tool's name, the agent that hands over, or the text."""
    arguments: str = ""
    """Of a call: its arguments, JSON text as the model wrote it."""
    output: str = ""
    """Of a call: what the tool returned, as text. Of a handoff: the agent that takes over."""
    state: StepState = "running"
    """How it went."""
    inner: Transcript | None = None
    """Of a call of an agent: what that agent's own run did."""
    search: FileSearch | None = None
    """Of a search in files: what was searched for and found."""


@dataclass(slots=True)
class Change:
    """What an item or an event changed."""

    steps: list[Step] = field(default_factory=list)
    """Steps that are new or have changed."""
    answer_moved: bool = False
    """Whether the text so far turned out to be no answer, and became a step."""
    text: str = ""
    """What was added to the text."""
    inner: list[tuple[int, Step]] = field(default_factory=list)
    """Steps within `steps` that are new or have changed, and how deep they are."""


class Transcript:
    """The steps of a run and its answer, as far as they have come."""

    def __init__(self) -> None:
        self.steps: list[Step] = []
        self._parts: list[str] = []
        self._settled = 0
        self._by_key: dict[str, Step] = {}
        self._untold = 0
        self.citations: list[Citation] = []
        """The places in the answer that refer to files."""

    @classmethod
    def of(cls, result: RunResultBase, seen: Transcript | None = None) -> Transcript:
        """Return what there is to see of a run that is over.

        Args:
            result: The run.
            seen: What was seen of it: of the runs of agents used as tools, a result knows only those that ended well.
        """
        transcript = cls()
        transcript.add_items(result.new_items)
        results = result.inner_results
        for key, step in transcript._by_key.items():
            known = None if seen is None else seen._by_key.get(key)
            step.inner = None if known is None else known.inner
            if key in results:
                step.inner = cls.of(results[key], step.inner)
        transcript.note_waiting(result)
        return transcript

    @property
    def answer(self) -> str:
        """The text so far of the message that is, or may become, the answer."""
        return "".join(self._parts)

    @property
    def passages(self) -> list[Passage]:
        """What the searches in files have found so far."""
        searches = (step.search for step in self.steps if step.search is not None)
        return [passage for search in searches for passage in search.passages or ()]

    def note_waiting(self, result: RunResultBase) -> list[Step]:
        """Mark the calls that wait for approval, and return their steps."""
        return self._mark([item.call_id for item in result.interruptions], "waiting")

    def note_decided(self, call_ids: Iterable[str]) -> list[Step]:
        """Mark the calls that have waited for approval as going on, and return their steps."""
        return self._mark(call_ids, "running")

    def _mark(self, call_ids: Iterable[str], state: StepState) -> list[Step]:
        steps = [step for call_id in call_ids if (step := self._by_key.get(call_id)) is not None]
        for step in steps:
            step.state = state
        return steps

    def add_event(self, event: StreamEvent) -> Change:
        """Add what happened in the run, and return what it changed."""
        if event.type == "raw_response_event":
            if event.wire_type in _TEXT_DELTAS:
                delta = event.json.get("delta") or ""
                self.add_text(delta)
                return Change(text=delta)
            if event.wire_type == "response.output_item.added":
                item = event.json.get("item") or {}
                if item.get("type") == "file_search_call" and item.get("id"):
                    step = _call(item)
                    step.state = "running"
                    return self._begin(step)
                return Change(text=self.begin_message() if item.get("type") == "message" else "")
        elif event.type == "run_item_stream_event":
            return self.add_item(event.item)
        elif event.type == "agent_tool_stream_event":
            return self._add_inner(event)
        return Change()

    def add_text(self, delta: str) -> None:
        """Add a piece of streamed text."""
        self._parts.append(delta)

    def begin_message(self) -> str:
        """Note that another message begins, and return what goes between it and the one before."""
        if not self._parts:
            return ""
        self._parts.append("\n\n")
        self._settled = len(self._parts)
        return "\n\n"

    def add_items(self, items: Iterable[RunItem]) -> None:
        """Add complete items."""
        for item in items:
            self.add_item(item)

    def add_item(self, item: RunItem) -> Change:
        """Add a complete item, whose text may have been streamed before, and return what it changed."""
        raw: dict[str, Any] = item.raw
        match item.type:
            case "message_output_item":
                self._settle(_message_text(raw))
                start = sum(map(len, self._parts[: self._settled - 1]))
                self.citations += citations_of(raw, start)
            case "reasoning_item":
                return self._thought(raw)
            case "tool_call_item" | "mcp_approval_request_item":
                return self._begin(_call(raw))
            case "handoff_call_item":
                return self._begin(Step("handoff", raw["call_id"], item.agent.name, output=str(raw.get("name", ""))))
            case "tool_call_output_item":
                return self._end(raw.get("call_id"), _output_text(raw.get("output", "")), item.outcome)
            case "handoff_output_item":
                return self._end(raw.get("call_id"), item.target_agent.name, "ok")
            case "mcp_approval_response_item":
                approved = bool(raw.get("approve"))
                return self._end(raw.get("approval_request_id"), "", "ok" if approved else "rejected")
        return Change()

    def _settle(self, text: str) -> None:
        """Put a message's complete text in the place of its streamed pieces."""
        if self._settled == len(self._parts) and self._parts and self._parts[-1] != "\n\n":
            self.begin_message()
        self._parts[self._settled :] = [text]
        self._settled = len(self._parts)

    def _thought(self, raw: dict[str, Any]) -> Change:
        text = "\n\n".join(part.get("text", "") for part in raw.get("summary") or ())
        if not text:
            return Change()
        step = Step("thought", str(raw.get("id") or len(self.steps)), text, state="ok")
        self.steps.append(step)
        return Change([step])

    def _begin(self, step: Step) -> Change:
        known = self._by_key.get(step.key)
        if known is not None and known.search is not None and known.state == "running":  # begun before it was complete
            known.arguments, known.output, known.state, known.search = (
                step.arguments, step.output, step.state, step.search,
            )  # fmt: skip
            return Change([known])
        change = Change()
        if text := self.answer.strip():
            change.answer_moved = True
            change.steps.append(Step("text", f"text-{len(self.steps)}", text, state="ok"))
        self._parts, self._settled, self.citations = [], 0, []
        change.steps.append(step)
        self.steps += change.steps
        self._by_key[step.key] = step
        return change

    def _end(self, call_id: Any, output: str, state: StepState) -> Change:
        step = self._by_key.get(str(call_id))
        if step is None:
            return Change()
        step.output = output
        step.state = state
        return Change([step])

    # -- runs within the run ----------------------------------------------------------------------------------------

    def _add_inner(self, event: AgentToolStreamEvent) -> Change:
        """Add what happened in the run of an agent used as a tool, to the call that it belongs to."""
        way = self._way_to(event.path, str((event.tool_call or {}).get("call_id")))
        if not way:
            return Change()
        step = way[-1]
        if step.inner is None:
            step.inner = Transcript()
        inner, change = step.inner, step.inner.add_event(event.event)
        if change.text:
            inner._untold += len(change.text)
            if inner._untold < _ENOUGH_TEXT:
                return Change()
        elif not change.steps:
            return Change()
        inner._untold = 0
        return Change([way[0]], inner=[(len(way), each) for each in change.steps])

    def _way_to(self, path: tuple[str, ...], call_id: str) -> list[Step]:
        """Return the calls that lead to the one of `call_id`, the outermost first; none where it isn't known."""
        if len(path) <= 1:
            step = self._by_key.get(call_id)
            return [] if step is None else [step]
        # ids tell calls apart within one run only; of several runs that fit, it is one that goes on
        outer = [step for step in self.steps if step.title == path[0] and step.inner is not None]
        for step in sorted(outer, key=lambda step: step.state != "running"):
            if step.inner is not None and (rest := step.inner._way_to(path[1:], call_id)):
                return [step, *rest]
        return []


def _call(raw: dict[str, Any]) -> Step:
    kind = str(raw.get("type", "tool"))
    if kind in ("function_call", "mcp_approval_request"):
        return Step(
            "call", str(raw.get("call_id") or raw.get("id")), str(raw.get("name", "")), str(raw.get("arguments", ""))
        )
    if kind in ("computer_call", "local_shell_call"):  # answered on this side
        return Step("call", str(raw.get("call_id") or raw.get("id")), kind.removesuffix("_call"))
    if kind == "file_search_call":
        return _search(raw)
    # a hosted tool: it ran on the platform, and its result is in the answer
    return Step("call", str(raw.get("id")), kind.removesuffix("_call"), state="ok")


_SEARCH_STATES: dict[Any, StepState] = {"failed": "failed", "incomplete": "stopped"}


def _search(raw: dict[str, Any]) -> Step:
    search = FileSearch.of(raw)
    queries = _json.dumps({"queries": list(search.queries)}).decode() if search.queries else ""
    state = _SEARCH_STATES.get(raw.get("status"), "ok")
    return Step("call", str(raw.get("id")), "file_search", queries, search.told, state, search=search)


def _output_text(output: Any) -> str:
    """Return what a tool returned as text; what is none is named."""
    if isinstance(output, str):
        return output
    parts = output if isinstance(output, list) else [output]
    texts = [part.get("text") or f"[{_kind(part)}]" if isinstance(part, dict) else str(part) for part in parts]
    return " ".join(texts)


def _kind(part: Mapping[str, Any]) -> str:
    return str(part.get("type", "value")).removeprefix("input_").removeprefix("computer_")


def _message_text(raw: dict[str, Any]) -> str:
    parts = raw.get("content") or ()
    return "".join(part.get("text") or part.get("refusal") or "" for part in parts)


def model_name(agent: Any) -> str:  # an Agent; or one of a user's own making
    """Return the name of an agent's model, of the platform's default where it has none; "" where that isn't known."""
    model = agent.model
    if isinstance(model, str):
        return model
    if model is not None:
        return str(getattr(model, "model", None) or type(model).__name__)
    from agentkit import backend
    from agentkit.exceptions import UserError

    try:
        return backend.current_backend().known_model or ""
    except UserError:
        return ""
