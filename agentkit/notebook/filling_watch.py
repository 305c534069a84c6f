"""Files that are put into a store, shown in the cell: a bar while it goes on, then what became of each file."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from agentkit.files.progress import FileOutcome, StoreProgress
from agentkit.notebook.display.file_search import shown_name
from agentkit.notebook.display.publish import publish
from agentkit.notebook.display.store_view import outcomes_bundle, size_text
from agentkit.notebook.display.text import clean, escape, one_line
from agentkit.notebook.failures import Interrupted
from agentkit.notebook.filling import shown_reports
from agentkit.notebook.options import typed_as
from agentkit.notebook.over.watching import PanelWatch

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

__all__ = ["FillingWatch", "filling_html"]

_FAILURES = 6
_REASON_CHARS = 200
_NAME_CHARS = 80
_STAGES = {
    "looking": "Looking at what is there",
    "uploading": "Uploading",
    "indexing": "Parsing and indexing",
    "removing": "Removing what is gone",
}


class FillingWatch:
    """Shows in a cell how far it has come with files for a store; called in the thread of the cell.

    Args:
        shell: The notebook's shell.
        store: Name of the store.
        live: Whether somebody looks on; else only what became of the files is shown, at the end.
    """

    def __init__(self, shell: InteractiveShell, store: str, *, live: bool) -> None:
        self._shell = shell
        self._store = store
        self._outcomes: dict[str, FileOutcome] = {}
        self._failed: dict[str, FileOutcome] = {}
        self._panel = _FillingPanel() if live else None
        self._opened = False
        self._stopped = False
        self._raised = False

    def __call__(self, event: StoreProgress) -> None:
        """Show it; what was kept so far at the end.

        Raises:
            Interrupted: The reader wants it stopped.
        """
        if event.outcome is not None:
            self._outcomes[event.outcome.name] = event.outcome
            self._failed.pop(event.outcome.name, None)
            if event.outcome.outcome == "failed":
                self._failed[event.outcome.name] = event.outcome
        if event.stage in ("done", "stopped"):
            self._end(event)
            return
        panel = self._panel
        if panel is None:
            return
        if not self._opened:
            self._opened = True
            panel.open(self._store, self._stop)
        panel.show_soon(event, list(self._failed.values()))
        panel.pump(self._shell)
        if self._stopped and not self._raised:
            self._raised = True
            raise Interrupted("Stopped. The same call goes on.")

    def _stop(self) -> None:
        self._stopped = True

    def _end(self, event: StoreProgress) -> None:
        note = ""
        if event.stage == "stopped":
            note = f"Stopped: {event.stopped_text}"
            shown_reports.note_stop(event.stopped_text)
        bundle = outcomes_bundle(self._store, list(self._outcomes.values()), note, all_in=_all_in())
        shown_reports.note(self._store, [each.name for each in self._outcomes.values()])
        if self._panel is None or not self._opened:
            publish(bundle)
            return
        self._panel.end()
        publish(bundle, display_id=self._panel.display_id, update=True)
        self._panel.close()


def _all_in() -> str:
    """Return where all outcomes are: a magic's value is `_`, that of a call has whatever name its cell gives it."""
    magic = typed_as.get()
    return "_.to_dataframe() has all, --out NAME keeps it" if magic else "the report's to_dataframe() has all"


class _FillingPanel(PanelWatch):
    """The panel of a run, with the progress of files in it."""

    def __init__(self) -> None:
        super().__init__()
        self._failed: list[FileOutcome] = []

    def show_soon(self, event: StoreProgress, failed: list[FileOutcome]) -> None:
        """Show it from another thread than the loop's."""
        from agentkit.runtime.background import background_loop

        def show() -> None:
            self._failed = failed
            self.show(event)  # type: ignore[arg-type]  # shown by the methods below

        background_loop().call_soon_threadsafe(show)

    def _shown(self, progress: Any) -> str:
        return filling_html(progress, self._failed)

    def _about(self) -> str:
        return f"Files for {one_line(self._agent, _NAME_CHARS)}"


def filling_html(event: StoreProgress, failed: list[FileOutcome]) -> str:
    """Return a bar, what is being done, and what failed and why, the last failures first."""
    stage = _STAGES.get(event.stage, "")
    if event.parsing is not None:  # the rest is told by numbers
        stage = "" if event.stage == "indexing" else stage
    elif event.stage == "uploading" and event.to_index:
        stage = "Uploading, parsing and indexing"
    said = " · ".join(filter(None, (stage, event.text, size_text(event.bytes_sent) if event.bytes_sent else "")))
    label = escape(clean(said))
    halves = 2 * max(event.total, 1)
    shown = f'<div><progress class="agk-bar" value="{event.share * halves:.4g}" max="{halves}" aria-label="{label}">'
    shown += f"</progress></div><div>{label}</div>"
    if event.file:
        shown += f'<div class="agk-f">{escape(one_line(shown_name(event.file), _NAME_CHARS))}</div>'
    for each in reversed(failed[-_FAILURES:]):
        why = escape(one_line(each.reason, _REASON_CHARS))
        name = escape(one_line(shown_name(each.name), _NAME_CHARS))
        shown += f'<div class="agk-f"><span class="agk-no">✗</span> <code>{name}</code> {why}</div>'
    if len(failed) > _FAILURES:
        shown += f'<div class="agk-f">… and {len(failed) - _FAILURES:,} more that failed</div>'
    return shown
