"""Which keys are known, and where they no longer show."""

from __future__ import annotations

import html
import json
import logging
import os
from collections.abc import Callable

import pytest

from agentkit import _secrets
from agentkit._logging import guard_logs, unguard_logs
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
    ("text", "shown"), [("it is corp", "it is "), ("it is c", "it is "), ("my corporate-k", "my "), ("it is", "it is")]
)
def test_the_beginning_of_a_registered_key_is_held_back_while_it_streams(text: str, shown: str) -> None:
    _secrets.register("corporate-key")
    assert text[: showable_length(text)] == shown


def test_of_two_keys_that_may_have_begun_the_longer_beginning_is_held_back() -> None:
    _secrets.register("rate-of-the-day")
    _secrets.register("corporate-key")
    assert showable_length("it is corporate") == len("it is ")


SPOKEN = [
    '{"x-api-key": "%s"}',
    "Authorization: Basic %s",
    "{'authorization': b'Bearer %s'}",
    "aws_secret_access_key = %s",
    '"client_secret":"%s"',
    "refresh_token=%s",
    "https://maps.example/v1?q=a&key=%s&z=1",
    "/download?token=%s",
    "https://b.example/o?X-Amz-Signature=%s",
    "postgresql://agent:%s@db.example:5432/agents",
]


SPELLINGS: list[Callable[[str], str]] = [
    *(str, repr, json.dumps, html.escape),
    lambda text: json.dumps(json.dumps(f"x\n{text}")),
]


@pytest.mark.parametrize("text", SPOKEN)
@pytest.mark.parametrize("spell", SPELLINGS)
def test_a_key_is_known_by_the_words_around_it_however_they_are_spelt(text: str, spell: Callable[[str], str]) -> None:
    key = "q7Zp" * 6
    assert clean(spell(text % key)) == spell(text % key).replace(key, "[redacted]")


@pytest.mark.parametrize("text", [text.partition("%s")[0] for text in SPOKEN])
def test_what_is_said_before_a_key_holds_it_back_while_it_streams(text: str) -> None:
    key = "q7Zp" * 6
    for length in range(1, len(key)):
        so_far = text + key[:length]
        assert key[: min(length, 3)] not in so_far[: showable_length(so_far)]


@pytest.mark.parametrize(
    "text", ["https://example.org/a?page=2&sort=name", "http://localhost:8000/v1", "key=short", "a token: 12 of them"]
)
def test_addresses_and_words_without_a_key_stay(text: str) -> None:
    assert clean(text) == text


def test_headers_and_parameters_named_like_keys_are_known() -> None:
    headers = {"X-Acme-Token": "acme-acme", "Authorization": "Bearer corporate-key", "Accept": "text/html"}
    _secrets.register_headers(headers)
    _secrets.register_headers(None)
    assert _secrets.known() == ["corporate-key", "acme-acme"]


def test_guarded_logs_say_no_key(caplog: pytest.LogCaptureFixture) -> None:
    _secrets.register("corporate-key")
    logger = logging.getLogger("somebody.else")
    guard_logs("somebody.else")
    guard_logs("somebody.else")
    try:
        raise ValueError("corporate-key")
    except ValueError:
        logger.exception("asked %s", "http://h/?token=corporate-key")
    unguard_logs("somebody.else")
    logger.error("corporate-key")
    guarded, unguarded = (logging.Formatter().format(record) for record in caplog.records)
    assert guarded.startswith("asked http://h/?token=[redacted]\nTraceback")
    assert guarded.endswith("ValueError: [redacted]")
    assert unguarded == "corporate-key"
