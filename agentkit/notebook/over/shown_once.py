"""A dataframe that is a cell's value, but has been shown in it already."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd
    from IPython.core.interactiveshell import InteractiveShell

__all__ = ["show_once"]


def show_once(shell: InteractiveShell, frame: pd.DataFrame) -> None:
    """Keep IPython from showing `frame` as the value of the running cell; from the next cell on it is shown as any.

    By the object's own display method, which IPython asks before all formatters: those for dataframes are pandas' and
    the user's, and stay as they are.
    """
    own = vars(frame)
    own["_ipython_display_"] = lambda: None

    def forget(*_: Any) -> None:
        own.pop("_ipython_display_", None)
        shell.events.unregister("post_run_cell", forget)

    shell.events.register("post_run_cell", forget)
