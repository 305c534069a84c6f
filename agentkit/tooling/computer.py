"""A computer that a model can use: what it must be able to do."""

from __future__ import annotations

import abc
from typing import Literal

from agentkit._repr import bare_repr

__all__ = ["AsyncComputer", "Button", "Computer", "Environment"]

Environment = Literal["mac", "windows", "ubuntu", "browser"]
"""What kind of computer it is."""

Button = Literal["left", "right", "wheel", "back", "forward"]
"""A button of the mouse."""


class Computer(abc.ABC):
    """A computer that is driven by blocking methods. They run beside the event loop, one at a time.

    The model may hold modifier keys during an action of the mouse. A method that takes a further keyword `keys`
    (a list of key names, or None) gets them; one without it can't do such an action, and the run says so.
    """

    __repr__ = bare_repr

    @property
    def environment(self) -> Environment | None:
        """What kind of computer it is. Only models of the time of `computer-use-preview` ask."""
        return None

    @property
    def dimensions(self) -> tuple[int, int] | None:
        """Width and height of the screen in pixels. Only models of the time of `computer-use-preview` ask."""
        return None

    @abc.abstractmethod
    def screenshot(self) -> str:
        """Return a picture of the screen: PNG in base64, or a whole data URL."""

    @abc.abstractmethod
    def click(self, x: int, y: int, button: Button) -> None:
        """Click at a place in pixels from the top left."""

    @abc.abstractmethod
    def double_click(self, x: int, y: int) -> None:
        """Click twice with the left button."""

    @abc.abstractmethod
    def scroll(self, x: int, y: int, scroll_x: int, scroll_y: int) -> None:
        """Scroll by so many pixels, right and down, with the mouse at a place."""

    @abc.abstractmethod
    def type(self, text: str) -> None:
        """Type a text."""

    @abc.abstractmethod
    def wait(self) -> None:
        """Give the screen a moment to settle."""

    @abc.abstractmethod
    def move(self, x: int, y: int) -> None:
        """Move the mouse to a place."""

    @abc.abstractmethod
    def keypress(self, keys: list[str]) -> None:
        """Press keys together, such as `["CTRL", "S"]`."""

    @abc.abstractmethod
    def drag(self, path: list[tuple[int, int]]) -> None:
        """Drag along a path of places with the left button down."""


class AsyncComputer(abc.ABC):
    """A computer that is driven by async methods; all else as for `Computer`."""

    __repr__ = bare_repr

    @property
    def environment(self) -> Environment | None:
        """What kind of computer it is. Only models of the time of `computer-use-preview` ask."""
        return None

    @property
    def dimensions(self) -> tuple[int, int] | None:
        """Width and height of the screen in pixels. Only models of the time of `computer-use-preview` ask."""
        return None

    @abc.abstractmethod
    async def screenshot(self) -> str:
        """Return a picture of the screen: PNG in base64, or a whole data URL."""

    @abc.abstractmethod
    async def click(self, x: int, y: int, button: Button) -> None:
        """Click at a place in pixels from the top left."""

    @abc.abstractmethod
    async def double_click(self, x: int, y: int) -> None:
        """Click twice with the left button."""

    @abc.abstractmethod
    async def scroll(self, x: int, y: int, scroll_x: int, scroll_y: int) -> None:
        """Scroll by so many pixels, right and down, with the mouse at a place."""

    @abc.abstractmethod
    async def type(self, text: str) -> None:
        """Type a text."""

    @abc.abstractmethod
    async def wait(self) -> None:
        """Give the screen a moment to settle."""

    @abc.abstractmethod
    async def move(self, x: int, y: int) -> None:
        """Move the mouse to a place."""

    @abc.abstractmethod
    async def keypress(self, keys: list[str]) -> None:
        """Press keys together, such as `["CTRL", "S"]`."""

    @abc.abstractmethod
    async def drag(self, path: list[tuple[int, int]]) -> None:
        """Drag along a path of places with the left button down."""
