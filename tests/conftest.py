"""What holds for every test: no network, no key, a home of its own."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

GUARD = Path(__file__).parent / "guard"
sys.path.insert(0, str(GUARD))

import network_guard  # noqa: E402  (found in the folder that was just added)

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    # a shell that isn't interactive starts programs in the background so; their kernels would inherit it
    signal.signal(signal.SIGINT, signal.default_int_handler)

pytest_plugins = ["agentkit.testing.fixtures"]
network_guard.forbid_network()


@pytest.fixture(scope="session", autouse=True)
def _offline_environment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Close the network to every Python that tests start, too; yield the file that lists attempts."""
    log = tmp_path_factory.mktemp("network") / "attempts.txt"
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith(("OPENAI_", "AGENTKIT_"))]:
            if name != "AGENTKIT_CI_RUN":  # the mark by which .ci/run finds what tests leave behind
                patch.delenv(name)
        patch.setenv(network_guard.LOG_VARIABLE, str(log))
        patch.setenv("PYTHONPATH", str(GUARD), prepend=os.pathsep)
        patch.setenv("AGENTKIT_HOME", str(tmp_path_factory.mktemp("agentkit-home")))
        patch.setenv("AGENTKIT_EMBEDDER", "none")  # whether the extra is installed; a test that wants one says so
        yield log


@pytest.fixture(autouse=True)
def _keys_are_forgotten() -> Iterator[None]:
    """Forget the keys that a test gave to a client: in another test they are but words."""
    from agentkit import _secrets

    before = set(_secrets._registered)
    yield
    _secrets._registered.intersection_update(before)


@pytest.fixture(autouse=True)
def _nothing_left_the_machine(_offline_environment: Path) -> Iterator[None]:
    """Fail the test during which something tried, even where the error was swallowed."""
    log = _offline_environment
    yield
    if log.exists():
        attempts = log.read_text(encoding="utf-8")
        log.unlink()
        pytest.fail(f"Something tried to leave the machine:\n{attempts}", pytrace=False)
