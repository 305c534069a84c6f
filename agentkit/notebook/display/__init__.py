"""How agents, tools and runs look in a notebook, live and kept."""
