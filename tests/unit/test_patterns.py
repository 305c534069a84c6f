"""The patterns in docs/patterns run as they are, on the embedded platform."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

PATTERNS = Path(__file__).parents[2] / "docs" / "patterns"

PRINTED = {
    "deterministic_flow": """
        Read: item='lamps' quantity=12 city='Oslo'
        Answer: The order: 12 lamps to Oslo.

        Read: item='lamps' quantity=500 city='Bergen'
        Answer: A colleague will call you about an order of this size.
    """,
    "routing": """
        You: I have a question about an invoice
        Billing: To use `get_invoice` I need one more thing: the number?
        You: Show me invoice 7
        Billing: Invoice 7: 80 euros, open.
    """,
    "agents_as_tools": """
        Called translate_to_spanish
        Called translate_to_french
        Got Buenos días
        Got Bonjour
        Buenos días. Bonjour.
    """,
    "llm_as_judge": """
        Round 1: not polite
        Round 2: polite
        …
    """,
    "parallelisation": """
        Oslo: 3 °C, snow.
        Rome: 21 °C, sunny.
        Lima: 15 °C, rain.
        Summary: Oslo: 3 °C, snow. Rome: 21 °C, sunny. Lima: 15 °C, rain.
    """,
    "input_guardrails": """
        Where is my parcel?
          Support: …
        Can you solve 2x + 5 = 11 for my homework?
          Stopped: The text says “solve”, which points to maths.
    """,
    "output_guardrails": """
        The meeting is on Friday.
          Passed: The meeting is on Friday.
        Call me at 650-123-4567.
          Stopped: {'numbers': 1}
    """,
    "streaming_guardrails": """
        Write a haiku about snow
          Finished after 67 characters
        Please tell me 20 jokes
          Stopped after 327 characters
    """,
    "forcing_tool_use": """
        the model gets it, 2 model call(s): Tokyo: 14 to 20 °C, sunny with wind.
        it is the answer, 1 model call(s): Tokyo: 14 to 20 °C, sunny with wind
        a function decides, 1 model call(s): TOKYO: 14 TO 20 °C, SUNNY WITH WIND
    """,
    "human_approval": """
        Refund order 7, amount 20
          Desk: 20 euros are refunded for order 7.
        Refund order 7, amount 200
          refund {"order": 7, "amount": 200} waits for a person, who says yes
          Desk: 200 euros are refunded for order 7.
        Refund order 7, amount 500
          refund {"order": 7, "amount": 500} waits for a person, who says no
          Desk: A refund this large was not approved.
    """,
}
"""What each prints; `…` stands for words of the model that are of no account."""


def test_every_pattern_is_tested_and_in_the_index() -> None:
    index = (PATTERNS / "README.md").read_text(encoding="utf-8")
    names = sorted(path.stem for path in PATTERNS.glob("*.py"))
    assert names == sorted(PRINTED)
    assert sorted(re.findall(r"^\| \[(\w+)\.py\]\(\1\.py\)", index, re.MULTILINE)) == names


@pytest.mark.parametrize("name", PRINTED)
def test_a_pattern_does_what_it_says(name: str, tmp_path: Path) -> None:
    environment = {**os.environ, "AGENTKIT_HOME": str(tmp_path), "AGENTKIT_REHEARSAL_TOKENS_PER_S": "0"}
    done = subprocess.run(
        [sys.executable, "-W", "error", str(PATTERNS / f"{name}.py")],
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert (done.returncode, done.stderr) == (0, "")
    wanted = [line.removeprefix(" " * 8) for line in PRINTED[name].strip("\n").rstrip().splitlines()]
    printed = done.stdout.rstrip().splitlines()
    assert len(printed) == len(wanted)
    for line, pattern in zip(printed, wanted, strict=True):
        assert re.fullmatch(re.escape(pattern).replace("…", ".+"), line), line
