"""What an answer of 20,000 tokens costs the page that shows it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from benchmarks.in_notebook import SERVERS, opened

if TYPE_CHECKING:
    from playwright.sync_api import Browser

    from agentkit.testing.browser import NotebookPage
    from agentkit.testing.watching import Traffic

__all__ = ["Cost", "stream_table", "streamed"]

_TASK_TARGET_MS = 200
_TARGET_MB = 5
_COLUMNS = [
    "tokens/s",
    "MB received",
    "messages",
    "longest task, ms",
    "most CPU of a task, ms",
    "tasks over 50 ms",
    "their sum, ms",
]
_TASK = "RunTask"


@dataclass(slots=True)
class Cost:
    """What an answer cost the page."""

    traffic: Traffic
    """What was received, and the tasks that took long."""
    cpu_ms: float = 0.0
    """CPU time of the task of the main thread that took most of it: other work of the machine counts less in it."""


def stream_table(chromium: Browser, paces: Sequence[int], *, rounds: int, say: Callable[[str], None]) -> str:
    """Return the table.

    Args:
        chromium: The browser.
        paces: How fast the model answers, in tokens a second.
        rounds: Times that each is measured.
        say: Told what is under way.
    """
    lines = [f"| an answer of 20,000 tokens | {' | '.join(_COLUMNS)} |", f"|---|{'--:|' * len(_COLUMNS)}"]
    for app, server in SERVERS.items():
        for in_chat in (False, True):
            title = f"{server.title}, {'chat' if in_chat else '`%%ask`'}"
            for pace in paces:
                for _ in range(rounds):
                    say(f"{title}, {pace} tokens/s")
                    cost = streamed(chromium, app, pace, in_chat=in_chat)
                    lines.append(f"| {title} | {pace:,} | {_cells(cost)} |")
    return "\n".join([*lines, "", f"More than {_TARGET_MB} MB, and tasks of more than {_TASK_TARGET_MS} ms, in bold."])


def streamed(chromium: Browser, app: str, pace: int, *, in_chat: bool) -> Cost:
    """Return what it cost once."""
    replies = f"model.reply('A short answer with a formula, $x^2$.').reply(answer)\nmodel.tokens_per_s = {pace};"
    asks = "import agentkit\nagentkit.chat(reader)" if in_chat else "%%ask reader\nRead."
    with opened(chromium, app, [replies, "%%ask reader\nSay something short.", asks]) as notebook:
        notebook.run_cell(2)
        notebook.run_cell(3)  # loads MathJax, as any answer would
        output = notebook.output(4)
        if not in_chat:
            with _costing(chromium, notebook) as cost:
                notebook.run_cell(4, timeout_s=400)
            return cost
        notebook.run_cell(4)
        output.locator(".agk-composer").fill("Read.")
        with _costing(chromium, notebook) as cost:
            output.locator(".agk-composer").press("Enter")
            output.locator(".agk-chat .agk-usage").first.wait_for(timeout=400_000)
        return cost


@contextmanager
def _costing(chromium: Browser, notebook: NotebookPage) -> Iterator[Cost]:
    chromium.start_tracing(page=notebook.page, categories=["toplevel", "devtools.timeline"])
    with notebook.measured() as traffic:
        cost = Cost(traffic)
        yield cost
    cost.cpu_ms = _most_cpu_ms(chromium.stop_tracing())


def _most_cpu_ms(trace: bytes) -> float:
    """Return the CPU time of the task that took most of it, of a page's main thread."""
    events = json.loads(trace)["traceEvents"]
    threads = {
        (event["pid"], event["tid"]): event["args"]["name"] for event in events if event["name"] == "thread_name"
    }
    return max(
        event.get("tdur", 0) / 1000
        for event in events
        if event["name"].endswith(_TASK) and threads.get((event["pid"], event["tid"])) == "CrRendererMain"
    )


def _cells(cost: Cost) -> str:
    traffic, tasks = cost.traffic, cost.traffic.long_tasks_ms
    cells = [
        _marked(traffic.received_bytes / 1e6, _TARGET_MB, 2),
        f"{traffic.messages:,}",
        _marked(max(tasks, default=0), _TASK_TARGET_MS),
        _marked(cost.cpu_ms, _TASK_TARGET_MS),
        str(len(tasks)),
        f"{sum(tasks):,.0f}",
    ]
    return " | ".join(cells)


def _marked(value: float, target: float, digits: int = 0) -> str:
    shown = f"{value:.{digits}f}"
    return f"**{shown}**" if value > target else shown
