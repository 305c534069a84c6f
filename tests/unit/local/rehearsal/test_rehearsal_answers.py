"""What rehearsal-1 says. One row, one case."""

from __future__ import annotations

from typing import Any

import pytest
from rehearsal_notation import HELPFUL, Case, ask, assistant, called, run, tool, user

from agentkit.local.engines.rehearsal import RehearsalEngine

WEATHER = tool("get_weather(city: str)")
ADD = tool("add(a: int, b: int)", "Add two numbers.")

SAID = [
    # results
    Case(
        "What's the weather in Tokyo?",
        answer="The weather in Tokyo is sunny.",
        tools=[WEATHER],
        returns={"get_weather": "sunny"},
    ),
    Case(
        "What's the weather in Tokyo?",
        answer="Tokyo: temperature 20, conditions rain.",
        tools=[WEATHER],
        returns={"get_weather": {"temperature": 20, "conditions": "rain"}},
    ),
    Case(
        "weather in Tokyo and Rome?",
        answer="The weather in Tokyo is dry. The weather in Rome is dry.",
        tools=[WEATHER],
        returns={"get_weather": "dry"},
    ),
    Case("What is 2 + 3?", answer="The sum of 2 and 3 is 5.", tools=[ADD], returns={"add": 5}),
    Case(
        "What is 2 + 3?",
        answer="`add` failed: Error: out of numbers.",
        tools=[ADD],
        returns={"add": "Error: out of numbers"},
    ),
    Case(
        "Wie ist das Wetter in Berlin?",
        answer="Für Berlin: sonnig.",
        tools=[WEATHER],
        returns={"get_weather": "sonnig"},
    ),
    Case(
        "Send the report to bob@example.com",
        answer="Done: `send_report` says “sent”.",
        tools=[tool("send_report(email: str)", "Send the report.")],
        returns={"send_report": "sent"},
    ),
    Case(
        "Show me the open tasks",
        answer="- title Write, done false\n- title Read, done true",
        tools=[tool("list_tasks()", "List open tasks.")],
        returns={"list_tasks": [{"title": "Write", "done": False}, {"title": "Read", "done": True}]},
    ),
    # languages
    Case(
        "Hola, ¿cómo estás?",
        answer="¡Hola! Estoy bien, gracias por preguntar. ¿En qué puedo ayudarte?",
        told="You only speak Spanish.",
    ),
    Case("Good morning!", answer="¡Hola! ¿En qué puedo ayudarte?", told="You only speak Spanish."),
    Case("Bonjour", answer="Bonjour ! Comment puis-je vous aider ?"),
    Case("你好", answer="你好！有什么可以帮您？"),
    Case("Hello, how are you?", answer="Hola, ¿cómo estás?", told="You translate the user's message to Spanish"),
    Case("Good night!", answer="Bonne nuit!", told="You translate the user's message to French"),
    Case(
        "The cat sat down",
        answer="so I can't translate “The cat sat down” into Spanish",
        told="You translate to Spanish",
    ),
    Case(
        "What's 12 + 30? Then tell me a joke.",
        answer="The sum of 12 and 30 is 42.\n\nWhy did the loop",
        tools=[ADD],
        returns={"add": 42},
    ),
    # arithmetic without a tool
    Case("What is 12*7?", answer="12 × 7 = 84."),
    Case("How much is 15% of 80?", answer="15 % × 80 = 12."),
    Case("What is twenty-one plus four?", answer="21 + 4 = 25."),
    Case("solve 2x+3=11", answer="1. 2x+3 = 11\n2. 2x = 8\n3. x = 4\n\n**x = 4**"),
    # what was told
    Case("What's my name?", answer="Your name is Ada.", told="The user's name is Ada. Help them with their questions."),
    Case("How old is the user?", answer="47", told="The user John is 47 years old"),
    Case(
        [user("My name is Ada and I live in Oslo."), assistant("Hello Ada."), user("What is my name?")],
        answer="Your name is Ada.",
    ),
    Case(
        [user("My name is Ada and I live in Oslo."), assistant("Hello Ada."), user("Where do I live?")], answer="Oslo."
    ),
    Case(
        [user("My favourite colour is blue."), assistant("Noted."), user("What's my favourite colour?")],
        answer="Your favourite colour is blue.",
    ),
    # itself
    Case("Who are you?", answer="I am rehearsal-1, an offline rehearsal model"),
    Case("What is deep sea mining?", answer="“What is deep sea mining?”"),
    Case("What city is the Golden Gate Bridge in?", answer="I can't answer that", told="Reply very concisely."),
    Case("", answer="You sent no text", told=""),
    Case(
        [{"role": "user", "content": [{"type": "input_image", "image_url": "data:,"}]}], answer="I can't look at images"
    ),
    # form
    Case("What is 2+2?", answer="2 + 2 = 4.", told="Answer in upper case."),
    Case("Say hello", answer="Arr, matey!", told="Talk like a pirate."),
    Case("Hello", answer="HELLO!", told="Answer in uppercase letters."),
]


@pytest.mark.parametrize("case", SAID, ids=str)
def test_answer_says(case: Case) -> None:
    assert case.answer in run(case).answer


@pytest.mark.parametrize(
    ("says", "told", "lines"),
    [
        ("Write a haiku about recursion in programming.", HELPFUL, 3),
        ("Tell me about the sea", "Always respond in haiku form", 3),
        ("Please tell me 5 jokes.", HELPFUL, 5),
        ("Tell me exactly three jokes", HELPFUL, 3),
        ("Write 4 sentences about rivers, one a line", HELPFUL, 1),
        ("List 20 ideas for a party", HELPFUL, 22),
    ],
)
def test_answer_has_as_many_lines_as_were_asked_for(says: str, told: str, lines: int) -> None:
    assert len(ask(says, told=told).text.splitlines()) == lines


def test_result_is_said_in_three_lines_where_haiku_is_the_rule() -> None:
    case = Case("What's the weather in Tokyo?", told="Always respond in haiku form", tools=[WEATHER])
    case.returns["get_weather"] = "The weather in Tokyo is sunny"

    text = run(case).answer

    assert len(text.splitlines()) == 3
    assert text.replace("\n", " ") == "The weather in Tokyo is sunny."


@pytest.mark.parametrize("count", [1, 30, 500])
def test_words_are_counted(count: int) -> None:
    assert len(ask(f"Write exactly {count} words about rivers").text.split()) == count


@pytest.mark.parametrize("count", [3, 12])
def test_paragraphs_are_counted(count: int) -> None:
    assert len(ask(f"Write {count} paragraphs about the moon").text.split("\n\n")) == count


def test_tokens_are_counted() -> None:
    text = ask("Write 4000 tokens about gardens").text

    assert RehearsalEngine().count_tokens(text) == 4000


def test_long_text_shows_the_forms_of_markdown() -> None:
    text = ask("Write a long article about bridges").text

    assert [mark for mark in ("# Bridges", "\n## ", "\n- ", "\n```python\n", "\n> ") if mark not in text] == []
    assert len(text.split("\n\n")) > 10


def test_follow_up_is_remembered_no_longer_than_the_conversation() -> None:
    assert "Ada" not in ask("What's my name?").text


@pytest.mark.parametrize("says", ["Hello?", "Hi there?", "Hello, is anyone there?"])
def test_a_greeting_with_a_question_mark_is_a_greeting(says: str) -> None:
    assert ask(says).text == "Hello! How can I help you?"


@pytest.mark.parametrize("says", ["My name is Ada", "I'm Ada", "I live in Oslo"])
def test_what_only_tells_something_of_the_user_is_noted(says: str) -> None:
    assert ask(f"{says}.").text == f"Noted: “{says}”."


def test_a_request_that_also_asks_for_something_is_not_only_noted() -> None:
    assert "can't really answer" in ask("My name is Ada. Explain the tides.").text


def _with_image(text: str) -> list[dict[str, Any]]:
    image = {"type": "input_image", "image_url": "data:image/png;base64,AAAA"}
    return [{"role": "user", "content": [{"type": "input_text", "text": text}, image]}]


def test_an_image_that_is_asked_about_is_said_to_be_out_of_sight() -> None:
    answer = ask(_with_image("What is in this picture?"))

    assert answer.text == "I can't look at images, sounds or files; please tell me in words what you need."


def test_an_image_beside_an_answer_is_mentioned() -> None:
    answer = ask(_with_image("What is 6 times 7?"))

    assert answer.text == "6 × 7 = 42.\n\nI can't look at the images, sounds or files that came with it."


def test_an_image_in_an_earlier_message_of_one_request_counts() -> None:
    answer = ask([*_with_image(""), user("Describe it.")])

    assert answer.text == "I can't look at images, sounds or files; please tell me in words what you need."


@pytest.mark.parametrize("order", ["an article about bees", "a 300 word article about bees", "two paragraphs on bees"])
def test_a_text_with_headings_a_table_and_code_has_them(order: str) -> None:
    text = ask(f"Write {order} with headings, a table and a code block").text

    assert text.startswith("# Bees\n\n")
    assert "\n## 1. " in text
    assert "\n|--:|---|\n" in text
    assert "\n```python\n" in text


@pytest.mark.parametrize(
    "arguments",
    [
        {"priority": "high", "name": "Ada"},
        {"level": "high", "customer": {"name": "Ada"}},
        {"size": "big", "name": "Ada"},
    ],
)
def test_a_result_is_headed_by_what_it_is_about_and_not_by_a_choice(arguments: dict[str, Any]) -> None:
    register = tool("register(size: 'big'|'small', name: str)", "Register a customer.")

    answer = ask([user("Register Ada"), *called("register", '{"id": 7}', **arguments)], tools=[register])

    assert answer.text == "Ada: id 7."
