"""`python -m benchmarks.retrieval_quality`: build the labelled set, index it, rank, and print or save the tables."""

from __future__ import annotations

import argparse
import os
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from agentkit.local.embedding.choosing import choose_embedder, why_none
from benchmarks import ROOT
from benchmarks.retrieval_quality.indexed import index
from benchmarks.retrieval_quality.labelled import LabelledSet, Question, build
from benchmarks.retrieval_quality.measuring import RANKINGS, gain, ranks, scores
from benchmarks.table import put_between_marks

__all__ = ["main"]

PAGE = ROOT / "docs" / "file-search-quality.md"
_FOLDER = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "agentkit-retrieval-quality"


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command.

    Args:
        arguments: The command line's; those of this process when None.
    """
    parser = argparse.ArgumentParser(prog="python -m benchmarks.retrieval_quality", description=__doc__)
    parser.add_argument("--folder", type=Path, default=_FOLDER, help=f"where sources and indexes are kept ({_FOLDER})")
    parser.add_argument("--development", action="store_true", help="measure with the questions for choosing settings")
    parser.add_argument("--save", action="store_true", help=f"put the tables into {PAGE.name}")
    options = parser.parse_args(arguments)
    if options.save and options.development:
        parser.error("--save wants the questions for testing: without --development")
    embedder = choose_embedder()
    if embedder is None:
        parser.error(why_none())
    labelled = build(options.folder)
    storage = index(labelled, embedder, options.folder, say=lambda told: print(f"\r{told}", end="", file=sys.stderr))
    questions = [question for question in labelled.questions if question.for_test is not options.development]
    places = {name: ranks(storage, embedder, questions, weights) for name, weights in RANKINGS.items()}
    storage.close()
    told = "\n".join([_about(labelled, embedder.name), "", *_tables(questions, places)])
    print(told)
    if options.save:
        PAGE.write_text(put_between_marks(PAGE.read_text(encoding="utf-8"), told), encoding="utf-8")
        print(f"Saved to {PAGE}.", file=sys.stderr)


def _about(labelled: LabelledSet, embedder: str) -> str:
    kinds = Counter(document.kind for document in labelled.documents)
    asked = Counter(question.kind for question in labelled.questions if question.for_test)
    parts = ", ".join(f"{kind} {count:,}" for kind, count in kinds.most_common())
    size = sum(len(document.text) for document in labelled.documents)
    return (
        f"{len(labelled.documents):,} files ({parts}), together {size / 1e6:.1f} million characters; "
        f"{asked.total():,} questions for testing, {len(labelled.questions) - asked.total():,} for development. "
        f"Embedder: {embedder}. Set {labelled.digest}."
    )


def _tables(questions: Sequence[Question], places: dict[str, list[int | None]]) -> list[str]:
    lines = ["| ranking | nDCG@10 | recall@10 | MRR@10 |", "|---|--:|--:|--:|"]
    for name, found in places.items():
        all_ = scores(found)
        lines.append(f"| {name} | {all_.ndcg:.3f} | {all_.recall:.3f} | {all_.mrr:.3f} |")
    lines += ["", "| nDCG@10 by kind | questions | keyword | embedding | hybrid | over keyword | over embedding |"]
    lines.append(f"|---|{'--:|' * 6}")
    for kind in [*sorted({question.kind for question in questions}), "all"]:
        chosen = [number for number, question in enumerate(questions) if kind in (question.kind, "all")]
        of_kind = {name: [found[number] for number in chosen] for name, found in places.items()}
        values = " | ".join(f"{scores(of_kind[name]).ndcg:.3f}" for name in RANKINGS)
        gains = " | ".join(_shown(gain(of_kind["hybrid"], of_kind[name])) for name in ("keyword", "embedding"))
        lines.append(f"| {kind} | {len(chosen)} | {values} | {gains} |")
    return lines


def _shown(found: tuple[float, float, float]) -> str:
    return f"{found[0]:+.1%} ({found[1]:+.0%} to {found[2]:+.0%})"


if __name__ == "__main__":
    main()
