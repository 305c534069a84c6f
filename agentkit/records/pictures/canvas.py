"""Where pictures are drawn: axes of the caller's, or new ones, in one look."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from agentkit.exceptions import UserError
from agentkit.records.pictures.fonts import drawable, families

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.ticker import Formatter

__all__ = ["COLORS", "NORMAL", "SMALL", "Canvas", "canvas", "canvases", "labelled_by"]

COLORS = {
    "agent": "#c7d3e1",
    "call": "#0072b2",
    "waiting": "#8fc3e3",
    "tool": "#e69f00",
    "handoff": "#444444",
    "guardrail": "#009e73",
    "other": "#b07aa1",
    "error": "#c1272d",
    "cached": "#8fc3e3",
    "input": "#0072b2",
    "reasoning": "#f3c969",
    "output": "#e69f00",
}
"""Colours that people with any kind of colour blindness can tell apart, after Okabe and Ito. None tells all alone."""

_DARK_INK, _LIGHT_INK = "#222222", "#eeeeee"
SMALL, NORMAL = 7.5, 9.0


@dataclass(frozen=True)
class Canvas:
    """Axes to draw on, and what is the same in everything drawn there."""

    ax: Axes
    """The axes."""
    ink: str
    """Colour of texts and lines: dark on light, light on dark."""
    fonts: list[str]
    """Font families, in the order in which they are asked for a sign."""
    own: bool
    """Whether the figure was made for this picture."""

    def text(self, x: float, y: float, text: str, **options: Any) -> Any:
        """Write a text, and return matplotlib's object."""
        plain: dict[str, Any] = {"color": self.ink, "fontsize": SMALL, "va": "center", "family": self.fonts_for(text)}
        return self.ax.text(x, y, drawable(text), **(plain | options))

    def fonts_for(self, text: str) -> list[str]:
        """Return the fonts to write a text with: matplotlib complains of those that have no bold face, used or not."""
        return self.fonts[:1] if text.isascii() else families(text)

    def names(self, labels: Sequence[str], *, bold: Sequence[bool] | None = None) -> None:
        """Write names at the ticks of the vertical axis, some of them in bold."""
        texts = self.ax.set_yticklabels([drawable(label) for label in labels])
        for text, label, strong in zip(texts, labels, bold or [False] * len(labels), strict=True):
            text.set(
                family=self.fonts_for(label), color=self.ink, fontsize=8.5 if strong else SMALL,
                fontweight="bold" if strong and label.isascii() else "normal",
            )  # fmt: skip

    def title(self, title: str, details: str = "", *, pad: float = 8) -> None:
        """Write the title, and beside it what is worth knowing first."""
        told = f"{title} · {details}" if details and title else title or details
        self.ax.set_title(drawable(told), loc="left", pad=pad, fontsize=10, color=self.ink, family=self.fonts_for(told))

    def legend(self, handles: list[Any]) -> None:
        """Explain the colours and marks, in a line above the picture."""
        if not handles:
            return
        legend = self.ax.legend(
            handles=handles, loc="lower left", bbox_to_anchor=(0, 1.0), ncols=len(handles), frameon=False,
            fontsize=SMALL, handlelength=1.4, handletextpad=0.5, columnspacing=1.3, borderaxespad=0.1,
            labelcolor=self.ink,
        )  # fmt: skip
        for text in legend.get_texts():
            text.set_fontfamily(self.fonts_for(text.get_text()))

    def nothing(self, text: str) -> Axes:
        """Say that there is nothing to draw."""
        self.ax.set_axis_off()
        self.text(0.5, 0.5, text, ha="center", fontsize=NORMAL, transform=self.ax.transAxes)
        return self.ax


def canvas(ax: Axes | None, *, height_in: float = 3.2, width_in: float = 9.6) -> Canvas:
    """Return where to draw.

    Args:
        ax: The caller's axes. When None, new ones of a new figure of pyplot's: a notebook shows it, once, at the end of
            the cell; elsewhere it is the caller's to show, save and close.
        height_in: Height of a new figure, in inches.
        width_in: Width of a new figure, in inches.

    Raises:
        UserError: `ax` is something else.
    """
    from matplotlib.axes import Axes
    from matplotlib.colors import to_rgb

    if ax is None:
        return canvases(1, height_in=height_in, width_in=width_in)[0]
    if not isinstance(ax, Axes):
        raise UserError(f"ax has to be matplotlib's Axes, not {type(ax).__name__} {ax!r:.60}.")
    if not {"left", "bottom"} <= ax.spines.keys():
        raise UserError(f"Pictures need plain axes, with a left and a lower side, not {type(ax).__name__}.")
    red, green, blue = to_rgb(ax.get_facecolor())
    is_light = 0.299 * red + 0.587 * green + 0.114 * blue > 0.5
    return Canvas(ax, _DARK_INK if is_light else _LIGHT_INK, families(), own=False)


def canvases(count: int, *, height_in: float = 3.2, width_in: float = 9.6) -> list[Canvas]:
    """Return some places to draw side by side, in a new figure of pyplot's.

    Args:
        count: How many.
        height_in: Height of the figure, in inches.
        width_in: Width of the figure, in inches.
    """
    import matplotlib.pyplot as plt

    # White, whatever theme is set: colours and marks are made for it, and the same picture shows everywhere.
    figure = plt.figure(figsize=(width_in, height_in), layout="constrained", facecolor="white")
    made = [figure.add_subplot(1, count, number, facecolor="white") for number in range(1, count + 1)]
    for own in made:
        _plain(own)
    return [Canvas(own, _DARK_INK, families(), own=True) for own in made]


def labelled_by(label: Callable[[Sequence[float]], list[str]]) -> Formatter:
    """Return what writes the ticks of an axis, knowing all of them: so that they agree in unit and precision.

    Args:
        label: Returns the text of each tick.
    """
    from matplotlib.ticker import Formatter

    class Labels(Formatter):
        def __call__(self, x: float, pos: int | None = None) -> str:
            return drawable(label([x])[0])

        def format_ticks(self, values: Any) -> list[str]:  # an array of numbers
            return [drawable(text) for text in label([float(value) for value in values])]

    return Labels()


def _plain(ax: Axes) -> None:
    for side in ("top", "right"):
        ax.spines[side].set_visible(False)
    for side in ("left", "bottom"):
        ax.spines[side].set_color("#999999")
    ax.tick_params(colors=_DARK_INK, labelsize=SMALL, length=3, color="#999999")
    ax.xaxis.label.set_color(_DARK_INK)
    ax.yaxis.label.set_color(_DARK_INK)
    ax.set_axisbelow(True)
