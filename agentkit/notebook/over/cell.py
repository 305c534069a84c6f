"""`%%ask agent --over df`: one run for each row, shown while it goes on, and what is left of it kept."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from agentkit.notebook.approving import approval_policy
from agentkit.notebook.cell_wait import CellWait, Work, was_stopped
from agentkit.notebook.display.modes import RenderMode
from agentkit.notebook.display.publish import publish
from agentkit.notebook.display.text import clean
from agentkit.notebook.failures import Interrupted, shortened
from agentkit.notebook.interpolation import unfilled_hint
from agentkit.notebook.latest import latest
from agentkit.notebook.options import typed_sign, usage_error
from agentkit.notebook.over.shown_once import show_once
from agentkit.notebook.over.summary import summary_bundle, summary_line
from agentkit.notebook.over.watching import ConsoleWatch, NoWatch, PanelWatch, Watch
from agentkit.notebook.settings import settings

if TYPE_CHECKING:
    import pandas as pd
    from IPython.core.interactiveshell import InteractiveShell

    from agentkit.notebook.options import Command
    from agentkit.runtime import Agent, RunConfig
    from agentkit.runtime.batch import Batch, Missing

__all__ = ["OverCell", "over_cell"]


def over_cell(
    shell: InteractiveShell,
    command: Command,
    agent: Agent[Any],
    text: str,
    frame: Any,  # a dataframe, or what becomes one: a Series, dicts, values
    *,
    out: str | None = None,
    context: Any = None,
    max_turns: int | None = None,
    config: RunConfig | None = None,
    budget_usd: float | None = None,
    budget_tokens: int | None = None,
    concurrency: int | None = None,
    missing: Missing = "empty",
    afresh: bool = False,
    mode: RenderMode | None = None,
    awaited: bool = False,
) -> Any:
    """Ask `agent` once for each row of `frame`, and return the dataframe with the answers.

    Args:
        shell: The notebook's shell.
        command: The magic, for what was typed wrongly.
        agent: Who is asked.
        text: What each row asks, its places not filled yet: columns come first, then the notebook's variables.
        frame: The rows.
        out: Name of the variable that gets the dataframe, besides `_`.
        context: Object for the agent's tools.
        max_turns: Model calls that a row's run may make; as the settings say when None.
        config: Settings of each run, such as another model.
        budget_usd: Dollars that all rows together may cost.
        budget_tokens: Tokens that they may use.
        concurrency: Rows that are asked at the same time; as the settings say when None.
        missing: What becomes of rows in which a value is missing.
        afresh: Whether what earlier runs of the cell have finished is forgotten.
        mode: How it is shown; None for not at all.
        awaited: Whether the cell awaits what this returns.

    Raises:
        UsageError: Something can't be used. Nothing has been asked.
        Interrupted: It was stopped; what is done is kept.
        Exception: The platform refuses every request.
    """
    from agentkit.exceptions import UserError
    from agentkit.runtime.batch import Batch, BatchOptions

    limits = settings()
    watch = _watch(mode)
    try:
        options = BatchOptions(
            context=context,
            run_config=limits.checked().limited(config),
            max_turns=max_turns or limits.max_turns,
            concurrency=limits.concurrency if concurrency is None else concurrency,
            budget_usd=budget_usd,
            budget_tokens=budget_tokens,
            missing=missing,
            variables=shell.user_ns,
            approve=_approval(mode),
            afresh=afresh,
        )
        batch = Batch(agent, frame, text, options, on_progress=watch.show)
    except UserError as error:
        raise usage_error(command, str(error)) from None
    if hint := unfilled_hint(text, {*shell.user_ns, *map(str, batch.frame.columns)}):
        print(f"{typed_sign(command)}: {clean(hint)}", file=sys.stderr)
    cell = OverCell(shell, batch, watch, mode=mode, out=out)
    return cell.wait_in_loop() if awaited else cell.wait()


def _approval(mode: RenderMode | None) -> bool | None:
    """Return whether calls that need approval are approved; None lets their rows wait: nobody is asked row by row."""
    policy = approval_policy() or ("deny" if mode == "static" else "wait")
    return policy == "approve" if policy in ("approve", "deny") else None


def _watch(mode: RenderMode | None) -> Watch:
    if mode == "console" and sys.stdout is not None and sys.stdout.isatty():
        return ConsoleWatch(sys.stdout)
    return PanelWatch() if mode == "live" else NoWatch()


class _Asking(Work[None]):
    def __init__(self, batch: Batch) -> None:
        super().__init__()
        self._batch = batch

    async def _carry_out(self) -> None:
        await self._batch.run()


class OverCell:
    """A batch for one cell.

    Args:
        shell: The notebook's shell.
        batch: What is asked.
        watch: Where its progress is shown.
        mode: How it is shown; None for not at all.
        out: Name of the variable that gets the dataframe.
    """

    def __init__(
        self, shell: InteractiveShell, batch: Batch, watch: Watch, *, mode: RenderMode | None, out: str | None
    ) -> None:
        self._shell = shell
        self._batch = batch
        self._watch = watch
        self._mode = mode
        self._out = out
        self._wait = CellWait(_Asking(batch))

    def wait(self) -> pd.DataFrame:
        """Run, block until it is over, and return the dataframe.

        Raises:
            Interrupted: It was stopped.
            Exception: The platform refuses every request.
        """
        self._watch.open(self._batch.agent.name, self.stop)
        return self._conclude(self._wait.block(self._pump))

    async def wait_in_loop(self) -> pd.DataFrame:
        """Run, and return the dataframe; the kernel's loop stays free. Errors as for `wait`."""
        self._watch.open(self._batch.agent.name, self.stop)
        return self._conclude(await self._wait.in_loop(self._pump))

    def stop(self) -> None:
        """Stop the batch, from any thread; what is done is kept."""
        self._wait.stop()

    def _pump(self) -> None:
        self._watch.pump(self._shell)

    def _conclude(self, error: BaseException | None) -> pd.DataFrame:
        """Put the kept output in the place of the progress, and the dataframe where it is looked for; or raise."""
        from agentkit.runtime.batch import stopped_text

        batch = self._batch
        result = batch.result()
        stopped = was_stopped(error)
        note = None
        if stopped:
            note = f"Stopped: {stopped_text(batch)}"
        elif error is not None:
            note = f"Failed: {type(error).__name__}."
        self._watch.end()
        self._show_kept(result, note)
        self._watch.close()
        if self._out is not None:
            self._shell.user_ns[self._out] = result
        if error is None:
            if self._mode in ("live", "static"):
                show_once(self._shell, result)
            elif self._mode is None:  # where IPython won't
                self._remember(result)
            return result
        self._remember(result)
        if stopped:
            raise Interrupted(f"What was answered so far is above and in `{self._out or '_'}`.")
        if not isinstance(error, Exception):
            raise error
        latest.error = error
        raise shortened(self._shell, error, "The whole error is in `%tb`.")

    def _remember(self, result: pd.DataFrame) -> None:
        update: Callable[[Any], None] = self._shell.displayhook.update_user_ns
        update(result)

    def _show_kept(self, result: pd.DataFrame, note: str | None) -> None:
        if self._mode is None:
            return
        if self._mode == "console":
            print(summary_line(self._batch, note))
            return
        bundle = summary_bundle(self._batch, result, note)
        if self._watch.display_id:
            publish(bundle, display_id=self._watch.display_id, update=True)
        else:
            publish(bundle)
