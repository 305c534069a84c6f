"""What a run writes to the log, to whom, and what it keeps to itself."""

import io
import logging
from collections.abc import Iterator

import pytest

from agentkit import _logging

ITEMS = [{"role": "user", "content": "my secret wish"}]
ANSWER = [{"type": "message", "content": [{"type": "output_text", "text": "granted"}]}]


@pytest.fixture(autouse=True)
def _as_it_was() -> Iterator[None]:
    names = ("agentkit", "openai.agents")
    before = {name: (logging.getLogger(name).level, list(logging.getLogger(name).handlers)) for name in names}
    for name in names:
        logging.getLogger(name).setLevel(logging.NOTSET)
    yield
    for name, (level, handlers) in before.items():
        logging.getLogger(name).setLevel(level)
        logging.getLogger(name).handlers[:] = handlers


def whole_run() -> None:
    _logging.run_started("triage", trace_id="trace_1", streamed=True)
    _logging.model_asked("triage", "gpt-6-sol", instructions="Be kind.", items=ITEMS, tools=2)
    _logging.model_answered("triage", "gpt-6-sol", ANSWER, total_tokens=7, seconds=0.5)
    _logging.tool_started("look", "call_1", '{"where": "attic"}')
    _logging.tool_ended("look", "call_1", "a box", outcome="ok")
    _logging.agent_handed_over("triage", "tutor")
    _logging.run_ended("tutor", "completed", turns=2, total_tokens=20)


STRUCTURE = [
    "Run of agent 'triage' starts, streamed (trace_1).",
    "Agent 'triage' asks gpt-6-sol: 1 items, 2 tools.",
    "gpt-6-sol answered agent 'triage' in 0.50 s: message; 7 tokens.",
    "Tool 'look' is called (call_1)",
    "Tool 'look' ended (call_1), ok",
    "Agent 'triage' hands over to 'tutor'.",
    "Run ended with agent 'tutor': completed, 2 turns, 20 tokens.",
]


def test_a_run_is_logged_without_what_was_said(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG, "agentkit"):
        whole_run()
    assert caplog.messages == STRUCTURE
    assert {record.name for record in caplog.records} == {"agentkit"}


@pytest.mark.parametrize("value", ["0", "false", "False"])
def test_what_was_said_is_logged_where_the_environment_asks_for_it(
    value: str, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_AGENTS_DONT_LOG_MODEL_DATA", value)
    with caplog.at_level(logging.DEBUG, "agentkit"):
        whole_run()
    assert all(said in caplog.text for said in ("Be kind.", "my secret wish", "granted"))
    assert not any(given in caplog.text for given in ("attic", "a box"))


def test_what_tools_are_given_has_a_switch_of_its_own(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_AGENTS_DONT_LOG_TOOL_DATA", "0")
    with caplog.at_level(logging.DEBUG, "agentkit"):
        whole_run()
    assert all(given in caplog.text for given in ("attic", "a box"))
    assert not any(said in caplog.text for said in ("Be kind.", "my secret wish", "granted"))


@pytest.mark.parametrize("value", ["1", "true", "yes", ""])
def test_the_switches_of_the_sdk_hold_it_back(
    value: str, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_AGENTS_DONT_LOG_MODEL_DATA", value)
    monkeypatch.setenv("OPENAI_AGENTS_DONT_LOG_TOOL_DATA", value)
    with caplog.at_level(logging.DEBUG, "agentkit"):
        whole_run()
    assert caplog.messages == STRUCTURE


def test_keys_are_never_logged(caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_AGENTS_DONT_LOG_TOOL_DATA", "0")
    monkeypatch.setenv("HOUSE_API_KEY", "very-secret-value")
    with caplog.at_level(logging.DEBUG, "agentkit"):
        _logging.tool_started("look", "call_1", {"a": "very-secret-value", "b": "sk-proj-abcdefgh12345678"})
    assert caplog.messages == ["""Tool 'look' is called (call_1): {"a": "[redacted]", "b": "sk-[redacted]"}"""]


def test_long_texts_are_cut(caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_AGENTS_DONT_LOG_TOOL_DATA", "0")
    with caplog.at_level(logging.DEBUG, "agentkit"):
        _logging.tool_ended("look", "call_1", "x" * 5_000)
    assert caplog.messages[0].endswith("xx… (5,000 characters)")
    assert len(caplog.messages[0]) < 2_100


def test_what_cannot_be_shown_is_named(caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch) -> None:
    class Hostile:
        def __str__(self) -> str:
            raise RuntimeError

    monkeypatch.setenv("OPENAI_AGENTS_DONT_LOG_TOOL_DATA", "0")
    with caplog.at_level(logging.DEBUG, "agentkit"):
        _logging.tool_ended("look", "call_1", Hostile())
    assert caplog.messages == ["Tool 'look' ended (call_1), ok: <Hostile>"]


def test_nothing_is_logged_unless_somebody_listens_at_debug(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, "agentkit"):
        whole_run()
    assert caplog.messages == []


def test_code_that_listens_to_the_sdks_logger_hears_agentkits() -> None:
    heard = io.StringIO()
    theirs = logging.getLogger("openai.agents")
    theirs.setLevel(logging.DEBUG)
    theirs.addHandler(logging.StreamHandler(heard))
    _logging.agent_handed_over("a", "b")
    logging.getLogger("agentkit.tracing").debug("from a child")
    assert heard.getvalue() == "Agent 'a' hands over to 'b'.\nfrom a child\n"


def test_verbose_logging_prints_once_to_where_standard_output_goes(capsys: pytest.CaptureFixture[str]) -> None:
    _logging.enable_verbose_stdout_logging()
    _logging.enable_verbose_stdout_logging()
    _logging.agent_handed_over("a", "b")
    assert capsys.readouterr().out == "agentkit: Agent 'a' hands over to 'b'.\n"
