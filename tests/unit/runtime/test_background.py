import asyncio
import contextvars
import signal
import subprocess
import sys
import threading

import pytest

from agentkit.runtime.background import background_loop, run_blocking, submit


async def thread_name() -> str:
    return threading.current_thread().name


def test_all_blocking_runs_share_one_loop_on_one_thread() -> None:
    async def loop() -> asyncio.AbstractEventLoop:
        return asyncio.get_running_loop()

    assert run_blocking(loop()) is run_blocking(loop()) is background_loop()
    assert run_blocking(thread_name()) == "agentkit-loop"


def test_context_variables_reach_the_run() -> None:
    variable = contextvars.ContextVar("variable", default="unset")

    async def read() -> str:
        return variable.get()

    variable.set("from the caller")
    assert run_blocking(read()) == "from the caller"


def test_errors_are_the_callers() -> None:
    async def fail() -> None:
        raise TimeoutError("its own")

    with pytest.raises(TimeoutError, match="its own"):
        run_blocking(fail())


def test_the_waiting_thread_can_be_used_meanwhile() -> None:
    served = threading.Event()

    async def wait() -> str:
        while not served.is_set():
            await asyncio.sleep(0)
        return "done"

    assert run_blocking(wait(), while_waiting=served.set) == "done"


async def test_a_run_on_the_loop_itself_does_not_wait_for_itself() -> None:
    async def outer() -> str:
        return run_blocking(thread_name())

    assert (await asyncio.wrap_future(submit(outer()))).startswith("agentkit-nested")


INTERRUPTED = """
import asyncio, os, signal, threading
from agentkit.runtime.background import run_blocking

async def work():
    try:
        os.kill(os.getpid(), signal.SIGINT)
        await asyncio.sleep(60)
    except asyncio.CancelledError:
        print("cancelled", flush=True)
        raise

try:
    run_blocking(work())
except KeyboardInterrupt:
    print("interrupted", flush=True)
"""


def test_an_interrupt_cancels_the_run_first() -> None:
    assert signal.getsignal(signal.SIGINT) is not signal.SIG_IGN
    done = subprocess.run([sys.executable, "-c", INTERRUPTED], capture_output=True, text=True, timeout=50)
    assert (done.stdout.split(), done.stderr, done.returncode) == (["cancelled", "interrupted"], "", 0)
