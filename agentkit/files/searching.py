"""The part of a store that finds passages, and shows what is in it."""

from __future__ import annotations

import difflib
import warnings
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from agentkit._called_as import called_as
from agentkit._repr import brief
from agentkit.exceptions import UserError
from agentkit.files import contents
from agentkit.files.attributes import SOURCE_KEY
from agentkit.files.base import StoreBase
from agentkit.files.checks import check_sendable, check_switch
from agentkit.files.details import ASK_FOR_DETAILS
from agentkit.files.errors import gone_store, platform_errors
from agentkit.files.listing import StoreFile, store_files
from agentkit.files.search import SearchResult, hit_of
from agentkit.runtime.background import run_blocking
from agentkit.tooling.file_filters import Condition, filter_json
from agentkit.tooling.file_ranking import Ranker, ranking_json

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["SearchedStore"]

_MOST_HITS = 50
_LONGEST_QUERY = 4096
_MEANT = dict.fromkeys(("max_num_results", "top_k", "top_n", "k", "n", "n_results", "max_results"), "limit")
"""What others call arguments, with what they are called here."""


class SearchedStore(StoreBase):
    """A store that is searched."""

    @called_as("store.search", meant=_MEANT)
    def search(
        self,
        query: str | Sequence[str],
        *,
        filters: Condition | Mapping[str, Any] | None = None,
        limit: int = 10,
        score_threshold: float | None = None,
        rewrite: bool = False,
        ranker: Ranker | None = None,
        embedding_weight: float | None = None,
        text_weight: float | None = None,
    ) -> SearchResult:
        """Return the passages that answer a question best, best first. Files that are being indexed may be missing.

        Args:
            query: The question, or words; several are searched for together.
            filters: Which files are searched, by their attributes: `attr("year") >= 2024`, or the API's dictionary.
            limit: Most passages to return, 1 to 50.
            score_threshold: Only passages with at least this score, 0 to 1.
            rewrite: Whether the platform may make a better query of the question first.
            ranker: "auto", "default-2024-11-15", or "none" for what is faster without; the platform's own when None.
            embedding_weight: How much meaning counts, 0 or more; 1 where only `text_weight` is given. Of the embedded
                platform: OpenAI's search refuses weights, and has them on `FileSearchTool` alone.
            text_weight: How much the words count, likewise; 1 where only `embedding_weight` is given.

        Returns:
            At most `limit` hits, with the text, its score, file and attributes; page and headings where the platform
            tells them.

        Raises:
            UserError: An argument can't be used, or the store is gone.
            AgentsException: The platform can't be used.

        Warns:
            UserWarning: Nothing was found, and `filters` asks for an attribute that no file of the store has.
        """
        result, doubt = run_blocking(
            self._searched(
                query, filters=filters, limit=limit, score_threshold=score_threshold, rewrite=rewrite, ranker=ranker,
                embedding_weight=embedding_weight, text_weight=text_weight,
            )
        )  # fmt: skip
        if doubt:
            warnings.warn(doubt, stacklevel=3)
        return result

    @called_as("store.asearch", meant=_MEANT)
    async def asearch(
        self,
        query: str | Sequence[str],
        *,
        filters: Condition | Mapping[str, Any] | None = None,
        limit: int = 10,
        score_threshold: float | None = None,
        rewrite: bool = False,
        ranker: Ranker | None = None,
        embedding_weight: float | None = None,
        text_weight: float | None = None,
    ) -> SearchResult:
        """Return the passages that answer a question best, for async code. Arguments and errors as for `search`."""
        result, doubt = await self._searched(
            query, filters=filters, limit=limit, score_threshold=score_threshold, rewrite=rewrite, ranker=ranker,
            embedding_weight=embedding_weight, text_weight=text_weight,
        )  # fmt: skip
        if doubt:
            warnings.warn(doubt, stacklevel=2)
        return result

    async def _searched(
        self, query: Any, *, filters: Condition | Mapping[str, Any] | None, **options: Any
    ) -> tuple[SearchResult, str]:
        """Return what is found, and, where that is nothing, what seems to be wrong with the filters; "" else."""
        result = await self._found(query, filters=filters, **options)
        return result, "" if result else await self._doubt(filters)

    async def _found(
        self,
        query: Any,
        *,
        filters: Condition | Mapping[str, Any] | None = None,
        limit: int = 10,
        rewrite: bool = False,
        **ranking: Any,
    ) -> SearchResult:
        queries = _queries(query)
        check_switch("rewrite", rewrite)
        if isinstance(limit, bool) or not isinstance(limit, int) or not 1 <= limit <= _MOST_HITS:
            raise UserError(f"limit can't be {limit!r}.", hint=f"It is 1 to {_MOST_HITS}.")
        options = {
            "filters": filter_json(filters), "ranking_options": ranking_json(**ranking), "rewrite_query": rewrite,
        }  # fmt: skip
        given: dict[str, Any] = {name: value for name, value in options.items() if value}
        client = self.client
        with platform_errors(client, f"Searching {self.name!r}", missing=gone_store(self.name, self.id)):
            page = await client.vector_stores.search(
                self.id, query=queries[0] if len(queries) == 1 else queries, max_num_results=limit,
                extra_headers=ASK_FOR_DETAILS, **given,
            )  # fmt: skip
        asked = " ".join(queries)
        searched = getattr(page, "search_query", None)
        told = [searched] if isinstance(searched, str) else [str(each) for each in searched or ()]
        return SearchResult(asked, self.name, [hit_of(each, asked) for each in page.data[:limit]], told)

    async def _doubt(self, filters: Condition | Mapping[str, Any] | None) -> str:
        """Return which attributes of a filter no file has, for a person; "" where there are none such."""
        if (condition := filter_json(filters)) is None:
            return ""
        files = await store_files(self.client, self.id)
        known = {key for file in files for key in file.attributes} | {SOURCE_KEY}
        unknown = [key for key in dict.fromkeys(_keys_of(condition)) if key not in known]
        if not files or not unknown:
            return ""
        told = []
        for key in unknown:
            near = difflib.get_close_matches(key, known - {SOURCE_KEY}, n=2, cutoff=0.6)
            told.append(f"{key!r}" + (f" (did you mean {' or '.join(map(repr, near))}?)" if near else ""))
        asked = ", nor ".join(told)
        return f"No file of {self.name!r} has the attribute {asked}, which the filters ask for. store.files shows all."

    @property
    def files(self) -> pd.DataFrame:
        """The files in the store as a dataframe, sorted by name. The platform is asked each time.

        Columns: `name` (string, its path or address where agentkit added it), `filename` (string), `status` (category:
        "completed", "in_progress", "failed", "cancelled"), `error` and `error_code` (string, NA where all is well),
        `usage_bytes` (Int64), `created_at` (datetime64[s, UTC]), `file_id` (string), then one for each attribute:
        string, Int64, Float64 or boolean, NA where a file lacks it.
        """

        async def look() -> pd.DataFrame:
            return contents.files_frame(await contents.all_files(self.client, self.id, store=self.name))

        return run_blocking(look())

    @called_as("store.file")
    def file(self, file: Any) -> StoreFile:
        """Return a file of the store.

        Args:
            file: Its id, its name (`docs/a.pdf`), its file name (`a.pdf`) where only one has it, its path, a hit or a
                citation.

        Raises:
            UserError: There is none, or there are several.
        """

        async def look() -> StoreFile:
            return await contents.find_file(self.client, self.id, file, store=self.name)

        return run_blocking(look())

    @called_as("store.chunks")
    def chunks(self, file: Any) -> pd.DataFrame:
        """Return the passages that a file was cut into as a dataframe, in order.

        Args:
            file: As for `file`.

        Returns:
            Columns `chunk` (Int64, from 0), `text` (string), and where the platform tells them `page` (Int64, from 1),
            `heading` (string) and `tokens` (Int64); NA elsewhere. Of a file that isn't ready there may be none.

        Raises:
            UserError: There is no such file.
        """

        async def look() -> pd.DataFrame:
            found = await contents.find_file(self.client, self.id, file, store=self.name)
            return contents.chunks_frame(await contents.file_chunks(self.client, self.id, found))

        return run_blocking(look())


def _keys_of(condition: Mapping[str, Any]) -> Iterator[str]:
    """Yield the attributes that a filter asks for."""
    if "filters" in condition:
        for each in condition["filters"]:
            yield from _keys_of(each)
    else:
        yield condition["key"]


def _queries(query: Any) -> list[str]:
    queries = [query] if isinstance(query, str) else list(query) if isinstance(query, Sequence) else []
    if not queries or not all(isinstance(each, str) and each.strip() for each in queries):
        raise UserError(f"A search needs a text, not {brief(query)}.", hint='store.search("How many days of leave?").')
    for each in queries:
        check_sendable("A query", each)
    if too_long := [each for each in queries if len(each) > _LONGEST_QUERY]:
        text = f"A query of {len(too_long[0]):,} characters is too long; at most {_LONGEST_QUERY:,} are searched for."
        raise UserError(text, hint="Ask more briefly.")
    return queries
