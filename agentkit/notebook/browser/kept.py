"""What the notebook keeps of the browser: the trace that was open, or the page of the list, with no kernel."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agentkit.notebook.browser.pages import Listed, Page
from agentkit.notebook.browser.wanted import Wanted
from agentkit.notebook.display.kept_digest import with_digest
from agentkit.notebook.display.listing import aligned
from agentkit.notebook.display.style import KEPT_STYLE, STYLE
from agentkit.notebook.display.text import clean, escape, one_line

if TYPE_CHECKING:
    from agentkit.notebook.display.run_view import Bundle

__all__ = ["kept_page", "page_title"]

_HEAD = ("", "started (UTC)", "agents", "asked", "took", "tokens", "cost", "noted")


def kept_page(page: Page, wanted: Wanted) -> Bundle:
    """Return a page of the list as HTML and as plain text.

    Args:
        page: What was shown.
        wanted: What was asked for.
    """
    title = page_title(page, wanted)
    rows = [_words(row) for row in page.rows]
    head = "".join(f'<th scope="col">{escape(word)}</th>' for word in _HEAD)
    body = "".join("<tr>" + "".join(f"<td>{cell}</td>" for cell in _cells(row)) + "</tr>" for row in page.rows)
    table = (
        f'<div class="agk-w"><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>' if rows else ""
    )
    html = f'<div class="agk agk-kept">{STYLE}{KEPT_STYLE}<div class="agk-h">{escape(title)}</div>{table}</div>'
    lines = [title, *(f"  {line}" for line in aligned([_HEAD, *rows]))] if rows else [title]
    return with_digest({"text/html": html, "text/plain": clean("\n".join(lines))})


def page_title(page: Page, wanted: Wanted) -> str:
    """Return how many traces there are, and which."""
    chosen = wanted.as_json()
    named = [f"{name} {chosen[name]}" for name in ("agent", "model", "status") if chosen[name]]
    named += ["failed"] if wanted.error else []
    named += [f"rated {wanted.rating}"] if wanted.rating else []
    named += [f"with {one_line(wanted.text, 60)!r}"] if wanted.text else []
    named += [f"of the last {wanted.age}"] if wanted.age else []
    given = wanted.given
    named += [f"{name} {value}" for name, value in (("session", given.session), ("group", given.group)) if value]
    count = f"{page.total:,} trace{'' if page.total == 1 else 's'}" if page.total else "No traces"
    which = f", page {page.number + 1:,} of {page.count:,}" if page.count > 1 else ""
    return clean(count + (f": {', '.join(named)}" if named else "") + which)


def _words(row: Listed) -> tuple[str, ...]:
    asked = row.question[:60] + ("…" if len(row.question) > 60 else "")
    about = row.error and f"✗ {row.error[:60]}"
    noted = " ".join(filter(None, (row.rating and f"rated {row.rating}", row.mark, row.comment[:40])))
    state = row.state or "ok"
    return (
        state,
        row.started,
        row.agents,
        " ".join(filter(None, (asked, about))),
        row.duration,
        row.tokens,
        row.cost,
        noted,
    )


def _cells(row: Listed) -> list[str]:
    state = f'<span class="agk-no">■ {escape(row.state)}</span>' if row.state else '<span class="agk-ok">✓ ok</span>'
    cells = [state, *(escape(word) for word in _words(row)[1:])]
    if row.error:
        cells[3] = f'{escape(row.question)} <span class="agk-no">✗</span> {escape(row.error)}'
    return cells
