"""Which keys are known, and where they no longer show."""

from __future__ import annotations

import os

import pytest

from agentkit import _secrets
from agentkit.notebook.display.text import clean, showable_length
from agentkit.tracing.redaction import Redactor


@pytest.fixture(autouse=True)
def nothing_known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_secrets, "_registered", set())
    for name in [name for name in os.environ if name.endswith("_API_KEY")]:
        monkeypatch.delenv(name)


def test_registered_keys_and_those_of_the_environment_are_known_longest_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOME_API_KEY", "corporate-key-1")
    _secrets.register("corporate")
    _secrets.register("corporate-key-12")
    _secrets.register("corporate-key-1\n")
    assert _secrets.known() == ["corporate-key-12", "corporate-key-1", "corporate"]


@pytest.mark.parametrize("value", [None, "", "none", "EMPTY", "1234567", " 1234567 ", "embedded", "Not-Needed"])
def test_what_is_no_key_is_ignored(value: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOME_API_KEY", value or "")
    _secrets.register(value)
    assert _secrets.known() == []


def test_a_registered_key_is_neither_stored_nor_shown() -> None:
    before = Redactor()
    _secrets.register("corporate-key")
    text = "it is corporate-key."
    assert before.clean(text) == text
    assert Redactor().clean(text) == clean(text) == "it is [redacted]."


@pytest.mark.parametrize(
    ("text", "shown"), [("it is corp", "it is "), ("it is cor", "it is cor"), ("my corporate-k", "my ")]
)
def test_the_beginning_of_a_registered_key_is_held_back_while_it_streams(text: str, shown: str) -> None:
    _secrets.register("corporate-key")
    assert text[: showable_length(text)] == shown


def test_of_two_keys_that_may_have_begun_the_longer_beginning_is_held_back() -> None:
    _secrets.register("rate-of-the-day")
    _secrets.register("corporate-key")
    assert showable_length("it is corporate") == len("it is ")
