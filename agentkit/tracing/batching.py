"""Passes things on in batches, on a thread of its own, so that whoever has them to pass on never waits."""

from __future__ import annotations

import atexit
import os
import threading
import time
import weakref
from collections import deque
from logging import getLogger
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar

from agentkit.tracing.processors import TracingExporter, TracingProcessor, processor_failed

if TYPE_CHECKING:
    from collections.abc import Callable

    from agentkit.tracing.record import Span, Trace

__all__ = ["BatchTraceProcessor", "Batcher", "Sink"]

T = TypeVar("T")

_FLUSH_TIMEOUT_S = 15.0
_GIVE_WAY_ITEMS = 20_000
"""With more than this waiting, whoever puts an item gives the interpreter up for a moment, so that a tight loop
can't keep the writer from running at all. It never waits for the writer, which may be held up by a slow disk."""
_MAX_ITEMS = 1_000_000


class Sink(Protocol[T]):
    """Where batches go. Used by one thread at a time."""

    def write(self, items: list[T], *, last_chance: bool) -> None:
        """Take `items`. `last_chance`: the process is ending, so be quick."""

    def close(self) -> None:
        """Let go of everything held."""


class Batcher(Generic[T]):
    """A queue, and a thread that hands what is in it to a sink. The thread starts with the first item.

    Args:
        open_sink: Gives the sink; called in the thread that will use it.
        delay_s: The longest an item waits.
        batch_items: With so many waiting they are passed on at once, and at most so many at a time.
        max_items: With so many waiting, items are dropped: the alternative is to use up the memory.
        on_drop: Called for an item that had to be dropped.
        still_wanted: Tells whether an item of `put_later` is to be passed on, now that there is time for it.
    """

    def __init__(
        self,
        open_sink: Callable[[], Sink[T]],
        *,
        delay_s: float = 0.5,
        batch_items: int = 4_000,
        max_items: int = _MAX_ITEMS,
        on_drop: Callable[[], object] | None = None,
        still_wanted: Callable[[T], bool] = lambda item: True,
    ) -> None:
        self._open_sink = open_sink
        self._delay_s = delay_s
        self._batch_items = batch_items
        self._max_items = max_items
        self._on_drop = on_drop
        self._still_wanted = still_wanted
        self._has_failed = False
        self._reset()
        _all_batchers.add(self)
        _register_process_hooks()

    def _reset(self) -> None:
        self.waiting: deque[T] = deque()
        """What is to be passed on, oldest first."""
        self._later: deque[T] = deque()
        self._lock = threading.Condition()
        self._thread: threading.Thread | None = None
        self._something = threading.Event()
        self._hurry = threading.Event()
        self._awake = False
        self._stopping = False
        self._left_behind = False  # by a `stop` that waited in vain: the thread, once it goes on, tidies up itself
        self._asked = 0  # flushes asked for, and done
        self._done = 0

    def put(self, item: T) -> None:
        """Pass `item` on, soon."""
        waiting = self.waiting
        if len(waiting) >= self._batch_items and not self._has_room():
            return
        waiting.append(item)
        if not self._awake:
            self._wake()

    def put_later(self, item: T) -> None:
        """Pass `item` on once fewer wait than make a batch, if it is still wanted then."""
        if len(self._later) < self._max_items:
            self._later.append(item)
            if not self._awake:  # the thread may have looked already
                self._wake()

    def _has_room(self) -> bool:
        if not self._hurry.is_set():
            self._hurry.set()
        if len(self.waiting) >= self._max_items:
            if self._on_drop is not None:
                self._on_drop()
            return False
        if len(self.waiting) >= _GIVE_WAY_ITEMS:
            time.sleep(0)
        return True

    def _wake(self) -> None:
        with self._lock:
            if self._thread is None and not self._stopping:
                self._start_thread()
            self._something.set()
            self._awake = True

    def _start_thread(self) -> None:
        thread = threading.Thread(target=self._run, name="agentkit-traces", daemon=True)
        try:
            thread.start()
        except RuntimeError:  # the interpreter is shutting down, or has no more threads: `stop` passes things on
            return
        self._thread = thread

    def _run(self) -> None:
        sink: Sink[T] | None = None
        while not self._stopping:
            self._something.wait()
            self._hurry.wait(self._delay_s)
            with self._lock:
                self._something.clear()
                self._hurry.clear()
                self._awake = False  # before anything is taken: what comes from here on wakes the thread again
                asked = self._asked
            sink = self._pass_on(sink, last_chance=False)
            with self._lock:
                self._done = asked
                self._lock.notify_all()
        self._close(sink)
        with self._lock:
            self._thread = None
            if self._left_behind:
                self._begin_anew()
                if self.waiting or self._later:
                    self._start_thread()
                    self._something.set()

    def _pass_on(self, sink: Sink[T] | None, *, last_chance: bool) -> Sink[T] | None:
        """Hand over what is waiting now; what comes meanwhile is for the next time. Never raises.

        Returns:
            The sink, opened where it wasn't and that can be.
        """
        try:
            sink = sink or self._open_sink()
        except Exception as error:  # whatever a sink does: the next batch tries again
            self._failed(error)
            return None
        self._hand_over(self.waiting, sink, last_chance=last_chance)
        if self._later:
            self._sort_out()
            if len(self.waiting) < self._batch_items:
                self._hand_over(self._later, sink, last_chance=last_chance)
        return sink

    def _hand_over(self, items: deque[T], sink: Sink[T], *, last_chance: bool) -> None:
        left = len(items)
        while left:
            count = min(left, self._batch_items)
            left -= count
            batch = [items.popleft() for _ in range(count)]
            try:
                sink.write(batch, last_chance=last_chance or self._stopping)
            except Exception as error:  # whatever a sink does: a thread that ended would keep nothing more
                self._failed(error)

    def _sort_out(self) -> None:
        """Drop what isn't wanted any more of what is for later."""
        later = self._later
        for _ in range(len(later)):
            item = later.popleft()
            if self._still_wanted(item):
                later.append(item)

    def _close(self, sink: Sink[T] | None) -> None:
        try:
            if sink is not None:
                sink.close()
        except Exception as error:  # as above
            self._failed(error)

    def _failed(self, error: Exception) -> None:
        """Log that a sink raised, the first time."""
        if self._has_failed:
            return
        self._has_failed = True
        getLogger("agentkit.tracing").error(
            "Some traces and spans could not be passed on (%s: %s). Runs go on; this is said once.",
            type(error).__name__,
            error,
            exc_info=error,
        )

    def _begin_anew(self) -> None:
        self._thread, self._stopping, self._awake, self._left_behind = None, False, False, False
        self._something.clear()
        self._hurry.clear()
        self._lock.notify_all()

    def flush(self, timeout_s: float = _FLUSH_TIMEOUT_S) -> bool:
        """Wait until everything put so far was handed to the sink; return whether that happened in time."""
        with self._lock:
            if self._thread is None or self._thread is threading.current_thread():
                return not self.waiting
            self._asked += 1
            mine = self._asked
            self._hurry.set()
            self._something.set()
            return self._lock.wait_for(lambda: self._done >= mine or self._thread is None, timeout_s)

    def stop(self, timeout_s: float = _FLUSH_TIMEOUT_S) -> None:
        """Hand over everything and end the thread. What is put afterwards starts another.

        Where the sink holds the thread up for longer than `timeout_s`, it goes on by itself, once it can.
        """
        with self._lock:
            thread, self._stopping, self._left_behind = self._thread, True, False
        self._hurry.set()
        self._something.set()
        if thread is not None:
            thread.join(timeout_s)
            with self._lock:
                if self._thread is thread:
                    self._left_behind = True
                    return
        if self.waiting or self._later:
            self._close(self._pass_on(None, last_chance=True))
        with self._lock:
            self._begin_anew()

    def after_fork(self) -> None:
        """In a forked child: start anew. What waits is the parent's to pass on, and so is the sink's connection."""
        self._reset()


_all_batchers: weakref.WeakSet[Batcher[Any]] = weakref.WeakSet()
_hooked = False


def _register_process_hooks() -> None:
    global _hooked
    if _hooked:
        return
    _hooked = True
    atexit.register(_stop_all)
    if hasattr(os, "register_at_fork"):
        os.register_at_fork(after_in_child=_restart_all)


def _stop_all() -> None:
    for batcher in list(_all_batchers):
        batcher.stop()


def _restart_all() -> None:
    for batcher in list(_all_batchers):
        batcher.after_fork()


class _ExporterSink:
    """Hands batches to an exporter; one that raises is logged once."""

    def __init__(self, exporter: TracingExporter, failed: Callable[[Exception], None]) -> None:
        self._exporter = exporter
        self._failed = failed

    def write(self, items: list[Trace | Span[Any]], *, last_chance: bool) -> None:
        try:
            self._exporter.export(items)
        except Exception as error:
            self._failed(error)

    def close(self) -> None:
        return


class BatchTraceProcessor(TracingProcessor):
    """Collects traces that start and spans that end, and hands them to an exporter in batches, on another thread.

    Args:
        exporter: Sends them somewhere.
        max_queue_size: With so many waiting, more are dropped, which is logged once.
        max_batch_size: The most it gets at a time.
        schedule_delay: The longest one waits, in seconds.
        export_trigger_ratio: With this share of `max_queue_size` waiting, or with `max_batch_size`, they are sent
            without waiting any longer.
    """

    def __init__(
        self,
        exporter: TracingExporter,
        max_queue_size: int = _MAX_ITEMS,
        max_batch_size: int = 128,
        schedule_delay: float = 5.0,
        export_trigger_ratio: float = 0.7,
    ) -> None:
        def failed(error: Exception) -> None:
            processor_failed(self, "export", error)

        def dropped() -> None:
            full = BufferError(f"{max_queue_size:,} spans are waiting for the exporter, more are dropped")
            processor_failed(self, "on_span_end", full)

        self._exporter = exporter
        self._batcher: Batcher[Trace | Span[Any]] = Batcher(
            lambda: _ExporterSink(exporter, failed),
            delay_s=schedule_delay,
            batch_items=max(min(max_batch_size, int(max_queue_size * export_trigger_ratio)), 1),
            max_items=max_queue_size,
            on_drop=dropped,
        )

    def on_trace_start(self, trace: Trace) -> None:
        """Put `trace` in the next batch, unless the exporter wants it only when it ends."""
        if getattr(self._exporter, "traces_at", "start") != "end":
            self._batcher.put(trace)

    def on_trace_end(self, trace: Trace) -> None:
        """Put `trace` in the next batch, if the exporter wants it when it ends."""
        if getattr(self._exporter, "traces_at", "start") != "start":
            self._batcher.put(trace)

    def on_span_start(self, span: Span[Any]) -> None:
        """Do nothing: it's sent when it ends."""

    def on_span_end(self, span: Span[Any]) -> None:
        """Put `span` in the next batch."""
        self._batcher.put(span)

    def shutdown(self) -> None:
        """Send what waits, end the thread, and let the exporter go."""
        self._batcher.stop()
        if close := getattr(self._exporter, "close", None):
            close()

    def force_flush(self) -> None:
        """Send what waits, and wait for that."""
        self._batcher.flush()
