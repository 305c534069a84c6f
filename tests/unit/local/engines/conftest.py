"""Models that were made for the tests, and platforms that serve them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import openai
import pytest
from openai import DefaultHttpx2Client

from agentkit.local import embedded_transports

MAKER = Path(__file__).parent / "trained_models.py"


@pytest.fixture(scope="session")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder with the models of `trained_models.py`."""
    pytest.importorskip("llguidance", reason="needs the extra 'train'")
    folder = tmp_path_factory.mktemp("models")
    environment = {**os.environ, "HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1"}
    made = subprocess.run(
        [sys.executable, str(MAKER), str(folder)], env=environment, capture_output=True, text=True, timeout=120
    )
    assert made.returncode == 0, made.stderr
    return folder


@pytest.fixture(scope="session")
def expected(models: Path) -> dict[str, Any]:
    """What transformers itself answered."""
    found: dict[str, Any] = json.loads((models / "expected.json").read_text())
    return found


@pytest.fixture(scope="session")
def serving(models: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[openai.OpenAI]:
    """A client of a platform whose process for models stays for all tests."""
    home = tmp_path_factory.mktemp("serving")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("OMP_NUM_THREADS", "1")
        patch.setenv("HF_HUB_OFFLINE", "1")
        http = DefaultHttpx2Client(transport=embedded_transports(home=home)[1])
        with openai.OpenAI(http_client=http, base_url="http://agentkit.local/v1", api_key="embedded") as client:
            yield client
