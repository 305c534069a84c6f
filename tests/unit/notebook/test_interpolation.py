from __future__ import annotations

from types import SimpleNamespace

import pytest

from agentkit.notebook.interpolation import InterpolationError, fill

NAMES = {
    "city": "Oslo",
    "n": 3,
    "order": SimpleNamespace(id=7, lines=[{"item": "tea"}]),
    "rows": [{"city": "Rome"}, {"city": "Bonn"}],
    "braces": "{{city}}",
}


@pytest.mark.parametrize(
    ("text", "filled"),
    [
        ("In {{city}} and {{ city }}", "In Oslo and Oslo"),
        ("{{n}} times", "3 times"),
        ("{{order.id}}", "7"),
        ('{{order.lines[0]["item"]}}', "tea"),
        ("{{rows[-1]['city']}}", "Bonn"),
        ("{{braces}}", "{{city}}"),
        (r"\{{city}}", "{{city}}"),
        ('{"a": {"b": 1}}', '{"a": {"b": 1}}'),
        ("{city} ${city} {{}} {{ }}", "{city} ${city} {{}} {{ }}"),
        ("{{city.upper()}} {{n + 1}} {{city!r}}", "{{city.upper()}} {{n + 1}} {{city!r}}"),
        (r"\frac{{x}^2}{y}", r"\frac{{x}^2}{y}"),
        ("{{#each rows}}", "{{#each rows}}"),
    ],
)
def test_only_names_in_double_braces_are_replaced(text: str, filled: str) -> None:
    assert fill(text, NAMES) == filled


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{{citi}}", "{{citi}}: nothing here is named 'citi'. Did you mean city?"),
        ("{{city.__class__}}", "{{city.__class__}}: names that begin with an underscore can't be read from a text."),
        ("{{order._id}}", "{{order._id}}: names that begin with an underscore can't be read from a text."),
        ("{{order.price}}", "{{order.price}}: order has no attribute 'price'."),
        ("{{rows[9]}}", "{{rows[9]}}: rows has no item 9."),
        ("{{n[0]}}", "{{n[0]}}: n has no item 0."),
    ],
)
def test_a_name_that_stands_for_nothing_is_an_error(text: str, message: str) -> None:
    with pytest.raises(InterpolationError) as raised:
        fill(text, NAMES)
    assert str(raised.value) == message


def test_no_attribute_is_read_that_was_not_asked_for() -> None:
    class Loud:
        def __getattr__(self, name: str) -> str:
            if name in ("final_output", "to_input_list"):
                raise AttributeError(name)
            raise AssertionError(f"{name} was read")

        def __str__(self) -> str:
            return "quiet"

    assert fill("{{it}}", {"it": Loud()}) == "quiet"
