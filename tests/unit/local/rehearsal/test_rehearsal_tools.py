"""Which tools rehearsal-1 calls, with which arguments, in which turns. One row, one case."""

from __future__ import annotations

import pytest
from rehearsal_notation import Case, assistant, called, run, tool, user

WEATHER = tool("get_weather(city: str)")
ADD = tool("add(a: int, b: int)", "Add two numbers.")
MULTIPLY = tool("multiply(a: int, b: int)", "Multiply two numbers.")
SUBTRACT = tool("subtract(a: float, b: float)", "Subtract b from a.")
DIVIDE = tool("divide(a: float, b: float)", "Divide a by b.")
MATHS = [ADD, MULTIPLY, SUBTRACT, DIVIDE]
TIME = tool("get_time(city: str)", "Return the current time in a city.")
MAIL = tool(
    "send_email(to: str # Email address of the recipient, subject: str # Subject line, body: str)", "Send an email."
)
SPANISH = tool("translate_to_spanish(input: str)", "Translate the user's message to Spanish")
FRENCH = tool("translate_to_french(input: str)", "Translate the user's message to French")
SEARCH = tool("search_web(query: str)", "Search the web.")
TABLE = tool("book_table(restaurant: str, party_size: int, date: str, time: str)", "Book a table at a restaurant.")
FLIGHTS = tool(
    "search_flights(origin: str, destination: str, date: str = None, passengers: int = None)", "Search for flights."
)
EXCHANGE = tool("convert_currency(amount: float, from_currency: str, to_currency: str)", "Convert money.")
ORDERS = tool("get_order_status(order_id: str)", "Look up the status of an order.")
LIGHT = tool("set_light(room: str, on: bool)", "Turn a light on or off.")
DEGREES = tool("get_weather(city: str, unit: 'celsius'|'fahrenheit' = None)", "Get the weather.")

sunny = {"get_weather": lambda city, **rest: f"The weather in {city} is sunny."}
TWO_LANGUAGES = (
    "You are a translation agent. You use the tools given to you to translate."
    "If asked for multiple translations, you call the relevant tools."
)

ONE_CALL = [
    # the tutorials' own
    Case(
        "What's the weather in Tokyo?",
        [("get_weather", {"city": "Tokyo"})],
        "The weather in Tokyo is sunny.",
        [WEATHER],
        returns=sunny,
    ),
    Case(
        "Hello, can you tell me how cold San Francisco is today?",
        [("get_weather", {"city": "San Francisco"})],
        tools=[WEATHER, ADD],
    ),
    Case(
        "Say 'Hello, how are you?' in Spanish.",
        [("translate_to_spanish", {"input": "Hello, how are you?"})],
        tools=[SPANISH, FRENCH],
        told=TWO_LANGUAGES,
    ),
    Case(
        "What is the age of the user?",
        [("fetch_user_age", {})],
        "User John is 47 years old",
        [tool("fetch_user_age()")],
        returns={"fetch_user_age": "User John is 47 years old"},
    ),
    Case(
        "What's the weather at lat 52.5 and long 13.4?",
        [("fetch_weather", {"location": {"lat": 52.5, "long": 13.4}})],
        tools=[tool("fetch_weather(location: {lat: float, long: float})", "Fetch the weather for a given location.")],
    ),
    # arithmetic
    Case("What is 2 + 3?", [("add", {"a": 2, "b": 3})], ["2", "3", "5"], MATHS, returns={"add": lambda a, b: a + b}),
    Case(
        "Please add twenty-one and minus four.",
        [("add", {"a": 21, "b": -4})],
        "17",
        MATHS,
        returns={"add": lambda a, b: a + b},
    ),
    Case("what's 7 times 8", [("multiply", {"a": 7, "b": 8})], tools=MATHS),
    Case("Subtract 3 from 10", [("subtract", {"a": 10, "b": 3})], tools=MATHS),
    Case("divide 10.5 by 4", [("divide", {"a": 10.5, "b": 4})], tools=MATHS),
    Case("What is the sum of 1,200 and 34?", [("add", {"a": 1200, "b": 34})], tools=MATHS),
    Case(
        "Pick a random number from 3 to 7",
        [("random_number", {"minimum": 3, "maximum": 7})],
        tools=[tool("random_number(minimum: int, maximum: int)", "Pick a random number.")],
    ),
    # places, lower case, other languages
    Case("weather in new york please", [("get_weather", {"city": "New York"})], tools=[WEATHER]),
    Case(
        "Will I need an umbrella in São Paulo tomorrow?",
        [("get_weather", {"city": "São Paulo"})],
        tools=[WEATHER, SEARCH],
    ),
    Case(
        "¿Qué tiempo hace en Madrid?",
        [("get_weather", {"city": "Madrid"})],
        "soleado",
        [WEATHER],
        returns={"get_weather": "soleado"},
    ),
    Case("Quel temps fait-il à Lyon ?", [("get_weather", {"city": "Lyon"})], tools=[WEATHER, TIME]),
    Case("北京天气怎么样？", [("get_weather", {"city": "北京"})], "晴", [WEATHER], returns={"get_weather": "晴"}),
    # optional, enumerated, nested, lists
    Case("What's the weather in Paris?", [("get_weather", {"city": "Paris", "unit": None})], tools=[DEGREES]),
    Case(
        "What's the weather in Paris in fahrenheit?",
        [("get_weather", {"city": "Paris", "unit": "fahrenheit"})],
        tools=[DEGREES],
    ),
    Case(
        "How warm is it in Rome, in metric units?",
        [("get_weather", {"city": "Rome", "unit": "celsius"})],
        tools=[DEGREES],
    ),
    Case(
        "Find flights from Paris to London on March 3 for two people",
        [("search_flights", {"origin": "Paris", "destination": "London", "date": "March 3", "passengers": 2})],
        tools=[FLIGHTS, WEATHER],
    ),
    Case(
        "I'd like to fly to Lisbon from Oslo",
        [("search_flights", {"origin": "Oslo", "destination": "Lisbon", "date": None, "passengers": None})],
        tools=[FLIGHTS, WEATHER],
    ),
    Case(
        "Order 2 pizzas and 3 colas",
        [("place_order", {"items": [{"name": "pizzas", "quantity": 2}, {"name": "colas", "quantity": 3}]})],
        tools=[tool("place_order(items: [{name: str, quantity: int}])", "Place an order.")],
    ),
    Case(
        "Create a user named Ada with email ada@x.org, age 36",
        [("create_user", {"name": "Ada", "email": "ada@x.org", "age": 36})],
        tools=[tool("create_user(name: str, email: str, age: int)", "Create a user.")],
    ),
    Case(
        "Ship 3 blue lamps to Ada Lovelace, 12 Main Street, London",
        [
            (
                "ship_order",
                {
                    "item": "blue lamps",
                    "quantity": 3,
                    "recipient": "Ada Lovelace",
                    "address": {"street": "12 Main Street", "city": "London"},
                },
            )
        ],
        tools=[
            tool(
                "ship_order(item: str, quantity: int, recipient: str, address: {street: str, city: str})",
                "Ship an order.",
            )
        ],
    ),
    Case(
        "Invite Ann, Bob and Carla to the party",
        [("send_invitation", {"guests": ["Ann", "Bob", "Carla"]})],
        tools=[tool("send_invitation(guests: [str])", "Send an invitation.")],
    ),
    # everyday tools
    Case(
        "Book a table for 4 people at Luigi's on Friday at 7pm",
        [("book_table", {"restaurant": "Luigi's", "party_size": 4, "date": "Friday", "time": "7pm"})],
        tools=[TABLE, WEATHER],
    ),
    Case(
        "Convert 100 dollars to euros",
        [("convert_currency", {"amount": 100, "from_currency": "USD", "to_currency": "EUR"})],
        tools=[EXCHANGE, *MATHS],
    ),
    Case("Where is my order ORD-1234?", [("get_order_status", {"order_id": "ORD-1234"})], tools=[ORDERS, WEATHER]),
    Case("Turn off the kitchen light", [("set_light", {"room": "kitchen", "on": False})], tools=[LIGHT, WEATHER]),
    Case(
        "Remind me to buy milk tomorrow at 5pm",
        [("set_reminder", {"text": "buy milk", "date": "tomorrow", "time": "5pm"})],
        tools=[tool("set_reminder(text: str, date: str, time: str)", "Set a reminder."), WEATHER],
    ),
    Case("search for python tutorials", [("search_web", {"query": "python tutorials"})], tools=[SEARCH, WEATHER]),
    Case("Who wrote Hamlet?", [("search_web", {"query": "Who wrote Hamlet"})], tools=[SEARCH, WEATHER]),
    Case(
        "Send an email to bob@example.com with subject 'Lunch' saying \"See you at noon\"",
        [("send_email", {"to": "bob@example.com", "subject": "Lunch", "body": "See you at noon"})],
        tools=[MAIL, WEATHER],
    ),
    Case("use get_time for Berlin", [("get_time", {"city": "Berlin"})], tools=[WEATHER, TIME]),
]

NO_CALL = [
    Case("Tell me a joke", answer="loop", tools=[WEATHER, *MATHS]),
    Case("What is the capital of France?", answer="rehearsal-1", tools=[WEATHER, *MATHS]),
    Case("I read a good book about France", answer="rehearsal-1", tools=[TABLE, FLIGHTS]),
    Case("Hello!", answer="Hello!", tools=[WEATHER, SEARCH]),
    Case("Thank you very much", answer="welcome", tools=[MAIL, SEARCH]),
    Case("Add milk to the shopping list", answer="rehearsal-1", tools=[ADD]),
    Case("What's the weather in Oslo?", answer="rehearsal-1", tools=[WEATHER], choice="none"),
    Case("What's the weather?", answer="city?", tools=[WEATHER]),
    Case("What can you do?", answer=["`get_weather`", "`add`"], tools=[WEATHER, ADD]),
]

SEVERAL_CALLS = [
    Case(
        "What's the weather in Tokyo and Paris?",
        [("get_weather", {"city": "Tokyo"}), ("get_weather", {"city": "Paris"})],
        ["Tokyo is sunny", "Paris is sunny"],
        [WEATHER],
        returns=sunny,
        turns=1,
    ),
    Case(
        "weather in Oslo, New York and Rio de Janeiro",
        [("get_weather", {"city": c}) for c in ("Oslo", "New York", "Rio de Janeiro")],
        tools=[WEATHER],
        returns=sunny,
        turns=1,
    ),
    Case(
        "add 2 and 3 and multiply 4 by 5",
        [("add", {"a": 2, "b": 3}), ("multiply", {"a": 4, "b": 5})],
        ["5", "20"],
        MATHS,
        returns={"add": 5, "multiply": 20},
        turns=1,
    ),
    Case(
        "What's the weather in Oslo, and what time is it in Lima?",
        [("get_weather", {"city": "Oslo"}), ("get_time", {"city": "Lima"})],
        ["sunny", "12:00"],
        [WEATHER, TIME],
        returns={**sunny, "get_time": "12:00"},
        turns=1,
    ),
    Case(
        "Translate 'good night' to Spanish and French.",
        [("translate_to_spanish", {"input": "good night"}), ("translate_to_french", {"input": "good night"})],
        tools=[SPANISH, FRENCH],
        told=TWO_LANGUAGES,
        turns=1,
    ),
    Case(
        "What's the weather in Tokyo? And in Cairo?",
        [("get_weather", {"city": "Tokyo"}), ("get_weather", {"city": "Cairo"})],
        tools=[WEATHER],
        turns=1,
    ),
    Case(
        "Check the orders A-100 and B-200",
        [("get_order_status", {"order_id": "A-100"}), ("get_order_status", {"order_id": "B-200"})],
        tools=[ORDERS],
        turns=1,
    ),
    Case(
        "What's the weather in Tokyo and Paris?",
        [("get_weather", {"city": "Tokyo"}), ("get_weather", {"city": "Paris"})],
        ["Tokyo", "Paris"],
        [WEATHER],
        returns=sunny,
        parallel=False,
        turns=2,
    ),
    Case(
        "add 2 and 3, then multiply the result by 10",
        [("add", {"a": 2, "b": 3}), ("multiply", {"a": 5, "b": 10})],
        "50",
        MATHS,
        returns={"add": lambda a, b: a + b, "multiply": lambda a, b: a * b},
        turns=2,
    ),
    Case(
        "Get the weather in Oslo and then email it to ada@example.com",
        [
            ("get_weather", {"city": "Oslo"}),
            (
                "send_email",
                {
                    "to": "ada@example.com",
                    "subject": "The weather in Oslo is sunny.",
                    "body": "The weather in Oslo is sunny.",
                },
            ),
        ],
        "sunny",
        [WEATHER, MAIL],
        returns=sunny,
        turns=2,
    ),
    Case(
        "What's the weather where I am?",
        [("get_user_city", {}), ("get_weather", {"city": "Oslo"})],
        "Oslo is sunny",
        [WEATHER, tool("get_user_city()", "Get the city of the user.")],
        returns={**sunny, "get_user_city": "Oslo"},
        turns=2,
    ),
    Case(
        "Refund the last order of ada@example.com",
        [("find_customer", {"email": "ada@example.com"}), ("refund_order", {"order_id": 77})],
        tools=[
            tool("refund_order(order_id: int)", "Refund an order."),
            tool("find_customer(email: str)", "Find a customer by email."),
        ],
        returns={"find_customer": {"order_id": 77}},
        turns=2,
    ),
    Case(
        "Hello",
        [("how_many_jokes", {})],
        ["1. ", "4. "],
        [tool("how_many_jokes()")],
        told="First call the `how_many_jokes` tool, then tell that many jokes.",
        returns={"how_many_jokes": 4},
        turns=1,
    ),
    Case(
        "Email it to ada@example.com once you have the weather in Rome",
        [("get_weather", {"city": "Rome"})],
        "failed",
        [WEATHER],
        returns={"get_weather": "Error: no connection"},
    ),
]

BEFORE = [
    user("What's the weather in Tokyo?"),
    *called("get_weather", "It is sunny.", city="Tokyo"),
    assistant("It is sunny."),
]
WEATHERMAN = "You are a helpful weather assistant."

FOLLOWING_UP = [
    # nothing came before: the agent's own job says what is asked
    Case("What about Oslo?", [("get_weather", {"city": "Oslo"})], tools=[WEATHER, ADD], told=WEATHERMAN),
    Case(
        "And in Bergen and Trondheim?",
        [("get_weather", {"city": "Bergen"}), ("get_weather", {"city": "Trondheim"})],
        tools=[WEATHER],
        told=WEATHERMAN,
    ),
    Case("Oslo?", [("get_weather", {"city": "Oslo"})], tools=[WEATHER], told=WEATHERMAN),
    Case("What about Oslo?", tools=[WEATHER], told="You tell jokes."),
    Case("Hello Bob", tools=[WEATHER], told=WEATHERMAN),
    Case(
        [*BEFORE, user("What about Oslo?")], [("get_weather", {"city": "Oslo"})], "Oslo", [WEATHER, ADD], returns=sunny
    ),
    Case(
        [*BEFORE, user("and in Rome and Bern?")],
        [("get_weather", {"city": "Rome"}), ("get_weather", {"city": "Bern"})],
        tools=[WEATHER],
    ),
    Case([*BEFORE, user("Thanks!")], [], "welcome", [WEATHER]),
    Case(
        [user("What's the weather?"), assistant("Which city?"), user("Oslo")],
        [("get_weather", {"city": "Oslo"})],
        tools=[WEATHER],
    ),
    Case(
        [user("I live in Bergen."), assistant("Nice."), user("How is the weather?")],
        [("get_weather", {"city": "Bergen"})],
        tools=[WEATHER],
    ),
    Case(
        [
            user("weather in Oslo"),
            *called("get_weather", "cold", city="Oslo", unit="celsius"),
            assistant("cold"),
            user("in fahrenheit please"),
        ],
        [("get_weather", {"city": "Oslo", "unit": "fahrenheit"})],
        tools=[DEGREES],
    ),
]

CHOSEN = [
    Case("Hi", [("get_weather", {"city": ""})], tools=[WEATHER], choice="required"),
    Case(
        "What's the weather in Oslo?",
        [("get_time", {"city": "Oslo"})],
        tools=[WEATHER, TIME],
        choice={"type": "function", "name": "get_time"},
    ),
    Case(
        "weather and time in Oslo",
        [("get_time", {"city": "Oslo"})],
        tools=[WEATHER, TIME],
        choice={"type": "allowed_tools", "mode": "auto", "tools": [{"type": "function", "name": "get_time"}]},
    ),
]


@pytest.mark.parametrize("case", [*ONE_CALL, *NO_CALL, *SEVERAL_CALLS, *FOLLOWING_UP, *CHOSEN], ids=str)
def test_calls_are_those_that_the_request_asks_for(case: Case) -> None:
    outcome = run(case)

    assert outcome.calls == case.calls
    for fragment in [case.answer] if isinstance(case.answer, str) else case.answer or []:
        assert fragment in outcome.answer
    if case.turns is not None:
        assert outcome.turns == case.turns
