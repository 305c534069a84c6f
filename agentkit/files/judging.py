"""The part of a store that is judged by questions whose answers are known."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from agentkit._called_as import called_as
from agentkit.exceptions import UserError
from agentkit.files import contents, opening
from agentkit.files.attributes import SOURCE_KEY
from agentkit.files.comparing import Comparison, Setting, Tried, chunkings_of, rankings_of
from agentkit.files.evaluation import Evaluation, Question, evaluation_of, questions_of, ranks_checked
from agentkit.files.indexing import MOST_IN_A_BATCH, Attached, Indexing
from agentkit.files.listing import StoreFile, bounded
from agentkit.files.search import SearchResult
from agentkit.files.searching import SearchedStore
from agentkit.runtime.background import run_blocking
from agentkit.tooling.file_filters import Condition
from agentkit.tooling.file_ranking import Ranker

if TYPE_CHECKING:
    from typing import Self

__all__ = ["JudgedStore"]

_SEARCHES_AT_ONCE = 4


class JudgedStore(SearchedStore):
    """A store that can be judged."""

    @called_as("store.evaluate")
    def evaluate(
        self,
        questions: Any,
        *,
        k: int | Sequence[int] = (1, 3, 5, 10),
        filters: Condition | Mapping[str, Any] | None = None,
        score_threshold: float | None = None,
        rewrite: bool = False,
        ranker: Ranker | None = None,
        embedding_weight: float | None = None,
        text_weight: float | None = None,
    ) -> Evaluation:
        """Search for questions whose answers are known, and return how well they were answered.

        Args:
            questions: A dataframe or dictionaries with `question` and `expected`, or pairs of them. Expected is a file
                (its path, name, file name or id), several of them, or a passage: a text that is no file's name.
            k: How many passages are looked at: recall is told for each number, the rest for the largest.
            filters: As for `search`, as all that follow.
            score_threshold: As for `search`.
            rewrite: As for `search`.
            ranker: As for `search`.
            embedding_weight: As for `search`.
            text_weight: As for `search`.

        Returns:
            The means in `.metrics` and `.to_dataframe()`, the questions in `.questions`, those of which nothing was
            found in `.missed`. Recall@k is the share of the expected files among the first k passages.

        Raises:
            UserError: A question can't be read, or names a file that isn't in the store.
        """
        ks = ranks_checked(k)
        options = {
            "filters": filters, "score_threshold": score_threshold, "rewrite": rewrite, "ranker": ranker,
            "embedding_weight": embedding_weight, "text_weight": text_weight,
        }  # fmt: skip

        async def judge() -> tuple[Evaluation, str]:
            asked = questions_of(questions, await contents.all_files(self.client, self.id, store=self.name))
            judged = await self._judged(asked, ks, options)
            return judged, await self._doubt(filters) if len(judged.missed) == len(asked) else ""

        judged, doubt = run_blocking(judge())
        if doubt:
            warnings.warn(doubt, stacklevel=3)
        return judged

    @called_as("store.compare")
    def compare(
        self,
        questions: Any,
        *,
        chunking: Sequence[int | tuple[int, int] | None] | None = None,
        ranking: Any = None,
        k: int | Sequence[int] = (1, 3, 5, 10),
        timeout_s: float = 600,
    ) -> Comparison:
        """Judge several ways to cut the store's files and to rank their passages, and return them side by side.

        For each way of cutting a temporary store is made of the same files, without uploading them again, and removed
        at the end. Where that can't be done because the process is killed, it expires after a day.

        Args:
            questions: As for `evaluate`.
            chunking: Numbers of tokens, which share half with the next, or pairs of tokens and shared tokens; None
                among them is the store as it is, and that alone when None itself.
            ranking: Options of `search`: `{"words": {"embedding_weight": 0}, "meaning": {"text_weight": 0}}`, or a list
                of such dictionaries.
            k: As for `evaluate`.
            timeout_s: Seconds within which another file of a temporary store has to become ready.

        Raises:
            UserError: An argument can't be used, or a temporary store isn't ready in time.
        """
        ks, settings, rankings = ranks_checked(k), chunkings_of(chunking), rankings_of(ranking)

        async def compare() -> list[Tried]:
            files = await contents.all_files(self.client, self.id, store=self.name)
            asked = questions_of(questions, files)
            tried: list[Tried] = []
            for setting in settings:
                if setting.chunking is None:
                    tried += await self._ranked(asked, ks, setting, rankings)
                    continue
                store = await self._temporary(setting)
                try:
                    await store._take_over(files, setting, timeout_s)
                    tried += await store._ranked(asked, ks, setting, rankings)
                finally:
                    await opening.deleted(self.client, store.id, files=False)
            return tried

        return Comparison(run_blocking(compare()))

    async def _judged(
        self, questions: Sequence[Question], ks: tuple[int, ...], options: Mapping[str, Any]
    ) -> Evaluation:
        results: dict[int, SearchResult] = {}

        async def ask(place: int) -> None:
            results[place] = await self._found(questions[place].question, limit=ks[-1], **options)

        await bounded(ask, range(len(questions)), _SEARCHES_AT_ONCE)
        return evaluation_of(self.name, questions, [results[place] for place in range(len(questions))], ks)

    async def _ranked(
        self,
        questions: Sequence[Question],
        ks: tuple[int, ...],
        setting: Setting,
        rankings: Mapping[str, Mapping[str, Any]],
    ) -> list[Tried]:
        return [
            Tried(setting.label, label, await self._judged(questions, ks, options))
            for label, options in rankings.items()
        ]

    async def _temporary(self, setting: Setting) -> Self:
        info = await opening.created(
            self.client, f"{self.name} {setting.label}", description="Made for a comparison; can be deleted.",
            metadata=opening.BORROWING, expires_after_days=1,
        )  # fmt: skip
        return self._of(self._backend, info)

    async def _take_over(self, files: Sequence[StoreFile], setting: Setting, timeout_s: float) -> None:
        """Take another store's files, cut in another way, and wait until they are ready."""
        failed: list[str] = []
        indexing = Indexing(
            self.client, self.id, chunking=setting.chunking, patience_s=timeout_s,
            settled=lambda file_id, _file, why: failed.append(f"{file_id}: {why}") if why else None,
        )  # fmt: skip
        ready = [_attached(file) for file in files if file.status == "completed"]
        for start in range(0, len(ready), MOST_IN_A_BATCH):
            await indexing.attach(ready[start : start + MOST_IN_A_BATCH])
        if failed:
            text = f"{len(failed):,} files could not be cut by {setting.label}. The first: {failed[0]}"
            raise UserError(text, hint="Compare without these: store.remove(…).")
        if not await indexing.wait_for_store():
            raise UserError(
                f"The files were not ready, cut by {setting.label}, and nothing happened for {timeout_s:g} s.",
                hint="Raise timeout_s.",
            )


def _attached(file: StoreFile) -> Attached:
    own = {} if file.source is None else {SOURCE_KEY: file.source.line()}
    return Attached(file.id, {**file.attributes, **own})
