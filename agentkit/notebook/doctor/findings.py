"""What the doctor finds, and how its checks are carried out: each with a time limit, and none able to fail."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from agentkit._secrets import Redactor

__all__ = ["Check", "Finding", "Level", "carry_out", "trouble", "warning", "well"]

Level = Literal["ok", "warn", "bad"]
"""All is well, something to know, or something that is broken and has to be mended."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at."""

    level: Level
    """How it is."""
    subject: str
    """What was looked at."""
    text: str
    """What was found."""
    mend: tuple[str, ...] = ()
    """What to do: commands to copy, each in a line."""


def well(subject: str, text: str) -> Finding:
    """Return a finding that all is well."""
    return Finding("ok", subject, text)


def warning(subject: str, text: str, *mend: str) -> Finding:
    """Return a finding that one should know of."""
    return Finding("warn", subject, text, mend)


def trouble(subject: str, text: str, *mend: str) -> Finding:
    """Return a finding that has to be mended."""
    return Finding("bad", subject, text, mend)


@dataclass(frozen=True, slots=True)
class Check:
    """Something to look at."""

    section: str
    """Where its findings belong."""
    subject: str
    """What it looks at, in case it finds nothing."""
    look: Callable[[], Iterable[Finding]]
    """Looks."""
    limit_s: float = 3.0
    """Seconds it may take, from when all checks begin."""


class _Looking:
    """One check that is being carried out, on a thread of its own."""

    def __init__(self, check: Check) -> None:
        self.check = check
        self.findings: list[Finding] | None = None
        self.thread = threading.Thread(target=self._run, name=f"agentkit-doctor-{check.subject}", daemon=True)

    def _run(self) -> None:
        found: list[Finding] = []
        try:
            found.extend(self.check.look())
        except ImportError as error:  # a package that it needs is missing or broken
            again = f'"{sys.executable}" -m pip install --force-reinstall "{(error.name or "agentkit").split(".")[0]}"'
            found.append(trouble(self.check.subject, f"can't be used: {Redactor().clean(str(error))}", again))
        except Exception as error:  # whatever is wrong with what it looks at: a row, not a traceback
            said = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
            found.append(warning(self.check.subject, f"could not be looked at: {Redactor().clean(said)}"))
        self.findings = found


def carry_out(checks: Sequence[Check], *, clock: Callable[[], float] = time.monotonic) -> dict[str, list[Finding]]:
    """Carry out checks at the same time, and return their findings by section, in the order of the checks.

    One that takes longer than it may is left to itself; a row says so.

    Args:
        checks: What to look at.
        clock: Gives the time in seconds.
    """
    began = clock()
    all_looking = [_Looking(check) for check in checks]
    for looking in all_looking:
        looking.thread.start()
    found: dict[str, list[Finding]] = {}
    for looking in all_looking:
        check = looking.check
        looking.thread.join(max(0.0, check.limit_s - (clock() - began)))
        late = [warning(check.subject, f"took longer than {check.limit_s:g} s, and was left alone")]
        found.setdefault(check.section, []).extend(late if looking.findings is None else looking.findings)
    return found
