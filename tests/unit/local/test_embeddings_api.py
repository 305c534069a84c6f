"""`/v1/embeddings` and the models that there are."""

from __future__ import annotations

import base64
from typing import Any

import numpy as np
import openai
import pytest
from openai.types import CreateEmbeddingResponse, Model

from agentkit.local.tokenizing import encode


def wire(api: openai.OpenAI, **body: Any) -> Any:
    return api.post("/embeddings", body={"model": "words-64", **body}, cast_to=object)


def test_vectors_have_every_documented_field(api: openai.OpenAI, embedder: Any, strictly: Any) -> None:
    body = wire(api, input=["the sky", "green grass"], encoding_format="float")
    strictly(CreateEmbeddingResponse, body)
    vectors = [one.pop("embedding") for one in body["data"]]
    assert body == {
        "object": "list",
        "data": [{"object": "embedding", "index": 0}, {"object": "embedding", "index": 1}],
        "model": "words-64",
        "usage": {"prompt_tokens": 4, "total_tokens": 4},
    }
    assert np.allclose(vectors, embedder.embed(["the sky", "green grass"]))


def test_the_client_reads_them_as_base64(api: openai.OpenAI, embedder: Any) -> None:
    made = api.embeddings.create(model="words-64", input="the sky")
    assert np.allclose(made.data[0].embedding, embedder.embed(["the sky"])[0])
    text = wire(api, input="the sky", encoding_format="base64")["data"][0]["embedding"]
    assert np.allclose(np.frombuffer(base64.b64decode(text), "<f4"), made.data[0].embedding)


def test_tokens_are_read_as_text(api: openai.OpenAI) -> None:
    tokens = encode("the sky", "cl100k_base")
    expected = wire(api, input=["the sky"])
    assert wire(api, input=tokens) == expected
    assert wire(api, input=[tokens]) == expected


def test_a_long_text_is_the_mean_of_its_windows(api: openai.OpenAI, embedder: Any) -> None:
    text = " ".join(["sky"] * 12 + ["grass"] * 12)
    vector = np.asarray(wire(api, input=text)["data"][0]["embedding"])
    mean = embedder.embed(["sky " * 12, "grass " * 12]).mean(axis=0)
    assert np.allclose(vector, mean / np.linalg.norm(mean), atol=1e-6)


def test_openais_models_are_stood_in_for_and_it_says_so(api: openai.OpenAI) -> None:
    raw = api.embeddings.with_raw_response.create(model="text-embedding-3-small", input="x")
    assert raw.parse().model == "words-64"
    assert raw.headers["x-agentkit-notice"].startswith("text-embedding-3-small was asked for")


CASES: list[tuple[dict[str, Any], str | None]] = [
    ({}, "input"),
    ({"input": ""}, "input"),
    ({"input": []}, "input"),
    ({"input": ["a", ""]}, "input[1]"),
    ({"input": ["a"] * 2049}, "input"),
    ({"input": [[99999999]]}, "input[0]"),
    ({"input": "word " * 9000}, "input"),
    ({"input": "x", "dimensions": 32}, "dimensions"),
    ({"input": "x", "encoding_format": "hex"}, "encoding_format"),
]


@pytest.mark.parametrize(("body", "param"), CASES)
def test_a_wrong_request_is_refused(api: openai.OpenAI, body: dict[str, Any], param: str) -> None:
    with pytest.raises(openai.BadRequestError) as caught:
        wire(api, **body)
    assert caught.value.param == param


def test_dimensions_that_are_the_models_own_are_fine(api: openai.OpenAI) -> None:
    assert len(wire(api, input="x", dimensions=64)["data"][0]["embedding"]) == 64


def test_wrong_dimensions_name_the_right_ones(api: openai.OpenAI) -> None:
    with pytest.raises(openai.BadRequestError, match="the vectors of 'words-64' have 64 numbers"):
        api.embeddings.create(model="words-64", input="x", dimensions=256)


def test_an_unknown_model_is_named(api: openai.OpenAI) -> None:
    with pytest.raises(openai.NotFoundError, match="The model 'ada' does not exist on the embedded platform"):
        api.embeddings.create(model="ada", input="x")


def test_without_an_embedder_it_says_why(platform: Any) -> None:
    with pytest.raises(openai.UnprocessableEntityError, match="has no embedding model") as caught:
        platform(with_embedder=False).embeddings.create(model="text-embedding-3-small", input="x")
    assert caught.value.code == "unsupported_feature"


def test_the_embedder_is_among_the_models(platform: Any, strictly: Any) -> None:
    api: openai.OpenAI = platform()
    listed: Any = api.get("/models", cast_to=object)
    assert [model["id"] for model in listed["data"]] == ["rehearsal-1", "tiny-1", "words-64"]
    for model in listed["data"]:
        strictly(Model, model)
    assert api.models.retrieve("words-64").owned_by == "agentkit"
    assert [model.id for model in platform(with_embedder=False).models.list()] == ["rehearsal-1", "tiny-1"]
