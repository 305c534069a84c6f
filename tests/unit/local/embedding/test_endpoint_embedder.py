"""An embedder behind an OpenAI-compatible endpoint: asked in batches, again where that helps, errors told."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import httpx2
import numpy as np
import pytest

from agentkit.local.embedding.embedder import EmbedderAwayError, EmbedderError
from agentkit.local.embedding.endpoint import EndpointEmbedder

KEY = "sk-test-0123456789abcdef"


class Server:
    """Answers requests with what it is given, and with vectors after that; (letters, 1) is a text's."""

    def __init__(self, *answers: httpx2.Response | Exception) -> None:
        self.answers = list(answers)
        self.requests: list[httpx2.Request] = []
        self.waits: list[float] = []

    def __call__(self, request: httpx2.Request) -> httpx2.Response:
        self.requests.append(request)
        if self.answers:
            answer = self.answers.pop(0)
            if isinstance(answer, Exception):
                raise answer
            return answer
        return vectors_of(json.loads(request.content)["input"])

    @property
    def bodies(self) -> list[dict[str, Any]]:
        return [json.loads(request.content) for request in self.requests]

    def embedder(self, url: str = "https://host/v1/", **options: Any) -> EndpointEmbedder:
        transport = httpx2.MockTransport(self)
        return EndpointEmbedder(url, "small", transport=transport, sleep=self.waits.append, **options)


def vectors_of(texts: list[str]) -> httpx2.Response:
    data = [{"index": n, "object": "embedding", "embedding": [len(text), 1]} for n, text in enumerate(texts)]
    return httpx2.Response(200, json={"object": "list", "data": data[::-1], "model": "small"})


def unit(*numbers: float) -> list[float]:
    return [float(one) for one in np.array(numbers) / np.linalg.norm(numbers)]


def test_texts_become_vectors_of_length_one_in_their_order() -> None:
    server = Server()
    embedder = server.embedder(key=KEY)
    vectors = embedder.embed(["a", "bbb"])
    assert vectors.dtype == np.float32
    assert vectors.tolist() == [pytest.approx(unit(1, 1)), pytest.approx(unit(3, 1))]
    assert embedder.embed_query("cc").tolist() == pytest.approx(unit(2, 1))
    assert (embedder.name, embedder.dimensions) == ("small", 2)
    first = server.requests[0]
    assert str(first.url) == "https://host/v1/embeddings"
    assert first.headers["authorization"] == f"Bearer {KEY}"
    assert server.bodies == [
        {"model": "small", "input": ["a", "bbb"], "encoding_format": "float"},
        {"model": "small", "input": ["cc"], "encoding_format": "float"},
    ]
    embedder.close()


def test_the_dimensions_are_asked_for_once() -> None:
    server = Server()
    embedder = server.embedder()
    assert (embedder.dimensions, embedder.dimensions) == (2, 2)
    assert embedder.embed([]).shape == (0, 2)
    assert len(server.requests) == 1
    assert "authorization" not in server.requests[0].headers


def test_many_texts_go_in_batches() -> None:
    server = Server()
    texts = [f"{n}" * 3 for n in range(150)] + ["x" * 150_000, "y" * 150_000, "", "\ud800"]
    vectors = server.embedder().embed(texts)
    assert vectors.shape == (154, 2)
    assert [len(body["input"]) for body in server.bodies] == [64, 64, 23, 3]
    assert server.bodies[-1]["input"][1:] == [" ", "?"]
    assert server.embedder().windows("any text") == ["any text"]


@pytest.mark.parametrize(
    ("passing", "waits"),
    [
        ([httpx2.Response(429, headers={"retry-after": "7"}), httpx2.Response(503)], [7.0, 1.0]),
        ([httpx2.ConnectError("refused"), httpx2.ReadTimeout("slow")], [0.5, 1.0]),
        ([httpx2.Response(500, headers={"retry-after": "9999"})], [30.0]),
    ],
)
def test_what_passes_is_tried_again(passing: list[httpx2.Response | Exception], waits: list[float]) -> None:
    server = Server(*passing)
    assert server.embedder().embed(["abc"]).tolist() == [pytest.approx(unit(3, 1))]
    assert server.waits == waits


@pytest.mark.parametrize(
    ("answer", "said", "tries"),
    [
        (lambda: httpx2.Response(401, text=f"bad key {KEY}"), "401.*AGENTKIT_EMBEDDER_KEY", 1),
        (lambda: httpx2.Response(404, json={"error": {"message": "no model small"}}), "404.*no model.*#model", 1),
        (lambda: httpx2.Response(502), "502.*nothing more.*later", 5),
        (lambda: httpx2.ConnectError("refused"), "can't be reached.*5 tries.*refused.*Start that server", 5),
        (lambda: httpx2.Response(200, text="<html>"), "no list of vectors", 1),
        (lambda: httpx2.Response(200, json={"data": [{"index": 1, "embedding": [1, 0]}]}), r"shape \(1, 2\) for 1", 1),
        (lambda: httpx2.Response(200, json={"data": [{"index": 0, "embedding": []}]}), r"shape \(1, 0\)", 1),
        (lambda: httpx2.Response(200, json={"data": [{"index": 0, "embedding": [0, 0]}]}), "without a direction", 1),
        (lambda: httpx2.Response(200, json={"data": [{"index": 0, "embedding": ["a"]}]}), "no list of vectors", 1),
    ],
)
def test_what_is_wrong_is_told(answer: Callable[[], httpx2.Response | Exception], said: str, tries: int) -> None:
    server = Server(*(answer() for _ in range(tries)))
    with pytest.raises(EmbedderError, match=said) as caught:
        server.embedder(key=KEY).embed(["abc"])
    assert len(server.requests) == tries
    assert KEY not in str(caught.value)
    assert "https://host/v1/embeddings" in str(caught.value)


@pytest.mark.parametrize(
    ("answer", "is_away"),
    [
        (httpx2.ConnectError("refused"), True),
        (httpx2.Response(503), True),
        (httpx2.Response(400, text="too long"), False),
    ],
)
def test_errors_tell_what_is_away_and_no_password(answer: httpx2.Response | Exception, is_away: bool) -> None:
    server = Server(*[answer] * 5)
    with pytest.raises(EmbedderError, match=r"^https://host/v1/embeddings ") as caught:
        server.embedder("https://me:sesame-1@host/v1").embed(["a"])
    assert (isinstance(caught.value, EmbedderAwayError), "sesame" in str(caught.value)) == (is_away, False)


def test_vectors_of_another_length_are_refused() -> None:
    server = Server()
    embedder = server.embedder()
    embedder.embed(["a"])
    server.answers.append(httpx2.Response(200, json={"data": [{"index": 0, "embedding": [1, 2, 3]}]}))
    with pytest.raises(EmbedderError, match=r"3 numbers.*'small'.*2 before"):
        embedder.embed(["a"])
