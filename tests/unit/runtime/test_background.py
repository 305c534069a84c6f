import asyncio
import contextvars
import os
import signal
import subprocess
import sys
import threading

import pytest

from agentkit.runtime.background import background_loop, run_blocking, submit
from agentkit.tooling.executor import call_in_thread


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


def test_runs_nest_to_any_depth() -> None:
    """A blocking run inside an async tool inside a sync tool inside a blocking run."""

    async def innermost() -> str:
        return "innermost"

    async def middle() -> str:
        return await call_in_thread(lambda: run_blocking(innermost()))

    async def outer() -> str:
        return run_blocking(middle())

    assert run_blocking(outer()) == "innermost"


def test_a_run_that_means_to_exit_does_not_end_the_loop() -> None:
    async def leave() -> None:
        raise SystemExit(3)

    with pytest.raises(SystemExit, match="3"):
        run_blocking(leave())
    assert run_blocking(thread_name()) == "agentkit-loop"


def test_a_failing_caller_does_not_leave_its_run_behind() -> None:
    cancelled = threading.Event()

    async def wait() -> None:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            cancelled.set()
            raise

    def fail() -> None:
        raise RuntimeError("prompt failed")

    with pytest.raises(RuntimeError, match="prompt failed"):
        run_blocking(wait(), while_waiting=fail)
    assert cancelled.is_set()


FORKED = """
import os, sys
from agentkit import Agent, Runner, function_tool
from agentkit.testing import ScriptedModel, call

@function_tool
def work() -> str:
    return "worked"

def run():
    model = ScriptedModel(call("work"), "done")
    return Runner.run_sync(Agent(name="a", model=model, tools=[work]), "Go").final_output

run()
child = os.fork()
if not child:
    print(run(), flush=True)
    os._exit(0)
sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")
def test_a_forked_child_runs_agents_too() -> None:
    done = subprocess.run([sys.executable, "-c", FORKED], capture_output=True, text=True, timeout=50)
    assert (done.stdout, done.returncode) == ("done\n", 0)


INTERRUPTED = """
import asyncio, os, signal, threading
from agentkit.tooling.executor import call_in_thread
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


INTERRUPTED_CALL = """
import asyncio, os, signal, threading, time
from agentkit.tooling.executor import call_in_thread
from agentkit.runtime.background import background_loop, run_blocking

made = []

def sleep():
    try:
        os.kill(os.getpid(), signal.SIGINT)
        time.sleep(60)
    finally:
        print("left the call", flush=True)

async def work():
    try:
        await asyncio.gather(call_in_thread(sleep), call_in_thread(made.append, "too late"))
    except asyncio.CancelledError:
        print("cancelled", flush=True)
        raise

async def tasks():
    return len(asyncio.all_tasks()) - 1

try:
    run_blocking(work())
except KeyboardInterrupt:
    print("interrupted", flush=True)
print(run_blocking(tasks()), made, [t.name for t in threading.enumerate() if "tool" in t.name])
"""


def test_an_interrupt_leaves_the_call_that_the_thread_is_in() -> None:
    done = subprocess.run([sys.executable, "-c", INTERRUPTED_CALL], capture_output=True, text=True, timeout=50)
    told = ["left the call", "cancelled", "interrupted", "0 [] []"]
    assert (done.stdout.splitlines(), done.stderr, done.returncode) == (told, "", 0)


INTERRUPTED_NESTED = """
import asyncio, os, signal
from agentkit.tooling.executor import call_in_thread
from agentkit.runtime.background import run_blocking, submit

async def innermost():
    try:
        os.kill(os.getpid(), signal.SIGINT)
        await asyncio.sleep(60)
    except asyncio.CancelledError:
        print("innermost cancelled", flush=True)
        raise

async def outermost():
    return await call_in_thread(lambda: run_blocking(innermost()))

try:
    run_blocking(outermost())
except KeyboardInterrupt:
    print("interrupted", flush=True)
"""


def test_an_interrupt_stops_runs_within_runs() -> None:
    done = subprocess.run([sys.executable, "-c", INTERRUPTED_NESTED], capture_output=True, text=True, timeout=50)
    assert (done.stdout.splitlines(), done.stderr) == (["innermost cancelled", "interrupted"], "")
