"""One run of an agent in a cell: started, shown, waited for, stopped, and what is left of it kept."""

from __future__ import annotations

import asyncio
import concurrent.futures
import uuid
from typing import TYPE_CHECKING, Any, Protocol

from agentkit.notebook.display.modes import RenderMode
from agentkit.notebook.display.publish import publish
from agentkit.notebook.display.run_view import run_bundle
from agentkit.notebook.display.transcript import Step, Transcript, model_name
from agentkit.notebook.failures import Interrupted, shortened
from agentkit.notebook.latest import latest
from agentkit.notebook.namespace import model_names
from agentkit.notebook.options import closest

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

    from agentkit.notebook.widgets.run_panel import RunPanel
    from agentkit.runtime import Agent, RunConfig, RunResultStreaming, StreamEvent

__all__ = ["Asking"]

_WAKE_S = 0.05
"""How often a waiting cell wakes. An interrupt does not wake the kernel's loop by itself (ipykernel #881)."""

_GRACE_S = 1.0
"""Time that a stopped run has to tidy up before the cell goes on without it."""

_TEXT = frozenset({"response.output_text.delta", "response.refusal.delta"})


class View(Protocol):
    """Where a run is shown while it goes on; called on the loop's thread, but for `close`."""

    def start(self) -> None: ...
    def text(self, delta: str) -> None: ...
    def step(self, step: Step) -> None: ...
    def clear_text(self) -> None: ...
    def status(self, text: str, *, plain_text: bool = False) -> None: ...
    def close(self) -> None: ...


class _NoView:
    """Shows nothing while the run goes on."""

    def start(self) -> None:
        pass

    def text(self, delta: str) -> None:
        pass

    def step(self, step: Step) -> None:
        pass

    def clear_text(self) -> None:
        pass

    def status(self, text: str, *, plain_text: bool = False) -> None:
        pass

    def close(self) -> None:
        pass


class Asking:
    """A run for one cell.

    The run has its place on agentkit's loop thread. The cell's thread opens the view, and at the end puts the kept
    output in its place, since output that is made elsewhere lands in the wrong cell; between, it waits.

    Args:
        shell: The notebook's shell.
        agent: Who is asked.
        text: What is asked.
        mode: How the run is shown; None for not at all.
        context: Object for the agent's tools.
        max_turns: Model calls that the run may make.
        config: Settings of the run.
        out: Name of the variable that gets the result.
    """

    def __init__(
        self,
        shell: InteractiveShell,
        agent: Agent[Any],
        text: str,
        *,
        mode: RenderMode | None,
        context: Any = None,
        max_turns: int | None = None,
        config: RunConfig | None = None,
        out: str | None = None,
    ) -> None:
        self._shell = shell
        self._agent = agent
        self._text = text
        self._mode = mode
        self._context = context
        self._max_turns = max_turns
        self._config = config
        self._out = out
        self._result: RunResultStreaming | None = None
        self._task: asyncio.Task[Any] | None = None
        self._stopped = False
        self._view: View = _NoView()
        self._panel: RunPanel | None = None
        self._display_id = ""
        self._transcript = Transcript()

    # -- the cell's thread ------------------------------------------------------------------------------------------

    def wait(self) -> RunResultStreaming:
        """Run, block until it is over, and return the result.

        Raises:
            Interrupted: It was stopped.
            Exception: It failed; shown as a line or two.
        """
        from agentkit.runtime.background import run_blocking

        self._open()
        error: BaseException | None = None
        try:
            run_blocking(self._run(), grace_s=_GRACE_S)
        except BaseException as raised:  # shown below, the run's output first
            error = raised
        return self._conclude(error)

    async def wait_in_loop(self) -> RunResultStreaming:
        """Run, and return the result; the kernel's loop stays free meanwhile. Errors as for `wait`."""
        from agentkit.runtime.background import submit

        self._open()
        future = asyncio.wrap_future(submit(self._run()))
        future.add_done_callback(lambda done: done.cancelled() or done.exception())  # seen, even if too late
        error: BaseException | None = None
        try:
            while not future.done():
                await asyncio.wait({future}, timeout=_WAKE_S)
            future.result()
        except asyncio.CancelledError as raised:  # the kernel's interrupt; or the run's own end by Stop
            self.stop()
            await asyncio.wait({future}, timeout=_GRACE_S)
            error = raised
        except BaseException as raised:
            error = raised
        return self._conclude(error)

    def stop(self) -> None:
        """Stop the run, from any thread."""
        from agentkit.runtime.background import background_loop

        self._stopped = True
        background_loop().call_soon_threadsafe(self._cancel)

    def _cancel(self) -> None:
        if self._task is not None:
            self._task.cancel()

    def _open(self) -> None:
        if self._mode == "console":
            from agentkit.notebook.display.console import ConsoleView

            self._view = ConsoleView()
        elif self._mode == "live":
            self._open_panel()

    def _open_panel(self) -> None:
        from agentkit.notebook.display.live import LiveView
        from agentkit.notebook.widgets.run_panel import RunPanel
        from agentkit.runtime.background import background_loop

        self._panel = RunPanel(lambda message: view.front_end_says(message))
        view = LiveView(self._panel, background_loop(), on_stop=self.stop)
        self._view = view
        self._display_id = uuid.uuid4().hex
        shown = self._panel.bundle(f"{self._agent.name} is answering …")
        publish(shown, display_id=self._display_id)

    def _conclude(self, error: BaseException | None) -> RunResultStreaming:
        """Put the kept output in its place and the result where it is looked for; then return it, or raise."""
        result = self._result
        self._view.close()
        stopped = isinstance(error, (KeyboardInterrupt, asyncio.CancelledError, concurrent.futures.CancelledError))
        note = f"Failed: {_brief(error)}" if isinstance(error, Exception) and not stopped else None
        self._show_kept(note)
        if result is not None:
            latest.run = result
            latest.shown = result
            if self._out is not None:
                self._shell.user_ns[self._out] = result
        if result is not None and (error is not None or self._mode is None):  # where IPython won't
            self._shell.displayhook.update_user_ns(result)  # type: ignore[no-untyped-call]
        if error is None and result is not None:
            return result
        if stopped:
            raise Interrupted("What was answered so far is above and in `_`.")
        if not isinstance(error, Exception):
            raise error or RuntimeError("The run ended without a result.")
        latest.error = error
        raise shortened(self._shell, error, self._advice(error))

    def _advice(self, error: Exception) -> str:
        """Return what to do about an error, beyond what it says itself."""
        near = ""
        if getattr(error, "status_code", None) == 404:
            agent = self._agent if self._result is None else self._result.last_agent
            near = closest(model_name(agent), model_names(self._shell.user_ns)).lstrip()
        return f"{near} The run so far is in `_`, the whole error in `%tb`.".lstrip()

    def _show_kept(self, note: str | None) -> None:
        if self._mode is None:
            return
        if self._mode == "console":
            if note or (self._result is not None and self._result.status != "completed"):
                print(f"■ {note or 'Stopped.'}")
            return
        bundle = (
            {"text/plain": note or ""}
            if self._result is None
            else run_bundle(self._result, note, seen=self._transcript)
        )
        if self._panel is None:
            publish(bundle)
            return
        publish(bundle, display_id=self._display_id, update=True)
        self._panel.close()

    # -- the loop's thread --------------------------------------------------------------------------------------------

    async def _run(self) -> None:
        from agentkit.runtime import Runner

        self._task = asyncio.current_task()
        if self._stopped:
            raise asyncio.CancelledError
        self._view.start()
        options: dict[str, Any] = {} if self._max_turns is None else {"max_turns": self._max_turns}
        self._result = Runner.run_streamed(
            self._agent, self._text, context=self._context, run_config=self._config, **options
        )
        async for event in self._result.stream_events():
            self._show(event)

    def _show(self, event: StreamEvent) -> None:
        if event.type == "raw_response_event":
            if event.wire_type in _TEXT:
                delta = event.json.get("delta") or ""
                self._transcript.add_text(delta)
                self._view.text(delta)
            elif event.wire_type == "response.output_item.added":
                item = event.json.get("item") or {}
                if item.get("type") == "message" and (between := self._transcript.begin_message()):
                    self._view.text(between)
        elif event.type == "run_item_stream_event":
            change = self._transcript.add_item(event.item)
            if change.answer_moved:
                self._view.clear_text()
            for step in change.steps:
                self._view.step(step)
        elif event.type == "agent_updated_stream_event":
            agent = event.new_agent
            self._view.status(f"{agent.name} is answering", plain_text=agent.output_type not in (None, str))


def _brief(error: BaseException) -> str:
    return f"{type(error).__name__}."
