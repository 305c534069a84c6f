"""The browser of traces, as the notebook's user holds it."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from agentkit._called_as import called_as
from agentkit.notebook.browser.front import BrowserFront, opened_bundle
from agentkit.notebook.browser.kept import kept_page, page_title
from agentkit.notebook.browser.pages import read_page
from agentkit.notebook.browser.wanted import AGES, Wanted, wanted_of
from agentkit.notebook.widgets.cell_browser import CellBrowser
from agentkit.tracing.columns import flush_store

if TYPE_CHECKING:
    import pandas as pd

    from agentkit.notebook.display.run_view import Bundle
    from agentkit.notebook.widgets.browser_widget import BrowserWidget
    from agentkit.records.opened import RecordedTrace

__all__ = ["TraceBrowser", "browse"]

_PATIENCE_S = 30.0

_open: deque[TraceBrowser] = deque()


@called_as("agentkit.traces.browse")
def browse(
    *,
    agent: Any = None,  # a name, or an agent: a class of a layer below
    model: str | None = None,
    session: Any = None,  # a session_id, or a session
    group: str | None = None,
    status: str | None = None,
    error: bool | None = None,
    text: str | None = None,
    since: datetime | Any = None,  # or a timedelta or text
    until: datetime | Any = None,
    rating: str | None = None,
) -> TraceBrowser:
    """Return a browser of the traces of this machine, which shows itself as a cell's value.

    In it one searches, filters and sorts, opens a trace and follows one that is under way, marks and comments, and
    rates answers. What was last looked at is kept in the notebook, for when no kernel is there.

    Args:
        agent: Only traces that this agent took part in: its name, or the agent. The reader may choose another.
        model: Only traces in which this model was called; likewise.
        session: Only traces of this session: its id, or the session.
        group: Only traces with this group_id.
        status: Only traces that ended so, such as "error"; the reader may choose another.
        error: Only traces that failed (True), or that didn't (False).
        text: Only traces in whose question, answer or error this occurs; the reader may search for something else.
        since: Only traces that started then or later: a time, a date, or how long ago, such as "2h".
        until: Only traces that started before.
        rating: Only traces whose answer was rated "up", or "down".

    Raises:
        UserError: An argument makes no sense.
    """
    wanted = wanted_of(
        agent=agent,
        model=model,
        session=session,
        group=group,
        status=status,
        error=error,
        text=text,
        since=since,
        until=until,
        rating=rating,
    )
    return TraceBrowser(wanted)


class TraceBrowser(CellBrowser[BrowserFront]):
    """A browser of traces. Made by `agentkit.traces.browse()`.

    Args:
        wanted: What it lists at first.
    """

    opened_by = "agentkit.traces.browse()"

    def __init__(self, wanted: Wanted) -> None:
        super().__init__(_open)
        self._first = wanted
        self._opened: str | None = None

    # -- what it shows ------------------------------------------------------------------------------------------------

    @property
    def trace(self) -> RecordedTrace | None:
        """The trace that is open, to go on with in code; None where the list is shown."""
        from agentkit.records.opened import open_trace

        opened = self._opened_id()
        return None if opened is None else open_trace(opened)

    def frame(self, *, limit: int | None = None) -> pd.DataFrame:
        """Return what is listed as a dataframe, as `agentkit.traces` gives it: all pages, the newest first.

        Args:
            limit: At most so many rows.
        """
        from agentkit.records.traces import traces

        chosen, given = self._wanted(), self._first.given
        since = given.since_ns
        if chosen.age:
            since = max(since or 0, int(datetime.now(UTC).timestamp() - AGES[chosen.age]) * 1_000_000_000)
        return traces(
            limit=limit,
            agent=chosen.agent,
            model=chosen.model,
            session=given.session,
            group=given.group,
            status=chosen.status,
            error=chosen.error or given.error,
            text=chosen.text or None,
            since=_moment(since),
            until=_moment(given.until_ns),
            rating=chosen.rating,
        )

    def open(self, of: Any) -> None:  # an id, or anything that has one
        """Open a trace.

        Args:
            of: A trace's id, the beginning of one, or what has one: a run's result, a trace, a row of `traces()`.

        Raises:
            UserError: There is no such trace, or the browser is closed.
        """
        from agentkit.records.opened import open_trace

        self._check_open()
        self._opened = open_trace(of).trace_id
        if self._front is not None:
            self._front.open_from_code(self._opened).result(_PATIENCE_S)

    def close(self) -> None:
        """Take it off the screen. What was last looked at stays in the notebook."""
        if not self._closed:
            self._opened, self._first = self._opened_id(), self._wanted()
        super().close()

    def __repr__(self) -> str:
        if self._closed:
            return "TraceBrowser(closed)"
        return f"TraceBrowser({page_title(read_page(self._wanted()), self._wanted())})"

    # -- how ----------------------------------------------------------------------------------------------------------

    def _kept(self) -> Bundle:
        flush_store()
        opened = self._opened_id()
        if opened is not None:
            return opened_bundle(opened)
        wanted = self._wanted()
        return kept_page(read_page(wanted), wanted)

    def _opened_id(self) -> str | None:
        return self._opened if self._front is None or self._closed else self._front.opened_id

    def _wanted(self) -> Wanted:
        return self._first if self._front is None or self._closed else self._front.wanted

    def _made(self, kept: Bundle, keep: Callable[[Bundle], None]) -> tuple[BrowserWidget, BrowserFront]:
        from agentkit.notebook.widgets.browser_widget import BrowserWidget
        from agentkit.runtime.background import background_loop

        widget = BrowserWidget(self._says)
        front = BrowserFront(widget, background_loop(), self._first, kept=kept, on_kept=keep)
        return widget, front

    def _begin(self, front: BrowserFront) -> None:
        if self._opened is not None:
            front.open_from_code(self._opened).result(_PATIENCE_S)


def _moment(ns: int | None) -> datetime | None:
    return None if ns is None else datetime.fromtimestamp(ns / 1e9, tz=UTC)
