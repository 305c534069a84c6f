"""The contenders by name. Nothing of theirs is imported before it is measured."""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version

from benchmarks.contenders.contender import Contender
from benchmarks.peers import peer_python

__all__ = ["CONTENDERS", "Entrant", "installed", "make"]


@dataclass(frozen=True, slots=True)
class Entrant:
    """A contender as it is known before it is imported."""

    name: str
    """Name in the table and in `--contender`."""
    about: str
    """What it is, for the legend."""
    packages: tuple[str, ...]
    """Distributions that have to be installed."""
    module: str
    """Module with a function `make_<name>(base_url)`, dashes as underscores."""
    imports: str = ""
    """The plain import."""
    first_use: str = ""
    """What a program has that imports what it needs and defines an agent with a tool."""
    apart: bool = False
    """Whether it has an environment of its own; see `benchmarks.peers`."""


_TOOL = '''
@function_tool
def look_up(city: str, day: int) -> str:
    """Look up the weather.

    Args:
        city: Name of the city.
        day: Days from today.
    """
    return city

agent = Agent(name="assistant", instructions="Be brief.", tools=[look_up])
'''
_AGENTKIT = "benchmarks.contenders.with_agentkit"
_AGENTS = "benchmarks.contenders.with_openai_agents"

CONTENDERS = {
    entrant.name: entrant
    for entrant in (
        Entrant(
            "agentkit",
            "as it is by default: every run is traced, to SQLite",
            ("agentkit",),
            _AGENTKIT,
            "import agentkit",
            f"from agentkit import Agent, Runner, function_tool\n{_TOOL}",
        ),
        Entrant("agentkit-untraced", "agentkit with tracing switched off", ("agentkit",), _AGENTKIT),
        Entrant(
            "agentkit-aiohttp",
            "agentkit, traced, its client on `openai.DefaultAioHttpClient`",
            ("agentkit", "aiohttp"),
            _AGENTKIT,
        ),
        Entrant(
            "openai-agents",
            "the OpenAI Agents SDK with tracing switched off",
            ("openai-agents",),
            _AGENTS,
            "import agents",
            f"from agents import Agent, Runner, function_tool\n{_TOOL}",
        ),
        Entrant("openai-agents-traced", "the same, spans kept in a list in memory", ("openai-agents",), _AGENTS),
        Entrant(
            "openai",
            "a loop written by hand on the `openai` client",
            ("openai",),
            "benchmarks.contenders.with_openai",
            "import openai",
            "from openai import AsyncOpenAI\nclient = AsyncOpenAI(api_key='sk-none')",
        ),
        Entrant(
            "transport",
            "the same client for transport only, bytes in and bytes out: the floor for all of them but aiohttp",
            ("openai",),
            "benchmarks.contenders.with_transport",
        ),
        Entrant(
            "mlflow",
            "MLflow's tracing, to its own store in a local SQLite file",
            ("mlflow",),
            "benchmarks.contenders.with_mlflow",
            apart=True,
        ),
    )
}


def installed(entrant: Entrant) -> bool:
    """Return whether the packages that a contender needs are installed."""
    if entrant.apart:
        return peer_python(entrant.name) is not None
    try:
        for package in entrant.packages:
            version(package)
    except PackageNotFoundError:
        return False
    return True


def make(name: str, base_url: str) -> Contender:
    """Return the contender of that name, talking to the server at `base_url`. Needs a running event loop."""
    module = importlib.import_module(CONTENDERS[name].module)
    contender: Contender = getattr(module, f"make_{name.replace('-', '_')}")(base_url)
    return contender
