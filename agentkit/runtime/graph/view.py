"""A graph of agents, as what a user gets: it shows itself in a notebook and in a terminal, and is saved as SVG."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

from agentkit.exceptions import UserError
from agentkit.runtime.graph.agents import Graph, graph_of
from agentkit.runtime.graph.labels import cut, visible
from agentkit.runtime.graph.svg import Drawing, draw, style
from agentkit.runtime.graph.tree import sentences, tree

if TYPE_CHECKING:
    from agentkit.runtime.agent import Agent

__all__ = ["AgentGraph"]

_SHRINKS_TO = 0.7
"""How much smaller a wide drawing is made before it scrolls instead."""

# In a notebook. Viewers that take away styles, as JupyterLab does with notebooks that it doesn't trust, take away
# drawings too, but not the text in them: so the drawing is hidden and the tree shown unless these rules are there.
_HTML_STYLE = (
    "<style>div.agk-graph.agk-graph>.agk-drawing[hidden]{display:block;overflow-x:auto}"
    "div.agk-graph.agk-graph>.agk-tree{display:none}" + style("div.agk-graph.agk-graph svg") + "</style>"
)
_FILE_STYLE = (
    "<style>svg{color:#1f2328;--o:#fff}.a-ground{fill:#fff}"
    "@media(prefers-color-scheme:dark){svg{color:#e6e6e6;--o:#16181c}.a-ground{fill:#16181c}}"
    + style("svg")
    + "</style>"
)


class AgentGraph:
    """A drawing of agents: whom they hand off to, and what they may call. It shows itself in a notebook.

    Args:
        agents: The agents to start from.

    Attributes:
        graph: What is drawn: the agents and the ways between them.
    """

    def __init__(self, agents: Sequence[Agent[Any]]) -> None:
        self.graph: Graph = graph_of(agents)

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the agents in it, that which it starts from first."""
        return tuple(node.name for node in self.graph.nodes)

    @cached_property
    def svg(self) -> str:
        """The drawing as a document of its own: SVG, light or dark as the reader's system is."""
        drawing = self._drawing
        ground = f'<rect class="a-ground" width="{drawing.width:.0f}" height="{drawing.height:.0f}" rx="6"/>'
        return self._element(_FILE_STYLE + ground, namespace=' xmlns="http://www.w3.org/2000/svg"', shown="")

    @cached_property
    def html(self) -> str:
        """The drawing as an element for a notebook's output, in the colours of its theme."""
        least = f"min-width:{self._drawing.width * _SHRINKS_TO:.0f}px"
        svg = self._element("", namespace="", shown=f' style="max-width:100%;height:auto;{least}"')
        return (
            f'<div class="agk-graph mathjax_ignore">{_HTML_STYLE}<div class="agk-drawing" hidden>{svg}</div>'
            f'<pre class="agk-tree">{escape(self.text)}</pre></div>'
        )

    @cached_property
    def text(self) -> str:
        """The same as a tree of lines."""
        return tree(self.graph)

    @cached_property
    def _drawing(self) -> Drawing:
        return draw(self.graph)

    def _element(self, first: str, *, namespace: str, shown: str) -> str:
        starts = ", ".join(cut(visible(node.name), 60) for node in self.graph.nodes if node.start)
        drawing = self._drawing
        return (
            f'<svg{namespace} width="{drawing.width:.0f}" height="{drawing.height:.0f}" '
            f'viewBox="0 0 {drawing.width:.0f} {drawing.height:.0f}" role="img"{shown}>'
            f"<title>{escape(f'Agents from {starts}')}</title><desc>{escape(sentences(self.graph))}</desc>"
            f"{first}{drawing.content}</svg>"
        )

    def save(self, path: str | Path) -> Path:
        """Write the drawing to a file, and return its path.

        Args:
            path: Where to; the ending `.svg` is added where it has none.

        Raises:
            UserError: Another kind of picture is asked for.
        """
        target = Path(path)
        if not target.suffix:
            target = target.with_name(f"{target.name}.svg")
        if target.suffix.lower() != ".svg":
            raise UserError(f"The drawing can't be saved as {target.name!r}.", hint="It is SVG: name it *.svg.")
        target.write_text(self.svg, encoding="utf-8")
        return target

    def view(self) -> Path:
        """Open the drawing in the system's browser, and return the file that it was written to."""
        import tempfile
        import webbrowser

        target = self.save(Path(tempfile.mkdtemp(prefix="agentkit-")) / "agents.svg")
        webbrowser.open(target.as_uri())
        return target

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        return {"text/html": self.html, "text/plain": self.text}

    def __str__(self) -> str:
        """Return the tree, so that `print` shows it."""
        return self.text

    def __repr__(self) -> str:
        return f"AgentGraph([{', '.join(repr(visible(name)) for name in self.names)}])"
