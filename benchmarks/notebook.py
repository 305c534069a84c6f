"""`python -m benchmarks.notebook`: how fast Stop works in a notebook, and how smoothly long answers arrive.

Drives a real JupyterLab and Jupyter Notebook in headless Chromium. Kernels with other releases of ipykernel get
environments of their own, made by pip the first time. The times are by the clock of the page: run it on a machine that
does nothing else.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from agentkit.testing.browser import open_chromium
from benchmarks.in_notebook import INSTALLED
from benchmarks.stopping import stop_table
from benchmarks.streaming import stream_table

__all__ = ["main"]


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command.

    Args:
        arguments: The command line's; those of this process when None.
    """
    options = _parser().parse_args(arguments)
    with open_chromium() as chromium:
        if options.only != "stream":
            kernels = options.kernel or ["6.31", "7.3", INSTALLED]
            print(stop_table(chromium, kernels, rounds=options.rounds, say=_say), flush=True)
        if options.only is None:
            print()
        if options.only != "stop":
            print(stream_table(chromium, options.pace or [200, 2000], rounds=options.rounds, say=_say), flush=True)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.notebook",
        description="Measure in a real notebook how fast Stop works, and how smoothly long answers arrive.",
    )
    parser.add_argument("--only", choices=["stop", "stream"], help="one of the two tables")
    parser.add_argument(
        "--kernel", action="append", metavar="RELEASE", help=f"of ipykernel: 6.31, 7.3, …, or {INSTALLED}"
    )
    parser.add_argument("--pace", action="append", type=int, metavar="TOKENS_PER_S", help="by default 200 and 2000")
    parser.add_argument("--rounds", type=int, default=3, help="times that each is measured")
    return parser


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
