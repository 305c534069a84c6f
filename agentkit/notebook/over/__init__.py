"""One run for each row of a dataframe, in a cell: `%%ask agent --over df`."""

from agentkit.notebook.over.cell import over_cell

__all__ = ["over_cell"]
