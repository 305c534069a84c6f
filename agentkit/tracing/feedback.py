"""What readers thought of answers: a thumb up or down and a remark, kept in the file of the traces."""

from __future__ import annotations

import re
import time
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Literal, cast, get_args

from agentkit import _json
from agentkit._called_as import called_as
from agentkit.exceptions import UserError
from agentkit.tracing.changing import change_store
from agentkit.tracing.columns import checked_limit, columns_of, dataframe, flush_store, name_of_agent, since_ns
from agentkit.tracing.database import FEEDBACK_COLUMNS
from agentkit.tracing.reader import read_feedback, read_trace
from agentkit.tracing.redaction import Redactor
from agentkit.tracing.store import store_path

if TYPE_CHECKING:
    from collections.abc import Iterable

    import pandas as pd

__all__ = ["Rating", "add_feedback", "feedback", "rate", "remove_feedback"]

Rating = Literal["up", "down"]
"""A thumb up or down."""

_DTYPES = {
    "trace_id": "string",
    "rating": "category",
    "remark": "string",
    "question": "string",
    "answer": "string",
    "agent": "string",
    "model": "string",
    "session_id": "string",
    "created_at": "time",
}
_ID_CHARS = len("trace_") + 32
_RATED = 'agentkit.rate(agentkit.last_run(), "up")'
_REMOVED = "agentkit.remove_feedback(agentkit.last_run())"
_NOT_RECORDED = "That run left no trace, so there is nothing to keep a rating with."


def add_feedback(
    trace_id: str,
    rating: Rating,
    *,
    remark: str = "",
    question: str = "",
    answer: str = "",
    agent: str = "",
    model: str = "",
    session_id: str = "",
) -> None:
    """Keep what somebody thought of an answer; it is in the file when this returns.

    A later call for the same trace replaces what was kept. API keys are taken out of all texts. Can be called in any
    thread.

    Args:
        trace_id: The whole id of the run's trace, whether the store has that or not.
        rating: "up" or "down".
        remark: In the reader's own words.
        question: What was asked.
        answer: What was answered.
        agent: Name of the agent that answered.
        model: The model that answered.
        session_id: The conversation that the answer is part of.

    Raises:
        UserError: There is no such rating, or the file can't be written.
    """
    _checked(rating)
    if not trace_id or trace_id == "no-op":
        raise UserError(_NOT_RECORDED, hint="Tracing was disabled when it began.")
    clean = Redactor().clean
    texts = (trace_id, rating, remark, question, answer, agent, model, session_id)
    row = (*(clean(text).encode("utf-8", "backslashreplace").decode() for text in texts), time.time_ns())
    change_store("rating", lambda database: database.put_feedback(row))


@called_as("agentkit.remove_feedback")
def remove_feedback(
    result: Any,  # as for `rate`
) -> None:
    """Forget what was thought of an answer. Does nothing where nothing is kept of it.

    Args:
        result: The answer, as `rate` takes it; of a trace's id the beginning will do.

    Raises:
        UserError: It is no answer, several rated ones begin so, or the file can't be written.
    """
    if _is_chat(result):
        result.rate(None)
        return
    trace_id = _id_of(result, _REMOVED)
    if store_path().is_file():
        whole = trace_id if len(trace_id) >= _ID_CHARS else _whole_id(trace_id)
        change_store("rating", lambda database: database.drop_feedback(whole))


def _whole_id(beginning: str) -> str:
    """Return the trace with feedback that is meant; the text itself where there is none or it is whole."""
    rated = read_feedback(agent=None, rating=None, since_ns=None, limit=None)
    ids = [row[FEEDBACK_COLUMNS.index("trace_id")] for row in rated]
    found = [each for each in ids if each.startswith(beginning)]
    if beginning in found or not found:
        return beginning
    if len(found) > 1:
        raise UserError(f"{len(found)} rated answers begin with {beginning!r}.", hint=f"Such as {found[0]!r}.")
    return str(found[0])


@called_as("agentkit.rate")
def rate(
    result: Any,  # a trace's id, or what has one: results and chats are classes of layers above
    rating: Rating,
    remark: str = "",
) -> None:
    """Keep what you think of an answer, with what was asked and answered: `agentkit.feedback()` reads it.

    Rating an answer again replaces the earlier rating. Of a run that leaves what was said out of its trace, question
    and answer aren't kept.

    Args:
        result: A run's result; or the id of its trace, or the beginning of one, as `agentkit.traces()` lists them; or a
            chat, whose last answer is meant; or an answer among a chat's messages; or a trace of `open_trace()`.
        rating: "up" or "down".
        remark: In your own words.

    Raises:
        UserError: There is no such rating or no such trace, the remark is no text, or the file can't be written.
    """
    _checked(rating)
    if not isinstance(remark, str):
        raise UserError(f"A remark is a text, not {remark!r:.60}.", hint='remark="It depends on what for"')
    if _is_chat(result):
        result.rate(rating, remark)
        return
    if hasattr(result, "trace_id") and hasattr(result, "raw_responses"):
        about = _about_result(result)
    else:
        trace_id = _id_of(result, _RATED)
        flush_store()
        about = _about_trace(read_trace(trace_id))
    add_feedback(rating=rating, remark=remark, **about)


@called_as("agentkit.feedback")
def feedback(
    *,
    agent: Any = None,  # a name, or an agent: a class of a layer above
    rating: Rating | None = None,
    since: datetime | timedelta | str | None = None,
    limit: int | None = None,
) -> pd.DataFrame:
    """Return one row an answer that was rated, the newest first: by any kernel or script on this machine.

    Args:
        agent: Only answers of this agent: its name, or the agent.
        rating: Only "up", or only "down".
        since: Only what was rated then or later: a time (without a zone: local time), a date such as "2026-11-21", or
            how long ago, such as "2h" or a timedelta.
        limit: At most so many rows.

    Returns:
        A dataframe with these columns; the same when there are no rows. What isn't known is missing.

        | column | dtype | |
        |---|---|---|
        | trace_id | string | joins with `traces()` and `spans()` |
        | rating | category | "up" or "down" |
        | remark | string | the reader's own words |
        | question, answer | string | the last message of the input, and the answer; JSON where that is no text |
        | agent, model | string | who answered |
        | session_id | string | the conversation |
        | created_at | datetime64[us, UTC] | when it was rated, the last time |

    Raises:
        UserError: An argument makes no sense, or the file can't be read.
    """
    if rating is not None and rating not in get_args(Rating):
        raise UserError(f"No answer is rated {rating!r}.", hint='Ask for "up" or "down".')
    rows = read_feedback(
        agent=name_of_agent(agent), rating=rating, since_ns=since_ns(since), limit=checked_limit(limit)
    )
    column = columns_of(FEEDBACK_COLUMNS, rows)
    texts = {name: _or_missing(column[name]) for name in _DTYPES if name in column}
    frame = dataframe(_DTYPES, texts | {"rating": column["rating"], "created_at": column["created_ns"]})
    frame["rating"] = frame["rating"].cat.set_categories(list(get_args(Rating)))
    return frame


def _or_missing(texts: Iterable[str]) -> list[str | None]:
    return [text or None for text in texts]


def _checked(rating: Any) -> Rating:  # whatever was passed
    if not isinstance(rating, str) or rating not in get_args(Rating):
        raise UserError(f"An answer is rated {rating!r:.60}.", hint='Rate it "up" or "down".')
    return cast("Rating", rating)


def _is_chat(given: Any) -> bool:  # whatever was passed
    return hasattr(given, "messages") and callable(getattr(given, "rate", None))


def _id_of(given: Any, example: str) -> str:  # whatever was passed
    """Return the id of the trace that is meant: the text itself, or that of what has one.

    Args:
        given: What was passed.
        example: How the function is called.
    """
    hint = f"Pass a run's result, a chat or a trace_id: {example}."
    if isinstance(given, str):
        if not re.fullmatch(r"\S+", given):
            said = "is empty" if not given else f"{given!r:.60} is no trace_id"
            raise UserError(f"What is rated is an answer, by its trace; {said}.", hint=hint)
        return given
    if getattr(given, "role", "assistant") != "assistant":
        raise UserError("What is rated is an answer, and this message is a question.", hint=hint)
    trace_id = getattr(given, "trace_id", False)
    if trace_id is None or trace_id in ("", "no-op"):
        raise UserError(_NOT_RECORDED, hint="Tracing was disabled when it began.")
    if not isinstance(trace_id, str):
        raise UserError(f"What is rated is an answer, not {type(given).__name__} {given!r:.60}.", hint=hint)
    return trace_id


def _about_result(result: Any) -> dict[str, str]:  # any of the result classes of a layer above
    if not result.trace_id or result.trace_id == "no-op":
        raise UserError(_NOT_RECORDED, hint="Tracing was disabled when it began.")
    output, responses = result.final_output, result.raw_responses
    agent, tells = result.last_agent, getattr(result, "trace_include_sensitive_data", True)
    asked = getattr(agent.model, "model", agent.model)  # the name, or an object that has one
    return {
        "trace_id": result.trace_id,
        "question": _last_said(result.input) if tells else "",
        "answer": "" if not tells else result.text if output is None else _as_text(output),
        "agent": agent.name,
        "model": (responses[-1].model if responses else None) or (asked if isinstance(asked, str) else ""),
        "session_id": result.session_id or "",
    }


def _about_trace(row: dict[str, Any]) -> dict[str, str]:
    given, output, models = (row[name] for name in ("input", "output", "models"))
    return {
        "trace_id": row["trace_id"],
        "question": "" if given is None else _last_said(_json.loads(given)),
        "answer": "" if output is None else _as_text(_json.loads(output)),
        "agent": row["last_agent"] or "",
        "model": "" if models is None else models.rpartition("\n")[2],
    }


def _as_text(value: Any) -> str:
    if isinstance(value, str):
        return value
    try:
        return _json.dumps(value).decode()
    except TypeError:  # what a tool returned may be anything
        return repr(value)


def _last_said(given: Any) -> str:
    """Return the text of the last message that a person sent; other parts of it as what they are."""
    if not isinstance(given, list):
        return _as_text(given)
    for item in reversed(given):
        if not isinstance(item, dict) or item.get("role") != "user":
            continue
        content = item.get("content")
        if isinstance(content, str):
            return content
        parts = [part for part in content or () if isinstance(part, dict)]
        return "\n".join(str(part.get("text") or f"[{part.get('type', 'part')}]") for part in parts)
    return ""
