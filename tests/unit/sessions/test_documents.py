"""The Python of docs/sessions.md runs."""

import os
import re
import subprocess
import sys
from pathlib import Path

PAGE = Path(__file__).parents[3] / "docs" / "sessions.md"


def test_the_page_runs_from_top_to_bottom(tmp_path: Path) -> None:
    blocks = re.findall(r"^```python\n(.*?)^```$", PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    assert len(blocks) >= 7
    (tmp_path / "page.py").write_text("\n\n".join(blocks), encoding="utf-8")
    environment = {**os.environ, "AGENTKIT_HOME": str(tmp_path / "home"), "AGENTKIT_REHEARSAL_TOKENS_PER_S": "0"}
    command = [sys.executable, "-W", "error", "page.py"]
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=120)
    assert (done.returncode, done.stderr) == (0, "")
    assert "Ada" in done.stdout
