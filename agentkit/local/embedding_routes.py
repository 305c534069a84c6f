"""The path `/v1/embeddings`."""

from __future__ import annotations

import asyncio
import base64
import re
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import Discriminator, Field, Tag
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from agentkit.local.catalog import ChosenModel
from agentkit.local.checking import Shape, check, read_json
from agentkit.local.errors import ApiError, model_not_found
from agentkit.local.replies import json_reply
from agentkit.local.vector_stores.retrieval import Retrieval

if TYPE_CHECKING:
    import numpy as np

    from agentkit.local.embedding.embedder import Embedder

__all__ = ["EmbeddingRoutes"]

_OPENAI_NAME = re.compile(r"text-embedding-[A-Za-z0-9._-]+")
_ENCODING: Literal["cl100k_base"] = "cl100k_base"
"""In whose tokens OpenAI's embedding models count."""
_MOST_TOKENS = 8192
"""Most tokens of one input."""
_MOST_TOKENS_IN_ALL = 300_000


def _input_tag(value: Any) -> str | None:
    if isinstance(value, str):
        return "<text>"
    if not isinstance(value, list):
        return None
    first = value[0] if value else ""
    if isinstance(first, int) and not isinstance(first, bool):
        return "<tokens>"
    return "<token lists>" if isinstance(first, list) else "<texts>"


_Text = Annotated[str, Field(min_length=1)]
_Tokens = Annotated[list[Annotated[int, Field(ge=0)]], Field(min_length=1)]


class EmbeddingRequest(Shape):
    """The body of `POST /v1/embeddings`."""

    input: Annotated[
        Annotated[_Text, Tag("<text>")]
        | Annotated[Annotated[list[_Text], Field(min_length=1, max_length=2048)], Tag("<texts>")]
        | Annotated[_Tokens, Tag("<tokens>")]
        | Annotated[Annotated[list[_Tokens], Field(max_length=2048)], Tag("<token lists>")],
        Discriminator(_input_tag),
    ]
    model: str
    dimensions: Annotated[int, Field(ge=1)] | None = None
    encoding_format: Literal["float", "base64"] | None = None
    user: str | None = None


class EmbeddingRoutes:
    """Answers requests for embeddings.

    Args:
        retrieval: Has what makes vectors.
    """

    def __init__(self, retrieval: Retrieval) -> None:
        self._retrieval = retrieval

    def routes(self) -> list[Route]:
        """Return the path."""
        return [Route("/v1/embeddings", self.create, methods=["POST"])]

    async def create(self, http: Request) -> Response:
        """Return the vectors of texts."""
        request = check(EmbeddingRequest, read_json(await http.body()))
        embedder = await asyncio.to_thread(lambda: self._retrieval.embedder)
        chosen = _choose(request.model, embedder)
        assert embedder is not None
        value = await asyncio.to_thread(_embedded, request, embedder)
        return json_reply(value, headers=chosen.headers)


def _choose(name: str, embedder: Embedder | None) -> ChosenModel:
    """Return the model that makes vectors under a name.

    Raises:
        ApiError: There is none of that name, or none at all.
    """
    if embedder is None:
        from agentkit.local.embedding import why_none

        message = f"'model' can't be used: the embedded platform has no embedding model. {why_none()}"
        raise ApiError(message, status=422, param="model", code="unsupported_feature")
    if name == embedder.name:
        return ChosenModel(name, None)
    if _OPENAI_NAME.fullmatch(name):
        made_by = embedder.name.encode("ascii", "replace").decode()
        notice = f"{name} was asked for, but this is the offline platform: the vectors are {made_by}'s."
        return ChosenModel(embedder.name, notice)
    raise model_not_found(name, [embedder.name])


def _embedded(request: EmbeddingRequest, embedder: Embedder) -> dict[str, Any]:
    if request.dimensions is not None and request.dimensions != embedder.dimensions:
        message = (
            f"Invalid 'dimensions': the vectors of '{embedder.name}' have {embedder.dimensions} numbers and can't be "
            f"made with {request.dimensions}. Leave it out."
        )
        raise ApiError(message, param="dimensions", code="invalid_value")
    texts, tokens = _texts(request)
    vectors = _vectors(texts, embedder)
    as_text = request.encoding_format == "base64"
    return {
        "object": "list",
        "data": [
            {"object": "embedding", "index": index, "embedding": _as_base64(vector) if as_text else vector.tolist()}
            for index, vector in enumerate(vectors)
        ],
        "model": embedder.name,
        "usage": {"prompt_tokens": tokens, "total_tokens": tokens},
    }


def _texts(request: EmbeddingRequest) -> tuple[list[str], int]:
    """Return the texts to embed, and how many tokens they have.

    Raises:
        ApiError: They have too many, or a token doesn't exist.
    """
    from agentkit.local.tokenizing import count_tokens, decode

    given: Any = request.input
    whole = isinstance(given, str) or (bool(given) and isinstance(given[0], int))
    inputs: list[Any] = [given] if whole else given
    texts, total = [], 0
    for index, one in enumerate(inputs):
        place = "input" if whole else f"input[{index}]"
        try:
            text = one if isinstance(one, str) else decode(one, _ENCODING)
        except (KeyError, ValueError, OverflowError):
            raise ApiError(f"Invalid '{place}': not all of it is {_ENCODING}.", param=place) from None
        size = count_tokens(text, _ENCODING) if isinstance(one, str) else len(one)
        if size > _MOST_TOKENS:
            message = f"Invalid '{place}': maximum input length is {_MOST_TOKENS} tokens, but this has {size:,}."
            raise ApiError(message, param=place, code="string_above_max_length")
        texts.append(text)
        total += size
    if total > _MOST_TOKENS_IN_ALL:
        message = f"Invalid 'input': a request may have {_MOST_TOKENS_IN_ALL:,} tokens, but this has {total:,}."
        raise ApiError(message, param="input", code="max_tokens_per_request")
    return texts, total


def _vectors(texts: list[str], embedder: Embedder) -> list[np.ndarray]:
    """Return one vector for each text: of a text in several windows, the mean of theirs, made as long as the others."""
    import numpy as np

    windows = [embedder.windows(text) for text in texts]
    made = embedder.embed([window for some in windows for window in some])
    vectors, start = [], 0
    for some in windows:
        mean = made[start : start + len(some)].mean(axis=0)
        length = float(np.linalg.norm(mean))
        vectors.append((mean / length if length else mean).astype(np.float32))
        start += len(some)
    return vectors


def _as_base64(vector: np.ndarray) -> str:
    return base64.b64encode(vector.astype("<f4").tobytes()).decode()
