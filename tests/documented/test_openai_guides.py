"""The calls of OpenAI's guides on file search and retrieval, with OpenAI's own client, against `agentkit serve`."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).parents[1] / "unit" / "local"))

from pdf_files import pdf

Guide = Callable[[str], list[str]]

GUIDES = Path(__file__).parent / "openai_guides"
ANSWER = "Deep research by OpenAI is an agent that reads many sources and writes a report."


@pytest.fixture
def guide(address: tuple[str, str], tmp_path: Path) -> Guide:
    """A function that runs a guide's program in a folder with its files, and returns the lines that it prints."""
    folder = tmp_path / "work"
    (folder / "deep_research_blog.pdf").write_bytes(pdf(f"A blog post.\n{ANSWER}\nIt takes some minutes."))
    (folder / "customer_policies.txt").write_text("The return policy: goods may be sent back within 30 days.")
    (folder / "notes.md").write_text("# Flights\n\nOne woodchuck is allowed per passenger.")

    def run(name: str) -> list[str]:
        done = subprocess.run(
            [sys.executable, str(GUIDES / f"{name}.py")],
            env={**os.environ, "OPENAI_BASE_URL": address[0], "OPENAI_API_KEY": address[1]},
            cwd=folder,
            capture_output=True,
            text=True,
            timeout=120,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.splitlines()

    return run


def test_the_file_search_guide(guide: Guide) -> None:
    assert guide("file_search") == [
        "file-",
        "vs_",
        "vector_store.file",
        "['completed']",
        "['file_search_call', 'message']",
        ANSWER,
        "[('file_citation', 'deep_research_blog.pdf')]",
        "None",
        "['deep_research_blog.pdf']",
        "blog 1",
        "recipes 0",
    ]


def test_the_file_search_guide_with_the_asynchronous_client(guide: Guide) -> None:
    assert guide("file_search_async") == [
        "completed 1",
        "response.file_search_call.in_progress",
        "response.file_search_call.searching",
        "response.file_search_call.completed",
        "response.output_text.annotation.added",
        ANSWER,
    ]


def test_the_retrieval_guide(guide: Guide) -> None:
    assert guide("retrieval") == [
        "[('customer_policies.txt', 0.5)]",
        "['woodchucks are allowed per passenger']",
        "['notes.md']",
        "Support FAQ Updated",
        "completed completed",
        "[{'department': 'finance'}]",
        "True",
        "True",
    ]
