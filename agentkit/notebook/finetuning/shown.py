"""The jobs that the running cell shows already."""

from __future__ import annotations

__all__ = ["shown_jobs"]


class _ShownJobs:
    """The jobs that the running cell shows already, not to be shown again as its value."""

    def __init__(self) -> None:
        self._ids: set[str] = set()

    def note(self, job_id: str) -> None:
        self._ids.add(job_id)

    def holds(self, job_id: str) -> bool:
        return job_id in self._ids

    def forget(self) -> None:
        self._ids.clear()


shown_jobs = _ShownJobs()
"""Those of this process."""
