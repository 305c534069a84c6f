"""How good a model or an agent is: its answers to cases whose answers are known."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from agentkit._called_as import called_as
from agentkit._repr import brief
from agentkit._secrets import Redactor
from agentkit.exceptions import UserError
from agentkit.files.checks import check_listener
from agentkit.finetuning.cases import Case, cases_of, mark_of
from agentkit.finetuning.judging import Compare, Judge, Verdict, judge_of, text_of
from agentkit.models.settings import ModelSettings
from agentkit.runtime.agent import Agent
from agentkit.runtime.background import run_blocking
from agentkit.runtime.batch.row import refuses_all
from agentkit.runtime.run import Runner
from agentkit.runtime.run_config import RunConfig

if TYPE_CHECKING:
    from agentkit.finetuning.scores import ComparedScores, Scores

__all__ = ["DEFAULT_CONCURRENCY", "Answered", "ascore", "compare_approaches", "compare_scores", "score"]

DEFAULT_CONCURRENCY = 8
"""Cases that are asked at the same time."""

Progress = Callable[[int, int], object]


@dataclass(frozen=True, slots=True)
class Answered:
    """What came of a case."""

    case: Case
    """What was asked."""
    answer: str | None
    """What was answered; None where nothing was."""
    verdict: Verdict
    """Whether it is right."""
    seconds: float
    """How long it took."""
    error: str | None = None
    """Why there is no answer, or why it couldn't be compared."""
    input_tokens: int | None = None
    """Tokens that were sent."""
    output_tokens: int | None = None
    """Tokens that were answered."""
    cost_usd: float | None = None
    """What it cost at list price; None where that isn't known."""
    trace_id: str | None = None
    """The run's trace; None where none is kept."""


@called_as("agentkit.score")
def score(
    agent: Agent[Any] | Any,  # or a model, by its name or as an object
    cases: Any,  # a FineTuningDataset, a dataframe, or a list
    *,
    prompt: str | None = None,
    answer: str | Sequence[str] | None = None,
    compare: Compare | None = None,
    max_tokens: int | None = None,
    max_concurrency: int = DEFAULT_CONCURRENCY,
    on_progress: Progress | None = None,
) -> Scores:
    """Ask an agent or a model cases whose answers are known, and say how many it gets right.

    Cases are to be such that the training never saw: `train, test = dataset.split()`. A case that fails counts as
    wrong, and its row says why; the others go on. Whatever answers an agent can be scored: the embedded platform,
    OpenAI, any other model.

    Args:
        agent: Who is asked: an agent, or a model, which is asked as the examples ask.
        cases: A `FineTuningDataset`, whose last answers are the right ones (of pairs, the liked ones); a dataframe; or
            a list of questions with their answers. System messages of cases are left out for an agent that has
            instructions of its own.
        prompt: The dataframe's column of questions; None for the one whose name says so.
        answer: Its column of right answers; or several columns, for the fields of a JSON object.
        compare: "json" compares values, whatever their order and spacing, and each field by itself; "exact" compares
            texts but for spaces around them; or a function of the expected and the given answer, that says whether it
            is right. None for "json" where all expected answers are JSON objects, else "exact".
        max_tokens: Tokens that an answer may have, 16 or more, as platforms want it; None for as many as the agent
            allows.
        max_concurrency: Cases that are asked at the same time.
        on_progress: Called after each case with how many are done, and how many there are.

    Returns:
        A dataframe with a row for each case, that shows itself; `scores.score` is the share of right ones.

    Raises:
        UserError: There are no cases, one can't be read, or an argument makes no sense.
        AgentsException: Nothing can be asked at all: no backend, an unknown model, a key that is refused.
    """
    return run_blocking(
        ascore(
            agent, cases, prompt=prompt, answer=answer, compare=compare, max_tokens=max_tokens,
            max_concurrency=max_concurrency, on_progress=on_progress,
        )
    )  # fmt: skip


@called_as("agentkit.ascore")
async def ascore(
    agent: Agent[Any] | Any,  # or a model, by its name or as an object
    cases: Any,  # a FineTuningDataset, a dataframe, or a list
    *,
    prompt: str | None = None,
    answer: str | Sequence[str] | None = None,
    compare: Compare | None = None,
    max_tokens: int | None = None,
    max_concurrency: int = DEFAULT_CONCURRENCY,
    on_progress: Progress | None = None,
) -> Scores:
    """Do as `score` does, in the caller's event loop."""
    asked = _agent(agent)
    check_listener(on_progress, "number of the cases that are done, and that of all")
    found = cases_of(cases, prompt, answer)
    name, judge = judge_of(compare, [each.expected for each in found])
    concurrency = _positive("max_concurrency", max_concurrency)
    settings = None if max_tokens is None else ModelSettings(max_tokens=_positive("max_tokens", max_tokens, least=16))
    config = RunConfig(workflow_name="score", model_settings=settings)
    answered = await _Scoring(asked, judge, config, on_progress).all_of(found, concurrency)
    from agentkit.finetuning.scores import scores_of

    prompts = [_prompt(asked, case) for case in found]
    return scores_of(answered, prompts, name=asked.name, model=_model_name(asked), compare=name, cases=mark_of(found))


@called_as("agentkit.compare_scores")
def compare_scores(**scores: Scores) -> ComparedScores:
    """Compare scores of the same cases: a row for each, with the points gained over the first one.

    Args:
        **scores: What `agentkit.score` returned, each by a name: `compare_scores(before=before, sft=after)`.

    Raises:
        UserError: There are none, or they are of different cases.
    """
    from agentkit.finetuning.scores import compared

    return compared(scores)


@called_as("agentkit.compare_approaches")
def compare_approaches(
    cases: Any,  # as of `score`
    *,
    prompt: str | None = None,
    answer: str | Sequence[str] | None = None,
    compare: Compare | None = None,
    max_tokens: int | None = None,
    max_concurrency: int = DEFAULT_CONCURRENCY,
    on_progress: Progress | None = None,
    **approaches: Any,
) -> ComparedScores:
    """Score several agents or models with the same cases, one after the other, and compare them.

    Args:
        cases: Cases whose answers are known, as `score` takes them.
        prompt: As of `score`.
        answer: As of `score`.
        compare: As of `score`.
        max_tokens: As of `score`.
        max_concurrency: As of `score`.
        on_progress: As of `score`; all approaches are counted together.
        **approaches: The agents or models, each by a name: `prompting=…, file_search=…, fine_tuning=…`.

    Returns:
        A dataframe with a row for each: the score, points gained over the first one, tokens, cost and seconds.
        `compared.scores[name]` has the cases of one.

    Raises:
        UserError: There are no approaches or no cases, or an argument makes no sense.
        AgentsException: Nothing can be asked at all: no backend, an unknown model, a key that is refused.
    """
    if not approaches:
        raise UserError("There is nothing to compare.", hint="Name agents: prompting=…, fine_tuning=….")
    agents = {name: _agent(each) for name, each in approaches.items()}
    check_listener(on_progress, "number of the cases that are done, and that of all")
    found = cases_of(cases, prompt, answer)
    made = {}
    for number, (name, agent) in enumerate(agents.items()):
        made[name] = score(
            agent, [_as_line(each) for each in found], compare=compare, max_tokens=max_tokens,
            max_concurrency=max_concurrency,
            on_progress=_shifted(on_progress, number * len(found), len(agents) * len(found)),
        )  # fmt: skip
    return compare_scores(**made)


def _as_line(case: Case) -> dict[str, Any]:
    return {"messages": [*case.messages, {"role": "assistant", "content": case.expected}]}


def _shifted(on_progress: Progress | None, before: int, total: int) -> Progress | None:
    if on_progress is None:
        return None
    return lambda done, _: on_progress(before + done, total)


class _Scoring:
    """Asks the cases, a few at a time."""

    def __init__(self, agent: Agent[Any], judge: Judge, config: RunConfig, on_progress: Progress | None) -> None:
        self._agent = agent
        self._judge = judge
        self._config = config
        self._on_progress = on_progress
        self._told = _is_told(agent)
        self._clean = Redactor().clean
        self._answered = 0

    async def all_of(self, cases: Sequence[Case], concurrency: int) -> list[Answered]:
        """Return what came of each case.

        Raises:
            AgentsException: Nothing can be asked at all.
        """
        made: dict[int, Answered] = {}
        waiting = iter(enumerate(cases))

        async def work() -> None:
            for index, case in waiting:
                made[index] = await self._one(case)
                if self._on_progress is not None:
                    self._on_progress(len(made), len(cases))
                await asyncio.sleep(0)  # a model that never waits would keep everybody else from running

        workers = [asyncio.ensure_future(work()) for _ in range(min(concurrency, len(cases)))]
        try:
            await asyncio.gather(*workers)
        finally:
            for worker in workers:
                worker.cancel()
            await asyncio.gather(*workers, return_exceptions=True)
        return [made[index] for index in range(len(cases))]

    async def _one(self, case: Case) -> Answered:
        began = time.perf_counter()
        try:
            result = await Runner.run(self._agent, case.input(told=self._told), run_config=self._config)
        except Exception as error:  # whatever models, tools and guardrails raise
            if refuses_all(error) and not self._answered:
                raise
            return Answered(case, None, self._judged(case, None)[0], time.perf_counter() - began, self._said(error))
        seconds = time.perf_counter() - began
        self._answered += 1
        answer = text_of(result.final_output)
        verdict, error_text = self._judged(case, answer)
        usage = result.usage
        return Answered(
            case, answer, verdict, seconds, error_text, usage.input_tokens, usage.output_tokens, usage.cost_usd,
            result.trace_id,
        )  # fmt: skip

    def _judged(self, case: Case, answer: str | None) -> tuple[Verdict, str | None]:
        if answer is None:
            try:
                fields = self._judge(case.expected, "").fields
            except Exception:  # the user's function, which wasn't asked about this
                fields = {}
            return Verdict(False, dict.fromkeys(fields, False)), None
        try:
            return self._judge(case.expected, answer), None
        except Exception as error:  # the user's function
            return Verdict(False), f"The comparison failed: {self._said(error)}"

    def _said(self, error: Exception) -> str:
        return self._clean(f"{type(error).__name__}: {str(error) or 'no message'}")


def _is_told(agent: Agent[Any]) -> bool:
    """Return whether an agent is told what to be, so that the cases needn't tell it."""
    return agent.instructions is not None or agent.prompt is not None


def _prompt(agent: Agent[Any], case: Case) -> list[dict[str, Any]]:
    """Return what was said before an answer, as training data has it."""
    if not _is_told(agent):
        return list(case.messages)
    said = [each for each in case.messages if each.get("role") not in ("system", "developer")]
    told = agent.instructions
    return [{"role": "system", "content": told}, *said] if isinstance(told, str) else said


def _positive(name: str, value: Any, *, least: int = 1) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < least:
        raise UserError(f"{name} is a whole number of {least} or more, not {value!r:.60}.")
    return value


def _agent(given: Any) -> Agent[Any]:
    """Return who is asked: an agent, or one for a model that has nothing but the model.

    Raises:
        UserError: It is neither.
    """
    if isinstance(given, Agent):
        return given
    from agentkit.models import Model

    if isinstance(given, Model):
        return Agent(name=type(given).__name__, model=given)
    if isinstance(given, str) and given.strip():
        return Agent(name=given, model=given)
    raise UserError(
        f"An agent or a model is scored, not {brief(given)}.", hint='For example agentkit.score("tiny-1", test).'
    )


def _model_name(agent: Agent[Any]) -> str:
    model = agent.model
    if model is None or isinstance(model, str):
        return model or ""
    return str(getattr(model, "model", type(model).__name__))
