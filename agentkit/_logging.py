"""What a run writes to the log: `agentkit`, a child of `openai.agents`, so that code which listens there hears it too.

The functions cost next to nothing while nobody listens at DEBUG. Neither what models are sent and say nor what tools
are given and return is in the records, unless the environment asks for it; keys never are.
"""

from __future__ import annotations

import json
import logging
import os
import sys
from typing import Any, TextIO

from agentkit._secrets import Redactor

__all__ = [
    "agent_handed_over",
    "enable_verbose_stdout_logging",
    "guard_logs",
    "log_model_data",
    "log_tool_data",
    "logger",
    "model_answered",
    "model_asked",
    "run_ended",
    "run_started",
    "tool_ended",
    "tool_started",
    "unguard_logs",
]

logger = logging.getLogger("agentkit")
"""The package's logger; `agentkit.tracing` and others are its children."""

logger.parent = logging.getLogger("openai.agents")  # levels and handlers that are set there count for us as well

_MAX_CHARS = 2_000
"""What a record shows of one thing that was sent or said."""

_DEBUG = logging.DEBUG


def guard_logs(*names: str) -> None:
    """Take the keys out of what these loggers say, themselves and not their children. Doing it again changes nothing.

    Clients log the addresses that they ask, parameters and all, and the errors that come of it.
    """
    for name in names:
        logger = logging.getLogger(name)
        if _clean_record not in logger.filters:
            logger.addFilter(_clean_record)


def unguard_logs(*names: str) -> None:
    """Take back what `guard_logs` did."""
    for name in names:
        logging.getLogger(name).removeFilter(_clean_record)


def _clean_record(record: logging.LogRecord) -> bool:
    """Take the keys out of a record, its error included."""
    clean = Redactor().clean
    try:
        text = record.getMessage()
    except Exception:  # a wrong number of arguments: who shows the record tells of it
        return True
    if (cleaned := clean(text)) != text:
        record.msg, record.args = cleaned, None
    if record.exc_info and not record.exc_text:
        record.exc_text = clean(logging.Formatter().formatException(record.exc_info))  # shown in place of the error
    return True


guard_logs("agentkit", "agentkit.batch", "agentkit.mcp", "agentkit.tracing")


def log_model_data() -> bool:
    """Return whether records hold what models are sent and say: `OPENAI_AGENTS_DONT_LOG_MODEL_DATA` is 0 or false."""
    return _asked_for("OPENAI_AGENTS_DONT_LOG_MODEL_DATA")


def log_tool_data() -> bool:
    """Return whether records hold what tools are given and return: `OPENAI_AGENTS_DONT_LOG_TOOL_DATA` is 0 or false."""
    return _asked_for("OPENAI_AGENTS_DONT_LOG_TOOL_DATA")


def enable_verbose_stdout_logging() -> None:
    """Print what runs do, as it happens: every record of agentkit, to standard output.

    Without what is said and what tools are given: set `OPENAI_AGENTS_DONT_LOG_MODEL_DATA=0` and
    `OPENAI_AGENTS_DONT_LOG_TOOL_DATA=0` for that. Calling it again changes nothing.
    """
    logger.setLevel(logging.DEBUG)
    if not any(isinstance(handler, _StdoutHandler) for handler in logger.handlers):
        handler = _StdoutHandler()
        handler.setFormatter(logging.Formatter("%(name)s: %(message)s"))
        logger.addHandler(handler)


def run_started(agent_name: str, *, trace_id: str | None = None, streamed: bool = False) -> None:
    """Log that a run starts."""
    if logger.isEnabledFor(_DEBUG):
        how = ", streamed" if streamed else ""
        logger.debug("Run of agent %r starts%s%s.", agent_name, how, f" ({trace_id})" if trace_id else "")


def run_ended(agent_name: str, status: str, *, turns: int, total_tokens: int) -> None:
    """Log how a run ended.

    Args:
        agent_name: The agent that ran last.
        status: How it ended, such as "completed".
        turns: Model calls made.
        total_tokens: Tokens used.
    """
    if logger.isEnabledFor(_DEBUG):
        logger.debug("Run ended with agent %r: %s, %d turns, %d tokens.", agent_name, status, turns, total_tokens)


def model_asked(agent_name: str, model: Any, *, instructions: str | None, items: Any, tools: int) -> None:
    """Log a model call.

    Args:
        agent_name: The agent whose turn it is.
        model: The model, or its name.
        instructions: The agent's instructions.
        items: The conversation: a list of items as JSON.
        tools: How many tools and handoffs the model is offered.
    """
    if not logger.isEnabledFor(_DEBUG):
        return
    name, number = _name_of(model), 1 if isinstance(items, str) else len(items)
    logger.debug("Agent %r asks %s: %d items, %d tools.%s", agent_name, name, number, tools, _sent(instructions, items))


def model_answered(agent_name: str, model: Any, items: Any, *, total_tokens: int, seconds: float | None = None) -> None:
    """Log a model's answer.

    Args:
        agent_name: The agent whose turn it is.
        model: The model, or its name.
        items: What it answered: a list of items as JSON.
        total_tokens: Tokens that the call took.
        seconds: How long it took.
    """
    if not logger.isEnabledFor(_DEBUG):
        return
    kinds = ", ".join(str(item.get("type", "?")) for item in items) or "nothing"
    took = "" if seconds is None else f" in {seconds:.2f} s"
    said = f"\n{_shown(items)}" if log_model_data() else ""
    logger.debug(
        "%s answered agent %r%s: %s; %d tokens.%s", _name_of(model), agent_name, took, kinds, total_tokens, said
    )


def tool_started(name: str, call_id: str | None, arguments: Any) -> None:
    """Log that a tool is called with `arguments`."""
    if logger.isEnabledFor(_DEBUG):
        given = f": {_shown(arguments)}" if log_tool_data() else ""
        logger.debug("Tool %r is called (%s)%s", name, call_id, given)


def tool_ended(name: str, call_id: str | None, output: Any, *, outcome: str = "ok") -> None:
    """Log what a tool returned, and how: "ok", "failed" or another word."""
    if logger.isEnabledFor(_DEBUG):
        returned = f": {_shown(output)}" if log_tool_data() else ""
        logger.debug("Tool %r ended (%s), %s%s", name, call_id, outcome, returned)


def agent_handed_over(from_agent: str, to_agent: str) -> None:
    """Log a handoff."""
    if logger.isEnabledFor(_DEBUG):
        logger.debug("Agent %r hands over to %r.", from_agent, to_agent)


class _StdoutHandler(logging.StreamHandler[TextIO]):
    """Writes to what standard output is at the time: notebooks and tests put another in its place."""

    def emit(self, record: logging.LogRecord) -> None:
        """Write a record."""
        self.stream = sys.stdout if sys.stdout is not None else sys.stderr
        super().emit(record)


def _asked_for(switch: str) -> bool:
    return os.environ.get(switch, "").strip().lower() in ("0", "false", "no", "off")


def _name_of(model: Any) -> str:
    return model if isinstance(model, str) else str(getattr(model, "model", None) or type(model).__name__)


def _sent(instructions: str | None, items: Any) -> str:
    return f"\n{_shown(instructions)}\n{_shown(items)}" if log_model_data() else ""


def _shown(value: Any) -> str:
    """Return a value as text for the log: no keys, and not too much of it."""
    if isinstance(value, str):
        text = value
    else:
        try:
            text = json.dumps(value, ensure_ascii=False, default=str)
        except Exception:  # foreign objects: their str may raise anything
            text = f"<{type(value).__name__}>"
    text = Redactor().clean(text)
    return text if len(text) <= _MAX_CHARS else f"{text[:_MAX_CHARS]}… ({len(text):,} characters)"
