"""The platform behind the client: answers stream, stop, and leave nothing behind."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import httpx2
import openai
import pytest

from agentkit.local import create_app, embedded_transports
from agentkit.local.engines.base import TextDelta
from agentkit.local.transport import AsyncEmbeddedTransport, EmbeddedTransport

URL = "http://agentkit.local/v1"


def platform_threads() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "agentkit-platform"]


def raw_app(answer: Any) -> Any:
    """An ASGI application with the storage that a transport closes."""

    class App:
        class state:  # noqa: N801  (Starlette's name)
            class platform:  # noqa: N801
                close = staticmethod(lambda: None)

        async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
            await answer(scope, receive, send)

    return App()


async def test_text_arrives_before_the_answer_is_complete(engine: Any, client: openai.AsyncOpenAI) -> None:
    rest = asyncio.Event()
    engine.pieces = [TextDelta("now"), rest, TextDelta("later")]
    stream = await client.responses.create(model="rehearsal-1", input="Hi", stream=True)
    texts = []
    async for event in stream:
        if event.type == "response.output_text.delta":
            texts.append((event.delta, rest.is_set()))
            rest.set()
    assert texts == [("now", False), ("later", True)]


async def test_closing_a_stream_stops_the_engine(engine: Any, client: openai.AsyncOpenAI) -> None:
    engine.pieces = [TextDelta("now"), asyncio.Event(), TextDelta("never")]
    async with await client.responses.create(model="rehearsal-1", input="Hi", stream=True) as stream:
        async for event in stream:
            if event.type == "response.output_text.delta":
                break
    assert (engine.given, engine.closed) == (1, 1)


async def test_cancelling_the_caller_stops_the_engine(engine: Any, client: openai.AsyncOpenAI) -> None:
    engine.pieces = [asyncio.Event()]
    call = asyncio.create_task(client.responses.create(model="rehearsal-1", input="Hi"))
    while not engine.prompts:
        await asyncio.sleep(0)
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call
    assert engine.closed == 1
    assert asyncio.all_tasks() == {asyncio.current_task()}


async def test_a_finished_call_leaves_no_task(client: openai.AsyncOpenAI) -> None:
    await client.responses.create(model="rehearsal-1", input="Hi")
    async for _ in await client.responses.create(model="rehearsal-1", input="Hi", stream=True):
        pass
    await asyncio.sleep(0)  # the watcher of the stream sees that it was cancelled
    assert asyncio.all_tasks() == {asyncio.current_task()}


async def test_an_abandoned_stream_comes_to_its_end_by_itself(engine: Any, client: openai.AsyncOpenAI) -> None:
    engine.pieces = [TextDelta("word ")] * 2000
    stream = await client.responses.create(model="rehearsal-1", input="Hi", stream=True)
    while len(asyncio.all_tasks()) > 1:
        await asyncio.sleep(0)
    assert (engine.given, engine.closed) == (2000, 1)
    await stream.close()


async def test_many_answers_are_made_at_once(engine: Any, client: openai.AsyncOpenAI) -> None:
    together = asyncio.Event()
    engine.pieces = [together, TextDelta("done")]
    calls = [asyncio.create_task(client.responses.create(model="rehearsal-1", input=f"{n}")) for n in range(20)]
    while len(engine.prompts) < 20:
        await asyncio.sleep(0)
    together.set()
    assert [made.output_text for made in await asyncio.gather(*calls)] == ["done"] * 20


def test_several_loops_use_one_platform_at_once(engine: Any, transports: Any) -> None:
    meeting = threading.Barrier(3, timeout=30)
    results: list[tuple[str, str]] = []

    async def talk(name: str) -> None:
        http_client = openai.DefaultAsyncHttpx2Client(transport=transports[0])
        async with openai.AsyncOpenAI(api_key="k", base_url=URL, http_client=http_client, max_retries=0) as client:
            previous = None
            meeting.wait()
            for _ in range(5):
                made = await client.responses.create(model="rehearsal-1", input=name, previous_response_id=previous)
                previous = made.id
            items = await client.responses.input_items.list(made.id, limit=100)
            results.append((name, " ".join(item.content[0].text for item in items.data[::2])))  # type: ignore[union-attr]

    engine.will_say("Yes.")
    threads = [threading.Thread(target=lambda n=n: asyncio.run(talk(n))) for n in "abc"]  # type: ignore[misc]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(results) == [(name, " ".join([name] * 5)) for name in "abc"]


async def test_the_blocking_client_works_inside_a_running_loop(engine: Any, sync_client: openai.OpenAI) -> None:
    engine.will_say("Hello there")
    assert sync_client.responses.create(model="rehearsal-1", input="Hi").output_text == "Hello there"
    texts = [
        event.delta
        for event in sync_client.responses.create(model="rehearsal-1", input="Hi", stream=True)
        if event.type == "response.output_text.delta"
    ]
    assert texts == ["Hello", " there"]
    assert platform_threads() == []


def test_text_arrives_at_the_blocking_client_before_the_answer_is_complete(tmp_path: Path) -> None:
    taken = threading.Event()

    class Waiting:
        async def answer(self, prompt: Any) -> Any:
            yield TextDelta("now")
            await asyncio.to_thread(taken.wait, 30)
            yield TextDelta("later")

        def count_tokens(self, text: str) -> int:
            return 1

    _, transport = embedded_transports(home=tmp_path, engine=Waiting())
    with openai.OpenAI(
        api_key="k", base_url=URL, http_client=openai.DefaultHttpx2Client(transport=transport)
    ) as client:
        texts = []
        for event in client.responses.create(model="rehearsal-1", input="Hi", stream=True):
            if event.type == "response.output_text.delta":
                texts.append((event.delta, taken.is_set()))
                taken.set()
    assert texts == [("now", False), ("later", True)]
    assert platform_threads() == []


def test_closing_a_blocking_stream_stops_the_engine_and_its_thread(engine: Any, sync_client: openai.OpenAI) -> None:
    engine.pieces = [TextDelta("now"), asyncio.Event()]
    with sync_client.responses.create(model="rehearsal-1", input="Hi", stream=True) as stream:
        for event in stream:
            if event.type == "response.output_text.delta":
                break
        assert len(platform_threads()) == 1
    assert (engine.closed, platform_threads()) == (1, [])


def test_an_interrupt_stops_the_engine_and_its_thread(tmp_path: Path) -> None:
    code = """
import asyncio, os, signal, sys, threading
import httpx2
from pathlib import Path
from agentkit.local import embedded_transports

class Interrupting:
    async def answer(self, prompt):
        os.kill(os.getpid(), signal.SIGINT)
        try:
            await asyncio.Event().wait()
        finally:
            print("engine stopped")
        yield

_, transport = embedded_transports(home=Path(sys.argv[1]), engine=Interrupting())
body = {"model": "rehearsal-1", "input": "Hi"}
try:
    transport.handle_request(httpx2.Request("POST", "http://agentkit.local/v1/responses", json=body))
except KeyboardInterrupt:
    print("interrupted", threading.active_count())
"""
    assert run_python(code, str(tmp_path)) == "engine stopped\ninterrupted 1"


async def test_a_read_timeout_is_kept(engine: Any, client: openai.AsyncOpenAI) -> None:
    engine.pieces = [asyncio.Event()]
    with pytest.raises(openai.APITimeoutError):
        await client.with_options(timeout=0.001).responses.create(model="rehearsal-1", input="Hi")
    assert engine.closed == len(engine.prompts)


def test_a_read_timeout_is_kept_by_the_blocking_client(engine: Any, sync_client: openai.OpenAI) -> None:
    engine.pieces = [asyncio.Event()]
    with pytest.raises(openai.APITimeoutError):
        sync_client.with_options(timeout=0.001).responses.create(model="rehearsal-1", input="Hi")
    assert engine.closed == len(engine.prompts)
    assert platform_threads() == []


async def breaks_off(scope: Any, receive: Any, send: Any) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/event-stream")]})
    await send({"type": "http.response.body", "body": b'data: {"a": 1}\n\n', "more_body": True})
    raise RuntimeError("a mistake")


async def breaks_at_once(scope: Any, receive: Any, send: Any) -> None:
    raise RuntimeError("a mistake")


@pytest.mark.parametrize("answer", [breaks_off, breaks_at_once])
async def test_a_platform_that_breaks_off_is_a_connection_error(answer: Any) -> None:
    transport = AsyncEmbeddedTransport(raw_app(answer))
    http_client = openai.DefaultAsyncHttpx2Client(transport=transport)
    async with openai.AsyncOpenAI(api_key="k", base_url=URL, http_client=http_client, max_retries=0) as client:
        with pytest.raises(openai.APIConnectionError) as caught:
            async for _ in await client.responses.create(model="rehearsal-1", input="Hi", stream=True):
                pass
    assert "RuntimeError: a mistake" in str(caught.value.__cause__)


@pytest.mark.parametrize("answer", [breaks_off, breaks_at_once])
def test_the_blocking_client_sees_the_same(answer: Any) -> None:
    http_client = openai.DefaultHttpx2Client(transport=EmbeddedTransport(raw_app(answer)))
    client = openai.OpenAI(api_key="k", base_url=URL, http_client=http_client, max_retries=0)
    with client, pytest.raises(openai.APIConnectionError) as caught:
        for _ in client.responses.create(model="rehearsal-1", input="Hi", stream=True):
            pass
    assert "RuntimeError: a mistake" in str(caught.value.__cause__)
    assert platform_threads() == []


async def test_a_mistake_of_the_platform_itself_is_a_server_error(tmp_path: Path) -> None:
    class Broken:
        def answer(self, prompt: Any) -> Any: ...

        def count_tokens(self, text: str) -> int:
            raise RuntimeError("can't count")

    transport, _ = embedded_transports(home=tmp_path, engine=Broken())
    http_client = openai.DefaultAsyncHttpx2Client(transport=transport)
    async with openai.AsyncOpenAI(api_key="k", base_url=URL, http_client=http_client, max_retries=0) as client:
        with pytest.raises(openai.InternalServerError, match="RuntimeError: can't count") as caught:
            await client.responses.input_tokens.count(model="rehearsal-1", input="Hi")
    assert caught.value.type == "server_error"


@pytest.mark.parametrize("sent", [None, "wrong", ""])
async def test_a_wrong_token_does_not_get_in(engine: Any, tmp_path: Path, sent: str | None) -> None:
    transport = AsyncEmbeddedTransport(create_app(home=tmp_path, token="right", engine=engine))
    headers = {} if sent is None else {"authorization": f"Bearer {sent}"}
    async with httpx2.AsyncClient(transport=transport) as http:
        reply = await http.get(f"{URL}/models", headers=headers)
    error = reply.json()["error"]
    assert (reply.status_code, error["code"], error["type"]) == (401, "invalid_api_key", "invalid_request_error")
    assert "right" not in error["message"]


async def test_the_right_token_gets_in(engine: Any, tmp_path: Path) -> None:
    transport = AsyncEmbeddedTransport(create_app(home=tmp_path, token="right", engine=engine))
    for key, passes in (("right", True), ("wrong", False)):
        http_client = openai.DefaultAsyncHttpx2Client(transport=transport)
        async with openai.AsyncOpenAI(api_key=key, base_url=URL, http_client=http_client) as client:
            if passes:
                assert (await client.responses.create(model="rehearsal-1", input="Hi")).status == "completed"
            else:
                with pytest.raises(openai.AuthenticationError, match="Incorrect API key provided"):
                    await client.responses.create(model="rehearsal-1", input="Hi")


async def test_the_platform_works_on_after_a_client_was_closed(engine: Any, transports: Any) -> None:
    for _ in range(2):
        http_client = openai.DefaultAsyncHttpx2Client(transport=transports[0])
        async with openai.AsyncOpenAI(api_key="k", base_url=URL, http_client=http_client) as client:
            assert (await client.responses.create(model="rehearsal-1", input="Hi")).status == "completed"


def run_python(code: str, *arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=True, timeout=60
    )
    return done.stdout.strip()


def test_importing_the_package_loads_none_of_the_machinery() -> None:
    code = """
import sys, agentkit.local
heavy = {"starlette", "uvicorn", "httpx2", "openai", "pydantic", "sqlite3", "asyncio"}
print(sorted(heavy & set(sys.modules)))
"""
    assert run_python(code) == "[]"


def test_the_platform_does_not_import_the_client() -> None:
    code = """
import sys
import agentkit.local.app, agentkit.local.server, agentkit.local.transport
print("openai" in sys.modules, "uvicorn" in sys.modules)
"""
    assert run_python(code) == "False False"


def test_the_package_has_its_documented_names_only() -> None:
    import agentkit.local

    assert dir(agentkit.local) == ["create_app", "embedded_transports", "serve"]
    assert all(callable(getattr(agentkit.local, name)) for name in agentkit.local.__all__)
    with pytest.raises(AttributeError, match="no attribute 'crate_app'"):
        agentkit.local.crate_app  # noqa: B018


async def test_rehearsal_answers_where_no_engine_is_given(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AGENTKIT_HOME", str(tmp_path))
    transport, blocking = embedded_transports()
    http_client = openai.DefaultAsyncHttpx2Client(transport=transport)
    async with openai.AsyncOpenAI(api_key="k", base_url=URL, http_client=http_client) as client:
        made = await client.responses.create(model="rehearsal-1", input="Hello")
    assert made.output_text
    with openai.OpenAI(api_key="k", base_url=URL, http_client=openai.DefaultHttpx2Client(transport=blocking)) as client:
        assert client.responses.retrieve(made.id) == made
    assert [path.name for path in tmp_path.iterdir()] == ["platform.sqlite3"]
