"""Writes support-messages.csv: messages to the support of a shop, each with its category and its priority.

The category is in what went wrong, the priority in how it is asked for. Each two sentences are joined once, so
whichever messages are held out combine wordings in ways that the others don't: a model has to know both sentences, and
can't have learnt the message by heart. The messages are in the order in which they came; lately, some ask in a way that
nobody did before.
"""

from __future__ import annotations

import csv
import random
from pathlib import Path

SEED = 11

PROBLEMS = {
    "account": [
        "I can't log in to my account any more, since I bought {x}",
        "I forgot the password that I used for {x}",
        "Please change the email address of my profile, the one with {x}",
        "Somebody else has logged in and ordered {x} in my name",
        "My account was locked right after I had ordered {x}",
        "How do I delete my account? I only needed it for {x}",
        "The code for signing in never comes, so I can't see {x} in my profile",
        "My user name is misspelt on the page of {x}",
    ],
    "billing": [
        "I was charged twice for {x}",
        "The invoice for {x} shows the wrong amount",
        "You still took the money although I had cancelled {x}",
        "My credit card was declined when I paid for {x}",
        "Why did the price on my bill for {x} go up",
        "I need a receipt for {x} with our tax number on it",
        "The discount code was not taken off the bill for {x}",
        "I would like to pay for {x} in three instalments",
    ],
    "returns": [
        "I would like to send {x} back",
        "{X} does not fit and I want another size",
        "How do I return {x}",
        "Can I exchange {x} for a different colour",
        "I changed my mind and want to give {x} back",
        "The return label for {x} is missing",
        "Is it too late to return {x} after three weeks",
        "I got the wrong thing instead of {x} and want to swap it",
    ],
    "shipping": [
        "The parcel with {x} has not arrived",
        "Where is the delivery with {x}",
        "The tracking number for {x} does not work",
        "The courier left {x} at the wrong address",
        "Can you send {x} to another address",
        "{X} was supposed to be delivered on Monday",
        "The box of {x} was wet and torn when the driver brought it",
        "How long does it take to ship {x} to Norway",
    ],
    "technical": [
        "{X} crashes as soon as I open it",
        "{X} shows an error since the last update",
        "{X} does not start any more",
        "The screen of {x} stays black",
        "{X} loses its connection again and again",
        "I can't install {x} on my computer",
        "{X} is terribly slow and freezes",
        "The button on {x} does nothing when I press it",
    ],
}
"""What went wrong: it says the category."""

CUES = {
    "high": [
        "This is urgent",
        "I need this solved today",
        "Please answer immediately",
        "It can't wait until tomorrow",
        "We are losing money every hour",
        "Please hurry, it is an emergency",
    ],
    "normal": [
        "Can you help me",
        "Please let me know what to do",
        "I look forward to your answer",
        "Thank you for looking into it",
        "What should I do next",
        "Could you check that for me",
    ],
    "low": [
        "There is no hurry",
        "Answer whenever you have time",
        "It is not important",
        "I am just asking, take your time",
        "Some day next month is fine",
        "It can wait, others surely need you more",
    ],
}
"""How it is asked for: it says the priority. The last of each is new."""

DEVICES = [
    "the headset", "the coffee machine", "the smart lamp", "the printer", "the tablet", "the router", "the watch",
    "the camera", "the keyboard", "the new app",
]  # fmt: skip
GOODS = [
    "the winter jacket", "the board game", "the blue backpack", "the electric kettle", "the bike helmet",
    "the desk chair", "the photo book", *DEVICES[:-1],
]  # fmt: skip
THINGS = {
    "account": ["my yearly plan", "the family subscription", "the premium plan", "order 4417", "order 9023", *GOODS],
    "billing": ["my yearly plan", "the family subscription", "the premium plan", "order 1288", "order 9023", *GOODS],
    "returns": GOODS,
    "shipping": ["order 4417", "order 1288", *GOODS],
    "technical": DEVICES,
}
"""What it is about."""

GREETINGS = ["", "", "Hello. ", "Hi team. ", "Good morning. ", "Dear support. ", "Hey. ", "Good evening. "]


def message(problem: str, cue: str, things: list[str], chance: random.Random) -> str:
    """Return a message about some thing: a greeting or none, the problem, how it is asked for."""
    thing = chance.choice(things)
    first = problem.replace("{x}", thing).replace("{X}", thing[0].upper() + thing[1:])
    return f"{chance.choice(GREETINGS)}{_ended(first)} {_ended(cue)}"


def _ended(sentence: str) -> str:
    asks = ("How", "Can", "Is it", "Where", "Why", "What", "Could")
    return sentence + ("?" if sentence.startswith(asks) and "?" not in sentence else ".")


def messages() -> list[tuple[str, str, str]]:
    """Return the messages with category and priority: 440 as ever, 120 of which 40 are new, 100 of which 20 are new."""
    chance = random.Random(SEED)
    made: dict[bool, list[tuple[str, str, str]]] = {False: [], True: []}
    for category, problems in PROBLEMS.items():
        for priority, cues in CUES.items():
            for problem in problems:
                for cue in cues:
                    text = message(problem, cue, THINGS[category], chance)
                    made[cue == cues[-1]].append((text, category, priority))
    for each in made.values():
        chance.shuffle(each)
    old, new = made[False], made[True]
    parts = [old[:440], old[440:520] + new[:40], old[520:600] + new[40:60]]
    for part in parts:
        chance.shuffle(part)
    return [each for part in parts for each in part]


if __name__ == "__main__":
    with Path(__file__).with_name("support-messages.csv").open("w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file, lineterminator="\n")
        rows.writerow(["message", "category", "priority"])
        rows.writerows(messages())
