"""The magics, one thin file each; what they do lives in the layers below."""

from agentkit.notebook.magics.agent import AGENT
from agentkit.notebook.magics.ask import ASK
from agentkit.notebook.magics.base import Magic, as_function
from agentkit.notebook.magics.chat import CHAT
from agentkit.notebook.magics.finetune import FINETUNE
from agentkit.notebook.magics.overview import AGENTKIT, AGENTS, status_line
from agentkit.notebook.magics.session import SESSION
from agentkit.notebook.magics.tool import TOOL
from agentkit.notebook.magics.traces import TRACE, TRACES
from agentkit.notebook.magics.vector_store import VECTOR_STORE

__all__ = ["MAGICS", "Magic", "as_function", "status_line"]

MAGICS: tuple[Magic, ...] = (
    TOOL, AGENT, ASK, SESSION, CHAT, VECTOR_STORE, FINETUNE, AGENTS, TRACES, TRACE, AGENTKIT,
)  # fmt: skip
"""All of them, in the order in which one meets them."""
