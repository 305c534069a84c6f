"""The notebook: magics to define and ask agents, their display, and what is left of the last run."""

from agentkit.notebook.extension import load_ipython_extension, unload_ipython_extension
from agentkit.notebook.latest import last_error, last_run
from agentkit.notebook.resting import approve, reject

__all__ = ["approve", "last_error", "last_run", "load_ipython_extension", "reject", "unload_ipython_extension"]
