"""The browser of traces: a table of all runs of this machine, and what one of them did, in a cell."""

from __future__ import annotations

from agentkit.notebook.browser.handle import TraceBrowser, browse

__all__ = ["TraceBrowser", "browse"]
