"""`python -m benchmarks.server`: prints the port, and serves until standard input is closed."""

from __future__ import annotations

from benchmarks.server.process import main

main()
