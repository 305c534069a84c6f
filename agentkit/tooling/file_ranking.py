"""How the passages that a search finds are ranked: its options, checked, and as the API takes them."""

from __future__ import annotations

from typing import Any, Final, Literal, get_args

from agentkit.exceptions import UserError

__all__ = ["Ranker", "ranking_json"]

Ranker = Literal["auto", "default-2024-11-15", "none"]
_OTHER_WEIGHT: Final = 1.0


def ranking_json(
    *,
    ranker: str | None = None,
    score_threshold: float | None = None,
    embedding_weight: float | None = None,
    text_weight: float | None = None,
    whose: str = "",
) -> dict[str, Any]:
    """Return ranking options as the API takes them: of what is None, nothing; {} leaves all to the platform.

    The API wants both weights or none: where one alone is given, the other is 1.

    Args:
        ranker: A `Ranker`.
        score_threshold: Only passages with at least this score, 0 to 1.
        embedding_weight: How much meaning counts, 0 or more.
        text_weight: How much the words count, likewise.
        whose: What they are options of, for errors: "FileSearchTool".

    Raises:
        UserError: A value can't be used.
    """
    made: dict[str, Any] = {}
    of = f"{whose}'s " if whose else ""
    if ranker is not None:
        if ranker not in get_args(Ranker):
            raise UserError(f"There is no ranker {ranker!r}.", hint=f"There are {', '.join(get_args(Ranker))}.")
        made["ranker"] = ranker
    if score_threshold is not None:
        if not _is_number(score_threshold) or not 0 <= score_threshold <= 1:
            raise UserError(f"{of}score_threshold can't be {score_threshold!r}.", hint="It is 0 to 1.")
        made["score_threshold"] = score_threshold
    given = {"embedding_weight": embedding_weight, "text_weight": text_weight}
    if any(weight is not None for weight in given.values()):
        for name, weight in given.items():
            if weight is not None and (not _is_number(weight) or not 0 <= weight < float("inf")):
                raise UserError(f"{of}{name} can't be {weight!r}.", hint="It is 0 or more.")
        weights = {name: _OTHER_WEIGHT if weight is None else weight for name, weight in given.items()}
        if not any(weights.values()):
            raise UserError(
                f"{whose or 'A search'} can't rank by nothing: both weights are 0.", hint="Raise one of them."
            )
        made["hybrid_search"] = weights
    return made


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)
