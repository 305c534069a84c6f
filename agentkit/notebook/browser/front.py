"""The browser's side of its widget: what the front end is sent, and what it says."""

from __future__ import annotations

import asyncio
import concurrent.futures
from collections.abc import Callable
from time import monotonic
from typing import TYPE_CHECKING, Any

from agentkit.notebook.browser.changes import StoreChanges
from agentkit.notebook.browser.kept import kept_page, page_title
from agentkit.notebook.browser.opened import OpenedTrace
from agentkit.notebook.browser.pages import Listed, Page, is_interrupted, read_choices, read_page
from agentkit.notebook.browser.wanted import AGES, STATUSES, Wanted
from agentkit.notebook.display.kept_digest import with_digest
from agentkit.notebook.display.style import KEPT_STYLE
from agentkit.notebook.display.text import clean
from agentkit.notebook.widgets.browsing_front import BrowsingFront
from agentkit.sessions.finishing import in_thread

if TYPE_CHECKING:
    from agentkit.notebook.display.live import Channel
    from agentkit.notebook.display.run_view import Bundle

__all__ = ["BrowserFront", "opened_bundle"]

_POLL_S = 0.5
_MOST_POLL_S = 10.0
_LIVENESS_S = 5.0
"""How often traces under way are looked at again though nothing was written: their process may be gone."""
_KEEP_AFTER_S = 1.0


class BrowserFront(BrowsingFront):
    """Sends the list of traces, and the trace that is open, to the widget; does what the reader wants.

    While the widget can be seen, what is shown follows the store. `open_from_code` is for any thread, too.

    Args:
        channel: Where messages go.
        loop: agentkit's loop.
        wanted: What is listed at first.
        kept: What the notebook keeps as it is shown first; None where that isn't known.
        on_kept: Called with what the notebook is to keep, in any thread.
        poll_s: How often the store is looked at.
        keep_after_s: How long the reader has to stay with something before the notebook keeps it.
    """

    def __init__(
        self,
        channel: Channel,
        loop: asyncio.AbstractEventLoop,
        wanted: Wanted,
        *,
        kept: Bundle | None = None,
        on_kept: Callable[[Bundle], None] = lambda bundle: None,
        poll_s: float = _POLL_S,
        keep_after_s: float = _KEEP_AFTER_S,
    ) -> None:
        super().__init__(channel, loop, kept=kept, on_kept=on_kept)
        self._poll_s = poll_s
        self._keep_after_s = keep_after_s
        self._asked = 0
        self._wanted = wanted
        self._page: Page | None = None
        self._sent: tuple[list[str], dict[str, dict[str, Any]], float] = ([], {}, 0.0)
        self._opened: OpenedTrace | None = None
        self._reading = asyncio.Lock()
        self._changes = StoreChanges()
        self._keeping: asyncio.TimerHandle | None = None

    @property
    def wanted(self) -> Wanted:
        """What is listed."""
        return self._wanted

    @property
    def opened_id(self) -> str | None:
        """The id of the trace that is open; None where the list is shown."""
        return None if self._opened is None else self._opened.trace_id

    # -- from outside the loop's thread -------------------------------------------------------------------------------

    def open_from_code(self, trace_id: str) -> concurrent.futures.Future[None]:
        """Open a trace; what is returned is done when it is open. Not for the loop's own thread to wait for."""
        return asyncio.run_coroutine_threadsafe(self._open(trace_id), self._loop)

    def _end(self) -> None:
        super()._end()
        self._opened = self._page = None
        if self._keeping is not None:
            self._keeping.cancel()
        self._changes.close()

    # -- from the front end -------------------------------------------------------------------------------------------

    def _take(self, message: dict[str, Any], buffers: list[bytes]) -> None:
        said = message.get
        match said("kind"):
            case "ready":
                self._start(self._send_all)
            case "list":
                self._wanted = self._wanted.changed_by(message)
                self._opened = None
                self._start(self._list)
            case "open":
                self._start(self._open, str(said("trace", "")))
            case "reveal":
                self._start(self._reveal, said("begin"), said("end"))
            case "details":
                self._start(self._details, str(said("span", "")))
            case "note":
                self._start(self._note, str(said("span", "")), said("mark"), said("comment"))
            case "rate":
                self._start(self._rate, said("rating"), said("remark"))

    def _tell_error(self, error: Exception) -> None:
        if not is_interrupted(error):
            super()._tell_error(error)

    # -- the list -----------------------------------------------------------------------------------------------------

    async def _send_all(self) -> None:
        choices = await in_thread(read_choices)
        frame = {
            "agents": [clean(name) for name in choices["agents"]],
            "models": [clean(name) for name in choices["models"]],
            "statuses": list(STATUSES),
            "ages": list(AGES),
        }
        self._send_whole(frame)
        if self._opened is None:
            await self._list()
        else:
            await self._show_opened()

    async def _list(self, *, again: bool = False) -> None:
        """Read the page that is wanted, and send it; where it is read again, only if something is new."""
        self._asked += not again
        asked, wanted = self._asked, self._wanted
        async with self._reading:
            if asked != self._asked:
                return  # the reader wants something else by now
            page = await in_thread(lambda: read_page(wanted, still_wanted=lambda: asked == self._asked))
        if asked != self._asked or self._opened is not None or (again and page == self._page):
            return
        self._page = page
        shown = {
            "rows": [_row(row) for row in page.rows],
            "total": page.total,
            "page": page.number,
            "pages": page.count,
            "title": page_title(page, wanted),
            "wanted": wanted.as_json(),
        }
        self._send({"list": shown})
        self._keep_soon()

    # -- a trace ------------------------------------------------------------------------------------------------------

    async def _open(self, trace_id: str) -> None:
        self._asked += 1
        asked = self._asked
        opened = await in_thread(lambda: OpenedTrace(trace_id))
        if asked == self._asked:
            self._opened = opened
            await self._show_opened()
            self._keep_soon()

    async def _show_opened(self) -> None:
        if (opened := self._opened) is None:
            return
        self._sent = opened.rows()
        order, rows, seconds = self._sent
        self._send({"trace": opened.head(), "order": order, "rows": rows, "seconds": seconds})

    def _send_changes(self, opened: OpenedTrace, *, head: dict[str, Any] | None = None) -> None:
        """Send what is new in the rows, and only that."""
        order, rows, seconds = opened.rows()
        old_order, old_rows, old_seconds = self._sent
        changed = {key: row for key, row in rows.items() if old_rows.get(key) != row}
        self._sent = (order, rows, seconds)
        if not changed and order == old_order and seconds == old_seconds and head is None:
            return
        news: dict[str, Any] = {"rows": changed, "seconds": seconds, "of": opened.trace_id}
        if order != old_order:
            news["order"] = order
        self._send(news | ({"head": head} if head else {}))

    async def _reveal(self, begin: Any, end: Any) -> None:
        if (opened := self._opened) is not None and isinstance(begin, int) and isinstance(end, int):
            opened.reveal(begin, end)
            self._send_changes(opened)

    async def _details(self, span_id: str) -> None:
        if (opened := self._opened) is None:
            return
        opened.show(span_id)
        details = await in_thread(lambda: opened.details(span_id))
        if opened is self._opened:
            self._send_changes(opened)
            self._send({"details": details})

    async def _note(self, span_id: str, mark: Any, comment: Any) -> None:
        """Keep a mark or a comment on the trace that is open, or on a step of it."""
        if (opened := self._opened) is None:
            return
        from agentkit.tracing.notes import annotate

        target = opened.trace.span(span_id) if span_id else opened.trace
        texts = {"mark": mark, "comment": comment}
        given = {name: text for name, text in texts.items() if isinstance(text, str)}
        await in_thread(lambda: annotate(target, **given))
        await self._read_again(opened, head=not span_id)
        if span_id:
            await self._details(span_id)

    async def _rate(self, rating: Any, remark: Any) -> None:
        if (opened := self._opened) is None:
            return
        from agentkit.tracing.feedback import rate, remove_feedback

        if rating in ("up", "down"):
            await in_thread(lambda: rate(opened.trace_id, rating, remark if isinstance(remark, str) else ""))
        else:
            await in_thread(lambda: remove_feedback(opened.trace_id))
        await self._read_again(opened, head=True)

    async def _read_again(self, opened: OpenedTrace, *, head: bool) -> None:
        async with self._reading:
            await in_thread(opened.refresh)
        if opened is not self._opened:
            return
        self._send_changes(opened, head=opened.head() if head else None)
        self._keep_soon()

    # -- following ----------------------------------------------------------------------------------------------------

    async def _follow(self) -> None:
        """Bring what is shown up to date while it can be seen; reading takes a fifth of the time at most."""
        pause, looked = self._poll_s, monotonic()
        while self.is_visible:
            await asyncio.sleep(pause)
            changed = await in_thread(self._changes.changed)
            if not changed and monotonic() - looked < _LIVENESS_S:
                continue
            began = looked = monotonic()
            await self._guarded(self._bring_up_to_date)
            pause = min(_MOST_POLL_S, max(self._poll_s, 4 * (monotonic() - began)))

    async def _bring_up_to_date(self) -> None:
        opened = self._opened
        if opened is None:
            if self._page is not None:
                await self._list(again=True)
            return
        if not opened.is_under_way:
            return
        async with self._reading:
            await in_thread(opened.refresh)
        if opened is self._opened:
            self._send_changes(opened, head=opened.head())
            self._keep_soon(unless=opened)

    # -- what the notebook keeps --------------------------------------------------------------------------------------

    def _keep_soon(self, *, unless: OpenedTrace | None = None) -> None:
        """Have the notebook keep what is shown, once the reader has stayed with it for a moment.

        Args:
            unless: A trace that is kept when it is over: not while it is under way.
        """
        if unless is not None and unless.is_under_way:
            return
        if self._keeping is not None:
            self._keeping.cancel()
        self._keeping = self._loop.call_later(self._keep_after_s, lambda: self._start(self._keep))

    async def _keep(self) -> None:
        bundle = await in_thread(self._bundle)
        if bundle is not None:
            self._keep_as(bundle)

    def _bundle(self) -> Bundle | None:
        opened, page = self._opened, self._page
        if opened is None:
            return None if page is None else kept_page(page, self._wanted)
        return opened_bundle(opened.trace_id)


def opened_bundle(trace_id: str) -> Bundle:
    """Return what the notebook keeps of a trace that is open.

    Raises:
        UserError: There is no such trace, or the store can't be read.
    """
    from agentkit.notebook.display.trace_view import trace_bundle
    from agentkit.records.opened import open_trace

    return with_digest(trace_bundle(open_trace(trace_id), kept=KEPT_STYLE))


def _row(row: Listed) -> dict[str, Any]:
    return row._asdict() | {"started": row.started, "started_ms": row.started_ns // 1_000_000, "started_ns": 0}
