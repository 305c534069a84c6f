"""Whom rehearsal-1 hands a request to. One row, one case."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest
from rehearsal_notation import HELPFUL, ask, called, handoff, tool, user

BY_LANGUAGE = "Handoff to the appropriate agent based on the language of the request."
LANGUAGES = [handoff("Spanish agent"), handoff("English agent"), handoff("French agent")]
HOMEWORK = "You determine which agent to use based on the user's homework question"
TUTORS = [
    handoff("History Tutor", "Specialist agent for historical questions"),
    handoff("Math Tutor", "Specialist agent for math questions"),
]
DESKS_TOLD = (
    "Help the user with their questions."
    "If they ask about booking, handoff to the booking agent."
    "If they ask about refunds, handoff to the refund agent."
)
DESKS = [handoff("Booking agent"), handoff("Refund agent")]
SHOP = [
    handoff("Billing", "Invoices, payments and subscriptions"),
    handoff("Tech support", "Helps with crashes, logins and installation"),
    handoff("Sales", "Prices, offers and new orders"),
]
REST_TOLD = "Send medical questions to the Doctor agent. Otherwise hand off to the Concierge agent."
REST = [handoff("Doctor", "Health questions"), handoff("Concierge", "Anything else")]
DEPARTMENTS = [
    handoff("Chef", "Recipes and cooking"),
    handoff("Coach", "Training plans and sports"),
    handoff("Lawyer", "Contracts and legal advice"),
]
WEATHER = tool("get_weather(city: str)", "Get the weather for a city.")


@dataclass(frozen=True)
class Row:
    says: str
    to: str | None
    handoffs: list[dict[str, Any]]
    told: str = HELPFUL
    tools: tuple[dict[str, Any], ...] = ()


MIXED = [handoff("French"), handoff("Billing", "Invoices, refunds")]

ROWS = [
    Row("Je voudrais de l'aide", "french", MIXED),
    Row("I want my money back", "billing", MIXED),
    Row("Hello", None, MIXED),
    Row("Hola, ¿cómo estás?", "spanish_agent", LANGUAGES, BY_LANGUAGE),
    Row("Hello, how are you?", "english_agent", LANGUAGES, BY_LANGUAGE),
    Row("Bonjour, comment allez-vous ?", "french_agent", LANGUAGES, BY_LANGUAGE),
    Row("Necesito ayuda con mi factura, por favor", "spanish_agent", LANGUAGES, BY_LANGUAGE),
    Row("J'ai perdu mon mot de passe", "french_agent", LANGUAGES, BY_LANGUAGE),
    Row("My laptop is broken", "english_agent", LANGUAGES, BY_LANGUAGE),
    Row("Wo ist der Bahnhof?", None, LANGUAGES, BY_LANGUAGE),
    Row("Guten Morgen, wie geht es Ihnen?", "german_agent", [handoff("German agent"), handoff("Italian agent")]),
    Row("Buongiorno, vorrei un caffè", "italian_agent", [handoff("German agent"), handoff("Italian agent")]),
    Row("今天天气怎么样？", "chinese_agent", [handoff("Chinese agent"), handoff("Japanese agent")], BY_LANGUAGE),
    Row("元気ですか", "japanese_agent", [handoff("Chinese agent"), handoff("Japanese agent")], BY_LANGUAGE),
    Row("who was the first president of the united states?", "history_tutor", TUTORS, HOMEWORK),
    Row("What is the capital of France?", "history_tutor", TUTORS, HOMEWORK),
    Row("solve 2x+3=11", "math_tutor", TUTORS, HOMEWORK),
    Row("what is the derivative of x^2", "math_tutor", TUTORS, HOMEWORK),
    Row("How did the Roman empire fall?", "history_tutor", TUTORS, HOMEWORK),
    Row("What's the area of a circle with radius 3?", "math_tutor", TUTORS, HOMEWORK),
    Row("what is life", None, TUTORS, HOMEWORK),
    Row("Hello", None, TUTORS, HOMEWORK),
    Row("I want to book a room for two nights", "booking_agent", DESKS, DESKS_TOLD),
    Row("I want my money back", "refund_agent", DESKS, DESKS_TOLD),
    Row("Hi there", None, DESKS, DESKS_TOLD),
    Row("I was charged twice this month", "billing", SHOP),
    Row("The app crashes when I log in", "tech_support", SHOP),
    Row("Do you have a discount for new customers?", "sales", SHOP),
    Row("My head hurts and I have a fever", "doctor", REST, REST_TOLD),
    Row("Where can I park?", "concierge", REST, REST_TOLD),
    Row("How long do I bake a lasagna?", "chef", DEPARTMENTS),
    Row("Can my landlord end the lease early?", "lawyer", DEPARTMENTS),
    Row("I want to run a marathon in spring", "coach", DEPARTMENTS),
    Row("What's the weather in Rome?", None, SHOP, tools=(WEATHER,)),
]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.says[:50])
def test_request_goes_to_the_agent_whose_it_is(row: Row) -> None:
    answer = ask(row.says, tools=[*row.tools, *row.handoffs], told=row.told)

    handed_to = [call.name.removeprefix("transfer_to_") for call in answer.calls if call.name.startswith("transfer")]
    assert handed_to == ([row.to] if row.to else [])


def test_next_agent_answers_the_request_itself() -> None:
    items = [
        user("Hola, ¿cómo estás?"),
        {"type": "function_call", "call_id": "1", "name": "transfer_to_spanish_agent", "arguments": "{}"},
        {"type": "function_call_output", "call_id": "1", "output": '{"assistant": "Spanish agent"}'},
    ]

    answer = ask(items, told="You only speak Spanish.")

    assert answer.text == "¡Hola! Estoy bien, gracias por preguntar. ¿En qué puedo ayudarte?"


def test_request_is_not_handed_back_and_forth() -> None:
    items = [
        user("I was charged twice"),
        {"type": "function_call", "call_id": "1", "name": "transfer_to_billing", "arguments": "{}"},
        {"type": "function_call_output", "call_id": "1", "output": '{"assistant": "Billing"}'},
    ]

    assert ask(items, tools=SHOP, told="You handle billing.").calls == ()


def test_one_handoff_at_a_time() -> None:
    answer = ask("I want a refund and to book a new room", tools=DESKS, told=DESKS_TOLD)

    assert len(answer.calls) == 1


def test_handoff_arguments_are_filled_from_the_request() -> None:
    escalate = handoff("Escalation agent", "Takes complaints")
    escalate["parameters"] = tool("x(reason: str)")["parameters"]

    answer = ask("I have a complaint: my parcel never arrived", tools=[escalate])

    assert [call.arguments for call in answer.calls] == ['{"reason": "I have a complaint: my parcel never arrived"}']


def test_next_agent_answers_the_request_itself_after_a_handoff_of_any_name() -> None:
    items = [user("What is 6 times 7?"), *called("escalate", '{"assistant": "Escalation agent"}')]

    answer = ask(items)

    assert answer.text == "6 × 7 = 42."


def test_a_handoff_that_was_taken_is_not_taken_again_whatever_its_name() -> None:
    escalate = {**handoff("Escalation agent", "Complaints"), "name": "escalate"}
    first = ask("I have a complaint", tools=[escalate])

    again = ask(
        [user("I have a complaint"), *called("escalate", '{"assistant": "Escalation agent"}')], tools=[escalate]
    )

    assert ([call.name for call in first.calls], again.calls) == (["escalate"], ())


def test_a_tool_that_answers_as_handoffs_do_is_a_tool_where_it_is_offered() -> None:
    duty = tool("get_duty()", "Get who is on duty.")

    answer = ask([user("Who is on duty?"), *called("get_duty", '{"assistant": "Ada"}')], tools=[duty])

    assert answer.text == "Duty: assistant Ada."
