"""Carries out requests, several at once: models are loaded by one thread, prompts read by another, and one computes.

The one that computes gives each answer a token in turn, so none waits for another's end.
"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from agentkit.local.engines.trained.failures import told

if TYPE_CHECKING:
    from agentkit.local.engines.trained.loading import LoadedModel

__all__ = ["Serving"]

Emit = Callable[[dict[str, Any]], None]


class _Job:
    """A request on its way."""

    def __init__(self, request: dict[str, Any]) -> None:
        self.number: int = request["id"]
        self.model: str = request["model"]
        self.request = request
        self.cancelled = False
        self.loaded: LoadedModel | None = None
        self.messages: Iterator[dict[str, Any] | None] | None = None


class Serving:
    """Answers requests.

    Args:
        emit: Takes the messages to send; any thread may call it.
    """

    def __init__(self, emit: Emit) -> None:
        self._emit = emit
        self._jobs: dict[int, _Job] = {}
        self._lock = threading.Lock()
        self._to_load: queue.SimpleQueue[_Job] = queue.SimpleQueue()
        self._to_read: queue.SimpleQueue[_Job] = queue.SimpleQueue()
        self._to_compute: queue.SimpleQueue[_Job] = queue.SimpleQueue()
        self._last_used = time.monotonic()
        self._models: Any = None  # Models; what it imports takes seconds
        for work in (self._load, self._read, self._compute):
            threading.Thread(target=work, daemon=True).start()

    def take(self, request: dict[str, Any]) -> None:
        """Begin with a request."""
        job = _Job(request)
        with self._lock:
            self._jobs[job.number] = job
        is_loaded = self._models is not None and self._take_loaded(job)
        (self._to_read if is_loaded else self._to_load).put(job)

    def cancel(self, number: int) -> None:
        """Stop a request at its next token."""
        with self._lock:
            if (job := self._jobs.get(number)) is not None:
                job.cancelled = True

    def idle_for_s(self) -> float:
        """Return for how many seconds there has been no request."""
        with self._lock:
            return 0.0 if self._jobs else time.monotonic() - self._last_used

    def _take_loaded(self, job: _Job) -> bool:
        job.loaded = self._models.take(job.request)
        return job.loaded is not None

    def _load(self) -> None:
        while True:
            job = self._to_load.get()
            try:
                if self._models is None:
                    from agentkit.local.engines.trained.loading import Models

                    self._models = Models()
                if not job.cancelled:
                    job.loaded = self._models.load(job.request)
            except BaseException as error:
                self._fail(job, error)
                continue
            self._to_read.put(job)

    def _read(self) -> None:
        while True:
            job = self._to_read.get()
            if job.cancelled or job.loaded is None:
                self._end(job)
                continue
            from agentkit.local.engines.trained.answering import Answering

            try:
                answering = Answering(job.loaded, job.request)
                if job.request["do"] == "count":
                    self._emit({"id": job.number, "done": {"input_tokens": answering.input_tokens}})
                    self._end(job)
                    continue
                answering.check()
                job.messages = answering.messages()
            except BaseException as error:
                self._fail(job, error)
                continue
            self._to_compute.put(job)

    def _compute(self) -> None:
        running: list[_Job] = []
        while True:
            while not running or not self._to_compute.empty():
                running.append(self._to_compute.get())
            running = [job for job in running if self._step(job)]

    def _step(self, job: _Job) -> bool:
        """Go on with an answer to its next token; return whether there is more of it."""
        if job.cancelled:
            self._end(job)
            return False
        assert job.messages is not None
        try:
            for message in job.messages:
                if message is None:  # a token, or a part of the prompt, that says nothing yet
                    return True
                self._emit({"id": job.number, **message})
        except BaseException as error:
            self._fail(job, error)
            return False
        self._end(job)
        return False

    def _fail(self, job: _Job, error: BaseException) -> None:
        self._emit({"id": job.number, "error": told(error, job.model)})
        error.__traceback__ = None  # it holds on to what the memory was too small for
        self._end(job)

    def _end(self, job: _Job) -> None:
        job.messages = None
        if job.loaded is not None:
            self._models.release(job.loaded)
        with self._lock:
            self._jobs.pop(job.number, None)
            self._last_used = time.monotonic()
