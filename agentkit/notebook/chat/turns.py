"""What was said in a chat: turns in a tree, of which one path is shown."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from agentkit.notebook.display.file_search import Citation, FileSearch, Passage
from agentkit.notebook.display.transcript import Step, Transcript
from agentkit.usage import Usage

if TYPE_CHECKING:
    from agentkit.notebook.attachments import Attachment

__all__ = ["AttachedFile", "Turn", "TurnStatus", "TurnTree", "steps_from_json", "steps_to_json"]

TurnStatus = Literal[
    "running", "completed", "cancelled", "waiting", "max_turns", "budget", "guardrail", "error", "interrupted"
]
"""How a turn went: as its run did, or "interrupted" where the kernel ended before the run did."""

_KEPT_CHARS = 8_000
"""Most characters that are kept of each argument, output and thought; the session has the whole."""


@dataclass(frozen=True, slots=True)
class AttachedFile:
    """Something that went with a question, without its bytes."""

    name: str
    """What it is called."""
    media_type: str
    """Such as `image/png`."""
    size_bytes: int
    """How large it is."""

    @classmethod
    def of(cls, attachment: Attachment) -> AttachedFile:
        """Return an attachment without its bytes."""
        return cls(attachment.name, attachment.media_type, len(attachment.data))


@dataclass(slots=True)
class Turn:
    """A message of the reader, and what came of it."""

    id: str
    """Tells it from all other turns."""
    parent: str | None
    """The turn that it goes on from; None for the first."""
    branch: int
    """Number of the branch whose session holds it."""
    question: str
    """The message as it was sent."""
    files: list[AttachedFile] = field(default_factory=list)
    """What went with it."""
    by_cell: bool = False
    """Whether code asked, by `Chat.ask`, and not the reader."""
    used: int = 0
    """When it was last chosen among those that go on from the same turn, in steps of the chat."""
    start: int = 0
    """Items that the session had before it."""
    status: TurnStatus = "running"
    """How it went."""
    note: str = ""
    """What is to be said of a turn that didn't go well."""
    agent: str = ""
    """Name of the agent that answered last."""
    model: str = ""
    """The model that answered, or was asked."""
    answer: str = ""
    """The answer's source: Markdown, or JSON of a structured one."""
    structured: bool = False
    """Whether the answer is JSON of the agent's output type."""
    output_type: str = ""
    """Class of a structured answer that has fields, as it stands above them; "" of any other."""
    citations: list[Citation] = field(default_factory=list)
    """The places in the answer that refer to files."""
    steps: list[Step] = field(default_factory=list)
    """The way to the answer."""
    seconds: dict[str, float] = field(default_factory=dict)
    """Time that steps took, in seconds, by their keys."""
    usage: Usage = field(default_factory=Usage)
    """Tokens used."""
    usage_line: str = ""
    """Who answered and what it took, as it is shown."""
    trace_id: str | None = None
    """Id of the run's trace; None where there is none."""
    rating: Literal["up", "down"] | None = None
    """What the reader thought of it."""
    remark: str = ""
    """What the reader said of it."""

    @property
    def over(self) -> bool:
        """Whether nothing comes any more."""
        return self.status != "running"

    @property
    def passages(self) -> list[Passage]:
        """What the searches in files have found on the way."""
        searches = (step.search for step in self.steps if step.search is not None)
        return [passage for search in searches for passage in search.passages or ()]


class TurnTree:
    """The turns of a chat. Those that go on from the same turn are versions of one message; one of them is shown.

    Args:
        turns: In the order in which they were made.
    """

    def __init__(self, turns: Iterable[Turn] = ()) -> None:
        self._turns: dict[str, Turn] = {}
        self._children: dict[str | None, list[Turn]] = {}
        self._steps = 0
        for turn in turns:
            self._insert(turn)

    def __len__(self) -> int:
        return len(self._turns)

    def __iter__(self) -> Iterator[Turn]:
        return iter(list(self._turns.values()))  # another thread may add one meanwhile

    @property
    def messages(self) -> int:
        """How many messages there are, those of the reader and the answers, whatever is shown of them."""
        return sum(1 + turn.over for turn in self)

    def get(self, turn_id: str) -> Turn | None:
        """Return a turn by its id."""
        return self._turns.get(turn_id)

    def add(self, turn: Turn) -> None:
        """Add a turn, which becomes the one that is shown of its versions. Its parent has to be there."""
        if turn.parent is not None and turn.parent not in self._turns:
            raise KeyError(turn.parent)
        self._insert(turn)
        self.choose(turn)

    def _insert(self, turn: Turn) -> None:
        self._turns[turn.id] = turn
        self._children.setdefault(turn.parent, []).append(turn)
        self._steps = max(self._steps, turn.used)

    def choose(self, turn: Turn) -> None:
        """Show this version of its message, with what was last shown after it."""
        self._steps += 1
        turn.used = self._steps

    def path(self) -> list[Turn]:
        """Return the turns that are shown, the first one first."""
        return list(self._down(None))

    def path_from(self, turn: Turn) -> list[Turn]:
        """Return the turns that are shown from this one on, where it is."""
        return [turn, *self._down(turn.id)]

    def _down(self, turn_id: str | None) -> Iterator[Turn]:
        while versions := self._children.get(turn_id):
            shown = max(versions, key=lambda turn: turn.used)
            yield shown
            turn_id = shown.id

    def children(self, turn_id: str | None) -> list[Turn]:
        """Return the turns that go on from one, the oldest first; those that begin the chat for None."""
        return list(self._children.get(turn_id, ()))

    def versions(self, turn: Turn) -> list[Turn]:
        """Return all versions of a turn's message, the oldest first."""
        return list(self._children[turn.parent])

    def place(self, turn: Turn) -> tuple[int, int]:
        """Return which version of its message a turn is, from 1, and how many there are."""
        versions = self._children[turn.parent]
        return next(n for n, each in enumerate(versions, 1) if each is turn), len(versions)


def steps_to_json(steps: Iterable[Step]) -> list[dict[str, Any]]:
    """Return steps as JSON, texts cut at 8,000 characters."""
    return [
        {
            "kind": step.kind,
            "key": step.key,
            "title": step.title[:_KEPT_CHARS],
            "arguments": step.arguments[:_KEPT_CHARS],
            "output": step.output[:_KEPT_CHARS],
            "state": step.state,
            "search": None if step.search is None else step.search.to_json(_KEPT_CHARS),
            "inner": None
            if step.inner is None
            else {"steps": steps_to_json(step.inner.steps), "answer": step.inner.answer[:_KEPT_CHARS]},
        }
        for step in steps
    ]


def steps_from_json(saved: Iterable[dict[str, Any]]) -> list[Step]:
    """Return the steps that `steps_to_json` gave."""
    steps = []
    for entry in saved:
        inner = entry["inner"]
        step = Step(**{name: value for name, value in entry.items() if name not in ("inner", "search")})
        if (search := entry.get("search")) is not None:  # files of earlier releases have none
            step.search = FileSearch.of(search)
        if inner is not None:
            step.inner = Transcript()
            step.inner.steps += steps_from_json(inner["steps"])
            step.inner.add_text(inner["answer"])
        steps.append(step)
    return steps
