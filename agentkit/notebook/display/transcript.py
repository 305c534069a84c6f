"""What there is to see of a run: the one view-model of the live view, the kept output and the console."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from agentkit.runtime import RunItem, RunResultBase

__all__ = ["Change", "Step", "Transcript", "model_name"]

StepState = Literal["running", "ok", "failed", "stopped", "rejected"]


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


@dataclass(slots=True)
class Change:
    """What an item changed."""

    steps: list[Step] = field(default_factory=list)
    """Steps that are new or have changed."""
    answer_moved: bool = False
    """Whether the text so far turned out to be no answer, and became a step."""


class Transcript:
    """The steps of a run and its answer, as far as they have come."""

    def __init__(self) -> None:
        self.steps: list[Step] = []
        self._parts: list[str] = []
        self._settled = 0
        self._by_key: dict[str, Step] = {}

    @classmethod
    def of(cls, result: RunResultBase) -> Transcript:
        """Return what there is to see of a run that is over."""
        transcript = cls()
        transcript.add_items(result.new_items)
        return transcript

    @property
    def answer(self) -> str:
        """The text so far of the message that is, or may become, the answer."""
        return "".join(self._parts)

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
                return Change()
            case "reasoning_item":
                return self._thought(raw)
            case "tool_call_item":
                return self._begin(_call(raw))
            case "handoff_call_item":
                return self._begin(Step("handoff", raw["call_id"], item.agent.name, output=str(raw.get("name", ""))))
            case "tool_call_output_item":
                return self._end(raw, str(raw.get("output", "")), item.outcome)
            case "handoff_output_item":
                return self._end(raw, item.target_agent.name, "ok")
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
        change = Change()
        if text := self.answer.strip():
            change.answer_moved = True
            change.steps.append(Step("text", f"text-{len(self.steps)}", text, state="ok"))
        self._parts, self._settled = [], 0
        change.steps.append(step)
        self.steps += change.steps
        self._by_key[step.key] = step
        return change

    def _end(self, raw: dict[str, Any], output: str, state: StepState) -> Change:
        step = self._by_key.get(str(raw.get("call_id")))
        if step is None:
            return Change()
        step.output = output
        step.state = state
        return Change([step])


def _call(raw: dict[str, Any]) -> Step:
    if raw.get("type") == "function_call":
        return Step("call", raw["call_id"], str(raw.get("name", "")), str(raw.get("arguments", "")))
    # a hosted tool: it ran on the platform, and its result is in the answer
    return Step("call", str(raw.get("id")), str(raw.get("type", "tool")).removesuffix("_call"), state="ok")


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
