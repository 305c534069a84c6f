"""What a page does besides what it shows: requests, errors in its console, bytes from the kernel, long tasks."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from playwright.sync_api import BrowserContext, ConsoleMessage, Page, Route, WebSocket

__all__ = ["KNOWN_NOISE", "PageWatch", "Traffic", "stays_on_this_machine"]

_LOCAL_SCHEMES = ("data", "blob", "about")
_LOOPBACK = ("127.0.0.1", "localhost", "::1")

KNOWN_NOISE = frozenset(
    {
        "Cannot read properties of undefined (reading 'schema')",
        "Could not restore the debugger state: Canceled future for debug_request message before replies were done",
        "Error: widget model not found",
    }
)
"""Errors that are the front ends' own, by the first line of their text.

Jupyter Notebook 7.6.5 throws the first each time it opens a notebook, whatever is in it. JupyterLab 4.6 and Notebook 7
log the second where a kernel restarts while their debugger still asks it something; the third, for every widget of
any package, where a notebook is opened with a kernel that isn't the one which made the widget.
"""

_NOTE_LONG_TASKS = """
window.agentkitLongTasks = [];
new PerformanceObserver((list) => {
    for (const task of list.getEntries()) window.agentkitLongTasks.push([task.startTime, task.duration]);
}).observe({ type: "longtask", buffered: true });
"""
# Long tasks are reported some time after they have ended: once the page is idle and has painted, all are.
_LONG_TASKS_SINCE = """(since) => new Promise((resolve) => {
    const report = () => resolve(window.agentkitLongTasks.filter(([start, duration]) => start + duration >= since));
    requestAnimationFrame(() => requestIdleCallback(() => setTimeout(report, 50)));
})"""


@dataclass(slots=True)
class Traffic:
    """What happened while something was measured; complete once the `with` block is left."""

    received_bytes: int = 0
    """Bytes that kernels sent to the page over websockets, as the page got them."""
    messages: int = 0
    """The messages that they came in."""
    long_tasks_ms: list[float] = field(default_factory=list)
    """Durations in ms of the tasks that kept the page's main thread for more than 50 ms, in order."""


class PageWatch:
    """Notes what a page does, and refuses its requests to other machines.

    Args:
        context: The browser context that the page belongs to.
        page: The page, before it has loaded anything.
    """

    def __init__(self, context: BrowserContext, page: Page) -> None:
        self._page = page
        self._traffic = Traffic()
        self.outside_requests: list[str] = []
        """Addresses beyond this machine that were asked for; the requests were refused."""
        self.console_errors: list[str] = []
        """Errors that were logged or not caught, but for `KNOWN_NOISE`."""
        context.route(lambda address: not stays_on_this_machine(address), self._refuse)
        context.add_init_script(_NOTE_LONG_TASKS)
        page.on("console", self._note_logged)
        page.on("pageerror", lambda error: self._note_error(error.message))
        page.on("websocket", self._note_socket)

    @contextlib.contextmanager
    def measured(self) -> Iterator[Traffic]:
        """Measure what happens in the `with` block."""
        since: float = self._page.evaluate("performance.now()")
        traffic = self._traffic = Traffic()
        yield traffic
        tasks: list[list[float]] = self._page.evaluate(_LONG_TASKS_SINCE, since)
        traffic.long_tasks_ms = [duration for _, duration in tasks]
        self._traffic = Traffic()

    def _refuse(self, route: Route) -> None:
        self.outside_requests.append(route.request.url)
        route.abort()

    def _note_logged(self, message: ConsoleMessage) -> None:
        if message.type == "error":
            self._note_error(message.text)

    def _note_error(self, text: str) -> None:
        if text.partition("\n")[0] not in KNOWN_NOISE:
            self.console_errors.append(text)

    def _note_socket(self, socket: WebSocket) -> None:
        if not stays_on_this_machine(socket.url):
            self.outside_requests.append(socket.url)
        if "/api/kernels/" in socket.url:
            socket.on("framereceived", self._note_received)

    def _note_received(self, payload: str | bytes) -> None:
        self._traffic.messages += 1
        self._traffic.received_bytes += len(payload if isinstance(payload, bytes) else payload.encode())


def stays_on_this_machine(address: str) -> bool:
    """Return whether a request to `address` reaches no other machine."""
    parts = urlsplit(address)
    return parts.scheme in _LOCAL_SCHEMES or parts.hostname in _LOOPBACK
