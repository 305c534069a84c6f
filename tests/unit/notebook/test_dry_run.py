"""What a question would send, told and not sent."""

from __future__ import annotations

import io
import json
from typing import TYPE_CHECKING, Any

import pytest
from PIL import Image

from agentkit import Agent, UserError, pricing
from agentkit.notebook import last_run
from agentkit.notebook.dry_run import DryRun
from agentkit.notebook.token_estimate import TokenEstimate, estimate_tokens
from agentkit.testing import ScriptedModel

if TYPE_CHECKING:
    from conftest import Mistake, Run
    from IPython.core.interactiveshell import InteractiveShell

DEFINED = '''
from agentkit import Agent, ModelSettings, function_tool

@function_tool
def get_weather(city: str, days: int = 1) -> str:
    """Return the weather forecast of a city.

    Args:
        city: Its name.
        days: Days from today.
    """
    return f"Sunny in {city}."

def who(context, agent):
    asked.append(agent.name)
    return f"You help with the weather in {context.context['country']}."

asked = []
there = {"country": "Norway"}
clerk = Agent(name="clerk", handoff_description="Takes complaints.")
weather = Agent(name="weather", instructions=who, tools=[get_weather], handoffs=[clerk],
                model_settings=ModelSettings(temperature=0.5, extra_headers={"X-Key": "hunter2"}))
'''


@pytest.fixture
def defined(run: Run, loaded: InteractiveShell) -> InteractiveShell:
    """A shell with an agent `weather` of the embedded platform, a context `there`, and figures to send."""
    assert run(DEFINED).error is None
    buffer = io.BytesIO()
    Image.new("RGB", (640, 480)).save(buffer, "PNG")
    loaded.user_ns["picture"] = buffer.getvalue()
    return loaded


def dry(run: Run, options: str, text: str = "How is Oslo?") -> DryRun:
    cell = run(f"%ask weather --dry-run --context there {options} {text}")
    assert cell.error is None
    assert isinstance(cell.value, DryRun)
    return cell.value


def test_it_is_the_request_that_is_sent_then(run: Run, defined: InteractiveShell) -> None:
    request = dry(run, "--max-tokens 300")
    assert request.agent == "weather"
    assert request.model == "rehearsal-1"
    assert request.address == "POST http://agentkit.local/v1/responses"
    assert request.instructions == "You help with the weather in Norway."
    assert request.messages == [{"role": "user", "content": "How is Oslo?"}]
    assert [tool["name"] for tool in request.tools] == ["get_weather", "transfer_to_clerk"]
    assert request.settings == {"temperature": 0.5, "max_tokens": 300, "extra_headers": ["X-Key"]}
    assert request.body is not None
    assert request.body["instructions"] == request.instructions
    assert request.body["max_output_tokens"] == 300
    assert request.max_turns == 10


def test_nothing_is_sent_or_remembered(run: Run, defined: InteractiveShell) -> None:
    model = defined.user_ns["weather"].model = ScriptedModel("Hi.")
    request = dry(run, "--new")
    assert model.requests == []
    assert request.model == "scripted"
    assert (request.address, request.body) == ("", None)
    assert defined.user_ns["asked"] == ["weather"]
    assert list(run("%session list").value.conversations) == []
    with pytest.raises(UserError):
        last_run()


def test_what_the_session_holds_goes_along_and_new_leaves_it(run: Run, defined: InteractiveShell) -> None:
    run("%ask weather --context there How is Rome?")
    request = dry(run, "")
    assert request.messages[0] == {"role": "user", "content": "How is Rome?"}
    assert request.messages[-1] == {"role": "user", "content": "How is Oslo?"}
    assert request.earlier == len(request.messages) - 1
    assert dry(run, "--new").messages == [{"role": "user", "content": "How is Oslo?"}]
    assert dry(run, "--no-session").earlier == 0
    assert "How is Rome?" in run("%session show weather").value.items[0]["content"]


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ("", "How is Oslo?"),
        ("--new", "How will the weather be in Oslo, Bergen and Trondheim on the next three days? " * 20),
        ("--new --image picture", "What does this show?"),
        ("--new", '{"city": "Oslo", "days": [1, 2, 3], "units": {"temperature": "C"}} ' * 20),
    ],
    ids=["short", "long", "an image", "JSON"],
)
def test_its_tokens_are_near_those_that_the_platform_reports(
    run: Run, defined: InteractiveShell, options: str, text: str
) -> None:
    defined.user_ns.update(text=text)
    estimate = dry(run, options, "{{text}}").input_tokens
    run(f"%ask weather --context there {options} {{{{text}}}}")
    first, *_ = last_run().raw_responses
    assert estimate == pytest.approx(first.usage.input_tokens, rel=0.2)


def test_cost_is_that_of_the_list_price(run: Run, defined: InteractiveShell) -> None:
    request = dry(run, "--model gpt-5.1 --max-tokens 1000 --budget 0.5")
    price = pricing.price_of("gpt-5.1")
    assert price is not None
    assert request.cost_usd == price.cost_usd(request.input_tokens, 0)
    assert request.most_usd == price.cost_usd(request.input_tokens, 1_000)
    assert request.budget_usd == 0.5
    assert dry(run, "--model gpt-5.1").most_usd is None
    assert dry(run, "--model my-own-llm").cost_usd is None
    assert dry(run, "").cost_usd == 0


def test_it_is_shown_with_the_figures_first(run: Run, defined: InteractiveShell) -> None:
    defined.user_ns["weather"].tools = defined.user_ns["weather"].handoffs = []
    shown = dry(run, "--model gpt-5.1 --max-tokens 1000 --image picture")._repr_mimebundle_()
    assert shown["text/plain"].splitlines() == [
        "Nothing was sent.",
        "weather · gpt-5.1 · POST http://agentkit.local/v1/responses",
        f"about 446 input tokens · $0.0006 at the list price of {pricing.prices_date()} for one model call; "
        "at most $0.0106 with its longest answer",
        "at most 10 model calls · temperature=0.5 · max_tokens=1000 · extra_headers=['X-Key']",
        "",
        "Instructions",
        "  You help with the weather in Norway.",
        "",
        "Messages (1)",
        "  user: How is Oslo?",
        f"  [image: image/png, {len(defined.user_ns['picture'])} bytes]",
    ]
    assert "hunter2" not in shown["text/html"]
    assert shown["text/html"].index("Nothing was sent") < shown["text/html"].index("The whole request")


def test_what_it_shows_does_nothing(run: Run, defined: InteractiveShell) -> None:
    key = "sk-proj-" + "a1B2" * 12
    request = dry(run, "", f"<script>alert(1)</script> {key}")
    for shown in request._repr_mimebundle_().values():
        assert key not in shown
        assert key[:24] not in shown
    assert "<script" not in request._repr_mimebundle_()["text/html"]
    assert key in json.dumps(request.body)


def test_settings_count_as_in_a_run(run: Run, defined: InteractiveShell) -> None:
    run("%config AgentKit.max_turns = 3\n")
    try:
        assert dry(run, "").max_turns == 3
        assert dry(run, "--max-turns 7").max_turns == 7
    finally:
        run("%config AgentKit.max_turns = None\n")


def test_a_file_is_told_not_to_be_counted(run: Run, defined: InteractiveShell) -> None:
    defined.user_ns["paper"] = b"%PDF-1.7\n"
    request = dry(run, "--file paper")
    assert request.estimate.uncounted == 1
    assert "tokens, without 1 file that can't be counted" in request._repr_mimebundle_()["text/plain"]


def test_out_gets_what_would_be_sent(run: Run, defined: InteractiveShell) -> None:
    request = dry(run, "--out d")
    assert defined.user_ns["d"] is request


def test_what_could_not_begin_is_one_line(mistake: Mistake, defined: InteractiveShell) -> None:
    defined.user_ns["twice"] = Agent(name="twice")
    defined.user_ns["twice"].tools = [defined.user_ns["get_weather"]] * 2
    assert "two tools or handoffs named 'get_weather'" in mistake("%ask twice --dry-run hi")


@pytest.mark.parametrize(
    ("items", "expected"),
    [
        ([{"role": "user", "content": "How is Oslo?"}], TokenEstimate(8)),
        ([{"role": "user", "content": "東" * 100}], TokenEstimate(79)),
        ([{"role": "user", "content": "погода " * 10}], TokenEstimate(25)),
        ([{"role": "user", "content": "2026-11-21, 3.14159\n"}], TokenEstimate(16)),
        ([{"role": "user", "content": ""}], TokenEstimate(4)),
        ([{"role": "assistant", "content": [{"type": "output_text", "text": "It is sunny."}]}], TokenEstimate(8)),
        ([{"role": "user", "content": [{"type": "input_image", "image_url": "https://a/b.png"}]}], TokenEstimate(4, 1)),
        ([{"role": "user", "content": [{"type": "input_image", "image_url": "data:,x", "detail": "low"}]}],
         TokenEstimate(89)),
        ([{"role": "user", "content": [{"type": "input_file", "file_id": "f"}]}], TokenEstimate(4, 1)),
        ([{"type": "function_call", "name": "add", "arguments": '{"a": 1}'}], TokenEstimate(11)),
        ([{"type": "function_call_output", "call_id": "c", "output": "Sunny."}], TokenEstimate(6)),
    ],
)  # fmt: skip
def test_items_are_estimated(items: list[dict[str, Any]], expected: TokenEstimate) -> None:
    assert estimate_tokens(None, items) == expected
