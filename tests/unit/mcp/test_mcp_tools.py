"""Servers' tools as tools of agents: filters, caching, approvals, names, results, traces."""

from __future__ import annotations

import gc
import subprocess
import sys
import weakref
from typing import Any

import pytest
from mcp import Tool
from mcp_serving import TOOLS, outputs, stdio
from mcp_types import AudioContent, BlobResourceContents, CallToolResult, EmbeddedResource, TextResourceContents

from agentkit import Agent, Runner
from agentkit._install import install_command
from agentkit.exceptions import UserError
from agentkit.mcp import (
    MCPServer,
    MCPServerError,
    MCPServerStdio,
    MCPToolMetaContext,
    MCPUtil,
    ToolFilterContext,
    create_static_tool_filter,
)
from agentkit.testing import ScriptedModel, call
from agentkit.tooling import RunContextWrapper


class Counted(MCPServer):
    """A server without a connection, for what needs none."""

    def __init__(self, *names: str, name: str = "counted", **options: Any) -> None:
        self._name = name
        super().__init__(**options)
        self.names = names
        self.calls: list[tuple[str, Any]] = []
        self.metas: list[Any] = []
        self.answer = CallToolResult(content=[])

    @property
    def name(self) -> str:
        return self._name

    async def connect(self) -> None: ...

    async def cleanup(self) -> None: ...

    async def list_tools(self, run_context: Any = None, agent: Any = None) -> list[Tool]:
        schema = {"type": "object", "properties": {"x": {"type": "integer"}}}
        return [Tool(name=name, description=f"Does {name}.", input_schema=schema) for name in self.names]

    async def call_tool(self, tool_name: str, arguments: Any, meta: Any = None) -> CallToolResult:
        self.calls.append((tool_name, arguments))
        self.metas.append(meta)
        return self.answer

    async def list_prompts(self) -> Any: ...

    async def get_prompt(self, name: str, arguments: Any = None) -> Any: ...


def agent_of(*servers: MCPServer, **options: Any) -> Agent[Any]:
    return Agent(name="a", mcp_servers=list(servers), **options)


async def names_for(agent: Agent[Any]) -> list[str]:
    return [tool.name for tool in await agent.get_mcp_tools(RunContextWrapper(None))]


async def test_the_model_sees_texts_and_images(sums: MCPServerStdio) -> None:
    result = await Runner.run(agent_of(sums, model=ScriptedModel(call("picture"), "ok")), "draw")
    text, image = outputs(result)[0]
    assert (text, image["type"]) == ({"type": "input_text", "text": "A dot:"}, "input_image")
    assert image["image_url"].startswith("data:image/png;base64,iVBOR")


async def test_the_model_is_told_that_a_tool_failed(sums: MCPServerStdio) -> None:
    result = await Runner.run(agent_of(sums, model=ScriptedModel(call("add", a="x", b=1), "ok")), "go")
    assert outputs(result)[0].startswith(
        "An error occurred while running the tool. Please try again. Error: Tool 'add' of MCP server 'sums' failed: "
    )


async def test_a_server_with_failure_error_function_none_raises() -> None:
    async with stdio(failure_error_function=None) as server:
        with pytest.raises(MCPServerError, match="Tool 'fail' of MCP server 'sums' failed"):
            await Runner.run(agent_of(server, model=ScriptedModel(call("fail", reason="r"))), "go")


async def test_structured_content_is_what_the_model_gets_where_asked_for() -> None:
    async with stdio(use_structured_content=True) as server:
        result = await Runner.run(agent_of(server, model=ScriptedModel(call("facts"), "ok")), "go")
    assert outputs(result) == ['{"legs":4}']


async def test_the_tools_are_asked_for_once_where_they_are_cached_until_the_server_says_that_they_changed() -> None:
    async with stdio(cache_tools_list=True) as server:
        first = await server.list_tools()
        assert server.cached_tools == first
        model = ScriptedModel(call("grow"), call("subtract", a=3, b=1), "ok")
        result = await Runner.run(agent_of(server, model=model), "go")
        assert outputs(result) == ["done", "2"]


async def test_without_a_cache_the_tools_are_asked_for_each_time(sums: MCPServerStdio) -> None:
    first, second = await sums.list_tools(), await sums.list_tools()
    assert (sums.cached_tools, first == second, first is second) == (None, True, False)


async def test_an_invalidated_cache_is_filled_anew() -> None:
    async with stdio(cache_tools_list=True) as server:
        first = await server.list_tools()
        kept = server.cached_tools
        server.invalidate_tools_cache()
        assert server.cached_tools is None
        assert (await server.list_tools(), server.cached_tools is kept) == (first, False)


async def test_function_tools_stay_the_same_objects_while_the_tools_do(sums: MCPServerStdio) -> None:
    agent, context = agent_of(sums), RunContextWrapper(None)
    first, second = await agent.get_mcp_tools(context), await agent.get_mcp_tools(context)
    assert all(one is other for one, other in zip(first, second, strict=True))


@pytest.mark.parametrize(
    ("tool_filter", "left"),
    [
        (create_static_tool_filter(allowed_tool_names=["add", "die"]), ["add", "die"]),
        (create_static_tool_filter(allowed_tool_names=["add", "die"], blocked_tool_names=["die"]), ["add"]),
        (lambda context, tool: tool.name.startswith("a") and context.agent.name == "a", ["add"]),
        (None, TOOLS),
    ],
)
async def test_a_filter_leaves_tools_out(tool_filter: Any, left: list[str]) -> None:
    async with stdio(tool_filter=tool_filter) as server:
        assert await names_for(agent_of(server)) == left


async def test_an_async_filter_is_told_of_run_agent_and_server() -> None:
    seen: list[ToolFilterContext] = []

    async def only_add(context: ToolFilterContext, tool: Any) -> bool:
        seen.append(context)
        return bool(tool.name == "add")

    async with stdio(tool_filter=only_add) as server:
        agent = agent_of(server, model=ScriptedModel("hi"))
        await Runner.run(agent, "hi", context="mine")
    assert {(one.run_context.context, one.agent is agent, one.server_name) for one in seen} == {("mine", True, "sums")}


async def test_a_filter_that_raises_is_named() -> None:
    async with stdio(tool_filter=lambda context, tool: 1 / 0) as server:
        with pytest.raises(
            UserError, match=r"tool_filter of MCP server 'sums' raised ZeroDivisionError over tool 'add'"
        ):
            await names_for(agent_of(server))
        with pytest.raises(UserError, match="needs a run's context and an agent"):
            await server.list_tools()


@pytest.mark.parametrize("wrong", ["add", {"allowed": ["add"]}, {"allowed_tool_names": "add"}, 3])
def test_what_is_no_filter_is_refused(wrong: Any) -> None:
    with pytest.raises(UserError, match="MCP server 'sums': "):
        stdio(tool_filter=wrong)


async def of_agent(context: Any, agent: Any, tool: Any) -> bool:
    return agent.name == "a" and tool.name == "one"


@pytest.mark.parametrize(
    ("given", "waiting"),
    [
        (None, []),
        ("never", []),
        (False, []),
        ("always", ["one", "two"]),
        (True, ["one", "two"]),
        ({"one": "always", "two": "never"}, ["one"]),
        ({"two": True}, ["two"]),
        ({"always": {"tool_names": ["two"]}, "never": {"tool_names": ["one"]}}, ["two"]),
        (of_agent, ["one"]),
    ],
)
async def test_calls_wait_for_approval(given: Any, waiting: list[str]) -> None:
    server = Counted("one", "two", require_approval=given)
    model = ScriptedModel().reply(call("one"), call("two"))
    model.reply("done")
    result = await Runner.run(agent_of(server, model=model), "go")
    assert [item.name for item in result.interruptions] == waiting


async def test_an_approved_call_is_made_and_a_rejected_one_is_not() -> None:
    async with stdio(require_approval="always") as server:
        model = ScriptedModel().reply(call("add", a=1, b=1), call("add", a=2, b=2))
        agent = agent_of(server, model=model.reply("done"))
        state = (await Runner.run(agent, "go")).to_state()
        first, second = state.get_interruptions()
        state.approve(first)
        state.reject(second)
        result = await Runner.run(agent, state)
    assert (outputs(result)[0], result.final_output) == ("2", "done")
    assert outputs(result)[1] != "4"


@pytest.mark.parametrize("wrong", ["sometimes", 1, {"one": "maybe"}, {"always": {"tool_names": "one"}}])
def test_what_is_no_approval_policy_is_refused(wrong: Any) -> None:
    with pytest.raises(UserError, match=r"MCP server 'counted': require_approval"):
        Counted("one", require_approval=wrong)


async def test_two_servers_with_a_tool_of_one_name_are_both_named() -> None:
    with pytest.raises(UserError) as caught:
        await names_for(agent_of(Counted("find", name="docs"), Counted("find", name="web")))
    assert str(caught.value) == (
        "MCP servers 'docs' and 'web' both have a tool named 'find'. "
        'Use Agent(mcp_config={"include_server_in_tool_names": True}) to have the servers\' names in those of their '
        "tools, or leave one out by tool_filter."
    )


async def test_names_of_servers_tell_tools_apart() -> None:
    docs, web = Counted("find", name="docs"), Counted("find", name="the web!")
    model = ScriptedModel(call("mcp_the_web__find", x=1), "ok")
    config: Any = {"include_server_in_tool_names": True}
    await Runner.run(agent_of(docs, web, model=model, mcp_config=config), "go")
    assert model.requests[0].tools == ["mcp_docs__find", "mcp_the_web__find"]
    assert (docs.calls, web.calls) == ([], [("find", {"x": 1})])


async def test_names_that_the_api_does_not_take_are_changed_for_the_model() -> None:
    server = Counted("files.read", "x" * 100)
    model = ScriptedModel(call("files_read"), "ok")
    await Runner.run(agent_of(server, model=model), "go")
    assert [len(name) for name in model.requests[0].tools] == [10, 64]
    assert server.calls == [("files.read", {})]


async def test_schemas_become_strict_where_asked_for() -> None:
    loose = await agent_of(Counted("one")).get_mcp_tools(RunContextWrapper(None))
    strict = await agent_of(Counted("one"), mcp_config={"convert_schemas_to_strict": True}).get_mcp_tools(
        RunContextWrapper(None)
    )
    assert [tool.strict_json_schema for tool in (*loose, *strict)] == [False, True]  # type: ignore[union-attr]
    assert strict[0].params_json_schema["required"] == ["x"]  # type: ignore[union-attr]


async def test_other_contents_become_what_a_model_can_read() -> None:
    server = Counted("one")
    text = TextResourceContents(uri="file:///a.txt", text="a text")
    pdf = BlobResourceContents(uri="file:///b.pdf", mime_type="application/pdf", blob="AAAA")
    server.answer = CallToolResult(
        content=[
            EmbeddedResource(type="resource", resource=text),
            EmbeddedResource(type="resource", resource=pdf),
            AudioContent(type="audio", data="AAAA", mime_type="audio/wav"),
        ]
    )
    result = await Runner.run(agent_of(server, model=ScriptedModel(call("one"), "ok")), "go")
    assert outputs(result)[0] == [
        {"type": "input_text", "text": "a text"},
        {"type": "input_file", "file_data": "data:application/pdf;base64,AAAA", "filename": "b.pdf"},
        {"type": "input_text", "text": "[Audio: audio/wav, 3 bytes, not shown]"},
    ]


async def test_arguments_that_are_no_object_are_told_to_the_model() -> None:
    server = Counted("one")
    tool = MCPUtil.to_function_tool((await server.list_tools())[0], server, False)
    text = await tool.on_invoke_tool(RunContextWrapper(None), "[1]")  # type: ignore[arg-type]
    assert "Invalid JSON input for tool one: an object is needed (got '[1]')" in text
    assert server.calls == []


async def test_the_trace_tells_which_tools_a_server_has_and_which_call_went_to_it() -> None:
    from agentkit.tracing import TracingProcessor, add_trace_processor

    exported: list[dict[str, Any]] = []

    class Kept(TracingProcessor):
        def on_trace_start(self, trace: Any) -> None: ...
        def on_trace_end(self, trace: Any) -> None: ...
        def on_span_start(self, span: Any) -> None: ...
        def on_span_end(self, span: Any) -> None:
            exported.append(span.span_data.export())

        def shutdown(self) -> None: ...
        def force_flush(self) -> None: ...

    add_trace_processor(Kept())
    await Runner.run(agent_of(Counted("one"), model=ScriptedModel(call("one"), "ok")), "go")
    assert {"type": "mcp_tools", "server": "counted", "result": ["one"]} in exported
    assert [each["mcp_data"] for each in exported if each["type"] == "function"] == [{"server": "counted"}]


async def test_what_is_no_server_is_refused() -> None:
    with pytest.raises(UserError, match="str 'sums' is no MCP server"):
        await names_for(Agent(name="a", mcp_servers=["sums"]))


def test_importing_agentkit_or_its_mcp_servers_does_not_import_the_mcp_package() -> None:
    code = (
        "import sys, agentkit.mcp; sys.exit(any(n.split('.')[0] in ('mcp', 'mcp_types', 'anyio') for n in sys.modules))"
    )
    assert subprocess.run([sys.executable, "-c", code], timeout=60, check=False).returncode == 0


def test_a_missing_package_is_an_error_with_the_command_that_installs_it() -> None:
    code = (
        "import asyncio, sys\n"
        "sys.meta_path.insert(0, type('Gone', (), {'find_spec': staticmethod(\n"
        "    lambda name, path=None, target=None: (_ for _ in ()).throw(ModuleNotFoundError(name))\n"
        "    if name.split('.')[0] == 'mcp' else None)}))\n"
        "from agentkit.mcp import MCPServerStdio\n"
        "asyncio.run(MCPServerStdio(params={'command': 'x'}).connect())\n"
    )
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)
    assert ended.stderr.splitlines()[-1] == (
        "agentkit.exceptions.UserError: MCP servers need the mcp package, which isn't installed. "
        f"Run {install_command('mcp')}."
    )


async def test_tools_that_are_kept_for_an_agent_do_not_keep_the_agent() -> None:
    server = Counted("one", require_approval=of_agent)
    agent = agent_of(server)
    first, second = [(await agent.get_mcp_tools(RunContextWrapper(None)))[0] for _ in range(2)]
    gone = weakref.ref(agent)
    assert first is second
    del agent
    gc.collect()
    assert gone() is None


async def test_a_servers_tool_with_the_name_of_one_of_the_agents_own_is_named_with_its_server() -> None:
    docs, agent, context = Counted("find", name="docs"), agent_of(), RunContextWrapper(None)
    with pytest.raises(UserError) as caught:
        await MCPUtil.get_function_tools(docs, False, context, agent, reserved_tool_names={"find"})
    assert str(caught.value) == (
        "Agent 'a' and MCP server 'docs' both have a tool or handoff named 'find'. "
        'Use Agent(mcp_config={"include_server_in_tool_names": True}), or leave one out by tool_filter.'
    )
    (tool,) = await MCPUtil.get_function_tools(
        docs, False, context, agent, include_server_in_tool_names=True, reserved_tool_names={"find"}
    )
    assert tool.name == "mcp_docs__find"


async def test_each_call_carries_the_meta_that_a_function_makes_of_it() -> None:
    seen: list[MCPToolMetaContext] = []

    async def of_run(context: MCPToolMetaContext) -> dict[str, Any] | None:
        seen.append(context)
        assert context.arguments is not None
        context.arguments["x"] = 0  # of a copy
        return {"user": context.run_context.context} if len(seen) == 1 else None

    server = Counted("one", tool_meta_resolver=of_run)
    model = ScriptedModel(call("one", x=1), call("one", x=2), "ok")
    await Runner.run(agent_of(server, model=model), "go", context="ann")
    assert (server.calls, server.metas) == ([("one", {"x": 1}), ("one", {"x": 2})], [{"user": "ann"}, None])
    assert (seen[0].server_name, seen[0].tool_name) == ("counted", "one")


@pytest.mark.parametrize(
    ("resolver", "message"),
    [(lambda context: 1 / 0, "raised ZeroDivisionError over tool 'one'"), (lambda context: 3, "dict or None, not 3")],
)
async def test_a_function_for_the_meta_that_fails_is_told_and_nothing_is_called(resolver: Any, message: str) -> None:
    server = Counted("one", tool_meta_resolver=resolver)
    result = await Runner.run(agent_of(server, model=ScriptedModel(call("one"), "ok")), "go")
    assert message in outputs(result)[0]
    assert server.calls == []


async def test_a_server_of_ones_own_without_resources_says_so() -> None:
    with pytest.raises(NotImplementedError, match="'counted' is a Counted, which has no read_resource of its own"):
        await Counted().read_resource("file:///x")


def test_names_made_with_the_servers_are_those_of_the_openai_agents_sdk() -> None:
    from agentkit.mcp.function_tools import _prefixed

    assert [_prefixed("docs", "find"), _prefixed("the web!", "get.page")] == ["mcp_docs__find", "mcp_the_web__get_page"]
