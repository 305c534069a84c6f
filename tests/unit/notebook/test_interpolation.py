from __future__ import annotations

from types import SimpleNamespace

import pytest

from agentkit.notebook.interpolation import InterpolationError, fill, unfilled_hint

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


@pytest.mark.parametrize(
    ("text", "shown", "value"),
    [
        ("Today is {{f()}}.", "f()", "f()"),
        ("{{city}}, {{n + 1}} and {{f()}}", "n + 1", "n + 1"),
        ("{{ city.upper() }}", " city.upper() ", "city.upper()"),
        ("{{n:.2f}}", "n:.2f", "n"),
        ("{{city!r}}", "city!r", "city"),
        ("{{rows[n]}}", "rows[n]", "rows[n]"),
        ("{{len('tea')}}", "len('tea')", "len('tea')"),
    ],
)
def test_code_in_double_braces_is_told_to_be_sent_as_it_stands(text: str, shown: str, value: str) -> None:
    assert unfilled_hint(text, {**NAMES, "f": print}) == (
        f"{{{{{shown}}}}} is sent as it stands: {{{{…}}}} takes names, with attributes and indexes, and computes "
        f"nothing. Name the value first: value = {value}, then {{{{value}}}}. Or write \\{{{{ for braces."
    )


@pytest.mark.parametrize(
    "text",
    [
        "{{city}} {{ n }} {{rows[0]}} {{rows[-1]['city']}}",
        r"\{{n + 1}} \{{f()}}",
        '{"a": {"b": 1}} {{"a": n}}',
        r"\frac{{x}^2}{y} \frac{{a+b}}{2}",
        "{{#each rows}} {{/each}} {{> part}} {{else}}",
        "{{ url_for('page') }} {{}} {{1 + 1}}",
        "{{citi}}",
    ],
)
def test_braces_of_other_languages_are_left_alone_without_a_word(text: str) -> None:
    assert unfilled_hint(text, NAMES) == ""
