"""What `%ask` is to ask, made of its line: the text, what goes with it, the conversation, and how the run is to go."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from agentkit.notebook import namespace
from agentkit.notebook.attachments import Attachment, attachment_of, can_be_attached, content_parts, read_attachment
from agentkit.notebook.folders import find_file
from agentkit.notebook.magics.base import variable_name
from agentkit.notebook.model_options import model_settings
from agentkit.notebook.options import Arguments, Command, kind_of, typed_as, usage_error
from agentkit.notebook.running import Question

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

    from agentkit.runtime import Agent, RunConfig, RunState

__all__ = ["question", "run_config", "variable"]

_MAX_ALL_BYTES = 50_000_000
"""Most bytes that go with one question."""


def question(command: Command, shell: InteractiveShell, arguments: Arguments, agent: Agent[Any], text: str) -> Question:
    """Return what is asked.

    Args:
        command: The magic, for errors.
        shell: The notebook's shell.
        arguments: The line, taken apart.
        agent: Who is asked.
        text: The text, its values filled in; "" where there is none.

    Raises:
        UsageError: There is nothing to ask, or an option has a value that can't be.
    """
    state = _state(command, shell, arguments, text)
    attached = _attachments(command, shell, arguments)
    if not text and state is None and not attached:
        in_cell = (typed_as.get() or "").startswith("%%")
        where = "below the cell's first line" if in_cell else "after the agent's name"
        raise usage_error(command, f"There is nothing to ask: write it {where}.")
    asked: Any = text if state is None else state
    if attached:
        asked = [{"role": "user", "content": content_parts(text, attached)}]
    session = _session(command, shell, arguments, agent)
    return Question(
        agent,
        asked,
        _line(arguments),
        context=variable(command, shell, arguments["context"]),
        max_turns=arguments["max_turns"],
        config=run_config(command, shell, arguments),
        session=session,
        afresh=bool(arguments["new"]) and session is not None,
        out=variable_name(command, arguments["out"]) if arguments["out"] else None,
        as_json=bool(arguments["json"]),
    )


def run_config(
    command: Command, shell: InteractiveShell, arguments: Arguments, *, budget: bool = True
) -> RunConfig | None:
    """Return the settings of the run that a line asks for; None where it asks for none.

    Args:
        command: The magic, for errors.
        shell: The notebook's shell.
        arguments: The line, taken apart.
        budget: Whether the budget is the run's.

    Raises:
        UsageError: One has a value that can't be.
    """
    from agentkit.models import ModelSettings
    from agentkit.runtime import RunConfig

    values: dict[str, Any] = {}
    if arguments["model"]:
        values["model"] = namespace.find_model(shell.user_ns, arguments["model"])
    settings = model_settings(command, arguments)
    if settings != ModelSettings():
        values["model_settings"] = settings
    if budget:
        values |= {"budget_usd": arguments["budget"], "budget_tokens": arguments["budget_tokens"]}
    values = {name: value for name, value in values.items() if value is not None}
    return RunConfig(**values) if values else None


def variable(command: Command, shell: InteractiveShell, path: str | None) -> Any:  # whatever it holds
    """Return what a variable or a dotted path stands for; None for None.

    Raises:
        UsageError: It stands for nothing.
    """
    if path is None:
        return None
    names = shell.user_ns
    return namespace.find_value(command, names, path, "variable", lambda: [n for n in names if n[0] != "_"])


def _attachments(command: Command, shell: InteractiveShell, arguments: Arguments) -> list[Attachment]:
    """Return what goes with the text, in the order of the options: images first."""
    from agentkit.exceptions import UserError

    found = []
    for option in ("image", "file"):
        for given in arguments[option] or ():
            try:
                attachment = _attachment(command, shell, given)
            except UserError as error:
                raise usage_error(command, f"--{option}: {error}") from None
            if option == "image" and attachment.kind != "image":
                kind = "a PDF" if attachment.kind == "pdf" else "a text"
                raise usage_error(command, f"--image: {given} is {kind}, not an image: give it to --file.")
            found.append(attachment)
    total = sum(len(attachment.data) for attachment in found)
    if total > _MAX_ALL_BYTES:
        said = f"What is attached is too large: {total / 1e6:,.0f} MB in all, where {_MAX_ALL_BYTES / 1e6:.0f} MB"
        raise usage_error(command, f"{said} is the most.")
    return found


def _attachment(command: Command, shell: InteractiveShell, given: str) -> Attachment:
    """Return what a variable holds where there is one that can be attached; else what the file of that path holds."""
    names = shell.user_ns
    first = given.replace(":", ".").split(".")[0]
    if given in names and can_be_attached(names[given]):
        return attachment_of(names[given], given)
    file = find_file(shell, given)
    if not file.exists() and first in names:  # `report.figure`, or a variable of another kind, which the error names
        value = names[first] if given == first else variable(command, shell, given)
        return attachment_of(value, given)
    return read_attachment(file)


def _state(command: Command, shell: InteractiveShell, arguments: Arguments, text: str) -> RunState | None:
    from agentkit.runtime import RunState

    name = arguments["state"]
    state = variable(command, shell, name)
    if name is None:
        return None
    if not isinstance(state, RunState):
        raise usage_error(command, f"{name} is {kind_of(state)}, not a RunState: make one with to_state().")
    if text:
        raise usage_error(command, f"--state goes on with a run, which takes no text: {text[:40]!r} can't be asked.")
    if arguments["new"]:
        raise usage_error(command, "--state goes on with a run, so its conversation can't be a --new one.")
    for key in ("image", "file", "dry_run"):
        if arguments[key]:
            raise usage_error(command, f"--state goes on with a run: --{key.replace('_', '-')} can't go with it.")
    return state


def _session(command: Command, shell: InteractiveShell, arguments: Arguments, agent: Agent[Any]) -> Any:
    from agentkit.notebook.conversations import conversations
    from agentkit.notebook.settings import settings

    if arguments["no_session"]:
        if arguments["session"] is not None or arguments["new"]:
            raise usage_error(command, "--no-session goes with neither --session nor --new.")
        return None
    if arguments["session"] is not None:
        if not arguments["session"].strip():
            raise usage_error(command, "--session needs a name, and got an empty one; --no-session keeps nothing.")
        return conversations.named(shell.user_ns, arguments["session"])
    if settings().session == "forget":
        return None
    return conversations.of_agent(shell, agent)


def _line(arguments: Arguments) -> str:
    """Return the magic that goes on with the same agent, model and conversation."""
    name = str(arguments.subject)
    words = ["%ask", name if name.isidentifier() else f'"{name}"']
    given = [(key, str(arguments[key])) for key in ("model", "session") if arguments[key]]
    words += [f'--{key} "{value}"' if " " in value else f"--{key} {value}" for key, value in given]
    return " ".join([*words, "--no-session"] if arguments["no_session"] else words)
