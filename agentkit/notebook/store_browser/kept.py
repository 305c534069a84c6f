"""What the notebook keeps of a store's browser: the store, its files and what was last found, with no kernel."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from agentkit.notebook.display.found_view import result_bundle
from agentkit.notebook.display.kept_digest import with_digest
from agentkit.notebook.display.listing import aligned
from agentkit.notebook.display.passages import PASSAGES_STYLE
from agentkit.notebook.display.style import KEPT_STYLE, STYLE
from agentkit.notebook.display.text import clean, escape, one_line
from agentkit.notebook.store_browser.rows import count_text, file_rows, ranking_line

if TYPE_CHECKING:
    from agentkit.files.listing import StoreFile
    from agentkit.files.search import SearchResult
    from agentkit.files.store import VectorStore
    from agentkit.notebook.display.run_view import Bundle

__all__ = ["kept_store"]

_MOST_ROWS = 60
_STATES = {"failed": "agk-no", "completed": "agk-ok"}


def kept_store(store: VectorStore, files: Sequence[StoreFile], found: SearchResult | None) -> Bundle:
    """Return a store with its files, and what was found in it, as HTML and as plain text.

    Args:
        store: The store.
        files: Its files.
        found: What was last searched for; None for nothing.
    """
    title = f"{one_line(store.name, 120)} · {count_text(files)}"
    rows, hidden = file_rows(files)
    hidden += max(0, len(rows) - _MOST_ROWS)
    rows = rows[:_MOST_ROWS]
    body = "".join(
        f"<tr><td><code>{escape(row['name'])}</code></td>"
        f'<td><span class="{_STATES.get(row["state"], "agk-d")}">{escape(row["status"])}</span></td>'
        f'<td class="agk-d">{escape(row["size"].replace(" ", chr(0xA0)))}</td><td>{escape(row["reason"])}</td></tr>'
        for row in rows
    )
    table = f'<div class="agk-w"><table><tbody>{body}</tbody></table></div>' if rows else ""
    notes = [ranking_line(store), f"… {hidden:,} more: store.files has all" if hidden else ""]
    told = "".join(f'<div class="agk-f">{escape(note)}</div>' for note in notes if note)
    html = f'<div class="agk agk-kept">{STYLE}{KEPT_STYLE}{PASSAGES_STYLE if found is not None else ""}'
    html += f'<div class="agk-h">{escape(title)}</div>{table}{told}'
    plain = [title, *(f"  {line}" for line in aligned([_words(row) for row in rows])), *filter(None, notes)]
    if found is not None:
        bundle = result_bundle(found)
        html += f'<div class="agk-p">{bundle["text/html"].partition(STYLE + PASSAGES_STYLE)[2]}'
        plain += ["", bundle["text/plain"]]
    return with_digest({"text/html": f"{html}</div>", "text/plain": clean("\n".join(plain))})


def _words(row: dict[str, str]) -> tuple[str, str, str, str]:
    return row["name"], row["status"], row["size"], row["reason"]
