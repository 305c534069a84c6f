"""The documentation's examples of tools, handoffs, guardrails and context."""

from __future__ import annotations

import json

from running_examples import Run
from scripted_server import ScriptedServer, call, message


def test_hosted_tools(run: Run, server: ScriptedServer) -> None:
    found = {"type": "web_search_call", "status": "completed", "action": {"type": "search", "query": "weather SF"}}
    filed = {"type": "file_search_call", "status": "completed", "queries": ["coffee"], "results": None}
    cited = {"type": "url_citation", "start_index": 0, "end_index": 4, "url": "https://x.example", "title": "X"}
    server.reply(found, filed, message("Cafe Terrasse", cited))
    assert run("tools/hosted_tools").lines == [
        "Cafe Terrasse",
        "['tool_call_item', 'tool_call_item', 'message_output_item']",
    ]
    sent = server.requests[0]
    web, files = sent["tools"]
    assert web["type"] == "web_search"
    assert (web["search_context_size"], web["user_location"]["city"]) == ("low", "San Francisco")
    assert files == {"type": "file_search", "vector_store_ids": ["VECTOR_STORE_ID"], "max_num_results": 3}
    assert sent["include"] == ["file_search_call.results"]


def test_code_interpreter(run: Run, server: ScriptedServer) -> None:
    ran = {
        "type": "code_interpreter_call",
        "status": "completed",
        "code": "print(1)",
        "container_id": "c",
        "outputs": [],
    }
    server.reply(ran, "It is 1.")
    assert run("tools/code_interpreter").lines == ["Code interpreter code:", "print(1)", "Final output: It is 1."]
    assert server.requests[0]["tools"] == [{"type": "code_interpreter", "container": {"type": "auto"}}]


def test_image_generation(run: Run, server: ScriptedServer) -> None:
    server.reply({"type": "image_generation_call", "status": "completed", "result": "aGVsbG8="}, "There.")
    assert run("tools/image_generation").lines == ["There.", "b'hello'"]
    assert server.requests[0]["tools"] == [{"type": "image_generation", "quality": "low"}]


def test_hosted_mcp(run: Run, server: ScriptedServer) -> None:
    listed = {"type": "mcp_list_tools", "server_label": "gitmcp", "tools": []}
    called = {"type": "mcp_call", "server_label": "gitmcp", "name": "read", "arguments": "{}", "output": "Rust"}
    server.reply(listed, called, "Rust")
    assert run("tools/hosted_mcp").lines == [
        "Rust",
        "['mcp_list_tools_item', 'tool_call_item', 'message_output_item']",
    ]
    assert server.requests[0]["tools"][0]["server_url"] == "https://mcp.example/codex"


def test_hosted_mcp_with_a_function_that_approves(run: Run, server: ScriptedServer) -> None:
    wants = {"type": "mcp_approval_request", "server_label": "gitmcp", "arguments": "{}"}
    server.reply(
        {**wants, "id": "mcpr_1", "name": "read_project_metadata"}, {**wants, "id": "mcpr_2", "name": "delete"}
    )
    server.reply("Rust")
    assert run("tools/hosted_mcp_approval").lines == ["Rust"]
    answers = {item["approval_request_id"]: item for item in server.requests[1]["input"] if "approve" in item}
    assert {name: item["approve"] for name, item in answers.items()} == {"mcpr_1": True, "mcpr_2": False}
    assert answers["mcpr_2"]["reason"] == "Escalate to a human reviewer"


def test_computer(run: Run, server: ScriptedServer) -> None:
    click = {"type": "click", "button": "left", "x": 156, "y": 50}
    step = {"type": "computer_call", "status": "completed", "pending_safety_checks": []}
    server.reply({**step, "action": click}).reply({**step, "action": {"type": "type", "text": "sports"}}).reply("Done")
    assert run("tools/computer").lines == [
        "[('click', 156, 50, 'left'), ('type', 'sports')]",
        "['tool_call_item', 'tool_call_output_item', 'tool_call_item', 'tool_call_output_item', 'message_output_item']",
        "Done",
    ]
    first, second, _ = server.requests
    assert first["tools"] == [
        {"type": "computer_use_preview", "environment": "browser", "display_width": 1024, "display_height": 768}
    ]
    assert first["truncation"] == "auto"
    shown = second["input"][-1]
    assert (shown["type"], shown["output"]["image_url"]) == ("computer_call_output", "data:image/png;base64,aGVsbG8=")


def test_function_tools_and_their_schemas(run: Run) -> None:
    weather, data = run("tools/function_tools").printed.strip().split("\n\n")
    name, description, schema = weather.split("\n", 2)
    assert (name, description) == ("fetch_weather", "Fetch the weather for a given location.")
    location = json.loads(schema)["properties"]["location"]
    assert location["description"] == "The location to fetch the weather for."
    name, description, schema = data.split("\n", 2)
    assert (name, description) == ("fetch_data", "Read the contents of a file.")
    properties = json.loads(schema)["properties"]
    assert {key: value["description"] for key, value in properties.items()} == {
        "path": "The path to the file to read.",
        "directory": "The directory to read the file from.",
    }


def test_a_function_tool_by_hand(run: Run) -> None:
    assert run("tools/custom_function_tool").lines == ["['done: Ada is 36 years old']"]


def test_docstring_styles(run: Run) -> None:
    assert run("tools/docstring_styles").lines == [
        "Return the weather. / Where, in google's style.",
        "Return the weather. / Where, in sphinx's style.",
        "Return the weather. / Where, in numpy's style.",
        "Said otherwise / None",
    ]


def test_constrained_arguments(run: Run) -> None:
    wanted = {"description": "Score from 0 to 100", "maximum": 100, "minimum": 0, "title": "Score", "type": "integer"}
    assert run("tools/constrained_arguments").lines == [str(wanted), str(wanted)]


def test_agents_as_tools(run: Run) -> None:
    assert run("tools/agents_as_tools").lines == [
        "['translate_to_spanish']",
        "Hola, ¿cómo estás?",
        "['translate_to_spanish', 'translate_to_french']",
        "Buenos días. Bonjour.",
    ]


def test_an_agent_run_inside_a_tool(run: Run) -> None:
    assert run("tools/agent_run_in_a_tool").lines == ["['6 × 7 = 42.']"]


def test_a_custom_output_extractor(run: Run) -> None:
    assert run("tools/custom_output_extractor").lines == ["""['{"inhabitants": 709000}']""", "['{}']"]


def test_conditional_tools(run: Run) -> None:
    assert run("tools/conditional_tools").lines == [
        "french_spanish ['respond_spanish', 'respond_french']",
        "['respond_spanish', 'respond_french']",
        "spanish_only ['respond_spanish']",
        "['respond_spanish']",
    ]


def test_the_stream_of_an_agent_as_tool(run: Run) -> None:
    assert run("tools/nested_stream").lines == [
        "[('Billing agent', 'tool_called'), ('Billing agent', 'tool_output'), "
        "('Billing agent', 'message_output_created')]"
    ]


def test_structured_input_of_an_agent_as_tool(run: Run) -> None:
    names, calls = run("tools/structured_agent_input").lines
    assert names == "['source', 'target', 'text']"
    assert calls == """['{"text": "Good morning", "source": "English", "target": "Spanish"}']"""


def test_the_agent_is_told_its_structured_input_and_the_schema(run: Run, server: ScriptedServer) -> None:
    server.reply(call("translate_text", text="Hi", source="English", target="Spanish")).reply("Hola").reply("Hola!")
    run("tools/structured_agent_input")
    told = json.dumps(server.requests[1]["input"], ensure_ascii=False)
    assert all(part in told for part in ("Hi", "English", "Spanish", "Target language."))


def test_errors_of_tools(run: Run) -> None:
    failed, told, default, raised = run("tools/error_handling").lines
    assert failed.endswith("Could not retrieve profile for user_id: user_456. API returned an error.")
    assert told == "['An internal server error occurred. Please try again later.']"
    assert default == "['An error occurred while running the tool. Please try again. Error: No orders of user_456']"
    assert raised == "raised: UserError, caused by No secrets of user_456"


def test_timeouts_of_tools(run: Run) -> None:
    default, own, raised = run("tools/timeouts").lines
    assert "slow_lookup" in default
    assert own == "['The lookup took too long. Try a smaller range.']"
    assert raised == "ToolTimeoutError slow_count 0.05"


def test_structured_outputs_of_tools(run: Run, server: ScriptedServer) -> None:
    server.reply(call("fetch_image"), call("fetch_report"), call("fetch_both")).reply("A bridge")
    assert run("tools/structured_outputs_of_tools").lines[-1] == "A bridge"
    url = "https://images.example/bridge.jpg"
    image, report, both = [item["output"] for item in server.requests[1]["input"][-3:]]
    assert image == [{"type": "input_image", "image_url": url, "detail": "high"}]
    assert report == [{"type": "input_text", "text": "Here it is"}, {"type": "input_file", "file_id": "file_123"}]
    assert [(part["type"], part["image_url"]) for part in both] == [("input_image", url)]


def test_the_context_of_a_tool_call(run: Run) -> None:
    assert run("tools/tool_context").lines == ['get_weather {"city": "Rome"} True °C Weather', "17 °C in Rome."]


def test_handoffs_by_agent_and_by_object(run: Run) -> None:
    assert run("handoffs/basic").lines == [
        "transfer_to_refund_agent / Handoff to the Refund agent agent to handle the request.",
        "transfer_to_billing_agent",
        "Refund agent",
        "Billing agent",
    ]


def test_a_handoff_of_ones_own_making(run: Run) -> None:
    assert run("handoffs/customised").lines == ["Handoff called", "['custom_handoff_tool']", "My agent"]


def test_a_handoff_with_input(run: Run) -> None:
    called, name = run("handoffs/with_input").lines
    assert called.startswith("Escalation agent called with reason: ")
    assert "the parcel arrived broken" in called
    assert name == "Escalation agent"


def test_input_filters_of_handoffs(run: Run, server: ScriptedServer) -> None:
    for _ in range(2):
        server.reply(call("get_weather", city="Oslo")).reply(call("transfer_to_faq_agent")).reply("Yes")
    assert run("handoffs/input_filter").lines == ["Yes", "Yes"]
    seen = [[item["content"] for item in server.requests[number]["input"]] for number in (2, 5)]
    assert seen == [["One", "Two"], ["Two"]]


def test_an_input_filter_for_all_handoffs_of_a_run(run: Run, server: ScriptedServer) -> None:
    server.reply(call("transfer_to_faq_agent")).reply("Yes")
    run("handoffs/run_filter")
    assert server.requests[1]["input"] == [{"role": "user", "content": "A question"}]


def test_nested_history(run: Run, server: ScriptedServer) -> None:
    server.reply(call("transfer_to_second")).reply("Nothing")
    assert run("handoffs/nested_history").lines == ["Nothing"]
    (told,) = server.requests[1]["input"]
    assert told["role"] == "assistant"
    assert "What is new?" in told["content"]
    assert "<CONVERSATION HISTORY>" in told["content"]


def test_the_recommended_prompt(run: Run) -> None:
    assert run("handoffs/prompt").lines == ["True", "True"]


def test_a_handoff_that_is_enabled_by_the_context(run: Run) -> None:
    assert run("handoffs/enabled").lines == ["Refund agent", "Triage agent"]


def test_an_input_guardrail_trips_on_homework_and_on_nothing_else(run: Run) -> None:
    assert run("guardrails/input").lines == ["Math homework guardrail tripped", "[False]"]


def test_an_output_guardrail_trips(run: Run) -> None:
    assert run("guardrails/output").lines == ["Math output guardrail tripped"]


def test_a_guardrail_before_the_model(run: Run) -> None:
    assert run("guardrails/blocking").lines == ["no shouting {'shouted': True} []", "no_shouting_either None []"]


def test_a_guardrail_of_a_streamed_run(run: Run) -> None:
    assert run("guardrails/streamed").lines == ["tripped: homework True", "[True]"]


def test_guardrails_of_tools(run: Run) -> None:
    assert run("guardrails/tools").lines == [
        "['hello world: 11 characters']",
        "1 1",
        "['Remove secrets before calling this tool.']",
        "1 0",
        "['Output contained sensitive data.']",
        "1 1",
        "tripped: block_secrets {'word': 'bomb'}",
    ]


def test_local_context(run: Run) -> None:
    assert run("context/local_context").lines == ["User John is 47 years old."]


def test_the_context_is_not_sent_to_the_model(run: Run, server: ScriptedServer) -> None:
    server.reply(call("fetch_user_age")).reply("47")
    run("context/local_context")
    assert "John" not in json.dumps(server.requests[0])
