"""In a notebook a picture of a trace is shown once, wherever in a cell it was made."""

from __future__ import annotations

from agentkit.testing.kernel import CellResult, Kernel

RUN = """
import agentkit
from agentkit import Agent, Runner
from agentkit.testing import ScriptedModel
from agentkit.records.opened import open_trace
trace = open_trace(Runner.run_sync(Agent(name="a", model=ScriptedModel("Hello.")), "Hi"))
"""


def pictures(cell: CellResult) -> int:
    return sum("image/png" in output.get("data", {}) for output in cell.check().outputs)


def test_a_picture_shows_once_as_the_first_use_of_matplotlib(kernel: Kernel) -> None:
    kernel.run(RUN).check()
    cell = kernel.run("trace.timeline()")
    assert pictures(cell) == 1
    assert cell.stderr == ""


def test_a_picture_shows_once_in_the_middle_of_a_cell(kernel: Kernel) -> None:
    kernel.run(RUN).check()
    assert pictures(kernel.run("trace.timeline()\nx = 1")) == 1
    assert pictures(kernel.run("ax = trace.plot_latency()\nax.set_title('Mine')\nx = 1")) == 1
    assert pictures(kernel.run("x = 2")) == 0


def test_two_pictures_of_a_cell_show_once_each(kernel: Kernel) -> None:
    kernel.run(RUN).check()
    assert pictures(kernel.run("trace.timeline()\ntrace.plot_tokens()")) == 2


def test_pictures_on_axes_of_the_callers_show_with_their_figure(kernel: Kernel) -> None:
    kernel.run(RUN).check()
    code = "import matplotlib.pyplot as plt\nfig, axes = plt.subplots(2)\ntrace.timeline(axes[0])\n"
    assert pictures(kernel.run(code + "trace.plot_cost(ax=axes[1])")) == 1
