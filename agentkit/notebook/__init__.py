"""The notebook: magics to define and ask agents, their display, and what is left of the last run."""

from agentkit.notebook.extension import load_ipython_extension, unload_ipython_extension
from agentkit.notebook.latest import last_error, last_run

__all__ = ["last_error", "last_run", "load_ipython_extension", "unload_ipython_extension"]
