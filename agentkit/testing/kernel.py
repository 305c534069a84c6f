"""A real Jupyter kernel to test notebook code in: start it, run cells, look at what a notebook would show.

```python
with Kernel() as kernel:
    kernel.run("%load_ext agentkit").check()
    assert kernel.run("1 + 1").text == "2"
```
"""

from __future__ import annotations

import json
import os
import queue
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from jupyter_client.blocking.client import BlockingKernelClient
    from jupyter_client.manager import KernelManager

__all__ = ["CellError", "CellResult", "Kernel", "RunningCell", "without_pytest"]

_STEP_S = 0.1


class CellError(AssertionError):
    """A cell raised where `check()` said that it must not."""


@dataclass(frozen=True, slots=True)
class CellResult:
    """What one cell did."""

    status: str
    """`"ok"`, `"error"` or, for a cell that an interrupt kept from running, `"aborted"`."""
    outputs: list[dict[str, Any]]
    """The outputs as a saved notebook has them: updates and `clear_output` applied, streams joined."""
    messages: list[dict[str, Any]]
    """Every message on the output channel that belongs to the cell, in order, with Jupyter's own keys."""
    payload: list[dict[str, Any]] = field(default_factory=list)
    """What the front end is asked to do when the cell has ended: a `set_next_input` is a new cell below."""

    @property
    def error(self) -> dict[str, Any] | None:
        """The error output (`ename`, `evalue`, `traceback`), or None."""
        return next((output for output in self.outputs if output["output_type"] == "error"), None)

    @property
    def stdout(self) -> str:
        """What was printed."""
        return self._stream("stdout")

    @property
    def stderr(self) -> str:
        """What was written to the error stream."""
        return self._stream("stderr")

    @property
    def text(self) -> str:
        """All that a reader of plain text sees, one output after the other."""
        return "\n".join(_plain(output) for output in self.outputs)

    @property
    def html(self) -> str:
        """The HTML of all outputs that have any, one after the other."""
        bundles = [output["data"] for output in self.outputs if "data" in output]
        return "\n".join(bundle["text/html"] for bundle in bundles if "text/html" in bundle)

    @property
    def size_bytes(self) -> int:
        """Bytes of JSON content sent on the output channel, without headers and binary buffers."""
        return sum(len(json.dumps(message["content"])) for message in self.messages)

    def check(self) -> CellResult:
        """Return this result.

        Raises:
            CellError: The cell did not end well.
        """
        if self.status != "ok":
            raise CellError(f"The cell ended with status {self.status!r}:\n{self.text}")
        return self

    def _stream(self, name: str) -> str:
        return "".join(output["text"] for output in self.outputs if output.get("name") == name)


class RunningCell:
    """A cell that was sent to the kernel and may not have ended."""

    def __init__(self, client: BlockingKernelClient, request_id: str, timeout_s: float) -> None:
        self._client = client
        self._request_id = request_id
        self._deadline = time.monotonic() + timeout_s
        self._timeout_s = timeout_s
        self.messages: list[dict[str, Any]] = []
        """The cell's messages on the output channel so far."""

    def wait_for(self, condition: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        """Return the cell's next message on the output channel that fulfils `condition`.

        Raises:
            CellError: The cell ended without one.
            TimeoutError: Neither happened within the cell's time.
        """
        while True:
            message = self._next()
            if condition(message):
                return message
            if _is_idle(message):
                raise CellError(f"The cell ended before what was waited for:\n{_result('ok', self.messages).text}")

    def wait_for_text(self, text: str) -> dict[str, Any]:
        """Return the cell's next message whose content contains `text` anywhere."""
        return self.wait_for(lambda message: text in json.dumps(message["content"], ensure_ascii=False))

    def result(self) -> CellResult:
        """Wait until the cell has ended, and return what it did."""
        while not (self.messages and _is_idle(self.messages[-1])):
            self._next()
        reply = self._reply()["content"]
        return _result(reply["status"], self.messages, reply.get("payload"))

    def _next(self) -> dict[str, Any]:
        """Wait for the cell's next message on the output channel, and return it."""
        while time.monotonic() < self._deadline:
            try:
                message = self._client.get_iopub_msg(timeout=_STEP_S)
            except queue.Empty:
                continue
            if message["parent_header"].get("msg_id") == self._request_id:
                self.messages.append(message)
                return message
        raise TimeoutError(f"The cell has not ended in {self._timeout_s:g} s:\n{_result('ok', self.messages).text}")

    def _reply(self) -> dict[str, Any]:
        while True:
            reply = self._client.get_shell_msg(timeout=max(_STEP_S, self._deadline - time.monotonic()))
            if reply["parent_header"].get("msg_id") == self._request_id:
                return reply


class Kernel:
    """A Python kernel in a process of its own, on this interpreter; a context manager that ends it.

    Args:
        home: The kernel's `AGENTKIT_HOME`; by default the variable is passed on as it is.
        env: Environment variables besides those of this process; None takes one away.
        cwd: The folder it starts in.
        timeout_s: Seconds that starting it, and by default a cell, may take.
    """

    def __init__(
        self,
        *,
        home: Path | None = None,
        env: Mapping[str, str | None] | None = None,
        cwd: Path | None = None,
        timeout_s: float = 60,
    ) -> None:
        self._env = _environment(env or {}, home)
        self._cwd = cwd
        self._timeout_s = timeout_s
        self._manager: KernelManager | None = None
        self._client: BlockingKernelClient | None = None

    def __enter__(self) -> Self:
        from ipykernel.kernelspec import make_ipkernel_cmd
        from jupyter_client.manager import KernelManager

        self._manager = KernelManager(kernel_name="python3")
        if (spec := self._manager.kernel_spec) is not None:  # this Python, whatever kernels the machine has
            spec.argv = make_ipkernel_cmd()
        self._manager.start_kernel(env=self._env, cwd=None if self._cwd is None else str(self._cwd))
        self._connect()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._disconnect()
        if self._manager is not None:
            self._manager.shutdown_kernel(now=True)
            self._manager.cleanup_resources()

    @property
    def client(self) -> BlockingKernelClient:
        """The jupyter_client client, for requests that have no method here."""
        if self._client is None:
            raise RuntimeError("The kernel is not running: use it as `with Kernel() as kernel:`.")
        return self._client

    @property
    def manager(self) -> KernelManager:
        """The jupyter_client manager of the process."""
        if self._manager is None:
            raise RuntimeError("The kernel is not running: use it as `with Kernel() as kernel:`.")
        return self._manager

    def start(self, code: str, *, allow_stdin: bool = False, timeout_s: float | None = None) -> RunningCell:
        """Send a cell to the kernel, and return at once.

        Args:
            code: The cell's text.
            allow_stdin: Whether somebody is there to answer, as in JupyterLab; headless runs say no. It
                decides whether agentkit shows answers live or only at the end.
            timeout_s: Seconds the cell may take.
        """
        request_id = self.client.execute(code, allow_stdin=allow_stdin, stop_on_error=False)
        return RunningCell(self.client, request_id, self._timeout_s if timeout_s is None else timeout_s)

    def run(self, code: str, *, allow_stdin: bool = False, timeout_s: float | None = None) -> CellResult:
        """Run a cell to its end; arguments as for `start`."""
        return self.start(code, allow_stdin=allow_stdin, timeout_s=timeout_s).result()

    def interrupt(self) -> None:
        """Do what the stop button does."""
        self.manager.interrupt_kernel()

    def complete(self, code: str, cursor: int | None = None) -> list[str]:
        """Return what the Tab key offers in `code` at `cursor` (by default its end)."""
        reply = self.client.complete(code, cursor, reply=True, timeout=self._timeout_s)
        return list(reply["content"]["matches"])

    def restart(self) -> None:
        """Start a fresh kernel process in the place of this one."""
        self._disconnect()
        self.manager.restart_kernel(now=True)
        self._connect()

    def _connect(self) -> None:
        self._client = self.manager.client()
        self._client.start_channels()
        self._client.wait_for_ready(timeout=self._timeout_s)

    def _disconnect(self) -> None:
        if self._client is not None:
            self._client.stop_channels()
            self._client = None


def without_pytest(environment: Mapping[str, str]) -> dict[str, str]:
    """Return environment variables without pytest's marks, by which agentkit tells nbval's kernels from a reader's."""
    return {name: value for name, value in environment.items() if not name.startswith("PYTEST_")}


def _environment(changes: Mapping[str, str | None], home: Path | None) -> dict[str, str]:
    env = without_pytest(os.environ)
    if home is not None:
        env["AGENTKIT_HOME"] = str(home)
    for name, value in changes.items():
        if value is None:
            env.pop(name, None)
        else:
            env[name] = value
    return env


def _is_idle(message: Mapping[str, Any]) -> bool:
    return bool(message["msg_type"] == "status" and message["content"]["execution_state"] == "idle")


def _plain(output: Mapping[str, Any]) -> str:
    if output["output_type"] == "stream":
        return str(output["text"])
    if output["output_type"] == "error":
        return "\n".join(output["traceback"])
    return str(output["data"].get("text/plain", ""))


def _result(status: str, messages: list[dict[str, Any]], payload: list[dict[str, Any]] | None = None) -> CellResult:
    """Build a cell's result, its outputs as a notebook would save them."""
    outputs: list[dict[str, Any]] = []
    clear_next = False
    for message in messages:
        kind, content = message["msg_type"], message["content"]
        if kind == "update_display_data":
            _update(outputs, content)
        elif kind == "clear_output":
            clear_next = bool(content["wait"])
            if not clear_next:
                outputs.clear()
        elif kind in ("stream", "display_data", "execute_result", "error"):
            if clear_next:
                outputs.clear()
                clear_next = False
            _append(outputs, kind, content)
    return CellResult(status=status, outputs=outputs, messages=messages, payload=payload or [])


def _append(outputs: list[dict[str, Any]], kind: str, content: dict[str, Any]) -> None:
    last = outputs[-1] if outputs else {}
    if kind == "stream" and last.get("name") == content["name"]:
        last["text"] += content["text"]
    else:
        outputs.append({"output_type": kind, **content})


def _update(outputs: list[dict[str, Any]], content: Mapping[str, Any]) -> None:
    display_id = content["transient"]["display_id"]
    for output in outputs:
        if output.get("transient", {}).get("display_id") == display_id:
            output.update(data=content["data"], metadata=content["metadata"])
