"""Keys of every shape, in all that passes through a notebook: none is in what the kernel sends, or in the traces.

What the kernel sends is all that a front end can show, and all that it can save.
"""

from __future__ import annotations

import html
import http.server
import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import pytest
from key_shapes import BY_NAME_ONLY, KEYS, spoken

from agentkit.testing.kernel import CellResult, Kernel

SPOKEN = spoken()
PASSWORD = urlsplit(BY_NAME_ONLY["DATABASE_URL"]).password or ""
SECRETS = {
    **KEYS,
    **{name: said.key for name, said in SPOKEN.items()},
    **{name: value for name, value in BY_NAME_ONLY.items() if name != "DATABASE_URL"},
    "DATABASE_URL": PASSWORD,
}

SETUP = '''
%load_ext agentkit
import asyncio, json, logging, os, sys
import agentkit
from agentkit import Agent, function_tool, ModelSettings
from agentkit.testing import ScriptedModel, call
agentkit.connect("embedded");
TEXTS = json.load(open("texts.json"))
ALL = "\\n\\n".join(TEXTS)
model = ScriptedModel()

@function_tool
def look_up(question: str) -> str:
    """Look something up."""
    return ALL

@function_tool
def fail(question: str) -> str:
    """Fail."""
    connection = {"headers": {"Authorization": TEXTS[0]}, "all": TEXTS}
    try:
        raise KeyError(ALL)
    except KeyError as error:
        raise ValueError(f"could not: {ALL}") from error

@function_tool(failure_error_function=None)
def fail_loudly(question: str) -> str:
    """Fail, and take the run along."""
    connection = {"headers": {"Authorization": TEXTS[0]}, "all": TEXTS}
    password = ALL
    try:
        raise KeyError(ALL)
    except KeyError as error:
        raise ValueError(f"could not: {ALL}", TEXTS) from error

keeper = Agent(name="keeper", instructions=f"You know {ALL}", model=model, tools=[look_up, fail, fail_loudly])
'''


class Secretive:
    """A kernel with keys in its environment and in a file, and all that it has sent so far."""

    def __init__(self, kernel: Kernel, home: Path) -> None:
        self.kernel = kernel
        self.home = home

    def run(self, code: str, *, allow_stdin: bool = False, fails: bool = False) -> CellResult:
        """Run a cell, and fail where a key is in anything that the kernel sent for it."""
        result = self.kernel.run(code, allow_stdin=allow_stdin)
        assert (result.status == "error") is fails, f"{code}\n{without_keys(result.text)}"
        assert leaked(json.dumps([m["content"] for m in result.messages if m["msg_type"] != "execute_input"])) == []
        assert leaked(result.text) == []
        assert leaked(html.unescape(result.html)) == []
        return result


def leaked(text: str) -> list[str]:
    """Return the names of the keys in a text, whole or by the better half, in any spelling that JSON or HTML has."""
    found = []
    for name, key in SECRETS.items():
        half = key[: len(key) // 2 + 2]
        spellings = {half, json.dumps(half)[1:-1], html.escape(half), quote(half, safe=""), repr(half)[1:-1]}
        for spelling in spellings:
            if (at := text.find(spelling)) >= 0:
                found.append(f"{name}: {without_keys(text[max(0, at - 80) : at])}…")
                break
    return found


def without_keys(text: str) -> str:
    for key in SECRETS.values():
        text = text.replace(key, "<KEY>")
    return text


@pytest.fixture(scope="module")
def secretive(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Secretive]:
    folder = tmp_path_factory.mktemp("keys")
    texts = [f"it is {key}, they say" for key in KEYS.values()]
    texts += [said.text for said in SPOKEN.values()]
    texts += [f"it is {value} here" for value in BY_NAME_ONLY.values()]
    (folder / "texts.json").write_text(json.dumps(texts), encoding="utf-8")
    env: dict[str, str | None] = {
        **BY_NAME_ONLY,
        "PYTEST_VERSION": None,
        "AGENTKIT_RENDER": None,
        "AGENTKIT_REHEARSAL_TOKENS_PER_S": "0",
    }
    with Kernel(home=folder / "home", env=env, cwd=folder, timeout_s=60) as kernel:
        secretive = Secretive(kernel, folder / "home")
        secretive.run(SETUP)
        yield secretive


@pytest.fixture(autouse=True)
def _as_before(secretive: Secretive) -> Iterator[None]:
    secretive.run("model = ScriptedModel(); keeper.model = model; agentkit.connect('embedded');")
    yield
    secretive.run("%xmode Context")


def test_what_is_looked_for_would_be_found(secretive: Secretive) -> None:
    result = secretive.kernel.run("print(ALL)")
    assert sorted(each.partition(":")[0] for each in leaked(result.text)) == sorted(SECRETS)
    assert len(SECRETS) >= 40


@pytest.mark.parametrize("live", [True, False])
def test_answers_and_results_of_tools(secretive: Secretive, live: bool) -> None:
    calls = "call('look_up', question=ALL), call('fail', question='x')"
    secretive.run(f"model.reply(f'I look. {{ALL}}', {calls}).reply(ALL);")
    result = secretive.run("%%ask keeper --new --out result\nWhat of {{ALL}}?", allow_stdin=live)
    assert "[redacted]" in result.text
    assert "[redacted]" in result.html
    secretive.run("result")
    secretive.run("keeper")
    secretive.run("print(repr(result), result, result.usage, result.last_agent, sep='\\n')")
    secretive.run("%session show keeper")
    secretive.run("%session list")


def test_a_dry_run(secretive: Secretive) -> None:
    headers = "{'X-Acme': TEXTS[0], 'Authorization': TEXTS[1]}"
    secretive.run(f"keeper.model_settings = ModelSettings(extra_headers={headers})")
    secretive.run("%%ask keeper --new --dry-run\n{{ALL}}")
    secretive.run("keeper.model_settings")
    secretive.run("keeper.model_settings = ModelSettings()")


def test_rows_of_a_frame(secretive: Secretive) -> None:
    secretive.run("import pandas as pd; frame = pd.DataFrame({'text': [ALL, 'b']})")
    secretive.run("model.reply(ALL).reply(ValueError(ALL))")
    result = secretive.run("%%ask keeper --over frame --out rows\nWhat of {{text}}?")
    assert "redacted" in result.text
    told = "rows.filter(like='error').to_numpy().ravel().tolist()"
    errors = secretive.run(f"[text for text in {told} if isinstance(text, str)]")
    assert "redacted" in errors.text


def test_a_chat(secretive: Secretive) -> None:
    secretive.run("model.reply(f'I look. {ALL}', call('look_up', question=ALL)).reply(ALL).reply(ValueError(ALL))")
    result = secretive.run("talk = agentkit.chat(keeper, title=ALL); talk.ask(ALL);")
    assert "[redacted]" in result.text
    secretive.run("talk.ask('And?');", fails=True)
    secretive.run("talk")
    secretive.run("print(repr(talk), talk.messages[0])")
    secretive.run("talk.close()")
    secretive.run("%chat --list")
    secretive.run("agentkit.rate(talk.result, 'down', remark=ALL) if talk.result else None; agentkit.feedback()")


@pytest.mark.parametrize("mode", ["Plain", "Context", "Verbose", "Minimal"])
def test_a_run_that_fails_and_its_whole_traceback(secretive: Secretive, mode: str) -> None:
    secretive.run(f"%xmode {mode}")
    secretive.run("model.reply(call('fail_loudly', question=ALL))")
    secretive.run("%%ask keeper --new\nGo {{ALL}}", fails=True)
    result = secretive.run("%tb")
    assert "redacted" in result.text
    secretive.run("agentkit.Runner.run_sync(keeper, ALL)", fails=True)
    secretive.run("model.reply(call('fail_loudly', question=ALL)); await agentkit.Runner.run(keeper, ALL)", fails=True)


@pytest.mark.parametrize("mode", ["Plain", "Context", "Verbose", "Minimal"])
def test_errors_that_have_nothing_to_do_with_a_run(secretive: Secretive, mode: str) -> None:
    secretive.run(f"%xmode {mode}")
    chained = "def f(text, all_of_them):\n    own = dict(zip(text, all_of_them))\n    whole = ALL\n"
    chained += "    try:\n        {}[text]\n    except KeyError as e:\n        e.add_note(ALL)\n"
    chained += "        raise RuntimeError('no', text, all_of_them) from e\nf(ALL, TEXTS)"
    result = secretive.run(chained, fails=True)
    assert "redacted" in result.text
    secretive.run("raise ExceptionGroup(ALL, [ValueError(ALL), OSError(2, ALL, ALL)])", fails=True)
    secretive.run("open(ALL)", fails=True)
    secretive.run("exec(ALL)", fails=True)
    secretive.run("json.loads(ALL)", fails=True)
    secretive.run("%tb")


class _Refusing(http.server.BaseHTTPRequestHandler):
    """Refuses every key, and quotes it with all else that it was sent, as some servers do."""

    status = 401

    def _refuse(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        key = (self.headers.get("Authorization") or "").removeprefix("Bearer ")
        message = f"Incorrect API key provided: {key}. You sent {self.path} with {dict(self.headers)}"
        body = json.dumps({"error": {"message": message, "type": "invalid_request_error", "code": key}}).encode()
        self.send_response(self.status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.send_header("X-Request-Id", "req_1")
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_POST = _refuse  # noqa: N815 (the names are http.server's)

    def log_message(self, format: str, *arguments: Any) -> None:
        """Say nothing."""


@pytest.fixture
def refusing() -> Iterator[str]:
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Refusing) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/v1"
        server.shutdown()
        thread.join()


@pytest.mark.parametrize("name", ["openai-project", "anthropic", "google", "bearer", "ACME_TOKEN"])
def test_a_server_that_refuses_a_key_and_quotes_it(secretive: Secretive, refusing: str, name: str) -> None:
    (secretive.home.parent / "key.txt").write_text(SECRETS[name], encoding="utf-8")
    secretive.run(f"made = agentkit.connect('{refusing}', api_key=open('key.txt').read(), model='m')")
    secretive.run("made")
    secretive.run("print(repr(made), vars(made), sep='\\n')")
    secretive.run("keeper.model = None")
    for mode in ("Context", "Verbose"):
        secretive.run(f"%xmode {mode}")
        result = secretive.run("%%ask keeper --new\nHello", fails=True)
        assert "401" in result.text or "key" in result.text
        secretive.run("%tb")
        secretive.run("try:\n    agentkit.Runner.run_sync(keeper, 'x')\nexcept Exception as e:\n    raise", fails=True)
        secretive.run("print(repr(made.client))")
    secretive.run("%agentkit status")
    secretive.run("agentkit.models()", fails=True)


def test_headers_and_parameters_of_a_request(secretive: Secretive, refusing: str) -> None:
    (secretive.home.parent / "key.txt").write_text(SECRETS["ACME_TOKEN"][::-1], encoding="utf-8")
    code = "key = open('key.txt').read()\nkeeper.model = None\n"
    code += "keeper.model_settings = ModelSettings(extra_headers={'X-Acme-Token': key}, extra_query={'token': key})\n"
    code += f"agentkit.connect('{refusing}', api_key='not-needed', model='m')"
    secretive.run(code)
    reverse = SECRETS["ACME_TOKEN"][::-1]
    result = secretive.run("%%ask keeper --new\nHello", fails=True)
    assert reverse not in json.dumps([m["content"] for m in result.messages])
    assert reverse not in secretive.run("keeper.model_settings").text
    secretive.run("keeper.model_settings = ModelSettings()")


def test_the_log_at_its_most_talkative(secretive: Secretive, refusing: str) -> None:
    secretive.run("%env OPENAI_AGENTS_DONT_LOG_MODEL_DATA=0")
    secretive.run("%env OPENAI_AGENTS_DONT_LOG_TOOL_DATA=0")
    secretive.run("agentkit.enable_verbose_stdout_logging(); logging.basicConfig(level=logging.DEBUG, force=True)")
    secretive.run("model.reply(call('look_up', question=ALL), call('fail', question='x')).reply(ALL)")
    result = secretive.run("%%ask keeper --new\nWhat of {{ALL}}?")
    assert "Tool 'look_up' is called" in result.stdout
    (secretive.home.parent / "key.txt").write_text(SECRETS["openai"], encoding="utf-8")
    secretive.run(f"agentkit.connect('{refusing}', api_key=open('key.txt').read(), model='m'); keeper.model = None")
    secretive.run("%%ask keeper --new\nHello", fails=True)
    secretive.run(
        "logging.getLogger('agentkit').handlers.clear(); logging.getLogger('agentkit').setLevel(logging.NOTSET)\n"
        "logging.basicConfig(level=logging.WARNING, force=True)\n"
        "os.environ.pop('OPENAI_AGENTS_DONT_LOG_MODEL_DATA'); os.environ.pop('OPENAI_AGENTS_DONT_LOG_TOOL_DATA');"
    )


def test_objects_with_keys_in_them(secretive: Secretive) -> None:
    secretive.run("from agentkit import HostedMCPTool")
    secretive.run(
        "HostedMCPTool(tool_config={'type': 'mcp', 'server_label': 'docs', 'server_url': TEXTS[-1],"
        " 'authorization': TEXTS[0], 'headers': {'Authorization': f'Bearer {TEXTS[1]}'}})"
    )
    secretive.run(
        "from agentkit.mcp import MCPServerStreamableHttp\n"
        "server = MCPServerStreamableHttp(params={'url': 'http://127.0.0.1:9/mcp?token=' + TEXTS[0].split()[2],"
        " 'headers': {'Authorization': 'Bearer ' + TEXTS[0].split()[2].rstrip(',')}})\nserver"
    )
    secretive.run("await server.connect()", fails=True)
    secretive.run("%agentkit")
    secretive.run("%agentkit config")


def test_traces_hold_no_key(secretive: Secretive) -> None:
    secretive.run("model.reply(call('look_up', question=ALL), call('fail', question='x')).reply(ALL)")
    secretive.run("%%ask keeper --new\nWhat of {{ALL}}?")
    secretive.run("model.reply(call('fail_loudly', question=ALL))")
    secretive.run("%%ask keeper --new\nGo {{ALL}}", fails=True)
    secretive.run("agentkit.rate(agentkit.traces()['trace_id'].iloc[0], 'down', remark=ALL)")
    secretive.run("agentkit.flush_traces(); agentkit.traces()")
    secretive.run("agentkit.feedback()")
    secretive.run("print(agentkit.traces().to_json(), agentkit.spans().to_json(), agentkit.feedback().to_json())")
    files = [path for path in secretive.home.rglob("*") if path.is_file() and "trace" in path.name]
    assert files
    for path in files:
        assert leaked(path.read_bytes().decode("utf-8", "replace")) == [], path.name


def test_a_saved_notebook_holds_no_key(secretive: Secretive, monkeypatch: pytest.MonkeyPatch) -> None:
    import nbformat
    from nbclient import NotebookClient

    for name, value in BY_NAME_ONLY.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("AGENTKIT_HOME", str(secretive.home))
    reply = "model.reply(f'I look. {ALL}', call('look_up', question=ALL), call('fail', question='x')).reply(ALL);"
    loud = "model.reply(call('fail_loudly', question=ALL));"
    cells = [SETUP, reply, "%%ask keeper --new\n{{ALL}}", loud, "%%ask keeper --new\nGo", "%tb", "open(ALL)", "keeper"]
    new: Any = nbformat.v4  # whose functions have no types
    notebook = new.new_notebook(cells=[new.new_code_cell(cell) for cell in cells])
    folder = {"metadata": {"path": str(secretive.home.parent)}}
    NotebookClient(notebook, timeout=60, kernel_name="python3", allow_errors=True, resources=folder).execute()
    written: str = nbformat.writes(notebook)  # type: ignore[no-untyped-call]
    assert written.count("[redacted]") > 100
    assert written.count('"output_type": "error"') == 3
    assert leaked(written) == []
    assert leaked(html.unescape(json.dumps(notebook))) == []


def test_a_session_keeps_what_was_said_as_it_was_said(secretive: Secretive) -> None:
    secretive.run("model.reply(call('look_up', question='x')).reply('Found.').reply('Again.')")
    secretive.run("%%ask keeper --session faithful\nWhat is it?")
    secretive.run("%%ask keeper --session faithful\nAnd again?")
    told = "[item['output'] for item in model.requests[-1].input if item.get('type') == 'function_call_output']"
    assert secretive.run(f"{told} == [ALL]").text == "True"
    shown = secretive.run("%session show faithful")
    assert "[redacted]" in shown.text
