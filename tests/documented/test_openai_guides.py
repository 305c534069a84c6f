"""The calls of OpenAI's guides on file search and retrieval, with OpenAI's own client, against `agentkit serve`."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

Guide = Callable[[str], list[str]]

GUIDES = Path(__file__).parent / "openai_guides"
ANSWER = "Deep research by OpenAI is an agent that reads many sources and writes a report."


def pdf(*lines: str) -> bytes:
    """Return a PDF with one page and its lines of text."""
    text = " T* ".join(f"({line}) Tj" for line in lines)
    stream = f"BT /F1 12 Tf 14 TL 20 700 Td {text} ET"
    objects = [
        "<< /Type /Catalog /Pages 2 0 R >>",
        "<< /Type /Pages /Kids [4 0 R] /Count 1 >>",
        "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
        "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 600 800] /Contents 5 0 R "
        "/Resources << /Font << /F1 3 0 R >> >> >>",
        f"<< /Length {len(stream)} >>\nstream\n{stream}\nendstream",
    ]
    out, places = b"%PDF-1.7\n", []
    for number, body in enumerate(objects, 1):
        places.append(len(out))
        out += f"{number} 0 obj\n{body}\nendobj\n".encode()
    table = "".join(f"{place:010d} 00000 n \n" for place in places)
    end = f"xref\n0 6\n0000000000 65535 f \n{table}trailer\n<< /Size 6 /Root 1 0 R >>\nstartxref\n{len(out)}"
    return out + f"{end}\n%%EOF\n".encode()


@pytest.fixture
def guide(address: tuple[str, str], tmp_path: Path) -> Guide:
    """A function that runs a guide's program in a folder with its files, and returns the lines that it prints."""
    folder = tmp_path / "work"
    (folder / "deep_research_blog.pdf").write_bytes(pdf("A blog post.", ANSWER, "It takes some minutes."))
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
