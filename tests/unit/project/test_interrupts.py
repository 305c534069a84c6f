"""Tests that interrupt kernels work where a shell has started pytest in the background, too."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

TESTS = Path(__file__).parents[2]
CODE = """
import signal, subprocess, sys
sys.path.insert(0, sys.argv[1])
import conftest
child = "import signal; print(signal.getsignal(signal.SIGINT) is signal.default_int_handler)"
print(signal.getsignal(signal.SIGINT) is signal.default_int_handler)
print(subprocess.run([sys.executable, "-c", child], capture_output=True, text=True).stdout.strip())
"""


def test_programs_that_tests_start_hear_interrupts_even_if_pytest_began_deaf() -> None:
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)  # what a program started with & inherits
    try:
        ran = subprocess.run([sys.executable, "-c", CODE, str(TESTS)], capture_output=True, text=True, timeout=60)
    finally:
        signal.signal(signal.SIGINT, before)
    assert ran.stdout.split() == ["True", "True"], ran.stderr
