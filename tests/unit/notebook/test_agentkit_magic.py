"""`%agentkit` and its parts, against servers on this machine."""

from __future__ import annotations

import json
import sys
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

import pytest
from IPython.core.error import UsageError

from agentkit import backend, set_price
from agentkit.notebook.completion import MagicCompleter
from agentkit.notebook.magics import MAGICS
from agentkit.pricing import forget_prices

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import Mistake, Run
    from IPython.core.interactiveshell import InteractiveShell

KEY = "sk-" + "Zq7Lw0" * 8
MODELS = {"object": "list", "data": [{"id": name, "object": "model", "owned_by": "me"} for name in ("small", "large")]}
Serve = Callable[..., str]


@pytest.fixture(autouse=True)
def _no_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("OPENAI_API_KEY", "OPENAI_BASE_URL", "OPENAI_DEFAULT_MODEL", "AGENTKIT_RENDER"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def serve() -> Iterator[Serve]:
    """A function that starts a server and returns its address, without a path."""
    servers = []

    def start(routes: dict[str, tuple[int, Any]], key: str | None = None) -> str:
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self._answer("GET")

            def do_POST(self) -> None:
                self.rfile.read(int(self.headers.get("content-length", 0)))
                self._answer("POST")

            def _answer(self, method: str) -> None:
                status, body = routes.get(f"{method} {self.path}", (404, {"error": {"message": "Not Found"}}))
                if key is not None and self.headers.get("authorization") != f"Bearer {key}":
                    status, body = 401, {"error": {"message": "Incorrect API key provided", "code": "invalid_api_key"}}
                data = body.encode() if isinstance(body, str) else json.dumps(body).encode()
                self.send_response(status)
                self.send_header("content-type", "text/html" if isinstance(body, str) else "application/json")
                self.send_header("content-length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, format: str, *args: Any) -> None:  # what it is called in the base class
                pass

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        servers.append((server, thread))
        return f"http://127.0.0.1:{server.server_port}"

    yield start
    for server, thread in servers:
        server.shutdown()
        server.server_close()
        thread.join()


RESPONSES = {"GET /v1/models": (200, MODELS), "POST /v1/responses": (400, {"error": {"message": "model is missing"}})}
CHAT = {"GET /v1/models": (200, MODELS), "POST /v1/chat/completions": (422, {"error": {"message": "model"}})}


def mistake(run: Run, line: str) -> str:
    error = run(line).error
    assert isinstance(error, UsageError), error
    return str(error).removesuffix(" See %agentkit connect --help.")


# -- status ------------------------------------------------------------------------------------------------------------


def test_alone_it_says_who_answers_and_what_there_is(run: Run, tmp_path: Path) -> None:
    run("%%agent greeter\nGreet.")
    run("%ask greeter Hi;")
    plain = run("%agentkit").value.plain()
    assert plain.replace(str(tmp_path), "~") == (
        "agentkit 0.1.0\n"
        "  platform          embedded platform (offline)\n"
        "  model             rehearsal-1\n"
        "  key               none needed\n"
        "  API               Responses\n"
        "  files             ~/home (AGENTKIT_HOME)\n"
        "  in this notebook  1 agent, 0 tools\n"
        "  kept              0 traces, 0 sessions; 1 conversation in memory, until the kernel ends\n"
        "  runs are shown    console\n"
        "  front end         IPython in a terminal\n"
        "%agentkit doctor looks closer. %agentkit --help"
    ).replace("0 traces", plain.split("kept")[1].split(",")[0].strip())  # traces are written a moment later
    assert run("%agentkit status").value.plain().splitlines()[0] == "agentkit 0.1.0"


def test_of_a_key_only_its_source_is_said(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    bundle = run("%agentkit status").value._repr_mimebundle_()
    assert "  platform          OpenAI\n" in bundle["text/plain"]
    assert "  key               from OPENAI_API_KEY\n" in bundle["text/plain"]
    assert KEY[3:10] not in bundle["text/plain"] + bundle["text/html"]


def test_status_tells_a_wrong_variable(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AGENTKIT_RENDER", "fancy")
    assert "runs are shown    AGENTKIT_RENDER is 'fancy'. Set it to auto" in run("%agentkit").value.plain()


# -- connect -----------------------------------------------------------------------------------------------------------


def test_connecting_says_that_it_answers(run: Run, serve: Serve) -> None:
    url = serve(RESPONSES)
    said = run(f"%agentkit connect {url}/v1").stdout
    assert said == f"Connected: {url}/v1 · model small · 2 models: %agentkit models.\n"
    current = backend.current_backend()
    assert (current.base_url, current.default_model, current.api) == (f"{url}/v1", "small", "responses")
    said = run("%agentkit connect embedded").stdout
    assert said == "Connected: embedded platform (offline) · model rehearsal-1 · 2 models: %agentkit models.\n"


def test_a_server_without_the_responses_api_is_asked_by_the_other(run: Run, serve: Serve) -> None:
    url = serve(CHAT)
    said = run(f"%agentkit connect {url}/v1 --model large").stdout
    assert said == (
        f"Connected: {url}/v1 · model large · 2 models: %agentkit models. It has no Responses API, so it is asked by "
        "Chat Completions (--api chat_completions).\n"
    )
    assert backend.current_backend().api == "chat_completions"


def test_a_model_that_is_not_there_is_told(run: Run, serve: Serve) -> None:
    said = run(f"%agentkit connect {serve(RESPONSES)}/v1 --model smal").stdout
    assert said.endswith(
        "· model smal, which is not among the 2 that it lists. Did you mean small? See %agentkit models.\n"
    )


def test_a_key_is_taken_from_the_variable_that_is_named(
    run: Run, serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = serve(RESPONSES, key="open-sesame-1")
    monkeypatch.setenv("HOUSE_KEY", "open-sesame-1")
    assert run(f"%agentkit connect {url}/v1 --key-env HOUSE_KEY").stdout.startswith("Connected: ")
    assert backend.key_source() == "HOUSE_KEY"
    assert "from HOUSE_KEY" in run("%agentkit").value.plain()


def test_a_key_is_asked_for_where_somebody_is_there(run: Run, serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    url = serve(RESPONSES, key="open-sesame-1")
    asked = []

    def type_it(prompt: str) -> str:
        asked.append(prompt)
        return " open-sesame-1\n"

    monkeypatch.setattr(sys.stdin, "isatty", lambda: True, raising=False)
    monkeypatch.setattr("getpass.getpass", type_it)
    cell = run(f"%agentkit connect {url}/v1")
    assert asked == [f"Key for {url}/v1 (not shown, not saved): "]
    assert cell.stdout.startswith(f"Connected: {url}/v1 · model small")
    assert "open-sesame" not in cell.stdout


def test_another_key_is_asked_for_where_one_was_refused(
    run: Run, serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = serve(RESPONSES, key="open-sesame-2")
    monkeypatch.setenv("OPENAI_BASE_URL", f"{url}/v1")
    monkeypatch.setenv("OPENAI_API_KEY", "shut-sesame-3")
    asked = []
    monkeypatch.setattr(sys.stdin, "isatty", lambda: True, raising=False)
    monkeypatch.setattr("getpass.getpass", lambda prompt: asked.append(prompt) or "open-sesame-2")
    assert run(f"%agentkit connect {url}/v1").stdout.startswith(f"Connected: {url}/v1 · model small")
    assert asked == [f"Another key for {url}/v1 (not shown, not saved): "]


def test_what_is_wrong_is_one_line_and_changes_nothing(run: Run, serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WRONG_KEY", "shut-sesame-3")
    run("%agentkit connect embedded")
    refusing, silent = serve(RESPONSES, key="another"), serve({"GET /v1/models": (503, {"error": {"message": "busy"}})})
    page, two = serve({"GET /lab/models": (200, "<html>Log in</html>")}), serve(RESPONSES)
    for line, message in {
        "http://127.0.0.1:1/v1": "No connection to http://127.0.0.1:1/v1: ",
        f"{refusing}/v1": f"{refusing}/v1 wants a key, and got none. Name the variable that holds one: --key-env NAME.",
        f"{refusing}/v1 --key-env WRONG_KEY": f"{refusing}/v1 refused the key: Error code: 401",
        f"{silent}/v1": f"{silent}/v1 does not say which models it has: Error code: 503",
        f"{page}/lab": f"{page}/lab answers, but not as an API with a list of models. Is this the address of an API",
        f"{page}/other/v1": f"{page}/other/v1 does not say which models it has: Error code: 404",
        two: f"{two} answers 404: there is no list of models. {two}/v1 has one: %agentkit connect {two}/v1",
        "openai": "openai needs a key, and nobody is there to be asked for it. Set OPENAI_API_KEY",
        "opnai": "There is no platform 'opnai'. Did you mean openai?",
        "nobody": 'There is no platform \'nobody\'. Use "embedded", "openai", "auto" or an address such as "http',
        "ftp://x": "That address can't be used. It has to begin with http:// or https://.",
        "http://x:99999/v1": "That address can't be used. Its port has to be a number of 1 to 65535.",
        "http://me:pass@x/v1": "That address can't be used. There is a key or password in it",
        "embedded --key-env NO_SUCH_KEY": "There is no variable NO_SUCH_KEY in the kernel's environment",
        "embedded --api chat": "--api can't be 'chat'. It is one of responses, chat_completions.",
        "": "It needs PLATFORM: ",
    }.items():
        told = mistake(run, f"%agentkit connect {line}".strip())
        assert told.startswith(f"%agentkit connect: {message}"), told
        assert "\n" not in told
        assert backend.current_backend().name == "embedded"


@pytest.mark.parametrize("line", ["--key", f"openai --key {KEY}", "openai --apikey", "openai --api-key"])
def test_no_option_for_keys_is_suggested_that_is_refused(run: Run, mistake: Mistake, line: str) -> None:
    flag = next(word for word in line.split() if word.startswith("--"))
    begin = "--api-key isn't taken." if flag == "--api-key" else f"There is no option {flag}."
    assert mistake(f"%agentkit connect {line}") == (
        f"%agentkit connect: {begin} A key has no place on a line: it is saved with the notebook and in IPython's "
        "history. Leave it out and be asked for it, or name the variable that holds it: --key-env NAME."
    )


@pytest.mark.parametrize("line", [KEY, f"openai {KEY}", "openai --api-key=hunter2", f"openai --model {KEY}"])
def test_a_key_on_the_line_is_refused_and_not_repeated(run: Run, line: str) -> None:
    cell = run(f"%agentkit connect {line}")
    assert "A key has no place on a line" in str(cell.error)
    assert not any(part in str(cell.error) + cell.stdout for part in (KEY[3:12], "hunter2"))


# -- models ------------------------------------------------------------------------------------------------------------


def test_models_are_listed_with_the_default_and_prices(run: Run, serve: Serve) -> None:
    url = serve(RESPONSES)
    run(f"%agentkit connect {url}/v1 --model large")
    set_price("small", input=0.05, output=2)
    try:
        table = run("%agentkit models").value
        assert table.plain().splitlines()[:4] == [
            f"{url}/v1: 2 models",
            "             model  in    cached  out   owner",
            "             small  0.05          2.00  me",
            "  ● default  large                      me",
        ]
        frame = table.frame()
    finally:
        forget_prices()
    assert frame[["model", "default"]].to_dict("list") == {"model": ["small", "large"], "default": [False, True]}
    assert frame["input_usd"].tolist()[0] == 0.05
    assert frame["input_usd"].isna().tolist() == [False, True]


def test_names_of_models_are_shown_as_text(run: Run, serve: Serve) -> None:
    run(f"%agentkit connect {serve({**RESPONSES, 'GET /v1/models': (200, {'data': [{'id': '<script>$x$'}]})})}/v1")
    html = run("%agentkit models").value._repr_mimebundle_()["text/html"]
    assert "<script>" not in html
    assert "<code>&lt;script&gt;<span>$</span>x<span>$</span></code>" in html


def test_a_server_that_is_gone_is_one_line(run: Run) -> None:
    backend.connect("http://127.0.0.1:1/v1")
    assert str(run("%agentkit models").error).startswith("%agentkit models: No connection to http://127.0.0.1:1/v1: ")


# -- config, doctor, Tab -----------------------------------------------------------------------------------------------


def test_settings_are_shown_with_their_origin_and_set(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AGENTKIT_APPROVE", "deny")
    view = run("%agentkit config model=gpt-x max_turns=3 approve").value
    assert view.plain().splitlines()[:7] == [
        "Settings of agentkit",
        "  setting    value  from              variable",
        "  model      gpt-x  %config           OPENAI_DEFAULT_MODEL",
        "      Model of agents that name none. Without it, the platform's own default.",
        "  max_turns  3      %config           AGENTKIT_MAX_TURNS",
        "      Model calls that a run may make, unless it says --max-turns.",
        "  approve    deny   AGENTKIT_APPROVE  AGENTKIT_APPROVE",
    ]
    assert len(run("%agentkit config").value.rows) == 9
    assert run("%agentkit config model=").value.rows[0][1:3] == ("not set", "default")


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("max_turns=x", "max_turns can't be 'x'. Use a whole number of 1 or more."),
        ("render=fancy", "render can't be 'fancy'. Use auto, live, static or console."),
        ("show_cost=maybe", "show_cost can't be 'maybe'. Use True or False."),
        ("modle=x", "There is no setting 'modle'. Did you mean model?"),
        ("zzz", "There is no setting 'zzz'. There is model, max_turns, "),
        ('model="x', "A quote is missing in 'model=\"x'."),
    ],
)
def test_a_wrong_setting_is_one_line(run: Run, line: str, message: str) -> None:
    assert str(run(f"%agentkit config {line}").error).startswith(f"%agentkit config: {message}")


@pytest.mark.parametrize(
    ("line", "values"),
    [
        ("max_turns = 3", [("max_turns", "3")]),
        ("max_turns= 3", [("max_turns", "3")]),
        (
            "max_turns =3 budget_usd = 0.5 render=static",
            [("max_turns", "3"), ("budget_usd", "0.5"), ("render", "static")],
        ),
        ('model = "a b"', [("model", "a b")]),
        ("model= max_turns = 3", [("model", "not set"), ("max_turns", "3")]),
        ("max_turns =", [("max_turns", "10")]),
    ],
)
def test_there_may_be_spaces_round_the_sign(run: Run, line: str, values: list[tuple[str, str]]) -> None:
    assert [row[:2] for row in run(f"%agentkit config {line}").value.rows] == values


@pytest.mark.parametrize(
    ("model", "said"),
    [
        ("nosuch", ". The embedded platform has no model 'nosuch'. It has rehearsal-1."),
        ("rehersal-1", ". The embedded platform has no model 'rehersal-1'. Did you mean rehearsal-1?"),
        ("gpt-x", " · 2 models: %agentkit models."),
        ("rehearsal-1", " · 2 models: %agentkit models."),
    ],
)
def test_a_model_that_the_embedded_platform_has_not_is_told(run: Run, model: str, said: str) -> None:
    told = run(f"%agentkit connect embedded --model {model}").stdout
    assert told == f"Connected: embedded platform (offline) · model {model}{said}\n"


def test_the_doctor_finds_keys_in_the_notebook_by_name_alone(run: Run) -> None:
    run(f"secret = '{KEY}'")
    run("'the key: ' + secret")
    report = run("%agentkit doctor").value
    found = [(finding.level, finding.subject, finding.text.split(":")[0]) for finding in report.sections["Keys"][1:]]
    assert found == [
        ("bad", "in the notebook", "typed into In [1]. It is in the notebook and in IPython's history"),
        ("warn", "in variables", "held by the variable secret"),
        ("bad", "in outputs", "shown as Out[2]"),
    ]
    bundle = report._repr_mimebundle_()
    assert KEY[3:12] not in bundle["text/plain"] + bundle["text/html"]


def test_the_doctor_scans_the_files_that_are_named(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "my notes.ipynb"
    path.write_text(json.dumps({"cells": [{"cell_type": "code", "source": f"'{KEY}'"}]}))
    report = run(f'%agentkit doctor --scan "{path}" {tmp_path / "none.ipynb"}').value
    assert [(finding.level, finding.subject) for finding in report.findings] == [
        ("bad", "cell 1, source, line 1"),
        ("warn", "not read"),
    ]


@pytest.mark.parametrize(
    ("line", "offered"),
    [
        ("%agentkit ", ["status", "models", "connect", "config", "doctor"]),
        ("%agentkit co", ["connect", "config"]),
        ("now = %agentkit st", ["status"]),
        ("%agentkit connect e", ["embedded"]),
        ("%agentkit connect embedded --api ", ["responses", "chat_completions"]),
        ("%agentkit connect x --key-env HOU", ["HOUSE_KEY"]),
        ("%agentkit connect x --model ", ["large", "small"]),
        ("%agentkit config re", ["render="]),
        ("%agentkit config render=", ["auto", "live", "static", "console"]),
        ("%agentkit config model=x show_cost=F", ["False"]),
        ("%agentkit config model=l", ["large"]),
        ("%agentkit doctor --s", ["--scan"]),
        ("%agentkit doctor --scan ", ["notes/", "a.ipynb"]),
        ("%agentkit doctor --scan notes/", ['"notes/my b.ipynb"']),
    ],
)
def test_tab_offers_parts_and_their_values(
    line: str, offered: list[str], loaded: InteractiveShell, run: Run, serve: Serve, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setenv("HOUSE_KEY", "open-sesame-1")
    if "mode" in line:
        run(f"%agentkit connect {serve(RESPONSES)}/v1")
    folder = tmp_path / "folder"
    (folder / "notes").mkdir(parents=True)
    for name in ("a.ipynb", "b.txt", "notes/my b.ipynb", ".hidden.ipynb"):
        (folder / name).touch()
    monkeypatch.chdir(folder)
    completer = MagicCompleter(loaded, {magic.command.name: magic.command for magic in MAGICS})
    completions = completer.complete(line, len(line))["completions"]
    assert sorted(each.text for each in completions) == sorted(offered)
