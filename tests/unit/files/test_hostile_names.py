"""Names and texts that would act on a terminal are shown, and do nothing."""

from __future__ import annotations

from agentkit.files.progress import FileOutcome
from agentkit.files.report import report_of
from agentkit.files.search import Hit, SearchResult
from agentkit.runtime.citations import Citation

HOSTILE = "a\x1b[31m\nb\u202ec.md"


def test_a_report_shows_names_and_reasons_on_a_line_each() -> None:
    report = report_of("handbook", [FileOutcome(HOSTILE, "failed", f"no {HOSTILE}")])
    assert repr(report) == "1 file for 'handbook': 1 failed\n  failed  a[31m bc.md: no a[31m bc.md"


def test_a_result_and_a_citation_show_texts_without_what_acts() -> None:
    hit = Hit(HOSTILE, 0.5, "file-1", HOSTILE, {}, "b", heading=HOSTILE)
    assert str(SearchResult("b", "handbook", [hit])) == "1. a[31m bc.md, a[31m bc.md · 0.50\n   a[31m bc.md"
    assert "\x1b" not in repr(hit) + repr(Citation(1, "file", "file-1", HOSTILE, quote=HOSTILE))
    assert str(Citation(1, "file", "file-1", HOSTILE)) == "[1] a[31m bc.md"
