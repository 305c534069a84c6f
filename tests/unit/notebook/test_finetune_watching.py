"""A watched job: what its front end is sent, what it does for the reader, and what the notebook keeps."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from agentkit.exceptions import UserError
from agentkit.finetuning.following import Progress
from agentkit.finetuning.progress import FineTuningProgress
from agentkit.finetuning.snapshot import JobSnapshot
from agentkit.notebook.display.kept_digest import digest_of
from agentkit.notebook.finetuning.front import JobFront
from agentkit.notebook.finetuning.start_watch import start_html
from tests.hostile.harmless import assert_harmless
from tests.unit.notebook.test_finetune_views import job as snapshot


class Channel:
    """Takes what the front end would be sent."""

    def __init__(self) -> None:
        self.sent: list[dict[str, Any]] = []

    def send(self, content: dict[str, Any]) -> None:
        self.sent.append(content)

    def has(self, key: str, value: Any) -> bool:
        return any(message.get(key) == value for message in self.sent)


class Job:
    """A job that goes on a step at each look, until it has made eight."""

    id = "ftjob-0123456789abcdef01234567"

    def __init__(self) -> None:
        self.status, self.steps, self.looks = "running", 0, 0
        self.fails: Exception | None = None

    def snapshot(self, *, events: int = 50) -> JobSnapshot:
        return snapshot(self.status, self.steps, progress=Progress(self.steps, 8))

    async def arefresh(self) -> None:
        self.looks += 1
        if self.fails is not None:
            raise self.fails
        if self.status == "running":
            self.steps += 1
            if self.steps == 8:
                self.status = "succeeded"

    async def apause(self) -> None:
        self.status = "paused"

    async def aresume(self) -> None:
        if self.status != "paused":
            raise UserError("It isn't paused.")
        self.status = "running"

    async def acancel(self) -> None:
        self.status = "cancelled"


async def until(holds: Callable[[], bool]) -> None:
    """Wait until something holds, as long as it makes sense to."""
    for _ in range(600):
        if holds():
            return
        await asyncio.sleep(0.01)
    raise AssertionError("it never held")


class Opened:
    """A front end of a job that has been greeted, and what came of it."""

    def __init__(self, job: Job, *, every_s: float = 0.01) -> None:
        self.job, self.channel = job, Channel()
        self.kept: list[dict[str, str]] = []
        self.left: list[bool] = []
        self.front = JobFront(
            self.channel,
            asyncio.get_running_loop(),
            job,
            on_kept=self.kept.append,
            on_shown=lambda: self.left.append(True),
            every_s=every_s,
        )
        self.front.says({"kind": "ready"})
        self.front.says({"kind": "alive", "visible": True})

    def can(self) -> list[str]:
        found = [message.get("all", message).get("can") for message in self.channel.sent]
        return next(each for each in reversed(found) if each is not None)


async def test_a_job_is_followed_to_its_end_which_is_kept() -> None:
    opened = Opened(Job())
    await until(lambda: bool(opened.kept) and "✓ succeeded" in opened.kept[-1]["text/plain"])
    sent = opened.channel.sent
    assert [message["n"] for message in sent] == list(range(len(sent)))
    assert set(sent[0]["all"]) >= {"pieces", "can", "asked", "note"}
    assert any(set(message.get("pieces", {})) == {"bar", "plots"} for message in sent)  # only what has changed
    assert sent[-1]["over"] == digest_of(opened.kept[-1])
    assert opened.can() == []
    looks = opened.job.looks
    await asyncio.sleep(0.05)
    assert opened.job.looks == looks
    opened.front.says({"kind": "kept"})
    await until(lambda: opened.left == [True])


async def test_the_reader_pauses_resumes_and_cancels() -> None:
    job = Job()
    opened = Opened(job, every_s=30)
    await until(lambda: bool(opened.channel.sent) and opened.can() == ["pause", "cancel"])
    opened.front.says({"kind": "pause"})
    await until(lambda: opened.can() == ["resume", "cancel"])
    assert opened.channel.has("asked", "Pausing")
    opened.front.says({"kind": "resume"})
    await until(lambda: opened.can() == ["pause", "cancel"])
    opened.front.says({"kind": "cancel"})
    await until(lambda: "■ cancelled" in opened.kept[-1]["text/plain"])
    assert opened.can() == []


async def test_what_cannot_be_done_is_told_and_the_buttons_come_back() -> None:
    opened = Opened(Job(), every_s=30)
    await until(lambda: bool(opened.channel.sent))
    opened.front.says({"kind": "resume"})
    await until(lambda: opened.channel.has("told", "It isn't paused."))
    assert opened.can() == ["pause", "cancel"]
    opened.front.close()


async def test_a_job_that_is_gone_is_told_and_not_looked_for_any_more() -> None:
    job = Job()
    opened = Opened(job)
    await until(lambda: job.looks > 0)
    job.fails = UserError("There is no job of that id.")
    await until(lambda: opened.channel.has("told", "There is no job of that id."))
    opened.front.close()


async def test_a_platform_that_is_away_for_a_moment_is_asked_again() -> None:
    job = Job()
    job.fails = RuntimeError("no connection")
    opened = Opened(job)
    await until(lambda: job.looks > 0)
    assert not any("told" in message for message in opened.channel.sent)
    opened.front.close()


async def test_an_interrupted_cell_keeps_what_is_known_with_a_note() -> None:
    job = Job()
    opened = Opened(job, every_s=30)
    await until(lambda: job.looks > 0)
    opened.front.conclude("The cell was interrupted.")
    await until(lambda: bool(opened.kept) and "The cell was interrupted." in opened.kept[-1]["text/plain"])
    assert opened.kept[-1]["text/plain"].endswith(f"%finetune watch {job.id} shows it as it is by then.")
    assert opened.channel.sent[-1]["note"] == "The cell was interrupted."


async def test_what_the_cell_has_seen_since_is_kept_at_the_end() -> None:
    """The cell looks at the job, too, and often sees the end before the view does."""
    job = Job()
    opened = Opened(job, every_s=30)
    await until(lambda: job.looks > 0)
    job.status, job.steps = "succeeded", 8
    told = opened.front.conclude("")
    await until(told.is_set)
    assert "over" in opened.channel.sent[-1]
    assert "✓ succeeded" in opened.kept[-1]["text/plain"]

    other = Opened(started := Job(), every_s=30)  # a view with a job object of its own
    await until(lambda: started.looks > 0)
    other.front.conclude("", snapshot("succeeded", 8))
    await until(lambda: "over" in other.channel.sent[-1])
    assert "✓ succeeded" in other.kept[-1]["text/plain"]


async def test_a_look_that_was_under_way_at_the_end_changes_nothing_that_is_kept() -> None:
    held, may_go = asyncio.Event(), asyncio.Event()

    class Slow(Job):
        async def arefresh(self) -> None:
            held.set()
            await may_go.wait()
            self.status, self.steps = "paused", 5

    opened = Opened(Slow(), every_s=0.01)
    await held.wait()
    opened.front.conclude("The cell was interrupted.")
    await until(lambda: bool(opened.kept))
    kept, sent = list(opened.kept), len(opened.channel.sent)
    may_go.set()
    await until(lambda: not opened.front._tasks)
    assert (opened.kept, len(opened.channel.sent)) == (kept, sent)


async def test_a_front_end_that_comes_late_gets_everything() -> None:
    opened = Opened(Job())
    await until(lambda: bool(opened.kept) and "✓ succeeded" in opened.kept[-1]["text/plain"])
    opened.channel.sent.clear()
    opened.front.says({"kind": "ready"})
    await until(lambda: len(opened.channel.sent) == 2)
    assert "✓ succeeded" in opened.channel.sent[0]["all"]["pieces"]["state"]
    assert opened.channel.sent[1]["over"] == digest_of(opened.kept[-1])


@pytest.mark.parametrize(
    ("event", "said"),
    [
        (FineTuningProgress("train", "checking"), "checking the examples"),
        (
            FineTuningProgress("train", "uploading", bytes_sent=1_500_000, bytes_total=6_000_000),
            "sending the examples · 1.5 of 6.0 MB",
        ),
        (FineTuningProgress("train", "creating"), "making the job"),
    ],
    ids=["checking", "uploading", "creating"],
)
def test_the_start_of_a_training_has_a_bar(event: FineTuningProgress, said: str) -> None:
    html = start_html(event)
    assert_harmless(html)
    assert f"<div>{said}</div>" in html
    assert ('value="0.25" max="1"' in html) is (event.stage == "uploading")
