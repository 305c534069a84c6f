"""`%agents` and `%agentkit`: what is defined, and who answers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from agentkit.notebook import namespace
from agentkit.notebook.magics.base import Magic
from agentkit.notebook.options import Arguments, Command

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

__all__ = ["AGENTKIT", "AGENTS", "status_line"]


def status_line() -> str:
    """Return the line on agentkit's version, the platform and the model that answer. Imports no client."""
    import agentkit
    from agentkit import backend
    from agentkit.exceptions import UserError
    from agentkit.notebook.display.text import clean

    try:
        who = backend.describe()
    except UserError as error:
        who = str(error)
    return clean(f"agentkit {agentkit.__version__} · {who}")


def _agents(shell: InteractiveShell, arguments: Arguments, cell: str | None) -> Any:
    from agentkit.notebook.display.cards import AgentsTable

    return AgentsTable(namespace.agents_in(shell.user_ns), namespace.tools_in(shell.user_ns))


def _status(shell: InteractiveShell, arguments: Arguments, cell: str | None) -> None:
    print(status_line())


AGENTS = Magic(
    Command(name="agents", summary="Show the agents and tools that are defined in this notebook.", kinds=("line",)),
    _agents,
)
AGENTKIT = Magic(
    Command(
        name="agentkit",
        summary="Say which version this is, and which platform and model answer.",
        kinds=("line",),
        examples="""
%%tool       make tools of the cell's functions
%%agent      define an agent: the cell is its instructions
%%ask, %ask  ask an agent
%agents      what is defined here
%traces      the runs that were made, as a dataframe
%trace       what one run did, as a dataframe
Each takes --help.
""",
    ),
    _status,
)
