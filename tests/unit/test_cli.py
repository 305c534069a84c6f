import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import openai
import pytest

from agentkit import __version__
from agentkit.cli import main

COMMAND = [sys.executable, "-m", "agentkit.cli"]


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["--version"])
    assert (ended.value.code, capsys.readouterr().out) == (0, f"agentkit {__version__}\n")


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (["serve", "--port", "x"], "'x' is no port; use 0 to 65535"),
        (["serve", "--port", "70000"], "'70000' is no port"),
        (["serv"], "invalid choice: 'serv'"),
        ([], "the following arguments are required: COMMAND"),
    ],
)
def test_wrong_arguments_are_named(arguments: list[str], problem: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 2
    assert problem in capsys.readouterr().err


def test_an_address_for_others_has_to_be_allowed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["serve", "--host", "0.0.0.0", "--port", "0"]) == 1
    expected = "'0.0.0.0' can be reached from other machines. Use 127.0.0.1, or allow it with --allow-remote."
    assert capsys.readouterr().err == f"agentkit serve: {expected}\n"


def test_a_host_that_is_no_address_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["serve", "--host", "no..address", "--port", "0"]) == 1
    assert capsys.readouterr().err.startswith(
        "agentkit serve: 'no..address' is no address, and can't be resolved to one: "
    )


@pytest.fixture
def served(tmp_path: Path) -> Iterator[tuple[subprocess.Popen[str], str, str]]:
    process = subprocess.Popen(
        [*COMMAND, "serve", "--port", "0"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "AGENTKIT_HOME": str(tmp_path)},
    )
    assert process.stdout is not None
    address, token = (process.stdout.readline().split()[-1] for _ in range(2))
    yield process, address, token
    process.kill()
    process.communicate()


def test_the_platform_answers_on_a_port_until_it_is_told_to_stop(
    served: tuple[subprocess.Popen[str], str, str],
) -> None:
    process, address, token = served
    assert re.fullmatch(r"http://127\.0\.0\.1:\d+/v1", address)
    with openai.OpenAI(base_url=address, api_key=token, max_retries=0) as client:
        assert client.responses.create(model="rehearsal-1", input="What is 2 + 3?").output_text
    with (
        openai.OpenAI(base_url=address, api_key="wrong", max_retries=0) as client,
        pytest.raises(openai.AuthenticationError),
    ):
        client.models.list()
    process.send_signal(signal.SIGTERM)
    _, errors = process.communicate(timeout=30)
    assert (process.returncode, errors) == (0, "")
