"""How the kit's objects show themselves when they are a cell's value: registered by type, and taken back on unload."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from agentkit.notebook.latest import latest

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

__all__ = ["register_formatters", "unregister_formatters"]

_RESULT = ("agentkit.runtime.result", "RunResultBase")
_REPORT = ("agentkit.files.report", "AddReport")
_JOB = ("agentkit.finetuning.job", "FineTuningJob")


def _agent(agent: Any) -> Any:
    from agentkit.notebook.display.cards import agent_bundle

    return agent_bundle(agent)


def _tool(tool: Any) -> Any:
    from agentkit.notebook.display.cards import tool_bundle

    return tool_bundle(tool)


def _session(session: Any) -> Any:
    from agentkit.notebook.display.session_view import session_bundle

    return session_bundle(session)


def _partial(partial: Any) -> Any:
    from agentkit.notebook.display.style import STYLE
    from agentkit.notebook.display.text import clean
    from agentkit.notebook.display.value_text import value_text
    from agentkit.notebook.display.values import partial_html

    html = f'<div class="agk">{STYLE}<div class="agk-a">{partial_html(partial)}</div></div>'
    return {"text/html": html, "text/plain": clean(value_text(partial))}


def _trace(trace: Any) -> Any:
    from agentkit.notebook.display.trace_view import trace_bundle

    return trace_bundle(trace)


def _trace_diff(diff: Any) -> Any:
    from agentkit.notebook.display.diff_view import diff_bundle

    return diff_bundle(diff)


def _replay(replay: Any) -> Any:
    from agentkit.notebook.display.diff_view import replay_bundle

    return replay_bundle(replay)


def _sent(request: Any) -> Any:
    from agentkit.notebook.display.diff_view import sent_bundle

    return sent_bundle(request)


def _store(store: Any) -> Any:
    from agentkit.notebook.display.store_view import store_bundle

    return store_bundle(store)


def _report(report: Any) -> Any:
    from agentkit.notebook.display.store_view import report_bundle

    return report_bundle(report)


def _evaluation(evaluation: Any) -> Any:
    from agentkit.notebook.display.store_view import evaluation_bundle

    return evaluation_bundle(evaluation)


def _comparison(comparison: Any) -> Any:
    from agentkit.notebook.display.store_view import comparison_bundle

    return comparison_bundle(comparison)


def _found(result: Any) -> Any:
    from agentkit.notebook.display.found_view import result_bundle

    return result_bundle(result)


def _hit(hit: Any) -> Any:
    from agentkit.notebook.display.found_view import hit_bundle

    return hit_bundle(hit)


def _citation(citation: Any) -> Any:
    from agentkit.notebook.display.found_view import citation_bundle

    return citation_bundle(citation)


def _dataset(dataset: Any) -> Any:
    from agentkit.notebook.display.dataset_view import dataset_bundle

    return dataset_bundle(dataset)


def _preview(preview: Any) -> Any:
    from agentkit.notebook.display.dataset_view import preview_bundle

    return preview_bundle(preview)


def _split(split: Any) -> Any:
    from agentkit.notebook.display.dataset_view import split_bundle

    return split_bundle(split)


def _estimate(estimate: Any) -> Any:
    from agentkit.notebook.display.dataset_view import estimate_bundle

    return estimate_bundle(estimate)


def _job_seen(job: Any) -> Any:
    from agentkit.notebook.display.job_view import job_bundle

    return job_bundle(job)


def _record(thing: Any) -> Any:
    from agentkit.notebook.display.records import record_bundle

    return record_bundle(thing)


def _view(thing: Any) -> Any:
    from agentkit.notebook.display.records import VIEWS

    for cls in type(thing).__mro__:
        if (make := VIEWS.get((cls.__module__, cls.__name__))) is not None:
            return make(thing)
    return None


_RECORDS = {
    "agentkit.files.evaluation": "Question",
    "agentkit.files.listing": "StoreFile",
    "agentkit.files.opening": "StoreInfo",
    "agentkit.files.progress": "FileOutcome StoreProgress",
    "agentkit.finetuning.asking": "JobCheckpoint JobError JobEvent JobInfo",
    "agentkit.finetuning.progress": "FineTuningProgress",
    "agentkit.models.settings": "ModelSettings",
    "agentkit.models.retry": "ModelRetrySettings ModelRetryBackoffSettings RetryPolicyContext",
    "agentkit.models.chat_quirks": "ChatQuirks",
    "agentkit.runtime.run_config": "RunConfig ToolExecutionConfig RunErrorData",
    "agentkit.runtime.guardrails": "InputGuardrailResult OutputGuardrailResult",
    "agentkit.runtime.handoffs": "HandoffInputData",
    "agentkit.sessions.sqlite_tables": "SessionInfo",
    "agentkit.sessions.session": "SessionSettings",
    "agentkit.tooling.context": "RunContextWrapper ToolContext",
    "agentkit.tooling.guardrails": "ToolInputGuardrailResult ToolOutputGuardrailResult",
    "agentkit.tooling.hosted": "WebSearchTool FileSearchTool CodeInterpreterTool ImageGenerationTool HostedMCPTool "
    "LocalShellTool ComputerTool",
}
"""Classes shown as a table of what is set in them, by module; all others not named here have their `repr`."""

_BUNDLES: dict[tuple[str, str], Callable[[Any], Any]] = {
    ("agentkit.runtime.agent", "Agent"): _agent,
    ("agentkit.tooling.tool", "FunctionTool"): _tool,
    ("agentkit.sessions.session", "SessionABC"): _session,
    ("agentkit.runtime.partial_view", "Partial"): _partial,
    ("agentkit.records.opened", "RecordedTrace"): _trace,
    ("agentkit.records.diff", "TraceDiff"): _trace_diff,
    ("agentkit.records.replay", "Replay"): _replay,
    ("agentkit.records.request", "RecordedRequest"): _sent,
    ("agentkit.files.store", "VectorStore"): _store,
    ("agentkit.files.report", "AddReport"): _report,
    ("agentkit.files.search", "SearchResult"): _found,
    ("agentkit.files.search", "Hit"): _hit,
    ("agentkit.runtime.citations", "Citation"): _citation,
    ("agentkit.files.evaluation", "Evaluation"): _evaluation,
    ("agentkit.files.comparing", "Comparison"): _comparison,
    ("agentkit.finetuning.dataset", "FineTuningDataset"): _dataset,
    ("agentkit.finetuning.preview", "Preview"): _preview,
    ("agentkit.finetuning.splitting", "Split"): _split,
    ("agentkit.finetuning.costs", "Estimate"): _estimate,
    ("agentkit.finetuning.snapshot", "JobSnapshot"): _job_seen,
    ("agentkit.usage", "Usage"): _view,
    ("agentkit.usage", "RequestUsage"): _view,
    ("agentkit.runtime.handoffs", "Handoff"): _view,
    ("agentkit.runtime.items", "RunItemBase"): _view,
    ("agentkit.runtime.run_state", "RunState"): _view,
    ("agentkit.models.interface", "ModelResponse"): _view,
    **{(module, name): _record for module, names in _RECORDS.items() for name in names.split()},
}


def register_formatters(shell: InteractiveShell) -> None:
    """Let agents, tools and results show themselves. By name: their modules are not imported for it."""
    formatter: Any = shell.display_formatter  # IPython's traits are not all typed
    for (module, name), make in _BUNDLES.items():
        formatter.mimebundle_formatter.for_type_by_name(module, name, make)

    # Not a bundle: a result may have nothing to show, where its run is in the cell already
    def show(result: Any) -> None:
        _show_result(shell, result)

    def show_job(job: Any) -> None:
        _show_job(shell, job)

    formatter.ipython_display_formatter.for_type_by_name(*_RESULT, show)
    formatter.ipython_display_formatter.for_type_by_name(*_REPORT, _show_report)
    formatter.ipython_display_formatter.for_type_by_name(*_JOB, show_job)


def unregister_formatters(shell: InteractiveShell) -> None:
    """Take back what `register_formatters` did."""
    formatter: Any = shell.display_formatter
    for module, name in _BUNDLES:
        formatter.mimebundle_formatter.pop(f"{module}.{name}", None)
    for kind in (_RESULT, _REPORT, _JOB):
        formatter.ipython_display_formatter.pop(".".join(kind), None)


def _show_report(report: Any) -> None:
    """Show what became of files, unless the cell that put them into the store has shown it already."""
    from agentkit.notebook.display.publish import publish
    from agentkit.notebook.display.store_view import report_bundle
    from agentkit.notebook.filling import shown_reports

    if not shown_reports.holds(report):
        publish(report_bundle(report))


def _show_job(shell: InteractiveShell, job: Any) -> None:
    """Show a job as it is, and go on doing so, unless the running cell does already."""
    from agentkit.notebook.finetuning.shown import shown_jobs
    from agentkit.notebook.finetuning.view import show_job

    if not shown_jobs.holds(job.id):
        show_job(shell, job)


def _show_result(shell: InteractiveShell, result: Any) -> None:
    from agentkit.notebook.display.publish import publish
    from agentkit.notebook.display.run_view import run_bundle, usage_line

    if not latest.take_shown(result):
        publish(run_bundle(result, asked=latest.asked.get(result)))
    elif getattr(shell, "kernel", None) is None:
        # a terminal has written "Out[3]: " already, so that something has to follow
        told = latest.told is result
        print(f"The run above: {result.status}" if told else usage_line(result, latest.asked.get(result)))
