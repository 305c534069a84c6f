"""Runs as plain data, drawn by hypothesis: what the model sends, and how the agents are set up."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from hypothesis import strategies as st

from agentkit import ModelBehaviorError

from .catalogue import GOOD_ARGUMENTS
from .raw_model import Reply, said

__all__ = ["AgentPlan", "Plan", "plans"]

Item = dict[str, Any]


@dataclass(frozen=True)
class AgentPlan:
    """How an agent is set up."""

    equipped: bool
    hosted: str | None
    ways: tuple[tuple[int, str], ...]
    output: str
    behavior: str
    output_guard: str | None


@dataclass(frozen=True)
class Plan:
    """A run."""

    agents: tuple[AgentPlan, ...]
    replies: tuple[Reply, ...]
    helper: tuple[Reply, ...]
    given: str | list[Item]
    max_turns: int | None
    handlers: frozenset[str]
    input_guards: tuple[str, ...]
    session: str | None
    options: frozenset[str]
    decisions: tuple[tuple[bool, bool, str | None], ...]


def _texts() -> st.SearchStrategy[str]:
    answers = ['{"ok":true}', '{"response":[1,2]}', '```json\n{"ok":false}\n```', '{"ok":']
    return st.sampled_from(["", " ", "Hello", "naïve 日本 \U0001f600", "nul \x00", "half \ud83d", "bad", *answers])


def _ids(kind: str) -> st.SearchStrategy[Item]:
    """Return ids for a call: most of them its own, some used before, some missing."""
    own = st.integers(0, 10**6).map(lambda n: {"id": f"{kind}_{n}", "call_id": f"call_{n}"})
    odd: list[Item] = [
        {"id": f"{kind}_1", "call_id": "call_1"}, {"id": "", "call_id": "call_1"}, {"call_id": "call_2"},
        {"id": f"{kind}_3"}, {}, {"id": None, "call_id": None}, {"id": "", "call_id": ""}, {"call_id": 7},
    ]  # fmt: skip
    return st.one_of(own, own, own, st.sampled_from(odd))


ODD_ARGUMENTS = [
    "", "null", "{", "[]", "NaN", '"text"', "{}", '{"wrong": 1}', '{"a": "1", "b": 2}', '{"a": 1, "b": null}',
    json.dumps('{"a": 1, "b": 2}'), '{"a": 1, "b": 2} trailing', "\x00", "\ud800", None, {"a": 1, "b": 2}, 5,
]  # fmt: skip


@st.composite
def _tool_calls(draw: st.DrawFn, names: tuple[str, ...]) -> Item:
    name = draw(st.sampled_from(names))
    good = st.sampled_from(GOOD_ARGUMENTS.get(name, [{}])).map(json.dumps)
    arguments = draw(st.one_of(good, good, good, st.sampled_from(ODD_ARGUMENTS)))
    ids = draw(_ids("fc"))
    call = {"type": "function_call", **ids, "name": name, "arguments": arguments, "status": "completed"}
    if arguments is None and draw(st.booleans()):
        del call["arguments"]
    return call


_KIND_TOOLS = ("add", "now", "give", "give", "fail", "delete", "delete", "spend", "guarded", "by_hand", "ask_helper")
_TOOLS = (*(3 * _KIND_TOOLS), *GOOD_ARGUMENTS, "no_such_tool", "")
_HANDOFFS = ("transfer_to_a", "transfer_to_b", "transfer_to_b", "transfer_to_c")


def _handoff_calls() -> st.SearchStrategy[Item]:
    arguments = st.sampled_from(["{}", "", '{"reason": "because"}', "nonsense", None])
    call = lambda ids, name, given: {"type": "function_call", **ids, "name": name, "arguments": given}  # noqa: E731
    return st.builds(call, _ids("fc"), st.sampled_from(_HANDOFFS), arguments)


def _hosted_calls() -> st.SearchStrategy[Item]:
    click = {"type": "click", "x": 1, "y": 2, "button": "left"}
    actions: list[Item] = [
        *(4 * [{"action": click}]), {"actions": [click, {"type": "screenshot"}]}, {"action": {"type": "fly"}},
        {"action": {"type": "click"}}, {"actions": ["click"]}, {},
        {"action": click, "pending_safety_checks": [{"id": "c", "code": "malicious", "message": "sure?"}]},
    ]  # fmt: skip
    computer = st.builds(
        lambda ids, what: {"type": "computer_call", **ids, **what}, _ids("cu"), st.sampled_from(actions)
    )
    command = {"type": "exec", "command": ["ls"], "env": {}}
    shell = st.builds(lambda ids: {"type": "local_shell_call", **ids, "action": command}, _ids("lsh"))
    request = {"server_label": "docs", "name": "search", "arguments": "{}"}
    ids = st.one_of(st.integers(0, 10**6).map(lambda n: {"id": f"mcpr_{n}"}), st.sampled_from([{"id": "mcpr_1"}, {}]))
    mcp = st.builds(lambda given: {"type": "mcp_approval_request", **given, **request}, ids)
    return st.one_of(computer, shell, mcp)


def _other_items() -> st.SearchStrategy[Item]:
    refusal = {"type": "refusal", "refusal": "I won't."}
    items: list[Item] = [
        {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "x"},
        {"type": "web_search_call", "id": "ws_1", "status": "completed"},
        {"type": "mcp_call", "id": "mcp_1", "server_label": "docs", "name": "search", "arguments": "{}", "output": "o"},
        {"type": "mcp_list_tools", "id": "mcpl_1", "server_label": "docs", "tools": []},
        {"type": "compaction", "id": "cmp_1", "encrypted_content": "x"},
        {"type": "entangled_call", "id": "q_1", "call_id": "call_1", "state": {"spin": [0.5]}},
        {"type": "custom_tool_call", "id": "ctc_1", "call_id": "call_9", "name": "x", "input": "y"},
        {"id": "untyped"},
        {"type": None, "id": "null_typed"},
        {"type": "message", "id": "msg_2", "role": "assistant", "content": [refusal]},
        {"type": "message", "id": "msg_3", "role": "assistant", "content": None},
        {"type": "message", "id": "msg_4", "role": "assistant"},
        {"type": "message", "id": "msg_5", "role": "assistant", "content": "plain text"},
        said("before", "after"),
    ]  # fmt: skip
    return st.sampled_from(items)


@st.composite
def _turns(draw: st.DrawFn, names: tuple[str, ...], others: st.SearchStrategy[Item]) -> Reply:
    """Return an answer that asks for something: a call at least, among whatever else."""
    call = _tool_calls(names)
    items = [draw(call), *draw(st.lists(st.one_of(call, call, others, _messages()), max_size=3))]
    return draw(st.permutations(items))


def _messages() -> st.SearchStrategy[Item]:
    return st.lists(_texts(), max_size=3).map(lambda texts: said(*texts))


@st.composite
def _replies(
    draw: st.DrawFn, *, names: tuple[str, ...] = _TOOLS, longest: int = 5, handoffs: bool = True
) -> list[Reply]:
    """Return a model's answers: turns with calls and, as a rule, an end."""
    others = st.one_of(_other_items(), *([_handoff_calls(), _handoff_calls(), _hosted_calls()] if handoffs else []))
    turn = _turns(names, others)
    replies: list[Reply] = draw(st.lists(turn, max_size=longest))
    if handoffs and draw(st.booleans()):
        replies.insert(draw(st.integers(0, len(replies))), [draw(_handoff_calls())])
    end = draw(st.sampled_from(["message"] * 6 + ["odd", "error", "nothing"]))
    if end == "message":
        replies.append([draw(_messages())])
    elif end == "odd":
        replies.append(draw(st.lists(_other_items(), max_size=3)))
    elif end == "error":
        replies.insert(draw(st.integers(0, len(replies))), ModelBehaviorError("The model is beside itself."))
    return replies


def _agents() -> st.SearchStrategy[AgentPlan]:
    ways = ["agent", "handoff", "filtered", "async_filtered", "nested", "with_input", "disabled"]
    target = st.tuples(st.sampled_from([1, 1, 0, 2]), st.sampled_from(ways))
    targets = st.lists(target, min_size=1, max_size=3, unique_by=lambda way: way[0])
    return st.builds(
        AgentPlan,
        equipped=st.sampled_from([True] * 6 + [False]),
        hosted=st.sampled_from([None, "asks", "approves", "approves", "declines"]),
        ways=targets.map(tuple),
        output=st.sampled_from(["text", "text", "text", "model", "list"]),
        behavior=st.sampled_from(["again"] * 8 + ["first", "named", "function", "never"]),
        output_guard=st.sampled_from([None, None, None, "passes", "sync", "trips_on_bad"]),
    )


_EARLIER: list[Item] = [
    {"role": "user", "content": "Earlier"},
    {"type": "function_call", "id": "fc_0", "call_id": "call_0", "name": "now", "arguments": "{}"},
    {"type": "function_call_output", "call_id": "call_0", "output": "noon"},
    said("It was noon."),
    {"role": "user", "content": [{"type": "input_text", "text": "And now?"}]},
]

_OPTIONS = [
    "one_at_a_time", "raise_on_unknown", "formats", "drops", "filters_input", "nests", "keeps_secrets", "untraced",
    "frugal",
]  # fmt: skip


def plans() -> st.SearchStrategy[Plan]:
    """Return runs of all kinds."""
    decision = st.tuples(st.booleans(), st.sampled_from([False, False, True]), st.sampled_from([None, "No.", ""]))
    guards = st.sampled_from(["passes", "first", "sync"] * 5 + ["trips", "trips_first"])
    helper = _replies(names=("add", "delete", "delete", "delete", "fail", "insist"), longest=3, handoffs=False)
    return st.builds(
        Plan,
        agents=st.lists(_agents(), min_size=2, max_size=3).map(tuple),
        replies=_replies().map(tuple),
        helper=helper.map(tuple),
        given=st.sampled_from(["Hi", "", _EARLIER]),
        max_turns=st.sampled_from([10, 10, 10, 10, 3, 1]),
        handlers=st.frozensets(st.sampled_from(["max_turns", "model_refusal", "invalid_final_output"])),
        input_guards=st.lists(guards, max_size=2).map(tuple),
        session=st.sampled_from([None, "empty", "earlier", "limited", "combined"]),
        options=st.frozensets(st.sampled_from(_OPTIONS), max_size=3),
        decisions=st.lists(decision, min_size=1, max_size=4).map(tuple),
    )
