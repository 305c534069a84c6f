"""`%agents` and `%agentkit`: what is defined, who answers, how it is set up, and what is wrong."""

from __future__ import annotations

import re
import shlex
from typing import TYPE_CHECKING, Any

from agentkit.notebook import namespace
from agentkit.notebook.magics.base import Magic
from agentkit.notebook.options import Arguments, Command, Option, Subject, closest, usage_error

if TYPE_CHECKING:
    from collections.abc import Callable

    from IPython.core.interactiveshell import InteractiveShell

__all__ = ["AGENTKIT", "AGENTS", "status_line"]


def status_line() -> str:
    """Return the line on agentkit's version, the platform and the model that answer. Imports no client."""
    import agentkit
    from agentkit import backend
    from agentkit.exceptions import UserError
    from agentkit.notebook.display.text import clean

    try:
        who = backend.describe()
    except UserError as error:
        who = str(error)
    return clean(f"agentkit {agentkit.__version__} · {who}")


def _agents(shell: InteractiveShell, arguments: Arguments, cell: str | None) -> Any:
    from agentkit.notebook.display.cards import AgentsTable

    return AgentsTable(namespace.agents_in(shell.user_ns), namespace.tools_in(shell.user_ns))


AGENTS = Magic(
    Command(name="agents", summary="Show the agents and tools that are defined in this notebook.", kinds=("line",)),
    _agents,
)

_STATUS = Command(
    name="agentkit status",
    summary="Say who answers, where files are, what there is, and how runs are shown.",
    kinds=("line",),
)
_MODELS = Command(
    name="agentkit models",
    summary="List the models that the platform offers: it is asked now. Prices where they are known.",
    kinds=("line",),
    examples="""
%agentkit models
models = %agentkit models
models.frame()                as a dataframe
""",
)
_NO_KEY = (
    "A key has no place on a line: it is saved with the notebook and in IPython's history. Leave it out and be asked "
    "for it, or name the variable that holds it: --key-env NAME."
)
_CONNECT = Command(
    name="agentkit connect",
    summary="Choose the platform that answers from now on, once it has answered.",
    kinds=("line",),
    subject=Subject(
        "PLATFORM",
        "embedded (offline), openai, auto (what the environment names), or an address such as http://localhost:8000/v1.",
        values="platforms",
    ),
    options=(
        Option(
            "--api",
            "Which of OpenAI's APIs it is asked by; found out when not given.",
            "API",
            values="choices",
            choices=("responses", "chat_completions"),
        ),
        Option(
            "--key-env",
            "Variable of the kernel's environment that holds the key. Without it OPENAI_API_KEY, for OpenAI; else you "
            "are asked for a key where one is needed.",
            "NAME",
            values="keys",
        ),
        Option("--model", "Model of agents that name none.", "NAME", values="models"),
        Option("--api-key", "Not taken: what stands on a line is saved with the notebook.", "KEY", refused=_NO_KEY),
    ),
    takes_rest=True,
    rest_metavar="",
    examples="""
%agentkit connect embedded
%agentkit connect openai --model gpt-6-astra
%agentkit connect http://localhost:11434/v1 --model qwen3:8b
%agentkit connect https://models.example.com/v1 --key-env EXAMPLE_KEY
""",
)
_CONFIG = Command(
    name="agentkit config",
    summary="Show the settings, with where their values come from; or set some.",
    kinds=("line",),
    subject=Subject(
        "NAME[=VALUE] …",
        "Settings to show; or to set, and NAME= to give one back to its variable.",
        values="settings",
        required=False,
    ),
    takes_rest=True,
    rest_metavar="",
    examples="""
%agentkit config
%agentkit config model=gpt-6-astra budget_usd=0.50
%agentkit config budget_usd=
%config AgentKit.max_turns = 20        the same, in Python
""",
)
_DOCTOR = Command(
    name="agentkit doctor",
    summary="Look at everything: what is installed, what answers, where files are; what is wrong, and how to mend it.",
    kinds=("line",),
    options=(
        Option(
            "--scan",
            "Look for keys in notebooks instead, or in all below a folder.",
            "PATH",
            many=True,
            whole=True,
            values="notebooks",
        ),
    ),
    examples="""
%agentkit doctor
%agentkit doctor --scan analysis.ipynb
%agentkit doctor --scan .
""",
)
_COMMAND = Command(
    name="agentkit",
    summary="Who answers, which models there are, how agentkit is set up, and what is wrong.",
    kinds=("line",),
    subcommands=(_STATUS, _MODELS, _CONNECT, _CONFIG, _DOCTOR),
    examples="""
%%tool       make tools of the cell's functions
%%agent      define an agent: the cell is its instructions
%%ask, %ask  ask an agent
%agents      what is defined here
%traces      the runs that were made, as a dataframe
%trace       what one run did, as a dataframe
Each takes --help; so does each part, as in %agentkit connect --help.
""",
)


def _status(shell: InteractiveShell, arguments: Arguments) -> Any:
    from agentkit.notebook.overview import status_view

    return status_view(shell)


def _models(shell: InteractiveShell, arguments: Arguments) -> Any:
    from agentkit.exceptions import UserError
    from agentkit.notebook.connecting import offered_models

    try:
        return offered_models()
    except UserError as error:
        raise usage_error(_MODELS, str(error)) from None


def _connect(shell: InteractiveShell, arguments: Arguments) -> None:
    from agentkit import backend
    from agentkit.exceptions import UserError
    from agentkit.notebook.connecting import connect, url_mistake
    from agentkit.notebook.display.text import clean

    platform = str(arguments.subject)
    _refuse_key(arguments)
    if (mistake := url_mistake(platform)) is not None:
        raise usage_error(_CONNECT, f"That address can't be used. {mistake}")
    if "://" not in platform and platform not in backend.PLATFORMS:
        raise usage_error(_CONNECT, backend.no_such_platform(platform))
    try:
        told = connect(shell, platform, api=arguments["api"], key_env=arguments["key_env"], model=arguments["model"])
    except UserError as error:
        raise usage_error(_CONNECT, str(error)) from None
    print(clean(told))


def _refuse_key(arguments: Arguments) -> None:
    """Refuse a line with a key in it, without repeating it."""
    from agentkit import _secrets

    words = [str(arguments.subject), *arguments.rest.split(), *map(str, filter(None, arguments.options.values()))]
    if arguments["api_key"] or any(_secrets.find(word) for word in words):
        raise usage_error(_CONNECT, f"{_NO_KEY} Revoke the one that is there now.")
    if arguments.rest:
        raise usage_error(_CONNECT, f"{arguments.rest.split()[0]!r} is one word too many.")


def _config(shell: InteractiveShell, arguments: Arguments) -> Any:
    from agentkit.notebook.overview import settings_view
    from agentkit.notebook.settings import AgentKit, settings

    words = _words(f"{arguments.subject or ''} {arguments.rest}")
    values: dict[str, Any] = {}
    for word in words:
        name, equals, text = word.partition("=")
        if name not in AgentKit.names():
            near = closest(name, AgentKit.names()) or f" There is {', '.join(AgentKit.names())}."
            raise usage_error(_CONFIG, f"There is no setting {name!r}.{near}")
        if equals:
            setting = AgentKit.setting(name)
            try:
                values[name] = setting.from_string(text.strip("\"'"))
            except ValueError:
                raise usage_error(_CONFIG, f"{name} can't be {text!r}. Use {setting.possible}.") from None
    if values:
        settings().change(**values)
    return settings_view([word.partition("=")[0] for word in words])


def _words(text: str) -> list[str]:
    """Return the settings of a line, `NAME` or `NAME=VALUE`; there may be spaces round the sign, as in Python.

    After `NAME=`, which takes a setting back, another one may follow.
    """
    from agentkit.notebook.settings import AgentKit

    text = re.sub(r"\s+=", "=", text)
    text = re.sub(rf"=\s++(?!(?:{'|'.join(AgentKit.names())})=)", "=", text.rstrip())
    try:
        return shlex.split(text)
    except ValueError:
        raise usage_error(_CONFIG, f"A quote is missing in {text.strip()!r}.") from None


def _doctor(shell: InteractiveShell, arguments: Arguments) -> Any:
    from agentkit.notebook.doctor import diagnose, look_into
    from agentkit.notebook.folders import find_file

    if arguments["scan"]:
        return look_into([find_file(shell, path) for path in arguments["scan"]])
    return diagnose(shell)


_PARTS: dict[str, Callable[[InteractiveShell, Arguments], Any]] = {
    "status": _status,
    "models": _models,
    "connect": _connect,
    "config": _config,
    "doctor": _doctor,
}


def _run(shell: InteractiveShell, arguments: Arguments, cell: str | None) -> Any:
    return _PARTS[arguments.subcommand or "status"](shell, arguments)


AGENTKIT = Magic(_COMMAND, _run)
