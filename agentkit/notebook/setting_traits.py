"""The kinds of settings: what each may be, as a value of Python and as the text of an environment variable."""

from __future__ import annotations

import math
import os
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from traitlets import TraitError, TraitType

if TYPE_CHECKING:
    from traitlets import HasTraits

__all__ = ["ChoiceEnum", "Number", "Setting", "Switch", "Text"]

G = TypeVar("G")


class Setting(TraitType[Any, Any], Generic[G]):
    """A trait that the environment decides where it is None.

    Args:
        default: What it is where neither it nor the environment says anything.
        variable: Name of the environment's variable.
        help: What it does.
    """

    possible = "any value"
    """What it may be, for errors: the end of "Use …"."""

    def __init__(self, default: G, *, variable: str, help: str) -> None:  # noqa: A002 (what traitlets calls it)
        super().__init__(None, allow_none=True, help=help)
        self.tag(config=True)
        self.variable = variable
        self.fallback = default

    def get(self, obj: HasTraits, cls: Any = None) -> G:
        """Return the value that counts: its own, the environment's, or the default.

        Raises:
            UserError: It counts what the environment says, and that can't be.
        """
        value: G | None = super().get(obj, cls)
        if value is not None:
            return value
        value = self.from_environment()
        return self.fallback if value is None else value

    def from_environment(self) -> G | None:
        """Return what the environment says; None where it says nothing.

        Raises:
            UserError: It can't be that.
        """
        said = os.environ.get(self.variable, "").strip()
        if not said:
            return None
        try:
            return self.checked(self.read(said))
        except ValueError:
            from agentkit.exceptions import UserError

            raise UserError(f"{self.variable} is {said!r}.", hint=f"Set it to {self.possible}, or unset it.") from None

    def validate(self, obj: HasTraits, value: Any) -> G:
        """Return a value that was given, or raise traitlets' error."""
        try:
            return self.checked(value)
        except (TypeError, ValueError):
            name = f"{type(obj).__name__}.{self.name}"
            raise TraitError(f"{name} can't be {value!r}. Use {self.possible}.") from None

    def from_string(self, s: str) -> G | None:
        """Return the value that a command line's or a magic's text stands for; None where it is empty.

        Raises:
            ValueError: It stands for none.
        """
        return self.checked(self.read(s)) if s.strip() else None

    def read(self, text: str) -> Any:
        """Return the value that a text stands for, not yet checked; a ValueError says that it stands for none."""
        return text

    def checked(self, value: Any) -> G:
        """Return a value if it may be it, perhaps in a better form; a ValueError says that it may not."""
        raise NotImplementedError


class Text(Setting[str | None]):
    """Some words."""

    possible = "a text"

    def checked(self, value: Any) -> str:
        """Return it without spaces around it."""
        if not isinstance(value, str) or not value.strip():
            raise ValueError
        return value.strip()


class Number(Setting[Any]):
    """A number.

    Args:
        default: As for every setting.
        low: The least that it may be; or what it has to be above, where it needs not be whole.
        whole: Whether it has to be a whole number.
        variable: As for every setting.
        help: As for every setting.
    """

    def __init__(
        self,
        default: float | None,
        *,
        low: int,
        whole: bool = True,
        variable: str,
        help: str,  # noqa: A002 (what traitlets calls it)
    ) -> None:
        super().__init__(default, variable=variable, help=help)
        self._low = low
        self._whole = whole
        self.possible = f"a whole number of {low} or more" if whole else f"a number above {low}"

    def read(self, text: str) -> float:
        """Return the number that a text stands for."""
        return int(text) if self._whole else float(text)

    def checked(self, value: Any) -> float:
        """Return it, if it is large enough."""
        kinds = (int,) if self._whole else (int, float)
        if isinstance(value, bool) or not isinstance(value, kinds) or not math.isfinite(value):
            raise ValueError
        if value < self._low or (not self._whole and value == self._low):
            raise ValueError
        return value


class ChoiceEnum(Setting[Any]):
    """One of a few words. With "Enum" in its name, traitlets lists them in `%config AgentKit`.

    Args:
        default: As for every setting.
        choices: The words.
        variable: As for every setting.
        help: As for every setting.
    """

    def __init__(self, default: str | None, *, choices: tuple[str, ...], variable: str, help: str) -> None:  # noqa: A002
        super().__init__(default, variable=variable, help=help)
        self.choices = choices
        self.possible = f"{', '.join(choices[:-1])} or {choices[-1]}"

    def info(self) -> str:
        """Return the words, for traitlets' help."""
        return self.possible

    def read(self, text: str) -> str:
        """Return the word, in small letters."""
        return text.strip().lower()

    def checked(self, value: Any) -> str:
        """Return it, if it is one of the words."""
        if value not in self.choices:
            raise ValueError
        return str(value)


class Switch(Setting[bool]):
    """Yes or no."""

    possible = "True or False"

    def read(self, text: str) -> bool:
        """Return the truth of a text: 1, true, yes, on; 0, false, no, off."""
        word = text.strip().lower()
        if word not in (*_YES, *_NO):
            raise ValueError
        return word in _YES

    def checked(self, value: Any) -> bool:
        """Return it, if it is a truth value."""
        if not isinstance(value, bool):
            raise ValueError
        return value


_YES = ("1", "true", "yes", "on")
_NO = ("0", "false", "no", "off")
