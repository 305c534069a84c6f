"""Everyday requests for tools that no tutorial has, written without a look at how rehearsal-1 reads."""

from __future__ import annotations

import pytest
from rehearsal_notation import Case, assistant, called, run, tool, user

W = tool("get_weather(city: str)", "Get the current weather for a city.")
NEWS = tool("get_news(topic: str, limit: int = None)", "Get news headlines on a topic.")
TASK = tool("create_task(title: str, due: str = None)", "Create a to-do item.")
LIST = tool("list_tasks(status: 'open'|'done'|'all' = None)", "List to-do items.")

CALLS = [
    Case(
        "How far is it from Berlin to Munich by car?",
        [("get_distance", {"origin": "Berlin", "destination": "Munich", "mode": "driving"})],
        tools=[
            tool(
                "get_distance(origin: str, destination: str, mode: 'driving'|'walking'|'transit' = None)",
                "Distance between two places.",
            )
        ],
    ),
    Case(
        "Set the thermostat to 21.5 degrees",
        [("set_temperature", {"degrees": 21.5})],
        tools=[tool("set_temperature(degrees: float)", "Set the thermostat."), W],
    ),
    Case(
        "Create a task called 'Write report' due 2026-05-01 with high priority",
        [("create_task", {"title": "Write report", "due_date": "2026-05-01", "priority": "high"})],
        tools=[
            tool(
                "create_task(title: str, due_date: date = None, priority: 'low'|'medium'|'high' = None)",
                "Create a task.",
            )
        ],
    ),
    Case(
        "Delete the file notes.txt",
        [("delete_file", {"path": "notes.txt"})],
        tools=[tool("delete_file(path: str)", "Delete a file."), tool("read_file(path: str)", "Read a file.")],
    ),
    Case(
        "Read /etc/hosts please",
        [("read_file", {"path": "/etc/hosts"})],
        tools=[tool("delete_file(path: str)", "Delete a file."), tool("read_file(path: str)", "Read a file.")],
    ),
    Case(
        "What's the stock price of AAPL?",
        [("get_stock_price", {"symbol": "AAPL"})],
        tools=[tool("get_stock_price(symbol: str)", "Get the price of a stock."), W],
    ),
    Case(
        "Play Bohemian Rhapsody by Queen",
        [("play_song", {"title": "Bohemian Rhapsody", "artist": "Queen"})],
        tools=[tool("play_song(title: str, artist: str = None)", "Play a song.")],
    ),
    Case(
        "Roll two six-sided dice",
        [("roll_dice", {"count": 2, "sides": 6})],
        tools=[tool("roll_dice(count: int, sides: int)", "Roll some dice.")],
    ),
    Case(
        "What is the square root of 144?",
        [("square_root", {"x": 144})],
        tools=[tool("square_root(x: float)", "Square root of a number."), tool("add(a: int, b: int)")],
    ),
    Case(
        "Calculate the tip for a $80 bill at 15%",
        [("calculate_tip", {"amount": 80, "percent": 15})],
        tools=[tool("calculate_tip(amount: float, percent: float)", "Work out a tip.")],
    ),
    Case(
        "Translate 'good morning' into French",
        [("translate", {"text": "good morning", "target_language": "French"})],
        tools=[tool("translate(text: str, target_language: str)", "Translate text."), W],
    ),
    Case(
        "Translate 'Good morning' from English to Spanish",
        [("translate_text", {"text": "Good morning", "source": "English", "target": "Spanish"})],
        tools=[
            tool(
                "translate_text(text: str # Text to translate., source: str # Source language., "
                "target: str # Target language.)",
                "Translate text between languages.",
            )
        ],
    ),
    Case(
        "How are you?",
        [("reply_in_spanish", {"input": "How are you?"}), ("reply_in_french", {"input": "How are you?"})],
        tools=[
            tool("reply_in_spanish(input: str)", "Reply in Spanish."),
            tool("reply_in_french(input: str)", "Reply in French."),
        ],
        told="You must call ALL available tools to answer in several languages. Never answer by yourself.",
        turns=1,
    ),
    Case(
        "How are you?",
        [],
        tools=[tool("reply_in_spanish(input: str)", "Reply in Spanish.")],
        told="Call all tools that are relevant.",
    ),
    Case(
        "Summarize https://example.com/news for me",
        [("summarize_page", {"url": "https://example.com/news"})],
        tools=[tool("summarize_page(url: str)", "Summarize a web page.")],
    ),
    Case(
        "Find recipes with chicken and rice",
        [("find_recipes", {"ingredients": ["chicken", "rice"]})],
        tools=[tool("find_recipes(ingredients: [str])", "Find recipes by ingredients.")],
    ),
    Case(
        "What's the population of Norway?",
        [("get_population", {"country": "Norway"})],
        tools=[tool("get_population(country: str)"), W],
    ),
    Case(
        "Cancel my reservation number 48213",
        [("cancel_reservation", {"reservation_id": "48213"})],
        tools=[
            tool("cancel_reservation(reservation_id: str)", "Cancel a reservation."),
            tool("book_hotel(city: str, nights: int)", "Book a hotel."),
        ],
    ),
    Case(
        "Book a hotel in Vienna for 3 nights",
        [("book_hotel", {"city": "Vienna", "nights": 3})],
        tools=[
            tool("cancel_reservation(reservation_id: str)", "Cancel a reservation."),
            tool("book_hotel(city: str, nights: int)", "Book a hotel."),
        ],
    ),
    Case(
        "Transfer 250 euros from savings to checking",
        [("transfer_money", {"amount": 250, "from_account": "savings", "to_account": "checking"})],
        tools=[
            tool(
                "transfer_money(amount: float, from_account: 'savings'|'checking', to_account: 'savings'|'checking')",
                "Move money between accounts.",
            )
        ],
    ),
    Case(
        "Text Maria that I'll be late",
        [("send_message", {"recipient": "Maria", "text": "I'll be late"})],
        tools=[tool("send_message(recipient: str, text: str)", "Send a text message to a person."), W],
    ),
    Case(
        "Schedule a meeting with Tom and Lea tomorrow at 9:30",
        [("create_event", {"title": "meeting", "attendees": ["Tom", "Lea"], "date": "tomorrow", "time": "9:30"})],
        tools=[
            tool("create_event(title: str, attendees: [str], date: str, time: str)", "Add an event to the calendar.")
        ],
    ),
    Case(
        "Is it going to rain in Bergen this weekend?",
        [("get_forecast", {"location": "Bergen", "day": "this weekend"})],
        tools=[
            tool("get_forecast(location: str, day: str = None)", "Weather forecast for a location."),
            tool("search_news(topic: str)", "Search the news."),
        ],
    ),
    Case(
        "What's new about electric cars?",
        [("search_news", {"topic": "electric cars"})],
        tools=[tool("search_news(topic: str)", "Search the news about a topic."), W],
    ),
    Case("What's the weather in Paris, Texas?", [("get_weather", {"city": "Paris, Texas"})], tools=[W]),
    Case(
        "Compare the weather in Lima with the weather in Quito",
        [("get_weather", {"city": "Lima"}), ("get_weather", {"city": "Quito"})],
        tools=[W],
    ),
    Case(
        "Multiply 6 by 7 and then subtract 2 from the result",
        [("multiply", {"a": 6, "b": 7}), ("subtract", {"a": 42, "b": 2})],
        tools=[tool("multiply(a: int, b: int)"), tool("subtract(a: int, b: int)")],
        returns={"multiply": lambda a, b: a * b, "subtract": lambda a, b: a - b},
    ),
    Case("How do I tie a tie?", [], "rehearsal-1", tools=[W, tool("book_hotel(city: str, nights: int)")]),
    Case("My favourite song is Yesterday", [], "rehearsal-1", tools=[tool("get_stock_price(symbol: str)")]),
    Case(
        "Turn on the lights in the living room and the bedroom",
        [("set_light", {"room": "living room", "on": True}), ("set_light", {"room": "bedroom", "on": True})],
        tools=[tool("set_light(room: str, on: bool)", "Turn the lights of a room on or off.")],
    ),
    Case(
        "Log 30 minutes of running at 6 am",
        [("log_workout", {"activity": "running", "minutes": 30, "time": "6 am"})],
        tools=[tool("log_workout(activity: str, minutes: int, time: str = None)", "Log a workout.")],
    ),
    Case("Kannst du mir das Wetter in München sagen?", [("get_weather", {"city": "München"})], tools=[W]),
    Case(
        "Envía un correo a ana@example.es diciendo 'Hola'",
        [("send_email", {"to": "ana@example.es", "body": "Hola"})],
        tools=[tool("send_email(to: str # Recipient's email, body: str)", "Send an email.")],
    ),
    Case("東京の天気は？", [("get_weather", {"city": "東京"})], tools=[W]),
    Case(
        "What's the temperature at 48.85, 2.35?",
        [("get_temperature", {"latitude": 48.85, "longitude": 2.35})],
        tools=[tool("get_temperature(latitude: float, longitude: float)")],
    ),
    Case("Give me 5 headlines about football", [("get_news", {"topic": "football", "limit": 5})], tools=[NEWS, W]),
    Case("Show my open tasks", [("list_tasks", {"status": "open"})], tools=[TASK, LIST]),
    Case(
        "Add a task to call the dentist by Monday",
        [("create_task", {"title": "call the dentist", "due": "Monday"})],
        tools=[TASK, LIST],
    ),
    Case(
        "What's 9 minus 14?",
        [("subtract", {"x": 9, "y": 14})],
        tools=[tool("subtract(x: int, y: int)"), tool("add(x: int, y: int)")],
    ),
    Case(
        "What is 10 percent of 250?",
        [("percentage", {"percent": 10, "value": 250})],
        tools=[tool("percentage(percent: float, value: float)", "Percentage of a value.")],
    ),
    Case(
        "Is Lisbon warmer than Porto today?",
        [("get_weather", {"city": "Lisbon"}), ("get_weather", {"city": "Porto"})],
        tools=[W],
    ),
    Case(
        "Pay invoice INV-2041",
        [("pay_invoice", {"invoice_id": "INV-2041"})],
        tools=[tool("pay_invoice(invoice_id: str)", "Pay an invoice."), tool("list_invoices()")],
    ),
    Case(
        "Which invoices are unpaid?",
        [("list_invoices", {})],
        tools=[
            tool("pay_invoice(invoice_id: str)", "Pay an invoice."),
            tool("list_invoices()", "List unpaid invoices."),
        ],
    ),
    Case(
        "Change my password to 'hunter22'",
        [("change_password", {"new_password": "hunter22"})],
        tools=[tool("change_password(new_password: str)", "Change the password.")],
    ),
    Case(
        "Draw a red circle with radius 12",
        [("draw_circle", {"color": "red", "radius": 12})],
        tools=[
            tool("draw_circle(color: 'red'|'green'|'blue', radius: float)", "Draw a circle."),
            tool("draw_square(color: 'red'|'green'|'blue', size: float)", "Draw a square."),
        ],
    ),
    Case(
        "Draw a blue square of size 4 and a green circle with radius 2",
        [("draw_square", {"color": "blue", "size": 4}), ("draw_circle", {"color": "green", "radius": 2})],
        tools=[
            tool("draw_circle(color: 'red'|'green'|'blue', radius: float)", "Draw a circle."),
            tool("draw_square(color: 'red'|'green'|'blue', size: float)", "Draw a square."),
        ],
    ),
    Case(
        "How do you say 'cheese' in German?",
        [("translate", {"text": "cheese", "language": "German"})],
        tools=[tool("translate(text: str, language: str)", "Translate a text into a language.")],
    ),
    Case(
        "What's the time difference between Tokyo and London?",
        [("time_difference", {"city_a": "Tokyo", "city_b": "London"})],
        tools=[tool("time_difference(city_a: str, city_b: str)", "Hours between two cities.")],
    ),
    Case(
        "Move the meeting with Priya to Thursday at 2pm",
        [("reschedule_meeting", {"person": "Priya", "day": "Thursday", "time": "2pm"})],
        tools=[tool("reschedule_meeting(person: str, day: str, time: str)", "Move a meeting.")],
    ),
    Case(
        "Run the SQL query SELECT * FROM users",
        [("run_sql", {"query": "SELECT * FROM users"})],
        tools=[tool("run_sql(query: str)", "Run an SQL query.")],
    ),
    Case(
        "Increase the volume to 80",
        [("set_volume", {"level": 80})],
        tools=[tool("set_volume(level: int 0..100)", "Set the volume.")],
    ),
    Case(
        "Compute the factorial of 6",
        [("factorial", {"n": 6})],
        tools=[tool("factorial(n: int)", "Factorial of n."), tool("add(a: int, b: int)")],
    ),
    Case(
        "Average of 4, 8 and 15",
        [("average", {"numbers": [4, 8, 15]})],
        tools=[tool("average(numbers: [float])", "Average of numbers.")],
    ),
    Case(
        "Sort these words: pear, apple, fig",
        [("sort_words", {"words": ["pear", "apple", "fig"]})],
        tools=[tool("sort_words(words: [str])", "Sort words.")],
    ),
    Case(
        "Tell Ben and Kim the party is cancelled",
        [
            ("send_message", {"to": "Ben", "text": "the party is cancelled"}),
            ("send_message", {"to": "Kim", "text": "the party is cancelled"}),
        ],
        tools=[tool("send_message(to: str # Name of the person, text: str)", "Send a message.")],
    ),
    Case(
        "Look up the customer 4711 and email them a reminder",
        [("get_customer", {"customer_id": "4711"}), ("send_reminder", {"email": "x@y.org"})],
        tools=[
            tool("get_customer(customer_id: str)", "Look up a customer."),
            tool("send_reminder(email: str)", "Email a reminder."),
        ],
        returns={"get_customer": {"email": "x@y.org"}},
    ),
    Case("I'm hungry", [], tools=[W, NEWS]),
    Case("Can you weather the storm with me emotionally?", [], tools=[TASK]),
    Case("What is love?", [], tools=[W, TASK]),
    Case("Do you think it will snow in Helsinki?", [("get_weather", {"city": "Helsinki"})], tools=[W, TASK]),
    Case(
        [
            user("Get news about chess"),
            *called("get_news", "Magnus wins", topic="chess", limit=None),
            assistant("Magnus wins"),
            user("What about tennis?"),
        ],
        [("get_news", {"topic": "tennis", "limit": None})],
        tools=[NEWS, W],
    ),
    Case(
        [
            user("Add 4 and 5"),
            *called("add", "9", a=4, b=5),
            assistant("The sum of 4 and 5 is 9."),
            user("Now multiply that by 3"),
        ],
        [("multiply", {"a": 9, "b": 3})],
        tools=[tool("add(a: int, b: int)"), tool("multiply(a: int, b: int)")],
    ),
    Case(
        "What's the capital gains tax on 12000 dollars?",
        [("capital_gains_tax", {"gain": 12000})],
        tools=[tool("capital_gains_tax(gain: float)", "Tax on a capital gain."), W],
    ),
    Case(
        "Water the plants in the greenhouse for 10 minutes",
        [("water_plants", {"zone": "greenhouse", "minutes": 10})],
        tools=[tool("water_plants(zone: str, minutes: int)", "Water plants in a zone.")],
    ),
    Case(
        "Show me pictures of otters",
        [("search_images", {"query": "otters"})],
        tools=[tool("search_images(query: str)", "Find pictures."), W],
    ),
    Case(
        "Track package 1Z999AA10123456784",
        [("track_package", {"tracking_number": "1Z999AA10123456784"})],
        tools=[tool("track_package(tracking_number: str)", "Track a package.")],
    ),
    Case(
        "Give the customer a 20% discount",
        [("apply_discount", {"percent": 20})],
        tools=[tool("apply_discount(percent: float)", "Apply a discount.")],
    ),
    Case(
        "Post 'Hello world' to the general channel",
        [("post_message", {"channel": "general", "text": "Hello world"})],
        tools=[tool("post_message(channel: str, text: str)", "Post a message to a channel.")],
    ),
    Case(
        "How many days are there between 2026-01-01 and 2026-03-01?",
        [("days_between", {"start": "2026-01-01", "end": "2026-03-01"})],
        tools=[tool("days_between(start: date, end: date)", "Number of days between two dates.")],
    ),
    Case(
        "Flip a coin three times", [("flip_coin", {"times": 3})], tools=[tool("flip_coin(times: int)", "Flip a coin.")]
    ),
    Case(
        "Lock the front door and turn on the alarm",
        [("lock_door", {"door": "front"}), ("set_alarm", {"on": True})],
        tools=[tool("lock_door(door: str)", "Lock a door."), tool("set_alarm(on: bool)", "Turn the alarm on or off.")],
    ),
    Case(
        "Get me the phone number of Dr. Lee",
        [("find_contact", {"name": "Dr. Lee"})],
        tools=[tool("find_contact(name: str)", "Find the phone number of a contact."), W],
    ),
    Case(
        "Resize photo.png to 800 by 600",
        [("resize_image", {"path": "photo.png", "width": 800, "height": 600})],
        tools=[tool("resize_image(path: str, width: int, height: int)", "Resize an image.")],
    ),
    Case(
        "Who is on call this week?", [("get_on_call", {})], tools=[tool("get_on_call()", "Return who is on call."), W]
    ),
    Case(
        "Round 3.14159 to 2 decimals",
        [("round_number", {"value": 3.14159, "decimals": 2})],
        tools=[tool("round_number(value: float, decimals: int)", "Round a number.")],
    ),
    Case(
        "Wake me up at 6:45",
        [("set_alarm", {"time": "6:45"})],
        tools=[tool("set_alarm(time: str)", "Set an alarm to wake up.")],
    ),
    Case(
        "Suggest a movie like Inception",
        [("recommend_movies", {"title": "Inception"})],
        tools=[tool("recommend_movies(title: str)", "Recommend movies similar to a movie.")],
    ),
    Case(
        "Start a timer for 25 minutes",
        [("start_timer", {"minutes": 25})],
        tools=[tool("start_timer(minutes: int)", "Start a timer."), tool("stop_timer()", "Stop the timer.")],
    ),
    Case(
        "Stop the timer",
        [("stop_timer", {})],
        tools=[tool("start_timer(minutes: int)", "Start a timer."), tool("stop_timer()", "Stop the timer.")],
    ),
    Case("I think therefore I am", [], tools=[W]),
    Case("Tell me a story about the weather in Oslo", [], tools=[]),
    Case(
        "Quel temps fait-il à Paris et à Lyon ?",
        [("get_weather", {"city": "Paris"}), ("get_weather", {"city": "Lyon"})],
        tools=[W],
    ),
    Case(
        "Subtract 5 from 20 and divide the result by 3",
        [("subtract", {"a": 20, "b": 5}), ("divide", {"a": 15, "b": 3})],
        tools=[tool("subtract(a: int, b: int)"), tool("divide(a: int, b: int)")],
        returns={"subtract": 15},
    ),
    Case(
        "Please book me a flight to Oslo on 3 June and a hotel there for two nights",
        [("book_flight", {"destination": "Oslo", "date": "3 June"}), ("book_hotel", {"city": "Oslo", "nights": 2})],
        tools=[tool("book_flight(destination: str, date: str)"), tool("book_hotel(city: str, nights: int)")],
    ),
]


@pytest.mark.parametrize("case", CALLS, ids=str)
def test_calls(case: Case) -> None:
    assert run(case).calls == case.calls
