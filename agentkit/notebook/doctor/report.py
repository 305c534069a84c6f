"""What the doctor found, as a person reads it: in a notebook and in a terminal."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from agentkit.notebook.display.style import STYLE
from agentkit.notebook.display.text import clean, escape
from agentkit.notebook.doctor.findings import Finding, Level
from agentkit.notebook.doctor.scan import Scan

if TYPE_CHECKING:
    from agentkit.notebook.display.run_view import Bundle

__all__ = ["Report", "scan_report"]

_MARKS: dict[Level, str] = {"ok": "✓", "warn": "!", "bad": "✗"}
_CLASSES: dict[Level, str] = {"ok": "agk-ok", "warn": "agk-d", "bad": "agk-no"}
_WIDTH = 110


@dataclass(frozen=True, slots=True)
class Report:
    """All findings, by section; the value of `%agentkit doctor`."""

    title: str
    """What was looked at."""
    sections: Mapping[str, Sequence[Finding]]
    """The findings."""

    @property
    def findings(self) -> list[Finding]:
        """All findings, in their order."""
        return [finding for findings in self.sections.values() for finding in findings]

    @property
    def healthy(self) -> bool:
        """Whether nothing has to be mended."""
        return not any(finding.level == "bad" for finding in self.findings)

    @property
    def summary(self) -> str:
        """How it is, in a few words."""
        bad = sum(finding.level == "bad" for finding in self.findings)
        warned = sum(finding.level == "warn" for finding in self.findings)
        parts = [f"{bad} to mend" if bad else "", f"{warned} to know" if warned else ""]
        return ", ".join(filter(None, parts)) or "all is well"

    def plain(self) -> str:
        """Return it for a terminal."""
        lines = [f"{self.title}: {self.summary}"]
        for section, findings in self.sections.items():
            lines += ["", section]
            width = min(30, max((len(finding.subject) for finding in findings), default=0))
            for finding in findings:
                first = f"  {_MARKS[finding.level]} {finding.subject.ljust(width)}  "
                text = " ".join(clean(finding.text).split())
                indent = " " * (width + 6)
                lines += textwrap.wrap(
                    text, _WIDTH, initial_indent=first, subsequent_indent=indent, break_long_words=False,
                    break_on_hyphens=False,
                )  # fmt: skip
                lines += [f"{indent}→ {command}" for command in finding.mend]
        return clean("\n".join(lines))

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> Bundle:
        return {"text/html": self._html(), "text/plain": self.plain()}

    def _html(self) -> str:
        parts = [f'<div class="agk">{STYLE}<div class="agk-h">{escape(self.title)}: {escape(self.summary)}</div>']
        for section, findings in self.sections.items():
            rows = "".join(map(_row, findings))
            fine = all(finding.level == "ok" for finding in findings)
            if fine:
                names = ", ".join(dict.fromkeys(finding.subject for finding in findings))
                summary = f'<span class="agk-d">▸</span> <span class="agk-ok">✓</span> {escape(section)} '
                summary += f'<span class="agk-d">{escape(names)}</span>'
                parts.append(f"<details><summary>{summary}</summary><table>{rows}</table></details>")
            else:
                summary = f"<b>{escape(section)}</b>"
                parts.append(f"<details open><summary>{summary}</summary><table>{rows}</table></details>")
        return "".join([*parts, "</div>"])


def _row(finding: Finding) -> str:
    mark = f'<span class="{_CLASSES[finding.level]}"><b>{_MARKS[finding.level]}</b></span>'
    mend = "".join(f"<div>→ <code>{escape(command)}</code></div>" for command in finding.mend)
    return f"<tr><td>{mark}</td><td>{escape(finding.subject)}</td><td>{escape(finding.text)}{mend}</td></tr>"


def scan_report(scans: Sequence[Scan]) -> Report:
    """Return what was found in notebooks, a section for each that has something."""
    sections: dict[str, list[Finding]] = {}
    clean_files = 0
    for scan in scans:
        if scan.problem is not None:
            sections[str(scan.path)] = [Finding("warn", "not read", f"{scan.path.name} {scan.problem}.")]
        elif scan.places:
            sections[str(scan.path)] = _places(scan)
        else:
            clean_files += 1
    if clean_files or not scans:
        count = f"{clean_files} notebook{'' if clean_files == 1 else 's'}"
        text = f"{count} without keys" if scans else "There is no notebook to look into."
        sections["Clean" if scans else "Nothing"] = [Finding("ok" if scans else "warn", "notebooks", text)]
    keys = sum(len(scan.places) for scan in scans)
    return Report(f"Keys in notebooks: {keys} found in {len(scans)} file{'' if len(scans) == 1 else 's'}", sections)


def _places(scan: Scan) -> list[Finding]:
    rows = [Finding("bad", place.where, f"{place.key.kind}: {place.key.masked}") for place in scan.places]
    last = rows[-1]
    mend = ["# revoke each key where it was made: whoever had the file may have it"]
    parts = {place.part.split(" ")[0].rstrip(",") for place in scan.places}
    if "output" in parts:
        mend.append(f'jupyter nbconvert --clear-output --inplace "{scan.path}"')
    if parts & {"source", "attachment"}:
        mend.append("# take it out of the cell: read it from the environment, or type it in by getpass.getpass()")
    if "metadata" in parts:
        mend.append("# take it out of the metadata: Property Inspector ▸ Advanced Tools")
    mend.append(f'git log --oneline -- "{scan.path}"   # earlier versions have it still')
    return [*rows[:-1], Finding(last.level, last.subject, last.text, tuple(mend))]
