"""A kernel that is killed in the middle of a batch: how often the platform is called when the cell is run again."""

from __future__ import annotations

import json
import os
import signal
import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import uvicorn

from agentkit.local.app import create_app
from agentkit.testing.kernel import Kernel

TOKEN = "the-token"


class Platform:
    """The offline platform on a port: notes what it is asked, and after some answers gives no more."""

    def __init__(self, home: Path) -> None:
        self.asked: list[str] = []
        self.answers = 0
        """So many questions are answered; those that come after them get nothing, for ever."""
        self._changed = threading.Condition()
        self._app: Any = create_app(home=home, token=TOKEN)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._server = uvicorn.Server(uvicorn.Config(self, log_level="critical", timeout_graceful_shutdown=1))
        self._thread = threading.Thread(target=self._server.run, args=([self._listener],))

    @property
    def url(self) -> str:
        """The address."""
        return f"http://127.0.0.1:{self._listener.getsockname()[1]}/v1"

    def open(self) -> None:
        """Begin to listen."""
        self._thread.start()

    def close(self) -> None:
        """Be gone."""
        self._server.should_exit = True
        self._thread.join()
        self._listener.close()

    def wait_until_asked(self, count: int) -> None:
        """Wait until so many questions have come."""
        with self._changed:
            assert self._changed.wait_for(lambda: len(self.asked) >= count, timeout=30)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http" or not scope["path"].endswith("/responses"):
            await self._app(scope, receive, send)
            return
        messages = [await receive()]
        while messages[-1].get("more_body"):
            messages.append(await receive())
        with self._changed:
            self.asked.append(question_of(b"".join(message["body"] for message in messages)))
            self._changed.notify_all()
        if len(self.asked) > self.answers:
            while (await receive())["type"] != "http.disconnect":
                pass
            return

        async def replay() -> Any:
            return messages.pop(0) if messages else await receive()

        await self._app(scope, replay, send)


def question_of(body: bytes) -> str:
    """Return the user's text of a request."""
    asked = json.loads(body)["input"]
    return str(asked if isinstance(asked, str) else asked[-1]["content"])


@pytest.fixture
def platform(tmp_path: Path) -> Iterator[Platform]:
    served = Platform(tmp_path / "served")
    served.open()
    try:
        yield served
    finally:
        served.close()


SETUP = '''
%load_ext agentkit
import pandas as pd
from typing import Literal
from pydantic import BaseModel
from agentkit import function_tool

class Verdict(BaseModel):
    mood: Literal["good", "bad"]
    stars: int

@function_tool
def look_up(word: str) -> str:
    """Look a word up."""
    return word * 2

reviews = pd.DataFrame({"text": [f"review {n}" for n in range(100)]})
'''
AGENT = "%%agent judge --model rehearsal-1 --output-type Verdict --tools look_up\nYou judge reviews.\n"


@pytest.mark.parametrize("concurrency", [1, 8])
def test_killed_at_row_40_of_100_the_rerun_makes_exactly_60_calls(
    platform: Platform, tmp_path: Path, concurrency: int
) -> None:
    env = {
        "OPENAI_BASE_URL": platform.url,
        "OPENAI_API_KEY": TOKEN,
        "JPY_SESSION_NAME": str(tmp_path / "reviews.ipynb"),
        "AGENTKIT_RENDER": None,
    }
    code = f"%%ask judge --over reviews --out judged --concurrency {concurrency}\n{{{{text}}}}\n"
    rows = [f"review {n}" for n in range(100)]

    platform.answers = 40
    with Kernel(home=tmp_path / "home", env=env) as kernel:
        kernel.run(SETUP).check()
        kernel.run(AGENT).check()
        cell = kernel.start(code, allow_stdin=True)
        cell.wait_for_text("40 of 100")
        platform.wait_until_asked(40 + concurrency)
        pid: Any = getattr(kernel.manager.provisioner, "pid", None)
        os.kill(pid, signal.SIGKILL)
    assert sorted(platform.asked) == sorted(rows[: 40 + concurrency])
    answered = set(platform.asked[:40])  # of those that are sent at once, any may come first

    platform.asked.clear()
    platform.answers = 1000
    with Kernel(home=tmp_path / "home", env=env) as kernel:
        kernel.run(SETUP).check()
        kernel.run(AGENT).check()
        shown = kernel.run(code, allow_stdin=True).check().text
        judged = "list(judged['status']) == ['ok'] * 100, str(judged['stars'].dtype), int(judged['stars'].isna().sum())"
        assert kernel.run(judged).check().text == "(True, 'Int64', 0)"
    assert len(platform.asked) == 60
    assert sorted(platform.asked) == sorted(set(rows) - answered)
    assert "judge · rehearsal-1 · 100 rows · " in shown
