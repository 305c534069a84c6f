"""The process for models: when it starts, when it ends, and what is told when it dies."""

from __future__ import annotations

import contextlib
import gc
import os
import signal
import subprocess
import sys
import textwrap
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import openai
import pytest

from agentkit.local.engines.trained.child import Child
from agentkit.local.engines.trained.process import ModelProcess

PATIENCE_S = 20.0


class Answer:
    """What is delivered for one request."""

    def __init__(self) -> None:
        self.messages: list[dict[str, Any]] = []
        self._over = threading.Event()

    def __call__(self, message: dict[str, Any]) -> None:
        self.messages.append(message)
        if "done" in message or "error" in message:
            self._over.set()

    def last(self) -> dict[str, Any]:
        """Wait for the last message."""
        assert self._over.wait(PATIENCE_S)
        return self.messages[-1]


@pytest.fixture
def process() -> Iterator[ModelProcess]:
    made = ModelProcess()
    yield made
    made._stop()


def hello(process: ModelProcess) -> int:
    """Ask a process for a sign of life; return its number."""
    answer = Answer()
    process.ask({"do": "hello"}, answer)
    assert answer.last()["done"] == {}
    assert process.pid is not None
    return process.pid


def hang(process: ModelProcess) -> Answer:
    """Ask for what takes a while."""
    answer = Answer()
    process.ask({"do": "answer", "model": "m", "folder": "/none", "home": "/none"}, answer)
    return answer


def wait_for_end(pid: int) -> None:
    """Wait until a process that need not be a child is gone."""
    with contextlib.suppress(ProcessLookupError):
        watched = os.pidfd_open(pid)
        try:
            import select

            ended, _, _ = select.select([watched], [], [], PATIENCE_S)
            assert ended, f"process {pid} is still there"
        finally:
            os.close(watched)


def test_nothing_is_started_before_it_is_asked(process: ModelProcess) -> None:
    assert process.pid is None


def test_it_stays_for_the_next_request(process: ModelProcess) -> None:
    assert hello(process) == hello(process)


def test_when_it_dies_the_request_fails_and_the_next_one_starts_it_anew(process: ModelProcess) -> None:
    first = hello(process)
    answer = hang(process)
    os.kill(first, signal.SIGKILL)
    error = answer.last()["error"]
    assert error["gone"] is True
    assert "killed (signal 9), most likely because the machine ran out of memory" in error["message"]
    assert hello(process) != first


def test_its_last_words_are_told() -> None:
    child = Child(idle_s=60.0)
    answer = Answer()
    try:
        child.ask({"do": "hello"}, answer)
        answer.last()
        lost = Answer()
        child.ask({"do": "answer"}, lost)  # names no model: a mistake that it does not outlive
        message = lost.last()["error"]["message"]
    finally:
        child.stop()
    assert "ended with code 1" in message
    assert message.endswith("KeyError: 'model'")


def test_it_ends_when_it_is_idle() -> None:
    process = ModelProcess(idle_s=0.05)
    first = hello(process)
    wait_for_end(first)
    assert process.pid is None
    assert hello(process) != first
    process._stop()


def test_closing_ends_it_when_what_was_asked_is_answered(process: ModelProcess) -> None:
    pid = hello(process)
    answer = hang(process)
    process.close()
    error = answer.last()["error"]
    assert error.get("gone") is None
    assert error["code"] in ("invalid_model", "server_error")
    wait_for_end(pid)
    assert process.pid is None


def test_closing_ends_it_at_once_where_nothing_waits(process: ModelProcess) -> None:
    pid = hello(process)
    process.close()
    process.close()
    assert not Path(f"/proc/{pid}").exists()
    assert hello(process) != pid


def test_it_ends_with_the_object_that_keeps_it() -> None:
    process = ModelProcess()
    pid = hello(process)
    del process
    gc.collect()
    wait_for_end(pid)


def test_a_request_that_is_cancelled_is_not_answered(process: ModelProcess) -> None:
    answer = Answer()
    cancel = process.ask({"do": "answer", "model": "m", "folder": "/none", "home": "/none"}, answer)
    cancel()
    hello(process)
    process.close()
    assert answer.messages == []


def test_it_ends_when_the_last_request_that_kept_it_from_closing_is_cancelled(process: ModelProcess) -> None:
    pid = hello(process)
    cancel = process.ask({"do": "answer", "model": "m", "folder": "/none", "home": "/none"}, Answer())
    process.close()
    cancel()
    wait_for_end(pid)


def test_threads_share_it(process: ModelProcess) -> None:
    pids: list[int] = []
    threads = [threading.Thread(target=lambda: pids.append(hello(process))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(pids) == 8
    assert len(set(pids)) == 1


PROGRAM = """
    import os, sys, threading
    from agentkit.local.engines.trained.process import ModelProcess

    def hello(process):
        over = threading.Event()
        process.ask({"do": "hello"}, lambda message: over.set())
        assert over.wait(20)
        return process.pid

    process = ModelProcess()
    first = hello(process)
"""


def run(program: str) -> list[int]:
    """Run a program that prints numbers, and return them."""
    code = textwrap.dedent(PROGRAM) + textwrap.dedent(program)
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert ended.stderr == ""
    return [int(word) for word in ended.stdout.split()]


def test_it_ends_with_the_interpreter() -> None:
    [pid] = run("print(first)")
    assert not Path(f"/proc/{pid}").exists()


@pytest.mark.parametrize("how", ["os._exit(0)", "os.kill(os.getpid(), 9)"])
def test_it_ends_when_the_interpreter_dies(how: str) -> None:
    [pid] = run(f"print(first, flush=True); {how}")
    wait_for_end(pid)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_fork_has_its_own_and_leaves_the_first_alone() -> None:
    first, second, still = run(
        """
        print(first, flush=True)
        child = os.fork()
        if child == 0:
            print(hello(process), flush=True)
            process._stop()
            os._exit(0)
        os.waitpid(child, 0)
        print(hello(process), flush=True)
        """
    )
    assert first == still != second


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_it_ends_with_its_parent_though_a_fork_lives_on() -> None:
    pid, fork = run(
        """
        child = os.fork()
        if child == 0:
            os.close(1), os.close(2)
            import time
            time.sleep(60)
            os._exit(0)
        print(first, child, flush=True)
        os._exit(0)
        """
    )
    wait_for_end(pid)
    os.kill(fork, signal.SIGKILL)


def test_the_platforms_process_imports_nothing_of_models() -> None:
    code = """
        import sys
        from agentkit.local import create_app
        create_app()
        print([name for name in ("torch", "transformers", "llguidance", "tokenizers", "peft") if name in sys.modules])
    """
    ended = subprocess.run([sys.executable, "-c", textwrap.dedent(code)], capture_output=True, text=True, timeout=60)
    assert (ended.stdout.strip(), ended.stderr) == ("[]", "")


def test_models_make_room_for_one_another(models: Path) -> None:
    code = """
        import sys
        from pathlib import Path
        from agentkit.local.engines.trained.loading import Models

        def request(name):
            return {"model": name, "folder": str(Path(sys.argv[1]) / name), "home": "/none"}

        plain = (Path(sys.argv[1]) / "plain" / "model.safetensors").stat().st_size
        models = Models(budget_bytes=int(2.5 * plain))
        first = models.load(request("plain"))
        second = models.load(request("llama"))
        assert models.load(request("plain")) is first
        models.release(second)
        models.load(request("mistral"))
        kept = [models.take(request(name)) is not None for name in ("plain", "llama", "mistral")]
        print(kept, end="")
    """
    program = [sys.executable, "-c", textwrap.dedent(code), str(models)]
    ended = subprocess.run(
        program, capture_output=True, text=True, timeout=100, env={**os.environ, "OMP_NUM_THREADS": "1"}
    )
    assert ended.stdout == "[True, False, True]", ended.stderr


def test_a_request_under_which_it_dies_fails_as_the_client_knows_it(serving: openai.OpenAI, models: Path) -> None:
    app: Any = serving._client._transport._app  # type: ignore[attr-defined]
    process: ModelProcess = app.state.platform.trained.process
    with serving.responses.create(model=str(models / "repeating"), input="hello", stream=True) as stream:
        kinds = []
        for event in stream:
            kinds.append(event.type)
            if event.type == "response.output_text.delta" and process.pid is not None:
                os.kill(process.pid, signal.SIGKILL)
            if event.type == "response.failed":
                assert event.response.error is not None
                assert "killed (signal 9)" in event.response.error.message
    assert kinds[-1] == "response.failed"
