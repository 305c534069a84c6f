"""How long it takes from a click on Stop until the run is over."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from benchmarks.in_notebook import opened, release

if TYPE_CHECKING:
    from playwright.sync_api import Browser

    from agentkit.testing.browser import NotebookPage

__all__ = ["STOPPINGS", "Stopping", "stop_table", "stop_times"]

_TARGET_MS = 500

_SETUP = '''
import time
import agentkit
from agentkit import function_tool
from agentkit.testing import call

@function_tool
def wait() -> str:
    """Wait for half a minute."""
    for _ in range(600):
        time.sleep(0.05)
    return "waited"

waiter = Agent(name="waiter", instructions="You wait.", model=ScriptedModel(*[call("wait")] * 100), tools=[wait])
model.tokens_per_s = 200
for _ in range(100):
    model.reply(answer)
'''

# From the event of the click to the cell's end; of a chat to that of its Stop button.
_BEGIN_STOPWATCH = """([selector, index]) => {
    window.agentkitStopwatch = new Promise((resolve) => {
        const buttons = () => [...document.querySelectorAll('.agk-chat .agk-stop')];
        const isDone = () =>
            index === null
                ? buttons().every((stop) => stop.hidden)
                : window.jupyterapp.shell.currentWidget.content.widgets[index].model.executionState === 'idle';
        document.addEventListener('click', function began(event) {
            if (!event.target.closest(selector)) return;
            document.removeEventListener('click', began, true);
            const timer = setInterval(() => {
                if (!isDone()) return;
                clearInterval(timer);
                resolve(performance.now() - event.timeStamp);
            }, 2);
        }, true);
    });
}"""

_TOOLBAR = ".jp-NotebookPanel .jp-Toolbar [data-jp-item-name=interrupt]"
_ANSWERING = ".agk-live .agk-a h2"
_IN_A_TOOL = ".agk-live .agk-s .agk-n"


@dataclass(frozen=True, slots=True)
class Stopping:
    """A way to stop a run."""

    title: str
    """What is stopped, and how."""
    cell: str
    """The cell that asks; for a chat, the one that opens it."""
    under_way: str
    """CSS selector of what is on the screen once the run is under way."""
    interrupts: bool = False
    """Whether the kernel is interrupted; else it is the run's own Stop."""
    in_chat: bool = False
    """Whether it is a chat."""


STOPPINGS = [
    Stopping("`%%ask`, streaming: Stop", "%%ask reader\nRead.", _ANSWERING),
    Stopping("`%%ask`, in a tool that blocks: Stop", "%%ask waiter\nWait.", _IN_A_TOOL),
    Stopping("`%%ask`, streaming: interrupt", "%%ask reader\nRead.", _ANSWERING, interrupts=True),
    Stopping("`%%ask`, in a tool that blocks: interrupt", "%%ask waiter\nWait.", _IN_A_TOOL, interrupts=True),
    Stopping("chat, streaming: Stop", "import agentkit\nagentkit.chat(reader)", _ANSWERING, in_chat=True),
    Stopping(
        "chat, in a tool that blocks: Stop",
        "import agentkit\nagentkit.chat(waiter)",
        _IN_A_TOOL,
        in_chat=True,
    ),
]
"""What is measured."""


def stop_table(chromium: Browser, kernels: Sequence[str], *, rounds: int, say: Callable[[str], None]) -> str:
    """Return the table.

    Args:
        chromium: The browser.
        kernels: Releases of ipykernel.
        rounds: Times that each is measured.
        say: Told what is under way.
    """
    columns: dict[str, list[list[float]]] = {kernel: [] for kernel in kernels}
    for kernel in kernels:
        cells = [_SETUP, *(stopping.cell for stopping in STOPPINGS)]
        with opened(chromium, "lab", cells, kernel=kernel) as notebook:
            notebook.run_cell(2)
            for index, stopping in enumerate(STOPPINGS, start=3):
                say(f"ipykernel {release(kernel)}: {stopping.title}")
                columns[kernel].append(stop_times(notebook, stopping, index=index, rounds=rounds))
    names = " | ".join(f"ipykernel {release(kernel)}" for kernel in kernels)
    lines = [f"| from the click to the end of the run, ms | {names} |", f"|---|{'--:|' * len(kernels)}"]
    for number, stopping in enumerate(STOPPINGS):
        cells = " | ".join(_median_and_worst(columns[kernel][number]) for kernel in kernels)
        lines.append(f"| {stopping.title} | {cells} |")
    return "\n".join([*lines, "", f"Median and worst of {rounds} rounds; more than {_TARGET_MS} in bold."])


def stop_times(notebook: NotebookPage, stopping: Stopping, *, index: int, rounds: int) -> list[float]:
    """Return the milliseconds of each round, measured in the cell at `index`."""
    if stopping.in_chat:
        notebook.run_cell(index)
    return [_stop_time(notebook, stopping, index) for _ in range(rounds)]


def _stop_time(notebook: NotebookPage, stopping: Stopping, index: int) -> float:
    output, before = notebook.output(index), None
    if stopping.in_chat:
        output.locator(".agk-composer").fill("Go.")
        output.locator(".agk-composer").press("Enter")
    else:
        before = notebook.start_cell(index)
    output.locator(stopping.under_way).first.wait_for()
    stop = output.locator(".agk-stop:visible").first
    if stopping.interrupts:
        stop = notebook.page.locator(f"{_TOOLBAR}:visible").first
    selector = _TOOLBAR if stopping.interrupts else ".agk-stop"
    notebook.page.evaluate(_BEGIN_STOPWATCH, [selector, None if stopping.in_chat else index])
    stop.click()
    time_ms: float = notebook.page.evaluate("window.agentkitStopwatch")
    if not stopping.in_chat:
        notebook.wait_until_done(index, before=before)
    return time_ms


def _median_and_worst(times: Sequence[float]) -> str:
    worst = f"{max(times):.0f}"
    return f"{statistics.median(times):.0f} ({f'**{worst}**' if max(times) > _TARGET_MS else worst})"
