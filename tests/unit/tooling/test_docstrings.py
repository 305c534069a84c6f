"""Docstrings that start with a section."""

from __future__ import annotations

import pytest

from agentkit.tooling import generate_func_documentation


def google(a: int, b: int) -> None:
    """Args:
        a: The first,
            on two lines.
        b: The second.
    """  # fmt: skip


def google_with_more(a: int, b: int) -> None:
    """Args:
        a: The first,
            on two lines.
        b: The second.

    Returns:
        The sum.
    """  # fmt: skip


def numpy(a: int, b: int) -> None:
    """Parameters
    ----------
    a : int
        The first,
        on two lines.
    b : int
        The second.
    """  # fmt: skip


def sphinx(a: int, b: int) -> None:
    """:param a: The first,
        on two lines.
    :param b: The second.
    """  # fmt: skip


@pytest.mark.parametrize("function", [google, google_with_more, numpy, sphinx])
def test_a_section_in_the_first_line_is_read(function: object) -> None:
    documentation = generate_func_documentation(function)  # type: ignore[arg-type]
    texts = {name: " ".join(text.split()) for name, text in documentation.param_descriptions.items()}
    assert (documentation.description, texts) == (None, {"a": "The first, on two lines.", "b": "The second."})


def one(a: int) -> None:
    """Args: a is the first."""


def test_prose_that_looks_like_a_section_stays_prose() -> None:
    assert generate_func_documentation(one).description == "Args: a is the first."
