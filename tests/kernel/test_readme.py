"""The cells of the README, run in order as a reader would."""

from __future__ import annotations

import re
from pathlib import Path

from agentkit.testing.kernel import Kernel

README = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")
CELLS = re.findall(r"^```python\n(.*?)^```", README, re.MULTILINE | re.DOTALL)


def test_every_cell_of_the_readme_runs(kernel: Kernel) -> None:
    shown = [kernel.run(cell).check().text for cell in CELLS]
    asked = next(index for index, cell in enumerate(CELLS) if cell.startswith("%%ask"))
    assert "17 °C" in shown[asked]
    assert "42" in shown[-1]
