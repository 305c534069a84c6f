"""The notebook's settings: `%config AgentKit`, `c.AgentKit.…` in `ipython_config.py`, and environment variables.

A setting that is given counts; where it isn't, its environment variable does, and then the default.
"""

from __future__ import annotations

import contextlib
import functools
import sys
import weakref
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Literal, cast

from traitlets import TraitError
from traitlets.config import Config, Configurable

from agentkit import backend
from agentkit.notebook.options import closest
from agentkit.notebook.setting_traits import ChoiceEnum, Number, Setting, Switch, Text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from IPython.core.interactiveshell import InteractiveShell

    from agentkit.runtime import RunConfig

__all__ = ["AgentKit", "Origin", "register_settings", "settings", "unregister_settings"]

Origin = Literal["default", "environment", "config file", "%config"]
"""Where a setting's value comes from."""


class AgentKit(Configurable):
    """Settings of agentkit in the notebook. `None` gives one back to its environment variable, or its default."""

    model = Text(
        None,
        variable="OPENAI_DEFAULT_MODEL",
        help="Model of agents that name none. Without it, the platform's own default.",
    )
    max_turns = Number(
        10, low=1, variable="AGENTKIT_MAX_TURNS", help="Model calls that a run may make, unless it says --max-turns."
    )
    budget_usd = Number(
        None,
        low=0,
        whole=False,
        variable="AGENTKIT_BUDGET_USD",
        help="US dollars that one run may spend, at list price. Without it, no limit.",
    )
    render = ChoiceEnum(
        "auto",
        choices=("auto", "live", "static", "console"),
        variable="AGENTKIT_RENDER",
        help="How runs are shown: live streams into the cell, static is one output at the end, console prints. "
        "auto: live where somebody sits at the notebook, static where it runs by itself, console in a terminal.",
    )
    approve = ChoiceEnum(
        None,
        choices=("ask", "approve", "deny", "wait"),
        variable="AGENTKIT_APPROVE",
        help="What becomes of tool calls that need approval: ask whoever is there, approve or deny all, or let the run "
        "wait. Without it, ask where somebody is there, and deny where nobody is.",
    )
    session = ChoiceEnum(
        "remember",
        choices=("remember", "forget"),
        variable="AGENTKIT_SESSION",
        help="Whether %%ask goes on with the notebook's conversation with an agent, or knows nothing of it.",
    )
    concurrency = Number(8, low=1, variable="AGENTKIT_CONCURRENCY", help="Runs at the same time, in %%ask --over.")
    show_cost = Switch(True, variable="AGENTKIT_SHOW_COST", help="Whether the line under an answer says what it cost.")
    chat_height = Number(
        480, low=120, variable="AGENTKIT_CHAT_HEIGHT", help="How high a chat grows before it scrolls, in pixels."
    )

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._origins: dict[str, Origin] = {name: "config file" for name in self.names() if self.own(name) is not None}
        self.observe(self._changed, self.names())

    @classmethod
    def names(cls) -> list[str]:
        """Return the names of all settings, in their order."""
        return [name for name, value in vars(cls).items() if isinstance(value, Setting)]

    @classmethod
    def setting(cls, name: str) -> Setting[Any]:
        """Return the trait of that name."""
        return cast("Setting[Any]", vars(cls)[name])

    def own(self, name: str) -> Any:  # as varied as the settings are
        """Return what was given for a setting; None where nothing was, so that the environment decides."""
        return self._trait_values.get(name)

    def origin(self, name: str) -> Origin:
        """Return where a setting's value comes from.

        Raises:
            UserError: The environment has a value for it that can't be.
        """
        if name in self._origins:
            return self._origins[name]
        return "default" if self.setting(name).from_environment() is None else "environment"

    def checked(self) -> AgentKit:
        """Return these settings, now that none of them has a value of the environment that can't be.

        Raises:
            UserError: One has.
        """
        for name in self.names():
            self.setting(name).from_environment()
        return self

    def change(self, **values: Any) -> None:
        """Set settings as `%config` does; None gives one back to the environment.

        Raises:
            TraitError: One can't be that; none is changed.
        """
        for name, value in values.items():
            if value is not None:
                self.setting(name).validate(self, value)
        self.update_config(Config({"AgentKit": values}))

    def update_config(self, config: Config) -> None:
        """Take settings of a configuration, as `%config` does, which tells an error of this in a line.

        Raises:
            TraitError: There is no setting of a name, or one can't be that.
        """
        for name in config.get("AgentKit", {}):
            if name not in self.names():
                near = closest(name, self.names()) or f" There is {', '.join(self.names())}."
                raise TraitError(f"AgentKit has no setting {name!r}.{near}")
        super().update_config(config)

    def limited(self, config: RunConfig | None) -> RunConfig | None:
        """Return a run's settings with the notebook's budget, where they have none of their own."""
        budget = self.budget_usd
        if budget is None or (config is not None and config.budget_usd is not None):
            return config
        if config is None:
            from agentkit.runtime import RunConfig

            return RunConfig(budget_usd=budget)
        return replace(config, budget_usd=budget)

    @contextlib.contextmanager
    def hold_trait_notifications(self) -> Iterator[None]:
        """Hold nothing: no setting depends on another, and traitlets would store the environment's values as given."""
        yield

    def _changed(self, change: Any) -> None:  # a Bunch of traitlets
        if change.new is None:
            self._origins.pop(change.name, None)
        else:
            self._origins[change.name] = "%config"
        if change.name == "model":
            backend.set_default_model(change.new)


_of_shell: weakref.WeakKeyDictionary[InteractiveShell, AgentKit] = weakref.WeakKeyDictionary()


def settings() -> AgentKit:
    """Return the settings of the notebook; where the extension isn't loaded, those of the environment."""
    from IPython.core.interactiveshell import InteractiveShell

    if InteractiveShell.initialized():
        made = _of_shell.get(InteractiveShell.instance())
        if made is not None:
            return made
    return _outside()


@functools.cache
def _outside() -> AgentKit:
    return AgentKit()


def register_settings(shell: InteractiveShell) -> AgentKit:
    """Make the settings of a shell, and let its `%config` know them. Values of its configuration count at once."""
    unregister_settings(shell)
    try:
        made = AgentKit(parent=shell)
    except TraitError as error:
        print(f"agentkit: {error} The settings of the configuration file are not used.", file=sys.stderr)
        made = AgentKit()
    _of_shell[shell] = made
    backend.set_default_model(made.own("model"))
    _configurables(shell).append(made)
    return made


def unregister_settings(shell: InteractiveShell) -> None:
    """Take back what `register_settings` did."""
    made = _of_shell.pop(shell, None)
    if made is not None:
        known = _configurables(shell)
        known[:] = [configurable for configurable in known if configurable is not made]
        backend.set_default_model(None)


def _configurables(shell: InteractiveShell) -> list[Configurable]:
    """Return what `%config` knows; IPython's own type for it names the shell alone."""
    return cast("list[Configurable]", shell.configurables)
