"""The browser of traces, as the notebook's user holds it."""

from __future__ import annotations

import uuid
from collections import deque
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from agentkit._called_as import called_as
from agentkit.exceptions import UserError
from agentkit.notebook.browser.front import BrowserFront, opened_bundle
from agentkit.notebook.browser.kept import kept_page, page_title
from agentkit.notebook.browser.pages import read_page
from agentkit.notebook.browser.wanted import AGES, Wanted, wanted_of
from agentkit.tracing.columns import flush_store

if TYPE_CHECKING:
    import pandas as pd
    from IPython.core.interactiveshell import InteractiveShell

    from agentkit.notebook.display.modes import RenderMode
    from agentkit.notebook.display.run_view import Bundle
    from agentkit.notebook.widgets.browser_widget import BrowserWidget
    from agentkit.records.opened import RecordedTrace

__all__ = ["TraceBrowser", "browse"]

_MOST_OPEN = 8
"""Browsers that are kept alive; of more, the oldest that nobody looks at is closed."""

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


class TraceBrowser:
    """A browser of traces. Made by `agentkit.traces.browse()`.

    Args:
        wanted: What it lists at first.
    """

    def __init__(self, wanted: Wanted) -> None:
        self._first = wanted
        self._opened: str | None = None
        self._widget: BrowserWidget | None = None
        self._front: BrowserFront | None = None
        self._display_id = uuid.uuid4().hex
        self._closed = False

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
        if self._closed:
            return
        self._opened, self._first = self._opened_id(), self._wanted()
        self._closed = True
        if self in _open:
            _open.remove(self)
        if self._front is not None:
            self._front.close()
        if self._widget is not None:
            self._widget.close()

    def __repr__(self) -> str:
        if self._closed:
            return "TraceBrowser(closed)"
        return f"TraceBrowser({page_title(read_page(self._wanted()), self._wanted())})"

    # -- how ----------------------------------------------------------------------------------------------------------

    def _ipython_display_(self) -> None:
        from IPython.core.interactiveshell import InteractiveShell

        self.show(InteractiveShell.instance())

    def show(self, shell: InteractiveShell | None = None) -> None:
        """Show it in the cell that runs: live where somebody sits at the notebook, else what would be kept.

        Args:
            shell: The notebook's shell; the one there is when None.

        Raises:
            UserError: It is closed, or the store can't be read.
        """
        from IPython.core.interactiveshell import InteractiveShell

        from agentkit.notebook.display.modes import render_mode
        from agentkit.notebook.display.publish import publish

        self._check_open()
        mode: RenderMode = render_mode(shell or InteractiveShell.instance())
        flush_store()
        kept = self._kept()
        if mode == "console":
            print(f"\n{kept['text/plain']}")  # a terminal has written "Out[3]: " already
            return
        if mode == "static":
            publish(kept)
            return
        publish(kept, display_id=self._display_id)
        publish(self._live(kept))

    def _live(self, kept: Bundle) -> dict[str, Any]:
        """Return the output of the widget, which is made when it is first wanted.

        Args:
            kept: What the notebook keeps of it for now.
        """
        if self._widget is None:
            from agentkit.notebook.display.publish import publish
            from agentkit.notebook.widgets.browser_widget import BrowserWidget
            from agentkit.runtime.background import background_loop

            def keep(bundle: Bundle) -> None:
                publish(bundle, display_id=self._display_id, update=True)

            self._widget = widget = BrowserWidget(lambda content: front.says(content))
            self._front = front = BrowserFront(widget, background_loop(), self._first, kept=kept, on_kept=keep)
            if self._opened is not None:
                front.open_from_code(self._opened).result(_PATIENCE_S)
            _make_room(self)
        return self._widget.bundle()

    def _kept(self) -> Bundle:
        opened = self._opened_id()
        if opened is not None:
            return opened_bundle(opened)
        wanted = self._wanted()
        return kept_page(read_page(wanted), wanted)

    def _opened_id(self) -> str | None:
        return self._opened if self._front is None or self._closed else self._front.opened_id

    def _wanted(self) -> Wanted:
        return self._first if self._front is None or self._closed else self._front.wanted

    @property
    def is_visible(self) -> bool:
        """Whether it can be seen, as far as is known."""
        return self._front is not None and self._front.is_visible

    def _check_open(self) -> None:
        if self._closed:
            raise UserError("This browser is closed.", hint="Open another: agentkit.traces.browse().")


def _make_room(new: TraceBrowser) -> None:
    """Note a browser that is live; of too many, which cells that ran again have left, close the oldest."""
    _open.append(new)
    while len(_open) > _MOST_OPEN:
        hidden = (browser for browser in _open if not browser.is_visible and browser is not new)
        next(hidden, _open[0]).close()


def _moment(ns: int | None) -> datetime | None:
    return None if ns is None else datetime.fromtimestamp(ns / 1e9, tz=UTC)
