"""What rehearsal-1 finds in a text: numbers, dates, names, languages."""

from __future__ import annotations

from datetime import date

import pytest

from agentkit.local.engines.rehearsal.arithmetic import evaluate_text, number_text, solve_equation
from agentkit.local.engines.rehearsal.dates import iso_date, iso_time, stated_today
from agentkit.local.engines.rehearsal.languages import detect
from agentkit.local.engines.rehearsal.numbers import find_numbers
from agentkit.local.engines.rehearsal.reading import Reading
from agentkit.local.engines.rehearsal.words import stem


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("add 2 and 3", [2, 3]),
        ("twenty-one plus minus five", [21, -5]),
        ("-3.5 and 1,250.5", [-3.5, 1250.5]),
        ("5-3", [5, 3]),
        ("5k, 20%, $50, 30€", [5000, 20, 50, 30]),
        ("three million four hundred thousand and one", [3_400_001]),
        ("two point five", [2.5]),
        ("two and three", [2, 3]),
        ("two hundred and three", [203]),
        ("a dozen eggs", [12]),
        ("cinco más siete", [5, 7]),
        ("20kg at 15C", [20, 15]),
        ("one of them, that one, no one", []),
        ("version v2, room A12, 2x", []),
        ("9" * 400, []),
    ],
)
def test_numbers_are_found(text: str, values: list[float]) -> None:
    assert [mention.value for mention in find_numbers(text)] == values


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("What's the weather in Tokyo?", [("proper", "Tokyo")]),
        ("Tokyo weather", [("proper", "Tokyo")]),
        ("New York and São Paulo", [("proper", "New York"), ("proper", "São Paulo")]),
        ("Rio de Janeiro is big. Ask Dr. Smith.", [("proper", "Rio de Janeiro"), ("proper", "Dr. Smith")]),
        ("from Paris, France to Austin, TX", [("proper", "Paris, France"), ("proper", "Austin, TX")]),
        ("Tokyo, Paris and Rome", [("proper", "Tokyo"), ("proper", "Paris"), ("proper", "Rome")]),
        ("Email ada@example.com 'It's ok'", [("email", "ada@example.com"), ("quoted", "It's ok")]),
        ("order ORD-1234 and #55", [("id", "ORD-1234"), ("id", "#55")]),
        ("next Friday at 3pm", [("date", "next Friday"), ("time", "3pm")]),
        ("say hi in Spanish", [("language", "Spanish")]),
        ("Call +1 555 123 4567", [("phone", "+1 555 123 4567")]),
        ("see /tmp/a.txt and https://x.org/a?b=1.", [("path", "/tmp/a.txt"), ("url", "https://x.org/a?b=1")]),
        ("Ada's birthday at Luigi's on Sunday", [("proper", "Ada"), ("proper", "Luigi's"), ("date", "Sunday")]),
        ("12 Main Street, London", [("street", "12 Main Street"), ("proper", "London")]),
    ],
)
def test_mentions_are_found(text: str, found: list[tuple[str, str]]) -> None:
    assert [(entity.kind, entity.text) for entity in Reading(text).entities] == found


@pytest.mark.parametrize(
    ("said", "today", "expected"),
    [
        ("2026-3-2", None, "2026-03-02"),
        ("March 3rd, 2026", None, "2026-03-03"),
        ("the 5th of May 2026", None, "2026-05-05"),
        ("25.12.2026", None, "2026-12-25"),
        ("12/25/2026", None, "2026-12-25"),
        ("tomorrow", date(2026, 12, 31), "2027-01-01"),
        ("next Friday", date(2026, 3, 2), "2026-03-06"),
        ("in two weeks", date(2026, 3, 2), "2026-03-16"),
        ("3 January", date(2026, 3, 2), "2027-01-03"),
        ("Friday", None, "2025-01-03"),
        ("February 31, 2026", date(2026, 3, 2), "2026-03-02"),
    ],
)
def test_dates_have_an_iso_form(said: str, today: date | None, expected: str) -> None:
    assert iso_date(said, today) == expected


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("3pm", "15:00:00"),
        ("12:05 am", "00:05:00"),
        ("noon", "12:00:00"),
        ("midnight", "00:00:00"),
        ("9:30", "09:30:00"),
    ],
)
def test_times_have_an_iso_form(said: str, expected: str) -> None:
    assert iso_time(said) == expected


def test_today_is_what_the_text_says() -> None:
    assert stated_today("You are kind. Today's date is 2 March 2026.") == date(2026, 3, 2)
    assert stated_today("Today is a good day") is None


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("Hola, ¿cómo estás?", "es"),
        ("Hello, how are you?", "en"),
        ("Bonjour, comment ça va ?", "fr"),
        ("Ich brauche Hilfe mit meiner Rechnung", "de"),
        ("Vorrei prenotare un tavolo", "it"),
        ("Olá, tudo bem?", "pt"),
        ("你好", "zh"),
        ("元気ですか", "ja"),
        ("안녕하세요", "ko"),
        ("Привет", "ru"),
        ("Привіт, як справи?", "uk"),
        ("مرحبا", "ar"),
        ("Tokyo", None),
        ("", None),
    ],
)
def test_language_is_told(text: str, language: str | None) -> None:
    assert detect(text) == language


@pytest.mark.parametrize(
    "forms",
    [
        "translate translation translator translating translates",
        "convert converter conversion converting",
        "book booking booked books",
        "invite invitation invited",
        "city cities",
        "run running runs",
        "schedule scheduled scheduling",
    ],
)
def test_forms_of_a_word_have_one_stem(forms: str) -> None:
    assert len({stem(form) for form in forms.split()}) == 1


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("what is 12*7?", "84"),
        ("(2 + 3) * 4 - 1 = ?", "19"),
        ("What's 15% of 80?", "12"),
        ("square root of 16?", "4"),
        ("2^10?", "1024"),
        ("divide 10 by 4", "2.5"),
        ("subtract 3 from 10", "7"),
        ("half of 10?", "5"),
        ("1/0?", None),
        ("What is 9^9^9?", None),
        ("I have 3 cats", None),
        ("on 2025-01-02 from 10-12", None),
    ],
)
def test_arithmetic_is_worked_out_exactly(text: str, value: str | None) -> None:
    found = evaluate_text(text)

    assert (number_text(found[1]) if found else None) == value


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("solve 2x+3=11", "4"),
        ("3y - 4 = 2y + 10, what is y", "14"),
        ("what is -2x = 8?", "-4"),
        ("x^2 = 4", None),
        ("2x = 2x", None),
        ("E=mc2", None),
    ],
)
def test_equations_of_the_first_degree_are_solved(text: str, value: str | None) -> None:
    found = solve_equation(text)

    assert (number_text(found.value) if found else None) == value
