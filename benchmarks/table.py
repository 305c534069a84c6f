"""The results as a table."""

from __future__ import annotations

import datetime
import os
import platform
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

from benchmarks import ROOT
from benchmarks.compare import Results
from benchmarks.contenders import CONTENDERS, installed
from benchmarks.peers import PEERS, peer_python, peer_version
from benchmarks.targets import TARGETS
from benchmarks.workloads import Metric, Workload

__all__ = ["PAGE", "markdown", "put_between_marks", "save"]

PAGE = ROOT / "docs" / "benchmarks.md"
_BEGIN, _END = "<!-- measured: begin -->", "<!-- measured: end -->"
_OURS = ("agentkit", "agentkit-untraced", "agentkit-aiohttp")
_PEERS = ("openai-agents", "openai-agents-traced", "openai", "transport", "mlflow")


def markdown(results: Results, workloads: Sequence[Workload], *, rounds: int) -> str:
    """Return the table, what was measured on, and what its columns are.

    agentkit's columns hold values; its peers' hold how many times better agentkit, in its first column, is than they.
    """
    head = [*_OURS, *_PEERS, "target", "met"]
    lines = [f"| | {' | '.join(head)} |", f"|---|{'--:|' * len(head)}"]
    lines += [_row(results, workload, metric) for workload in workloads for metric in workload.metrics]
    return "\n".join([*lines, "", machine(rounds), "", *_legend()])


def _row(results: Results, workload: Workload, metric: Metric) -> str:
    values = {name: measured[metric.name] for name in CONTENDERS if (measured := results.get((workload.name, name)))}
    cells = [shown(values[name], metric.digits) if name in values else "–" for name in _OURS]
    cells += [_ratio(values, name, metric) for name in _PEERS]
    cells += _target(values, TARGETS.get((workload.name, metric.name), {}), metric)
    return f"| {metric.title} | {' | '.join(cells)} |"


def _ratio(values: dict[str, float], peer: str, metric: Metric) -> str:
    if peer not in values or "agentkit" not in values:
        return "–"
    ours, theirs = values["agentkit"], values[peer]
    above, below = (ours, theirs) if metric.higher_is_better else (theirs, ours)
    return f"{shown(above / below, 2)}×" if below > 0 else "–"


def _target(values: dict[str, float], targets: dict[str, float], metric: Metric) -> list[str]:
    """Return the cells for the targets and for whether they are met; several where contenders have their own."""
    sign = "≥" if metric.higher_is_better else "≤"
    wanted, met = [], []
    for name, limit in targets.items():
        note = "" if name == "agentkit" else f" ({name.removeprefix('agentkit-')})"
        wanted.append(f"{sign} {limit:,}{note}")
        if name in values:
            reached = values[name] >= limit if metric.higher_is_better else values[name] <= limit
            met.append(("yes" if reached else "**no**") + note)
    return ["; ".join(wanted) or "–", "; ".join(met) or "–"]


def shown(value: float, digits: int) -> str:
    """Return a number with so many significant digits, thousands separated: 0.0052, 1.0, 133, 160,000."""
    rounded = float(f"{value:.{digits}g}")
    if abs(rounded) >= 10 ** (digits - 1):
        return f"{round(rounded):,}"
    return f"{rounded:#.{digits}g}" if abs(rounded) >= 1e-4 else f"{rounded:g}"


def machine(rounds: int) -> str:
    """Return a line on where, when and with what the measurements were made."""
    packages = ["agentkit", "openai", "openai-agents", "httpx2", "aiohttp", "pydantic"]
    versions = ", ".join(
        [f"{name} {version(name)}" for name in packages if _present(name)]
        + [f"{name} {peer_version(name)}" for name in PEERS if peer_python(name) is not None]
    )
    return (
        f"{datetime.date.today().isoformat()} · {os.cpu_count()} cores, {_processor()}, {platform.system()} · "
        f"Python {platform.python_version()} · {versions} · best of {rounds} round{'s' if rounds > 1 else ''}"
    )


def _present(package: str) -> bool:
    try:
        version(package)
    except ModuleNotFoundError:
        return False
    return True


def _processor() -> str:
    information = Path("/proc/cpuinfo")
    if information.exists():
        for line in information.read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def _legend() -> list[str]:
    lines = [f"- `{entrant.name}`: {entrant.about}." for entrant in CONTENDERS.values()]
    missing = [entrant.name for entrant in CONTENDERS.values() if not installed(entrant)]
    return lines + ([f"- Not installed, so not measured: {', '.join(missing)}."] if missing else [])


def put_between_marks(page: str, measured: str) -> str:
    """Return the page with what is between its two marks replaced.

    Raises:
        ValueError: The page hasn't got them.
    """
    before, found, rest = page.partition(_BEGIN)
    _, closed, after = rest.partition(_END)
    if not (found and closed):
        raise ValueError(f"The page has no {_BEGIN} … {_END} to put the table in.")
    return f"{before}{_BEGIN}\n{measured}\n{_END}{after}"


def save(measured: str) -> None:
    """Put the table into the documentation."""
    PAGE.write_text(put_between_marks(PAGE.read_text(encoding="utf-8"), measured), encoding="utf-8")
