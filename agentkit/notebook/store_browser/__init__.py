"""A vector store in a cell: files are dropped on it, watched while they are indexed, searched and deleted."""

from agentkit.notebook.store_browser.handle import StoreBrowser, browse

__all__ = ["StoreBrowser", "browse"]
