"""The first example of each document runs as it stands there, in a new process without a key or a network."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
BLOCK = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)
RUN = """
import ast, asyncio, inspect, sys
# as a cell would: `await` needs no function around it
made = eval(compile(sys.stdin.read(), sys.argv[1], "exec", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT, dont_inherit=True))
if inspect.iscoroutine(made):
    asyncio.run(made)
"""
FILES = {"docs/mcp.md": {"sums_server.py": re.compile(r"^```python server\n(.*?)^```$", re.MULTILINE | re.DOTALL)}}
"""Files that an example needs, and where in its document each stands."""


def first_examples() -> dict[str, str]:
    """Return the first example of each document that is in Python and not in a magic's."""
    found = {}
    for path in [ROOT / "README.md", *sorted(ROOT.glob("docs/**/*.md"))]:
        blocks = BLOCK.findall(path.read_text(encoding="utf-8"))
        plain = [block for block in blocks if not block.startswith("%")]
        if path.name == "README.md" and path.parent == ROOT:
            plain = [block for block in plain if "connect(" in block]  # the cells before it are run in tests/kernel
        if plain:
            found[str(path.relative_to(ROOT))] = plain[0]
    return found


EXAMPLES = first_examples()


def test_the_examples_are_found() -> None:
    assert {"README.md", "docs/over.md", "docs/threads.md", "docs/safety.md", "docs/chat.md"} <= EXAMPLES.keys()


@pytest.mark.parametrize("document", EXAMPLES)
def test_the_first_example_runs_as_it_stands(document: str, tmp_path: Path) -> None:
    for name, block in FILES.get(document, {}).items():
        (tmp_path / name).write_text(block.findall((ROOT / document).read_text(encoding="utf-8"))[0], encoding="utf-8")
    given = {"AGENTKIT_HOME": str(tmp_path / "home"), "AGENTKIT_REHEARSAL_TOKENS_PER_S": "0"}
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("OPENAI_", "AGENTKIT_"))}
    ran = subprocess.run(
        [sys.executable, "-c", RUN, document],
        input=EXAMPLES[document],
        cwd=tmp_path,
        env=environment | given,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert ran.returncode == 0, ran.stderr
