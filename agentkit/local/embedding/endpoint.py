"""An embedder behind an OpenAI-compatible endpoint."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from agentkit import _json, _secrets
from agentkit._retry_after import retry_after_s
from agentkit.local.embedding.embedder import EmbedderAwayError, EmbedderError

if TYPE_CHECKING:
    import httpx2
    import numpy as np

__all__ = ["EndpointEmbedder", "without_password"]

_BATCH_TEXTS = 64
_BATCH_LETTERS = 200_000
"""Servers take at most some 300,000 tokens at once."""
_TRIES = 5
_FIRST_WAIT_S = 0.5
_LONGEST_WAIT_S = 30.0
_TIMEOUT_S = 120.0
_SHOWN_LETTERS = 300


class EndpointEmbedder:
    """Asks a server for vectors. Implements `Embedder`.

    Args:
        url: The server's address, as the `openai` client takes it: `https://host/v1`.
        model: What the server calls the model.
        key: Sent as a bearer token; None: none.
        transport: Of the HTTP client, for tests; None: the usual.
        sleep: Waits before a request is sent again.
    """

    def __init__(
        self,
        url: str,
        model: str,
        *,
        key: str | None = None,
        transport: httpx2.BaseTransport | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._url = f"{url.rstrip('/')}/embeddings"
        self._shown = without_password(self._url)
        self._model = model
        self._key = key
        self._transport = transport
        self._sleep = sleep
        self._lock = threading.Lock()
        self._dimensions: int | None = None
        self._client: httpx2.Client | None = None
        self._process = os.getpid()
        _secrets.register(key)

    @property
    def name(self) -> str:
        """What tells its vectors from those of other embedders: the model's name."""
        return self._model

    @property
    def dimensions(self) -> int:
        """How many numbers a vector has. The server is asked for one, if it hasn't given any yet.

        Raises:
            EmbedderError: It doesn't answer.
        """
        if self._dimensions is None:
            self.embed(["dimensions"])
        assert self._dimensions is not None
        return self._dimensions

    def windows(self, text: str) -> list[str]:
        """Return the whole text: such models take 8,192 tokens, and a chunk has 4,096 at most."""
        return [text]

    def embed(self, texts: Sequence[str]) -> np.ndarray:
        """Return the texts' vectors, float32 of shape (texts, dimensions), each of length 1.

        Raises:
            EmbedderError: The server doesn't answer after some tries, refuses, or answers something else.
        """
        import numpy as np

        parts = [self._asked(batch) for batch in _batches(texts)]
        if not parts:
            return np.empty((0, self.dimensions), dtype=np.float32)
        return np.concatenate(parts)

    def embed_query(self, text: str) -> np.ndarray:
        """Return the vector of a question, float32 of shape (dimensions,), of length 1.

        Raises:
            EmbedderError: As for `embed`.
        """
        vector: np.ndarray = self.embed([text])[0]
        return vector

    def _asked(self, texts: list[str]) -> np.ndarray:
        answer = self._post({"model": self._model, "input": texts, "encoding_format": "float"})
        vectors = self._read(answer, len(texts))
        with self._lock:
            if self._dimensions not in (None, vectors.shape[1]):
                raise EmbedderError(
                    f"{self._shown} gave vectors of {vectors.shape[1]} numbers for model {self._model!r}, and of "
                    f"{self._dimensions} before. Ask for a model whose vectors are all of one length."
                )
            self._dimensions = vectors.shape[1]
        return vectors

    def _read(self, answer: bytes, count: int) -> np.ndarray:
        import numpy as np

        try:
            entries = sorted(_json.loads(answer)["data"], key=lambda entry: entry["index"])
            vectors = np.array([entry["embedding"] for entry in entries], dtype=np.float32)
        except (ValueError, KeyError, TypeError) as error:
            raise self._strange(f"no list of vectors ({type(error).__name__}: {error})") from error
        if [entry["index"] for entry in entries] != list(range(count)) or vectors.ndim != 2 or not vectors.shape[1]:
            raise self._strange(f"an array of shape {vectors.shape} for {count} texts")
        lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
        if not np.isfinite(lengths).all() or not lengths.all():
            raise self._strange("a vector without a direction")
        unit: np.ndarray = (vectors / lengths).astype(np.float32)
        return unit

    def _strange(self, what: str) -> EmbedderError:
        advice = "Check the address in AGENTKIT_EMBEDDER: https://host/v1#model."
        return EmbedderError(f"{self._shown} answered {what} for model {self._model!r}. {advice}")

    def _post(self, body: dict[str, Any]) -> bytes:
        import httpx2

        content = _json.dumps(body)
        for attempt in range(1, _TRIES + 1):
            wait = min(_LONGEST_WAIT_S, _FIRST_WAIT_S * 2 ** (attempt - 1))
            try:
                response = self._opened().post(self._url, content=content)
            except httpx2.TransportError as error:
                if attempt == _TRIES:
                    message = f"{self._shown} can't be reached ({_TRIES} tries): {type(error).__name__}: {error}."
                    raise EmbedderAwayError(f"{message} Start that server, or change AGENTKIT_EMBEDDER.") from error
            except httpx2.InvalidURL as error:
                message = f"AGENTKIT_EMBEDDER has no address that can be asked: {self._shown!r}: {error}."
                raise EmbedderError(f"{message} Write it as https://host/v1#model.") from error
            else:
                if response.is_success:
                    return response.content
                if attempt == _TRIES or not _passes(response.status_code):
                    raise self._refused(response)
                wait = min(_LONGEST_WAIT_S, retry_after_s(response.headers) or wait)
            self._sleep(wait)
        raise AssertionError("the last try returns or raises")

    def _refused(self, response: httpx2.Response) -> EmbedderError:
        said = _secrets.Redactor().clean(response.text)[:_SHOWN_LETTERS].strip()
        advice = "Try again later."
        if response.status_code in (401, 403):
            advice = "Set AGENTKIT_EMBEDDER_KEY to a key that it takes."
        elif response.status_code in (400, 404, 405, 422):
            advice = "Check the address and the model in AGENTKIT_EMBEDDER: https://host/v1#model."
        what = f"{self._shown} answered {response.status_code} for model {self._model!r}"
        kind = EmbedderAwayError if _passes(response.status_code) else EmbedderError
        return kind(f"{what}: {said or 'nothing more'}. {advice}")

    def _opened(self) -> httpx2.Client:
        import httpx2

        with self._lock:
            if self._client is None or self._process != os.getpid():
                headers = {"content-type": "application/json"}
                if self._key:
                    headers["authorization"] = f"Bearer {self._key}"
                self._client = httpx2.Client(headers=headers, transport=self._transport, timeout=_TIMEOUT_S)
                self._process = os.getpid()
            return self._client

    def close(self) -> None:
        """Close the connections. They are opened again when needed."""
        with self._lock:
            client, self._client = self._client, None
        if client is not None and self._process == os.getpid():
            client.close()


def without_password(url: str) -> str:
    """Return an address without the name and password that may stand in it."""
    parts = urlsplit(url)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()


def _batches(texts: Sequence[str]) -> list[list[str]]:
    """Cut texts into what is sent at once. An empty text, which servers refuse, is sent as a space."""
    batches: list[list[str]] = []
    letters = 0
    for text in texts:
        text = text.encode(errors="replace").decode() or " "
        if not batches or len(batches[-1]) == _BATCH_TEXTS or letters + len(text) > _BATCH_LETTERS:
            batches.append([])
            letters = 0
        batches[-1].append(text)
        letters += len(text)
    return batches


def _passes(status: int) -> bool:
    """Return whether it may work a little later."""
    return status in (408, 409, 425, 429) or status >= 500
