import asyncio
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import agentkit
from agentkit import (
    Agent,
    ModelConnectionError,
    NoBackendError,
    OpenAIProvider,
    Runner,
    UserError,
    backend,
    connect,
    current_backend,
)


@pytest.fixture(autouse=True)
def no_backend(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name in ("OPENAI_API_KEY", "OPENAI_BASE_URL", "OPENAI_DEFAULT_MODEL"):
        monkeypatch.delenv(name, raising=False)
    agentkit.disconnect()
    yield
    agentkit.disconnect()
    backend.use_notebook_default(False)


def test_without_anything_a_script_is_told_the_three_ways_out() -> None:
    with pytest.raises(NoBackendError) as caught:
        current_backend()
    assert all(way in str(caught.value) for way in ("OPENAI_API_KEY", "OPENAI_BASE_URL", 'connect("embedded")'))


async def test_a_run_without_anything_says_the_same() -> None:
    with pytest.raises(NoBackendError, match="Three ways out"):
        await Runner.run(Agent(name="a"), "Hi")


def test_a_notebook_gets_the_embedded_platform() -> None:
    backend.use_notebook_default()
    assert (current_backend().name, current_backend().default_model) == ("embedded", "rehearsal-1")
    assert backend.describe() == "embedded platform (offline) · model rehearsal-1"


def test_auto_without_a_key_is_the_embedded_platform() -> None:
    assert connect().name == "embedded"


def test_a_key_means_openai(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-secret")
    chosen = connect()
    assert (chosen.name, chosen.base_url) == ("openai", "https://api.openai.com/v1")
    assert chosen.sync_client.api_key == "sk-secret"
    assert "sk-secret" not in repr(chosen)


def test_an_address_in_the_environment_means_that_server(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_BASE_URL", "http://localhost:8000/v1")
    monkeypatch.setenv("OPENAI_API_KEY", "sk-secret")
    assert (connect().name, connect().base_url) == ("localhost:8000", "http://localhost:8000/v1")


def test_the_default_model_can_be_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-secret")
    assert connect(model="mine").default_model == "mine"
    monkeypatch.setenv("OPENAI_DEFAULT_MODEL", "theirs")
    assert connect().default_model == "theirs"
    assert backend.describe() == "OpenAI · model theirs"


def test_openai_without_a_key_is_refused() -> None:
    with pytest.raises(NoBackendError, match="OpenAI needs a key. Set OPENAI_API_KEY"):
        connect("openai")


def test_an_unknown_backend_is_named() -> None:
    with pytest.raises(UserError, match="There is no platform 'opanai'. Did you mean openai"):
        connect("opanai")


@pytest.mark.parametrize(
    ("platform", "said"),
    [
        ("embeded", "There is no platform 'embeded'. Did you mean embedded?"),
        (42, "A platform is given by its name or address, not by int 42. Use "),
        (None, "A platform is given by its name or address, not by NoneType None. Use "),
        ("x" * 40, "There is no platform 'xxx…'. Use "),  # it may be a key
    ],
)
def test_what_is_no_platform_is_told(platform: Any, said: str) -> None:
    with pytest.raises(UserError) as raised:
        connect(platform)
    assert str(raised.value).startswith(said)


def test_a_model_that_the_embedded_platform_has_not_is_a_warning() -> None:
    with pytest.warns(UserWarning, match="The embedded platform has no model 'nosuch'. It has rehearsal-1.") as caught:
        connect("embedded", model="nosuch")
    assert caught[0].filename == __file__
    assert connect("embedded", model="gpt-x").known_model == "gpt-x"  # rehearsed too
    assert connect("http://localhost:8000/v1", model="nosuch").known_model == "nosuch"  # not asked


def test_a_refused_connection_says_how_often_it_was_tried() -> None:
    connect("http://127.0.0.1:1/v1", model="m")
    with pytest.raises(ModelConnectionError, match="No connection to .* It was tried 3 times."):
        Runner.run_sync(Agent(name="a"), "Hi")


def test_the_embedded_platform_answers_both_clients() -> None:
    chosen = connect("embedded")
    assert [model.id for model in chosen.sync_client.models.list()] == ["rehearsal-1", "tiny-1"]

    async def ask() -> str:
        return (await chosen.client.responses.create(model="rehearsal-1", input="Hello!")).output_text

    assert asyncio.run(ask())


def test_each_event_loop_has_a_client_of_its_own() -> None:
    chosen = connect("embedded")

    async def clients() -> tuple[int, bool]:
        return id(chosen.client), chosen.client is chosen.client

    (one, same), (two, _) = asyncio.run(clients()), asyncio.run(clients())
    assert same
    assert one != two


def test_a_server_without_models_says_so() -> None:
    chosen = connect("http://127.0.0.1:9/v1")  # nothing listens on the discard port
    with pytest.raises(UserError, match=r"No connection to http://127.0.0.1:9/v1: .*Is the server running"):
        _ = chosen.default_model


def test_a_password_in_an_address_is_not_shown() -> None:
    chosen = connect("http://user:hunter2@127.0.0.1:9/v1", model="m")
    assert "hunter2" not in repr(chosen) + backend.describe() + repr(chosen.plan)
    with pytest.raises(agentkit.ModelConnectionError) as caught:
        Runner.run_sync(Agent(name="a"), "Hi")
    assert "hunter2" not in str(caught.value)


def test_the_environments_key_is_not_sent_to_any_server(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-secret")
    assert connect("http://127.0.0.1:9/v1").sync_client.api_key == "none"
    assert connect("http://127.0.0.1:9/v1", api_key="mine").sync_client.api_key == "mine"


def test_a_key_that_is_set_later_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    backend.use_notebook_default()
    assert current_backend().name == "embedded"
    monkeypatch.setenv("OPENAI_API_KEY", "sk-secret")
    assert current_backend().name == "openai"


def test_openais_address_needs_a_key_too() -> None:
    with pytest.raises(NoBackendError, match="OpenAI needs a key"):
        connect("https://api.openai.com/v1")


def test_a_server_may_be_asked_by_chat_completions() -> None:
    connect("http://127.0.0.1:9/v1", model="m", api="chat_completions")
    assert type(OpenAIProvider().get_model(None)).__name__ == "OpenAIChatCompletionsModel"
    with pytest.raises(UserError, match="There is no api 'chat'"):
        connect("embedded", api="chat")  # type: ignore[arg-type]


SEVERAL_LOOPS = """
import asyncio, http.server, json, threading
import agentkit

class Server(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def answer(self, body):
        data = json.dumps(body).encode()
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)
    def do_GET(self):
        self.answer({"object": "list", "data": [{"id": "m1", "object": "model", "created": 1, "owned_by": "x"}]})
    def do_POST(self):
        self.rfile.read(int(self.headers["content-length"]))
        part = {"type": "output_text", "text": "ok", "annotations": []}
        message = {"type": "message", "id": "m", "role": "assistant", "status": "completed", "content": [part]}
        self.answer({"id": "r", "status": "completed", "output": [message]})
    def log_message(self, *args): pass

server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Server)
threading.Thread(target=server.serve_forever, daemon=True).start()
agentkit.connect(f"http://127.0.0.1:{server.server_port}/v1")
for _ in range(3):
    print(asyncio.run(agentkit.Runner.run(agentkit.Agent(name="a"), "Hi")).final_output)
print(agentkit.current_backend().default_model)
"""


def test_one_connection_serves_several_event_loops_without_a_word(tmp_path: Path) -> None:
    environment = {**os.environ, "AGENTKIT_HOME": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-c", SEVERAL_LOOPS], capture_output=True, text=True, timeout=60, env=environment
    )
    assert (done.stdout.split(), done.stderr) == (["ok", "ok", "ok", "m1"], "")


def test_a_provider_takes_a_client_or_a_key_but_not_both() -> None:
    with pytest.raises(UserError, match="got a client as well as a key"):
        OpenAIProvider(openai_client=connect("embedded").client, api_key="k")


def test_a_provider_may_have_a_server_of_its_own() -> None:
    model = OpenAIProvider(base_url="http://localhost:1/v1", api_key="k", use_responses=False).get_model("m")
    assert (type(model).__name__, str(model.client.base_url)) == (  # type: ignore[attr-defined]
        "OpenAIChatCompletionsModel",
        "http://localhost:1/v1/",
    )


def test_the_documented_hello_world_runs_as_a_script(tmp_path: object) -> None:
    script = (
        "import agentkit; agentkit.connect('embedded')\n"
        "from agentkit import Agent, Runner\n"
        "agent = Agent(name='Assistant', instructions='You are a helpful assistant')\n"
        "result = Runner.run_sync(agent, 'Write a haiku about recursion in programming.')\n"
        "print(result.final_output)\n"
    )
    done = subprocess.run([sys.executable, "-W", "error", "-c", script], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr, len(done.stdout.strip().splitlines())) == (0, "", 3)
