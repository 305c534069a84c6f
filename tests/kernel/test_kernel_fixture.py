"""The kernel that agentkit offers its users' tests."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from agentkit.testing.kernel import CellError, Kernel


def test_a_cell_gives_its_text_streams_and_html(kernel: Kernel) -> None:
    result = kernel.run(
        "import sys\nprint('a')\nprint('b', file=sys.stderr)\ndisplay({'text/html': '<b>c</b>'}, raw=True)\n4"
    )
    assert (result.status, result.stdout, result.stderr, result.html) == ("ok", "a\n", "b\n", "<b>c</b>")
    assert result.text.endswith("\n4")


def test_outputs_are_as_a_notebook_saves_them(kernel: Kernel) -> None:
    code = (
        "from IPython.display import clear_output\nprint('gone')\nclear_output()\n"
        "handle = display(1, display_id=True)\nprint('x', end='')\nhandle.update(2)\nprint('y', end='')"
    )
    outputs = kernel.run(code).outputs
    assert [output.get("text", output.get("data")) for output in outputs] == [{"text/plain": "2"}, "xy"]


def test_clear_output_that_waits_clears_when_the_next_output_comes(kernel: Kernel) -> None:
    code = "from IPython.display import clear_output\nprint(1)\nclear_output(wait=True)\n"
    assert kernel.run(code).stdout == "1\n"
    assert kernel.run(code + "print(2)").stdout == "2\n"


def test_an_error_is_an_output_and_check_raises_it(kernel: Kernel) -> None:
    result = kernel.run("1/0")
    assert (result.status, result.error and result.error["ename"]) == ("error", "ZeroDivisionError")
    with pytest.raises(CellError, match="division by zero"):
        result.check()


def test_a_running_cell_is_watched_and_interrupted(kernel: Kernel) -> None:
    cell = kernel.start("print('started', flush=True)\nimport time\ntime.sleep(600)")
    cell.wait_for_text("started")
    kernel.interrupt()
    error = cell.result().error
    assert error is not None
    assert error["ename"] == "KeyboardInterrupt"
    assert kernel.run("'still here'").text == "'still here'"


def test_waiting_for_what_never_comes_ends_with_the_cell(kernel: Kernel) -> None:
    with pytest.raises(CellError, match="before what was waited for"):
        kernel.start("print('other')").wait_for_text("started")


def test_a_cell_that_takes_too_long_says_what_it_showed(kernel: Kernel) -> None:
    cell = kernel.start("print('so far', flush=True)\nimport time\ntime.sleep(600)", timeout_s=0.5)
    with pytest.raises(TimeoutError, match=r"not ended in 0\.5 s.*\nso far"):
        cell.result()


def test_the_size_counts_what_the_cell_sent(kernel: Kernel) -> None:
    show = "display({'text/plain': text}, raw=True)"
    kernel.run("text = ''")
    empty = kernel.run(show).size_bytes
    kernel.run("text = 'x' * 1000")
    assert kernel.run(show).size_bytes == empty + 1000


def test_completion_offers_names(kernel: Kernel) -> None:
    assert "import" in kernel.complete("impo")


def test_a_restart_forgets_everything(kernel: Kernel) -> None:
    kernel.run("x = 1")
    kernel.restart()
    assert kernel.run("'x' in globals()").text == "False"


def test_environment_and_folder_are_given(tmp_path: Path) -> None:
    with Kernel(home=tmp_path / "home", env={"ONE": "1", "PATH": None}, cwd=tmp_path) as kernel:
        code = "import os\nprint(os.environ['AGENTKIT_HOME'], os.environ['ONE'], 'PATH' in os.environ, os.getcwd())"
        assert kernel.run(code).stdout == f"{tmp_path / 'home'} 1 False {tmp_path}\n"


def test_the_process_is_gone_afterwards() -> None:
    with Kernel() as kernel:
        pid = int(kernel.run("import os\nos.getpid()").text)
        os.kill(pid, 0)  # signal 0 only asks whether the process is there
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def test_a_kernel_that_is_not_running_says_how_to_start_it() -> None:
    with pytest.raises(RuntimeError, match="with Kernel"):
        Kernel().run("1")
