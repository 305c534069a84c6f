"""The documentation's examples of running agents, their results and their streams."""

from __future__ import annotations

from running_examples import Run
from scripted_server import ScriptedServer, call

import agentkit


def test_run_config(run: Run) -> None:
    assert run("running/run_config").lines == [
        "6 × 7 = 42.",
        "['What is 6 times 7?', '6 × 7 = 42.']",
        "['input seen', 'output seen']",
    ]
    (traced,) = agentkit.traces().to_dict("records")
    assert (traced["workflow"], traced["group_id"]) == ("Sums", "thread_1")


def test_run_config_comes_before_the_agent(run: Run, server: ScriptedServer) -> None:
    server.reply("42")
    run("running/run_config")
    sent = server.requests[0]
    assert (sent["model"], sent["temperature"], sent["top_p"]) == ("gpt-4o", 0.2, 0.5)


def test_a_conversation_by_hand(run: Run) -> None:
    assert run("running/manual_conversation").lines[-1] == "Your name is Ada."


def test_two_runs_in_one_trace(run: Run) -> None:
    run("running/manual_conversation")
    assert [(row["workflow"], row["group_id"]) for row in agentkit.traces().to_dict("records")] == [
        ("Conversation", "thread_123")
    ]


def test_a_conversation_in_a_session(run: Run) -> None:
    assert run("running/session_conversation").lines[-1] == "Your name is Ada."


def test_a_conversation_by_response_id(run: Run) -> None:
    assert run("running/previous_response_id").lines[-1] == "Your name is Ada."


def test_only_what_is_new_is_sent_after_a_response_id(run: Run, server: ScriptedServer) -> None:
    server.reply("Noted").reply("Ada")
    run("running/previous_response_id")
    assert [(len(sent["input"]), sent.get("previous_response_id")) for sent in server.requests] == [
        (1, None),
        (1, "resp_1"),
    ]


def test_a_conversation_that_the_platform_keeps(run: Run, server: ScriptedServer) -> None:
    server.reply("San Francisco").reply("California")
    assert run("running/conversation_id").lines == ["San Francisco", "California"]
    assert [(len(sent["input"]), sent["conversation"]) for sent in server.requests] == [(1, "conv_1"), (1, "conv_1")]


def test_exceptions_carry_the_run(run: Run) -> None:
    assert run("running/exceptions").lines == [
        "True after ['tool_call_item', 'tool_call_output_item']",
        "Weather was asked: How is the weather in Oslo?",
        "True",
    ]


def test_an_answer_of_another_type_is_the_models_error(run: Run, server: ScriptedServer) -> None:
    server.reply("many")
    assert run("running/invalid_output").lines == ["ModelBehaviorError 1"]


def test_a_handler_ends_a_run_of_too_many_turns(run: Run) -> None:
    assert run("running/max_turns_handler").lines == [
        "I couldn't finish within the turn limit. Please narrow the request.",
        "['function_call', 'function_call_output']",
    ]


def test_a_filter_of_the_models_input(run: Run, server: ScriptedServer) -> None:
    server.reply("Quines print themselves.")
    assert run("running/call_model_input_filter").lines == ["Quines print themselves.", "10"]
    assert [item["content"] for item in server.requests[0]["input"]] == [
        *(f"Message {number}" for number in range(4, 8)),
        "Explain quines",
    ]
    assert server.requests[0]["instructions"] == "Answer questions. Be brief."


def test_input_as_items(run: Run) -> None:
    assert run("running/input_items").lines == ["Your favourite colour is green."]


def test_an_image_as_input(run: Run, server: ScriptedServer) -> None:
    server.reply("A bridge")
    assert run("running/image_input").lines == ["A bridge"]
    assert server.requests[0]["input"][0]["content"][0]["type"] == "input_image"


def test_a_tool_that_is_not_there_is_told_to_the_model(run: Run, server: ScriptedServer) -> None:
    server.reply(call("get_wether", city="Oslo")).reply("Sorry")
    assert run("running/tool_not_found").lines == ["Sorry"]
    output = server.requests[1]["input"][-1]["output"]
    assert output == "Tool 'get_wether' is not available. Choose one of the listed tools."


def test_results(run: Run) -> None:
    assert run("results/results").lines == [
        "True How is the weather in Rome?",
        "handoff call: transfer_to_weather_agent",
        "handoff output: Triage agent -> Weather agent",
        'tool call: get_weather {"city": "Rome"}',
        "tool output: It is sunny in Rome. function_call_output",
        "message: It is sunny in Rome.",
        "last agent: Weather agent",
        "responses: 3 True",
        "guardrails: [] []",
        "next input: ['user', 'function_call', 'function_call_output', 'function_call', 'function_call_output', "
        "'message']",
        "Weather agent / It is sunny in Oslo.",
    ]


def test_the_final_output_as_a_type(run: Run) -> None:
    assert run("results/final_output_as").lines == ["Ada 36", "True", "TypeError"]


def test_text_is_streamed_piece_by_piece(run: Run) -> None:
    assert [line[:2] for line in run("streaming/raw_events").lines] == ["1.", "2.", "3.", "4.", "5."]


def test_items_are_streamed(run: Run) -> None:
    lines = run("streaming/item_events").lines
    assert lines[:5] == [
        "=== Run starting ===",
        "Agent updated: Joker",
        "-- Tool was called",
        "-- Tool output: 3",
        "-- Message output:",
    ]
    assert [line.strip()[:2] for line in lines[5:-1]] == ["1.", "2.", "3."]
    assert lines[-1] == "=== Run complete ==="


def test_names_and_order_of_streamed_items(run: Run) -> None:
    assert run("streaming/event_names").lines == [
        "False Triage agent",
        "agent: Triage agent",
        "handoff_requested handoff_call_item",
        "handoff_occured handoff_output_item",
        "agent: Weather agent",
        "tool_called tool_call_item",
        "tool_output tool_call_output_item",
        "message_output_created message_output_item",
        "True Weather agent 3 It is sunny in Rome.",
    ]


def test_a_stream_is_cancelled_after_the_turn_and_at_once(run: Run) -> None:
    after_turn, went_on, at_once = run("streaming/cancel").lines
    assert after_turn == "['Rome'] True ['tool_call_item', 'tool_call_output_item'] 1"
    assert went_on == "It is sunny in Rome."
    assert at_once == "1 True None"


def test_arguments_are_streamed(run: Run) -> None:
    assert run("streaming/function_arguments").lines == ['{"filename": "notes.txt", "content": "hello there"}']
