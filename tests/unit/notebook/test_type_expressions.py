"""Types as they are typed in a magic's line."""

from __future__ import annotations

import sys
from types import ModuleType
from typing import Annotated, Any, Literal, NewType, Optional

import pytest
from IPython.core.error import UsageError
from pydantic import BaseModel

from agentkit.notebook.options import Command
from agentkit.notebook.type_expressions import find_type, type_names

COMMAND = Command(name="agent", summary="", kinds=("cell",))


class City(BaseModel):
    name: str


Code = NewType("Code", str)
NAMES: dict[str, Any] = {"City": City, "Code": Code, "n": 1, "make": lambda: City}


@pytest.fixture
def shop(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    module: Any = ModuleType("shop")
    module.Order = type("Order", (BaseModel,), {})
    monkeypatch.setitem(sys.modules, "shop", module)
    return module


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("City", City),
        ("Code", Code),
        ("int", int),
        ("list[City]", list[City]),
        ("dict[str, list[City]]", dict[str, list[City]]),
        ("City | None", Optional[City]),  # noqa: UP045 (what it is made of)
        ("Optional[City]", Optional[City]),  # noqa: UP045
        ("tuple[int, ...]", tuple[int, ...]),
        ('Literal["a:b", "c", 3]', Literal["a:b", "c", 3]),
        ("Annotated[str, 'a city: its name']", Annotated[str, "a city: its name"]),
        ('list["City"]', list[City]),
        ("None", None),
        ("Any", Any),
    ],
)
def test_it_is_what_python_would_read(text: str, expected: Any) -> None:
    assert find_type(COMMAND, NAMES, text) == expected


def test_a_dotted_path_may_have_a_colon(shop: Any) -> None:
    assert find_type(COMMAND, {}, "list[shop:Order] | shop.Order") == list[shop.Order] | shop.Order


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("list[", "list[ is no type that can be read. Use a name, or brackets and |: list[City], City | None."),
        ("Citty", "There is no type 'Citty'. Did you mean City?"),
        ("list[Citty]", "There is no type 'Citty'. Did you mean City?"),
        ("n", "n is of type int, and no type that an answer can have."),
        ("make()", "make() is no type: use names, brackets and |, and Literal[…]."),
        ("list[make()]", "make() in list[make()] is no type: use names, brackets and |, and Literal[…]."),
        ("1 + 1", "1 + 1 is no type: use names, brackets and |, and Literal[…]."),
        ("lambda: City", "lambda: City is no type: use names, brackets and |, and Literal[…]."),
        ("int[str]", "int[str] is no type: type 'int' is not subscriptable."),
        ("Literal[make()]", "make() in Literal[make()] is no type: use names, brackets and |, and Literal[…]."),
        ("nosuch.Thing", "There is no type 'nosuch.Thing'."),
        ("City.__class__.__mro__", "City.__class__.__mro__ is of type tuple, and no type that an answer can have."),
    ],
)
def test_what_is_none_is_told_and_nothing_is_run(text: str, message: str) -> None:
    with pytest.raises(UsageError) as caught:
        find_type(COMMAND, NAMES, text)
    assert str(caught.value) == f"%%agent: {message} See %%agent --help."


def test_tab_offers_the_notebooks_types_first() -> None:
    names = type_names({**NAMES, "_Hidden": City, "alias": list[City], "int": int})
    assert names[:4] == ["City", "Code", "alias", "bool"]
    assert "_Hidden" not in names
