"""The documentation's examples of agents."""

from __future__ import annotations

from running_examples import Run
from scripted_server import ScriptedServer


def test_basic_configuration(run: Run) -> None:
    calls, *haiku = run("agents/basic_configuration").lines
    assert calls == "['The weather in Oslo is sunny']"
    assert len(haiku) == 3


def test_settings_go_to_the_model(run: Run, server: ScriptedServer) -> None:
    server.reply("So it is")
    run("agents/basic_configuration")
    sent = server.requests[0]
    assert {key: sent[key] for key in ("model", "temperature", "top_p", "instructions")} == {
        "model": "o3-mini",
        "temperature": 0.7,
        "top_p": 0.9,
        "instructions": "Always respond in haiku form",
    }


def test_tools_reach_the_context(run: Run) -> None:
    assert run("agents/context").lines == ["lamp for 20.5, desk for 140."]


def test_an_output_type_is_filled(run: Run) -> None:
    assert run("agents/output_type").lines == ["CalendarEvent ['Alice', 'Bob'] Friday"]


def test_any_type_of_output(run: Run) -> None:
    assert run("agents/output_type_kinds").lines == [
        "Person(name='Ada', age=36)",
        "['apples', 'bread', 'milk']",
        "{'city': 'Oslo'}",
        "42",
        "2.5",
    ]


def test_a_schema_that_is_not_strict(run: Run) -> None:
    first, *rest = run("agents/output_schema_not_strict").lines
    assert first.startswith("UserError: ")
    assert rest == ["False False", "dict"]


def test_handoffs_by_what_is_asked(run: Run) -> None:
    assert run("agents/handoffs").lines == ["Booking agent", "Refund agent", "Triage agent"]


def test_a_manager_keeps_the_conversation(run: Run) -> None:
    assert run("agents/manager").lines == ["['refund_expert']", "Customer-facing agent"]


def test_dynamic_instructions_sync_and_async(run: Run) -> None:
    assert run("agents/dynamic_instructions").lines == ["Your name is Ada.", "Your name is Ada."]


def test_hooks_of_agents(run: Run) -> None:
    assert run("agents/agent_hooks").lines == [
        "(Start) 1: Start Agent started",
        "(Start) 2: Start Agent handed off to Multiply Agent",
        "(Multiply) 1: Multiply Agent started",
        "(Multiply) 2: Multiply Agent started multiply_by_two",
        "(Multiply) 3: Multiply Agent ended multiply_by_two with 42",
        "(Multiply) 4: Multiply Agent ended with 'The result is 42.'",
        "Multiply Agent",
    ]


def test_hooks_of_a_run(run: Run) -> None:
    assert run("agents/run_hooks").lines == [
        "### 1: Agent Start agent started after 0 requests",
        "### 2: LLM started with 'Send weather questions to the weather agent.'",
        "### 3: LLM ended with 1 item",
        "### 4: Handoff from Start agent to Weather agent",
        "### 5: Agent Weather agent started after 1 requests",
        "### 6: LLM started with 'Tell the weather.'",
        "### 7: LLM ended with 1 item",
        "### 8: Tool get_weather started",
        "### 9: Tool get_weather ended with 'It is sunny in Rome.'",
        "### 10: LLM started with 'Tell the weather.'",
        "### 11: LLM ended with 1 item",
        "### 12: Agent Weather agent ended with 'It is sunny in Rome.' after 3 requests",
    ]


def test_a_clone_has_its_changes_and_the_rest(run: Run) -> None:
    assert run("agents/clone").lines == [
        "Pirate / Write like a pirate",
        "Robot / Write like a robot / o3-mini",
        "Robot",
    ]


def test_a_tool_is_forced(run: Run) -> None:
    named, required, none, auto = run("agents/forcing_tool_use").lines
    assert named.startswith("get_time ['get_time'")  # what follows once the choice is lifted is the model's affair
    assert (required, none, auto) == ("required ['get_weather']", "none []", "auto ['get_weather']")


def test_a_forced_choice_is_lifted_after_the_call(run: Run, server: ScriptedServer) -> None:
    for _ in range(4):
        server.reply({"type": "function_call", "name": "get_time", "arguments": '{"city": "Oslo"}'}).reply("Noon.")
    run("agents/forcing_tool_use")
    choices = [sent.get("tool_choice") for sent in server.requests]
    assert choices[:4] == [{"type": "function", "name": "get_time"}, None, "required", None]


def test_the_first_tool_ends_the_run(run: Run) -> None:
    assert run("agents/stop_on_first_tool").lines == [
        "The weather in Oslo is sunny",
        "1 ['tool_call_item', 'tool_call_output_item']",
    ]


def test_named_tools_end_the_run(run: Run) -> None:
    assert run("agents/stop_at_tools").lines == ["1 The weather in Oslo is sunny", "2 The sum of 2 and 3 is 5."]


def test_a_function_ends_the_run(run: Run) -> None:
    assert run("agents/tool_use_function").lines == [
        "1 Final weather: The weather in Oslo is sunny",
        "2 The weather in Bergen is rainy.",
    ]


def test_a_stored_prompt_is_named_to_the_model(run: Run, server: ScriptedServer) -> None:
    server.reply("Done")
    assert run("agents/prompt_template").lines == ["Done"]
    assert server.requests[0]["prompt"] == {"id": "pmpt_123", "version": "1", "variables": {"poem_style": "haiku"}}


def test_a_function_makes_the_stored_prompt(run: Run, server: ScriptedServer) -> None:
    server.reply("Done")
    run("agents/dynamic_prompt")
    assert server.requests[0]["prompt"]["variables"] == {"poem_style": "limerick"}
