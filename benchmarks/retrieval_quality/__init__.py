"""How well files are found: a labelled set from real documentation, and rankings measured on it."""
