"""Programs of others that take OTLP, started where they are installed: `bash tests/receivers/install.sh` does that."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from receiver_programs import QUIET, free_port, program, running


@pytest.fixture(scope="session")
def mlflow(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of MLflow's tracking server."""
    path, port = program("mlflow"), free_port()
    folder = tmp_path_factory.mktemp("mlflow")
    store = f"sqlite:///{folder}/mlflow.db"
    command = [str(path), "server", "--port", str(port), "--workers", "1", "--backend-store-uri", store]
    command += ["--artifacts-destination", str(folder / "artifacts")]
    with running(command, f"http://127.0.0.1:{port}", folder / "log.txt", **QUIET) as url:
        yield url


@pytest.fixture(scope="session")
def phoenix(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of Phoenix."""
    path, port = program("phoenix"), free_port()
    folder = tmp_path_factory.mktemp("phoenix")
    settings = QUIET | {
        "PHOENIX_HOST": "127.0.0.1",
        "PHOENIX_PORT": str(port),
        "PHOENIX_GRPC_PORT": str(free_port()),
        "PHOENIX_WORKING_DIR": str(folder),
    }
    with running([str(path), "serve"], f"http://127.0.0.1:{port}", folder / "log.txt", **settings) as url:
        yield url
