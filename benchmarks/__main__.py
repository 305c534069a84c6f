"""`python -m benchmarks`: measure, print the table, and with `--save` put it into the documentation."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from benchmarks.compare import compare
from benchmarks.contenders import CONTENDERS
from benchmarks.peers import PEERS, install
from benchmarks.table import PAGE, markdown, save
from benchmarks.workloads import WORKLOADS

__all__ = ["main"]


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command.

    Args:
        arguments: The command line's; those of this process when None.
    """
    parser = _parser()
    options = parser.parse_args(arguments)
    whole = not (options.only or options.contender or options.quick)
    if options.save and not whole:
        parser.error("--save wants the whole table: without --only, --contender and --quick")
    for name in options.install:
        install(name)
    workloads = [WORKLOADS[name] for name in options.only or WORKLOADS]
    rounds = 1 if options.quick else options.rounds
    results = compare(
        workloads, options.contender or list(CONTENDERS), rounds=rounds, quick=options.quick, say=_say_under_way
    )
    _say_under_way("")
    measured = markdown(results, workloads, rounds=rounds)
    print(measured)
    if options.save:
        save(measured)
        print(f"Saved to {PAGE}.", file=sys.stderr)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description="Measure agentkit beside openai-agents and the bare openai client, on a fake server of its own.",
    )
    parser.add_argument(
        "--only", action="append", metavar="NAME", choices=list(WORKLOADS), help=f"of {', '.join(WORKLOADS)}"
    )
    parser.add_argument(
        "--contender", action="append", metavar="NAME", choices=list(CONTENDERS), help=f"of {', '.join(CONTENDERS)}"
    )
    parser.add_argument("--rounds", type=int, default=3, help="times that everything is measured; the best counts")
    parser.add_argument(
        "--install", action="append", metavar="NAME", choices=list(PEERS), default=[],
        help=f"first make the environment of a contender that has its own: {', '.join(PEERS)}",
    )  # fmt: skip
    parser.add_argument("--quick", action="store_true", help="one round of one batch")
    parser.add_argument("--save", action="store_true", help="put the table into docs/benchmarks.md")
    return parser


def _say_under_way(text: str) -> None:
    if sys.stderr.isatty():
        print(f"\r\033[K{text}", end="", file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
