"""File search: vector stores of any platform, filled, searched and judged from a notebook."""
