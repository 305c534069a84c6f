"""The IPython extension: what `%load_ext agentkit` puts into a shell, and `%unload_ext agentkit` takes back."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from agentkit import backend
from agentkit.notebook.completion import MagicCompleter
from agentkit.notebook.conversations import conversations
from agentkit.notebook.filling import shown_reports, unwatch_stores, watch_stores
from agentkit.notebook.finetuning.hook import unwatch_trainings, watch_trainings
from agentkit.notebook.finetuning.shown import shown_jobs
from agentkit.notebook.formatters import register_formatters, unregister_formatters
from agentkit.notebook.latest import latest
from agentkit.notebook.magics import MAGICS, as_function, status_line
from agentkit.notebook.rewriting import Rewriter
from agentkit.notebook.settings import register_settings, unregister_settings
from agentkit.notebook.tracebacks import guard_tracebacks, unguard_tracebacks

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

__all__ = ["load_ipython_extension", "unload_ipython_extension"]


class _Extension:
    """What was put into one shell, to be taken back."""

    def __init__(self, shell: InteractiveShell) -> None:
        self._shell = shell
        self._before: list[tuple[str, str, Callable[..., Any] | None]] = []
        self._rewriter = Rewriter(shell, [magic.command.name for magic in MAGICS if "cell" in magic.command.kinds])
        self._matcher = MagicCompleter(shell, {magic.command.name: magic.command for magic in MAGICS}).matcher()

    def load(self) -> None:
        register_settings(self._shell)
        register: Any = self._shell.register_magic_function  # whose type has lost its self
        for magic in MAGICS:
            function = as_function(self._shell, magic)
            for kind in magic.command.kinds:
                known = self._shell.magics_manager.magics[kind]
                self._before.append((kind, magic.command.name, known.get(magic.command.name)))
                register(function, kind, magic.command.name)
        register_formatters(self._shell)
        watch_stores(self._shell)
        watch_trainings(self._shell)
        guard_tracebacks(self._shell)
        self._shell.Completer.custom_matchers.append(self._matcher)
        self._shell.input_transformers_cleanup.append(self._rewriter)
        self._shell.events.register("pre_execute", self._rewriter.before_cell)
        self._shell.events.register("post_execute", self._after_cell)

    def _after_cell(self) -> None:
        self._rewriter.after_cell()
        if not self._rewriter.inside_cell:
            latest.shown = None
            shown_reports.forget()
            shown_jobs.forget()

    def unload(self) -> None:
        shell = self._shell
        for kind, name, before in reversed(self._before):
            known = shell.magics_manager.magics[kind]
            if before is None:
                known.pop(name, None)
            else:
                known[name] = before
        unregister_formatters(shell)
        unwatch_stores()
        unwatch_trainings()
        unguard_tracebacks(shell)
        unregister_settings(shell)
        shell.Completer.custom_matchers.remove(self._matcher)
        shell.input_transformers_cleanup.remove(self._rewriter)
        shell.events.unregister("pre_execute", self._rewriter.before_cell)
        shell.events.unregister("post_execute", self._after_cell)


_loaded: weakref.WeakKeyDictionary[InteractiveShell, _Extension] = weakref.WeakKeyDictionary()


def load_ipython_extension(ipython: InteractiveShell) -> None:
    """Put the magics, their completion and the views of agents, tools and runs into a shell, and say who answers.

    Agents of the notebook, defined by magics or in Python, are answered by the embedded platform where there is no key.
    """
    unload_ipython_extension(ipython)
    backend.use_notebook_default()
    extension = _loaded[ipython] = _Extension(ipython)
    extension.load()
    print(status_line())


def unload_ipython_extension(ipython: InteractiveShell) -> None:
    """Take back all that `load_ipython_extension` put into a shell. The notebook's agents and results stay."""
    if (extension := _loaded.pop(ipython, None)) is not None:
        extension.unload()
        conversations.close()
        backend.use_notebook_default(False)
