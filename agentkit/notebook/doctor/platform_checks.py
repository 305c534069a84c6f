"""What answers: the platform that is connected, its models, and a real run on the embedded platform."""

from __future__ import annotations

import concurrent.futures
import contextlib
from collections.abc import Coroutine, Iterator
from typing import Any, TypeVar

from agentkit import backend
from agentkit.exceptions import AgentsException, NoBackendError, UserError
from agentkit.notebook.doctor.findings import Finding, trouble, warning, well

__all__ = ["check_platform", "check_run", "load_client"]

T = TypeVar("T")

_CONNECT = "%agentkit connect openai   # or: embedded, or http://…/v1; in a notebook"
_PATIENT = "%agentkit models   # asks again, and waits longer"
_ANSWER_S = 1.8
_LONGEST_S = 10.0


def load_client() -> None:
    """Import the client and the embedded platform, which takes longer than some checks may.

    Here rather than in the checks: several threads that import modules of one circle at once may see half of them.
    """
    with contextlib.suppress(Exception):  # a broken installation: the check that needs it says so
        import agentkit.runtime  # noqa: F401
        from agentkit.runtime import background  # noqa: F401

        _client = backend.prepare("embedded").sync_client


def check_platform() -> Iterator[Finding]:
    """Look whether the platform that is connected answers, takes the key, and has the default model."""
    try:
        current, described = backend.current_backend(), backend.describe()
    except NoBackendError:
        text = "No key is set: notebooks get the embedded platform, which only rehearses; scripts have to choose one."
        yield warning("platform", text, "export OPENAI_API_KEY=…   # before Jupyter or the script starts", _CONNECT)
        return
    except UserError as error:
        yield trouble("platform", str(error), _CONNECT)
        return
    source = backend.key_source()
    key = f"key from {source}" if source else "no key" if current.is_server else "no key needed"
    try:
        models = [model.name for model in _wait(current.list_models(timeout_s=_ANSWER_S))]
    except UserError as error:
        yield trouble("platform", f"{error.message.rstrip()} ({key})", *_remedies(current, error))
        return
    except TimeoutError:
        yield warning("platform", f"{described}: this kernel was too busy to ask in {_LONGEST_S:g} s.", _PATIENT)
        return
    yield well("platform", f"{described}, {key}: answers")
    yield _model(current, models)


def _model(current: backend.Backend, models: list[str]) -> Finding:
    from agentkit.notebook.options import closest

    wanted = current.known_model
    offered = f"{len(models)} offered" if len(models) != 1 else "the one offered"
    if wanted is None:
        return well("model", f"{models[0]}, the first of {len(models)}") if models else trouble(
            "model", "The server lists none.", "%agentkit config model=NAME"
        )  # fmt: skip
    if wanted in models or not models:
        return well("model", f"{wanted}, {offered}")
    if current.name == "embedded":
        return well("model", f"{wanted} is played by {models[0]}, which only rehearses")
    text = f"{wanted} is not among the {len(models)} that the platform lists.{closest(wanted, models)}"
    return trouble("model", text, "%agentkit models", "%agentkit config model=NAME")


def _remedies(current: backend.Backend, error: UserError) -> tuple[str, ...]:
    platform = "openai" if current.name == "openai" else current.plan.shown_url
    status = getattr(error.__cause__, "status_code", None)
    if status in (401, 403):
        return (f"%agentkit connect {platform}   # asks for another key; --key-env NAME takes it from a variable",)
    if status is not None or error.__cause__ is None:  # something answers, but not as it should
        return (f"%agentkit connect {platform}   # {error.hint}",)
    return (_PATIENT, "%agentkit connect embedded   # to work offline")


def check_run() -> Iterator[Finding]:
    """Let an agent call a tool on the embedded platform: the client, the loop and the platform have to work."""
    try:
        answer, called = _wait(_rehearsed())
    except TimeoutError:
        yield warning("a run", f"on the embedded platform has not ended in {_LONGEST_S:g} s.")
    except AgentsException as error:
        yield trouble("a run", f"on the embedded platform failed: {type(error).__name__}: {error}")
    else:
        if called and "4" in answer:
            yield well("a run", "on the embedded platform called a tool and answered")
        else:
            yield warning("a run", f"on the embedded platform answered oddly: {answer[:80]!r}")


async def _rehearsed() -> tuple[str, bool]:
    """Return what was answered, and whether the tool was called."""
    from agentkit.models import ModelSettings, OpenAIProvider
    from agentkit.runtime import Agent, RunConfig, Runner
    from agentkit.tooling import function_tool

    def count_words(text: str) -> int:
        """Count the words of a text."""
        return len(text.split())

    client = backend.prepare("embedded", model=backend.EMBEDDED_MODEL).client
    agent = Agent[Any](name="doctor", instructions="Count words.", tools=[function_tool(count_words)])
    config = RunConfig(
        model=backend.EMBEDDED_MODEL,
        model_provider=OpenAIProvider(openai_client=client, use_responses=True),
        model_settings=ModelSettings(store=False),  # a doctor changes nothing
        tracing_disabled=True,
    )
    result = await Runner.run(agent, 'Count the words of the text "one two three four".', run_config=config)
    return str(result.final_output), any(item.type == "tool_call_output_item" for item in result.new_items)


def _wait(coroutine: Coroutine[Any, Any, T]) -> T:
    """Return what a coroutine gives on agentkit's loop.

    Raises:
        TimeoutError: It took longer than anything here should.
    """
    from agentkit.runtime.background import submit

    future = submit(coroutine)
    try:
        return future.result(_LONGEST_S)
    except concurrent.futures.TimeoutError:
        future.cancel()
        raise TimeoutError from None
