"""Chats for the browser tests, and what a reader does with them."""

from __future__ import annotations

from playwright.sync_api import Locator

from agentkit.testing.browser import NotebookPage

SETUP = '''%load_ext agentkit
import os, time
os.environ.pop("AGENTKIT_APPROVE", None)
import agentkit
from agentkit import Agent, function_tool
from agentkit.testing import ScriptedModel, call

@function_tool
def get_weather(city: str) -> str:
    """Get the weather in a city."""
    return f"In {city} it is 22 degrees, with a light wind from the north."

@function_tool(needs_approval=True)
def send_mail(to: str, text: str) -> str:
    """Send a mail to somebody."""
    return f"Sent to {to}."

@function_tool
def wait() -> str:
    """Wait."""
    for _ in range(3000):
        time.sleep(0.02)
    return "Waited."

def weather(*replies):
    tools = [get_weather, send_mail, wait]
    return Agent(name="weather", instructions="Tell the weather.", model=ScriptedModel(*replies), tools=tools)'''
SAID = "[(m.role[0], m.text[:17], m.status, m.rating, m.remark) for m in chat.messages]"
"""What is shown: who said it, its beginning, how it went, what the reader thought of it."""


def chat_in(notebook: NotebookPage, index: int) -> Locator:
    """Return the chat below a cell, ready for the reader."""
    chat = notebook.output(index).locator(".agk-chat")
    chat.locator(".agk-chat-head .agk-n").wait_for()
    return chat


def say(chat: Locator, text: str) -> None:
    """Send a message."""
    chat.locator(".agk-composer").fill(text)
    chat.locator(".agk-send").click()


def wait_for_answer(chat: Locator, text: str) -> None:
    """Wait until an answer with this text is complete, and another message may be sent."""
    chat.locator(".agk-answer:not([aria-busy])", has_text=text).last.wait_for()
    chat.locator(".agk-send").wait_for()


def shown(chat: Locator, part: str) -> list[str]:
    """Return the texts of all parts of a class."""
    return chat.locator(part).all_inner_texts()
