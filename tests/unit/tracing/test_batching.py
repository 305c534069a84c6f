from __future__ import annotations

import threading
from collections.abc import Iterator
from itertools import chain

import pytest

from agentkit.tracing.batching import Batcher


class ListSink:
    """Keeps batches; holds each up until `go` is set."""

    def __init__(self) -> None:
        self.batches: list[list[int]] = []
        self.last_chances: list[bool] = []
        self.closed = 0
        self.entered = threading.Event()
        self.go = threading.Event()
        self.go.set()

    def write(self, items: list[int], *, last_chance: bool) -> None:
        self.entered.set()
        assert self.go.wait(30)
        self.batches.append(items)
        self.last_chances.append(last_chance)

    def close(self) -> None:
        self.closed += 1


@pytest.fixture
def sink() -> ListSink:
    return ListSink()


@pytest.fixture
def batcher(sink: ListSink) -> Iterator[Batcher[int]]:
    made: Batcher[int] = Batcher(lambda: sink, delay_s=3600, batch_items=4)
    yield made
    sink.go.set()
    made.stop()


def test_items_arrive_once_and_in_order_in_batches_of_the_given_size(batcher: Batcher[int], sink: ListSink) -> None:
    sink.go.clear()
    for n in range(11):
        batcher.put(n)
    sink.go.set()
    assert batcher.flush()
    assert [*chain(*sink.batches)] == list(range(11))
    assert max(map(len, sink.batches)) == 4


def test_a_full_batch_is_passed_on_without_waiting(batcher: Batcher[int], sink: ListSink) -> None:
    for n in range(5):
        batcher.put(n)
    assert sink.entered.wait(30)


def test_flush_waits_for_what_was_put_before_it(batcher: Batcher[int], sink: ListSink) -> None:
    for n in range(3):
        batcher.put(n)
        assert batcher.flush()
        assert sink.batches[-1] == [n]


def test_flush_gives_up_on_a_sink_that_is_stuck(batcher: Batcher[int], sink: ListSink) -> None:
    sink.go.clear()
    batcher.put(1)
    assert not batcher.flush(timeout_s=0.01)


def test_nothing_is_started_before_the_first_item(batcher: Batcher[int]) -> None:
    before = threading.active_count()
    assert batcher.flush()
    batcher.stop()
    assert threading.active_count() == before


def test_stopping_passes_everything_on_and_ends_the_thread(batcher: Batcher[int], sink: ListSink) -> None:
    before = threading.active_count()
    for n in range(6):
        batcher.put(n)
    batcher.stop()
    assert [*chain(*sink.batches)] == list(range(6))
    assert sink.last_chances[-1]
    assert sink.closed >= 1
    assert threading.active_count() == before


def test_after_a_stop_it_goes_on(batcher: Batcher[int], sink: ListSink) -> None:
    batcher.put(1)
    batcher.stop()
    batcher.put(2)
    assert batcher.flush()
    assert sink.batches == [[1], [2]]


def test_too_many_items_are_dropped_with_a_word_and_the_caller_goes_on(sink: ListSink) -> None:
    dropped = []
    batcher: Batcher[int] = Batcher(
        lambda: sink, delay_s=3600, batch_items=2, max_items=5, on_drop=lambda: dropped.append(1)
    )
    sink.go.clear()
    batcher.put(0)
    batcher.put(1)
    batcher.put(2)
    assert sink.entered.wait(30)  # with [0, 1] or [0, 1, 2] on the way
    waiting = len(batcher.waiting)
    for n in range(10):
        batcher.put(n)
    assert len(dropped) == 10 - (5 - waiting)
    sink.go.set()
    batcher.stop()
    assert sum(map(len, sink.batches)) == 3 + (5 - waiting)


def test_what_is_put_for_later_is_passed_on_after_the_rest_if_it_is_still_wanted(sink: ListSink) -> None:
    over = {3, 5}
    batcher: Batcher[int] = Batcher(
        lambda: sink, delay_s=3600, batch_items=4, still_wanted=lambda item: item not in over
    )
    sink.go.clear()
    for n in range(3, 7):
        batcher.put_later(n)
    batcher.put(1)
    batcher.put(2)
    sink.go.set()
    assert batcher.flush()
    assert sink.batches == [[1, 2], [4, 6]]
    batcher.put_later(7)  # by itself
    batcher.stop()
    assert sink.batches == [[1, 2], [4, 6], [7]]


def test_a_stop_that_waits_in_vain_is_made_up_for_once_the_sink_goes_on(sink: ListSink) -> None:
    batcher: Batcher[int] = Batcher(lambda: sink, delay_s=0, batch_items=1)
    sink.go.clear()
    batcher.put(1)
    assert sink.entered.wait(30)
    stuck = batcher._thread
    assert stuck is not None
    batcher.stop(timeout_s=0.01)
    batcher.put(2)
    sink.go.set()
    stuck.join(30)
    batcher.put(3)
    assert batcher.flush()
    assert [*chain(*sink.batches)] == [1, 2, 3]
    batcher.stop()
    assert batcher._thread is None


def test_a_sink_that_raises_or_cannot_be_opened_ends_nothing(sink: ListSink, caplog: pytest.LogCaptureFixture) -> None:
    faults = [OSError("not yet"), None]

    def open_sink() -> ListSink:
        if (fault := faults.pop(0)) is not None:
            raise fault
        return sink

    write = sink.write

    def stumble(items: list[int], *, last_chance: bool) -> None:
        if 2 in items:
            raise KeyError(2)
        write(items, last_chance=last_chance)

    sink.write = stumble  # type: ignore[method-assign]
    batcher: Batcher[int] = Batcher(open_sink, delay_s=3600)
    for n in range(4):
        batcher.put(n)
        assert batcher.flush()
    batcher.stop()
    assert sink.batches == [[0, 1], [3]]
    (message,) = caplog.messages
    assert "could not be passed on (OSError: not yet)" in message


def test_many_threads_lose_nothing(sink: ListSink) -> None:
    batcher: Batcher[int] = Batcher(lambda: sink, delay_s=0, batch_items=7)
    threads = [
        threading.Thread(target=lambda start: [batcher.put(start + n) for n in range(2000)], args=(t * 2000,))
        for t in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert batcher.flush()
    batcher.stop()
    assert sorted([*chain(*sink.batches)]) == list(range(16_000))
