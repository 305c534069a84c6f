from __future__ import annotations

import json
import os
import sqlite3
import sys
import threading
from pathlib import Path

import pytest

import agentkit
from agentkit import backend
from agentkit.exceptions import UserError
from agentkit.notebook.doctor import diagnose, install_checks
from agentkit.notebook.doctor.file_checks import check_home, check_stores, size_text
from agentkit.notebook.doctor.findings import Check, Finding, carry_out, trouble, warning, well
from agentkit.notebook.doctor.install_checks import check_kernels, check_packages, check_server
from agentkit.notebook.doctor.key_checks import check_environment_keys
from agentkit.notebook.doctor.platform_checks import check_platform, check_run
from agentkit.notebook.doctor.report import Report
from agentkit.notebook.doctor.server import Server
from agentkit.notebook.doctor.versions import meets, release

KEY = "sk-" + "Zq7Lw0" * 8


@pytest.fixture(autouse=True)
def _alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("OPENAI_API_KEY", "OPENAI_BASE_URL", "OPENAI_DEFAULT_MODEL", "JUPYTER_PATH"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AGENTKIT_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("JUPYTER_DATA_DIR", str(tmp_path / "jupyter"))
    monkeypatch.setenv("JUPYTER_CONFIG_DIR", str(tmp_path / "jupyter-config"))
    monkeypatch.setenv("AGENTKIT_REHEARSAL_TOKENS_PER_S", "0")


# -- carrying checks out -----------------------------------------------------------------------------------------------


def test_a_check_that_fails_is_a_row_without_its_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> list[Finding]:
        raise OSError(f"refused {KEY}")

    found = carry_out([Check("A", "one", fail), Check("A", "two", lambda: [well("two", "fine")])])
    assert found == {
        "A": [warning("one", "could not be looked at: OSError: refused sk-[redacted]"), well("two", "fine")]
    }


def test_a_package_that_is_broken_has_to_be_mended() -> None:
    def fail() -> list[Finding]:
        raise ImportError("cannot import name 'x' from 'openai'", name="openai.types")

    ((found,),) = carry_out([Check("A", "one", fail)]).values()
    assert (found.level, found.text) == ("bad", "can't be used: cannot import name 'x' from 'openai'")
    assert found.mend == (f'"{sys.executable}" -m pip install --force-reinstall "openai"',)


def test_what_was_found_before_a_check_failed_is_kept() -> None:
    def look() -> object:
        yield well("one", "fine")
        raise ValueError

    found = carry_out([Check("A", "one", look)])  # type: ignore[arg-type]
    assert found == {"A": [well("one", "fine"), warning("one", "could not be looked at: ValueError")]}


def test_a_check_that_hangs_is_a_row() -> None:
    end = threading.Event()

    def hang() -> list[Finding]:
        end.wait()
        return []

    try:
        found = carry_out(
            [Check("A", "slow", hang, limit_s=0.01), Check("B", "quick", lambda: [well("quick", "fine")])]
        )
    finally:
        end.set()
    assert found["A"] == [warning("slow", "took longer than 0.01 s, and was left alone")]
    assert found["B"] == [well("quick", "fine")]


# -- versions ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("version", "numbers"),
    [("3.52.0rc1", (3, 52)), ("8.0", (8,)), ("2.20.dev1", (2, 20)), ("1!2.0", (1,)), ("7.4.0+local", (7, 4))],
)
def test_versions_are_read_by_their_numbers(version: str, numbers: tuple[int, ...]) -> None:
    assert release(version) == numbers


@pytest.mark.parametrize(
    ("version", "specifiers", "good"),
    [
        ("3.52.0", ">=3.50,<4", True),
        ("4.0", ">=3.50,<4", False),
        ("3.9", ">=3.50,<4", False),
        ("6.29.5", ">=6.29", True),
        ("1.83.5", "~=1.83.2", True),
        ("1.84", "~=1.83.2", False),
        ("2", "==2.0.0", True),
        ("2", "!=2.0", False),
        ("anything", "", True),
    ],
)
def test_a_version_is_compared_number_by_number(version: str, specifiers: str, good: bool) -> None:
    assert meets(version, specifiers) is good


# -- what is installed -------------------------------------------------------------------------------------------------


def environment(prefix: Path, **versions: str) -> Server:
    """Make a Python environment with packages of these versions."""
    site = prefix / "lib" / "python3.11" / "site-packages"
    for name, version in versions.items():
        info = site / f"{name}-{version}.dist-info"
        info.mkdir(parents=True)
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
    python = prefix / "bin" / "python"
    python.parent.mkdir(parents=True, exist_ok=True)
    python.touch()
    return Server(prefix, running=True)


def with_extensions(server: Server, *names: str) -> Server:
    for name in names:
        folder = server.prefix / "share" / "jupyter" / "labextensions" / name
        folder.mkdir(parents=True)
        (folder / "package.json").write_text("{}")
    return server


def test_this_environment_is_as_agentkit_needs_it() -> None:
    found = list(check_packages())
    assert [finding for finding in found if finding.level != "ok"] == []
    assert [finding.subject for finding in found] == [
        *("needed packages", "ipykernel", "ipywidgets", "optional", "file search")
    ]


@pytest.mark.parametrize(
    ("setting", "there", "said"),
    [
        (None, True, "by words and by meaning (all-MiniLM-L6-v2)."),
        (None, False, "by words alone. By meaning, too: "),
        ("none", True, "AGENTKIT_EMBEDDER is 'none'."),
    ],
)
def test_how_files_are_found_is_told(
    monkeypatch: pytest.MonkeyPatch, setting: str | None, there: bool, said: str
) -> None:
    monkeypatch.delenv("AGENTKIT_EMBEDDER", raising=False)
    if setting is not None:
        monkeypatch.setenv("AGENTKIT_EMBEDDER", setting)
    monkeypatch.setattr(install_checks, "installed", lambda names: dict.fromkeys(names, "1.0") if there else {})
    *_, found = check_packages()
    assert found.subject == "file search"
    assert found.level == "ok"
    assert found.text.startswith(said)


def test_an_embedder_that_is_not_there_is_trouble(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("AGENTKIT_EMBEDDER", str(tmp_path / "none-here"))
    *_, found = check_packages()
    assert (found.subject, found.level) == ("file search", "bad")
    assert "none-here" in found.text


def test_an_old_server_is_told_with_the_command_for_its_own_python(tmp_path: Path) -> None:
    server = environment(tmp_path / "srv", jupyterlab="4.3.1", jupyter_server="2.19.0", anywidget="0.9.18")
    with_extensions(server, "anywidget", "@jupyter-widgets/jupyterlab-manager")
    python = tmp_path / "srv" / "bin" / "python"
    bad = [finding for finding in check_server(server) if finding.level == "bad"]
    assert bad == [
        trouble(
            "jupyterlab",
            "4.3.1 is older than 4.4: buttons do nothing while a cell runs: no messages to subshells before 4.4.",
            f'"{python}" -m pip install -U "jupyterlab>=4.4"',
        ),
        trouble(
            "jupyter_server",
            "2.19.0 is older than 2.20: CVE-2026-44727: a notebook's outputs can run code, through its export.",
            f'"{python}" -m pip install -U "jupyter_server>=2.20"',
        ),
    ]


def test_a_server_without_the_widgets_extension_is_told(tmp_path: Path) -> None:
    server = environment(tmp_path / "srv", jupyterlab="4.6.6", jupyter_server="2.21.1")
    with_extensions(server, "@jupyter-widgets/jupyterlab-manager")
    found = {finding.subject: finding for finding in check_server(server)}
    assert found["anywidget in the page"] == trouble(
        "anywidget in the page",
        f"is not in the server's environment ({server.prefix}): live views show a JavaScript error.",
        f'"{server.python}" -m pip install -U "anywidget"   # then reload the page',
    )
    assert found["jupyterlab_widgets in the page"].level == "ok"
    assert "widgets have to be installed in both" in found["server"].text


def test_an_extension_that_is_switched_off_is_told(tmp_path: Path) -> None:
    server = environment(tmp_path / "srv", jupyterlab="4.6.6", jupyter_server="2.21.1")
    with_extensions(server, "anywidget", "@jupyter-widgets/jupyterlab-manager")
    config = server.prefix / "etc" / "jupyter" / "labconfig" / "page_config.json"
    config.parent.mkdir(parents=True)
    off = {"anywidget": True, "@jupyterlab/mathjax-extension:plugin": True, "other": False}
    config.write_text(json.dumps({"disabledExtensions": off}))
    found = {finding.subject: finding for finding in check_server(server)}
    assert found["anywidget in the page"] == trouble(
        "anywidget in the page",
        f"is switched off by {config}: live views show nothing.",
        f'"{server.python}" -m jupyter labextension enable anywidget',
    )
    assert (found["MathJax"].level, found["MathJax"].text) == (
        "warn",
        f"is switched off by {config}: formulas stay TeX.",
    )


def test_kernels_of_other_pythons_are_told(tmp_path: Path) -> None:
    folder = tmp_path / "kernels"
    environment(tmp_path / "other", numpy="2.4")
    environment(tmp_path / "third", agentkit="0.1.0")
    commands = {
        "gone": "/nowhere/bin/python",
        "here": sys.executable,
        "other": str(tmp_path / "other" / "bin" / "python"),
        "python3": "python",
        "third": str(tmp_path / "third" / "bin" / "python"),
    }
    for name, command in commands.items():
        (folder / name).mkdir(parents=True)
        described = {"argv": [command, "-m", "ipykernel_launcher"], "language": "python"}
        (folder / name / "kernel.json").write_text(json.dumps(described))
    (folder / "broken").mkdir()
    (folder / "broken" / "kernel.json").write_text("{")
    (folder / "ir").mkdir()
    (folder / "ir" / "kernel.json").write_text(json.dumps({"argv": ["R"], "language": "R"}))
    found = {finding.subject.partition(" ")[2]: finding for finding in check_kernels([folder, folder])}
    assert {name: (finding.level, finding.mend) for name, finding in found.items()} == {
        "broken": ("warn", ("jupyter kernelspec remove broken",)),
        "gone": ("warn", ("jupyter kernelspec remove gone",)),
        "here": ("ok", ()),
        "other": ("warn", (f'"{commands["other"]}" -m pip install -U "agentkit"',)),
        "python3": ("ok", ()),
        "third": ("ok", ()),
    }


# -- what answers ------------------------------------------------------------------------------------------------------


def test_the_embedded_platform_answers_and_runs_a_tool() -> None:
    agentkit.connect("embedded")
    try:
        assert list(check_platform()) == [
            well("platform", "embedded platform (offline) · model rehearsal-1, no key needed: answers"),
            well("model", "rehearsal-1, 2 offered"),
        ]
    finally:
        agentkit.disconnect()
    assert list(check_run()) == [well("a run", "on the embedded platform called a tool and answered")]


def test_the_run_leaves_nothing_behind_and_chooses_no_platform(tmp_path: Path) -> None:
    list(check_run())
    assert list((tmp_path / "home").glob("*")) == []
    assert agentkit.traces().empty
    with pytest.raises(agentkit.NoBackendError):
        backend.current_backend()


def test_no_platform_is_something_to_know() -> None:
    (found,) = check_platform()
    assert (found.level, found.text.partition(":")[0]) == ("warn", "No key is set")


def test_a_server_that_does_not_answer_is_told() -> None:
    agentkit.connect("http://127.0.0.1:1/v1")
    try:
        (found,) = check_platform()
    finally:
        agentkit.disconnect()
    assert found.level == "bad"
    assert found.text.startswith("No connection to http://127.0.0.1:1/v1: ")
    assert found.text.endswith(" (no key)")
    assert found.mend == (
        "%agentkit models   # asks again, and waits longer",
        "%agentkit connect embedded   # to work offline",
    )


def test_a_key_that_is_refused_is_told_by_its_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "shut-sesame-3")
    refused = UserError("It refused the key.")
    refused.__cause__ = type("Refused", (Exception,), {"status_code": 401})()

    class Refusing(backend.Backend):
        async def list_models(self, *, timeout_s: float = 10) -> list[backend.ModelInfo]:
            raise refused

    backend.choose(Refusing(backend.prepare("openai").plan))
    try:
        (found,) = check_platform()
    finally:
        agentkit.disconnect()
    assert (found.level, found.text) == ("bad", "It refused the key. (key from OPENAI_API_KEY)")
    assert found.mend == ("%agentkit connect openai   # asks for another key; --key-env NAME takes it from a variable",)


# -- files -------------------------------------------------------------------------------------------------------------


def test_files_that_are_not_there_yet_are_fine(tmp_path: Path) -> None:
    assert list(check_home()) == [
        well("AGENTKIT_HOME", f"{tmp_path / 'home'} (AGENTKIT_HOME), made when something is kept")
    ]
    assert list(check_stores()) == [well("traces.sqlite3", "not there yet"), well("sessions.sqlite", "not there yet")]


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="who may do everything is refused nothing")
def test_a_home_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "home").mkdir(mode=0o500)
    (found,) = check_home()
    assert (found.level, found.mend[0]) == ("bad", f'chmod u+rwx "{tmp_path / "home"}"')


def test_a_home_that_is_a_file_is_told(tmp_path: Path) -> None:
    (tmp_path / "home").write_text("")
    (found,) = check_home()
    assert (found.level, found.text) == (
        "bad",
        f"{tmp_path / 'home'} (AGENTKIT_HOME): {tmp_path / 'home'} is a file, not a folder.",
    )


def test_a_home_that_others_can_look_into_is_told(tmp_path: Path) -> None:
    (tmp_path / "home").mkdir(mode=0o755)
    (tmp_path / "home").chmod(0o755)
    assert list(check_home())[1] == warning(
        "privacy", f"Others on this machine can look into {tmp_path / 'home'}.", f'chmod 700 "{tmp_path / "home"}"'
    )


async def test_stores_are_looked_through_and_counted(tmp_path: Path) -> None:
    session = agentkit.SQLiteSession("one", tmp_path / "home" / "sessions.sqlite")
    await session.add_items([{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hello"}])
    session.close()
    found = {finding.subject: finding for finding in check_stores()}
    assert found["sessions.sqlite"].level == "ok"
    assert found["sessions.sqlite"].text.split(", ")[1:] == ["1 session", "2 items", "whole"]


def test_a_damaged_store_is_told_with_how_to_get_a_new_one(tmp_path: Path) -> None:
    path = tmp_path / "home" / "traces.sqlite3"
    path.parent.mkdir()
    path.write_bytes(b"SQLite format 3\0" + b"\xff" * 5000)
    found = {finding.subject: finding for finding in check_stores()}["traces.sqlite3"]
    assert found.level == "bad"
    assert found.mend == (f'mv "{path}" "{path}.old"   # a new one is made',)
    path.write_bytes(b"no database at all" * 100)
    found = {finding.subject: finding for finding in check_stores()}["traces.sqlite3"]
    assert (found.level, "file is not a database" in found.text) == ("bad", True)


def test_a_locked_store_is_something_to_know(tmp_path: Path) -> None:
    path = tmp_path / "home" / "traces.sqlite3"
    path.parent.mkdir()
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("CREATE TABLE traces (x)")
    connection.execute("BEGIN EXCLUSIVE")
    found = {finding.subject: finding for finding in check_stores()}["traces.sqlite3"]
    connection.close()
    assert (found.level, "another program keeps it locked" in found.text) == ("warn", True)


def test_damaged_files_that_were_set_aside_are_told(tmp_path: Path) -> None:
    (tmp_path / "home").mkdir()
    aside = tmp_path / "home" / "traces.sqlite3.corrupt-20261101T120000-1"
    aside.touch()
    found = {finding.subject: finding for finding in check_stores()}["set aside"]
    assert found == warning("set aside", f"1 damaged file was set aside: {aside.name}", f'rm "{aside}"')


@pytest.mark.parametrize(
    ("size", "text"), [(12, "12 bytes"), (12_345, "12 kB"), (3_400_000, "3.4 MB"), (5_200_000_000, "5.2 GB")]
)
def test_sizes_are_said_as_people_do(size: int, text: str) -> None:
    assert size_text(size) == text


# -- keys and the whole ------------------------------------------------------------------------------------------------


def test_keys_of_the_environment_are_named_and_never_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.endswith(("_KEY", "_TOKEN", "_SECRET", "_PASSWORD", "_PAT"))]:
        monkeypatch.delenv(name)
    assert list(check_environment_keys()) == [well("in the environment", "no keys")]
    monkeypatch.setenv("OPENAI_API_KEY", f'"{KEY}"')
    monkeypatch.setenv("OTHER_API_KEY", f"{KEY[:20]}…")
    monkeypatch.setenv("GITHUB_TOKEN", "x")
    found = list(check_environment_keys())
    assert [(finding.level, finding.text) for finding in found] == [
        ("ok", "GITHUB_TOKEN, OPENAI_API_KEY, OTHER_API_KEY (names only; no value is shown)"),
        ("bad", "OPENAI_API_KEY has spaces, a line break or quotes around it: servers will refuse it."),
        ("bad", "OTHER_API_KEY has characters in it that no key has, such as a space or an ellipsis."),
    ]


def test_the_whole_is_well_here_and_shows_no_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    agentkit.connect("embedded")
    try:
        report = diagnose()
    finally:
        agentkit.disconnect()
    assert list(report.sections) == ["Installed", "Jupyter", "Platform", "Files", "Keys"]
    assert [finding for finding in report.findings if finding.level == "bad"] == []
    bundle = report._repr_mimebundle_()
    assert KEY[3:20] not in bundle["text/html"] + bundle["text/plain"]


def test_a_report_shows_what_is_wrong_open_and_the_rest_folded() -> None:
    report = Report(
        "agentkit, doctor",
        {
            "Installed": [well("Python", "3.11")],
            "Files": [
                well("home", "~"),
                trouble("store", "is <b>damaged</b>.", 'mv "a" "b"'),
                warning("disk", "small"),
            ],
        },
    )
    assert (report.summary, report.healthy) == ("1 to mend, 1 to know", False)
    assert report.plain() == (
        "agentkit, doctor: 1 to mend, 1 to know\n\nInstalled\n  ✓ Python  3.11\n\nFiles\n  ✓ home   ~\n"
        '  ✗ store  is <b>damaged</b>.\n           → mv "a" "b"\n  ! disk   small'
    )
    html = report._repr_mimebundle_()["text/html"]
    assert html.count("<details open>") == 1
    assert "is &lt;b&gt;damaged&lt;/b&gt;." in html
    assert "<code>mv &quot;a&quot; &quot;b&quot;</code>" in html
