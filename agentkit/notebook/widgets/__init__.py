"""Widgets: what a reader can act on while a cell runs. What is kept is never in them."""
