"""A BERT encoder as a graph for onnxruntime, its weights as bytes: four times smaller and twice as fast as floats."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from agentkit.local.embedding import protobuf
from agentkit.local.embedding.embedder import EmbedderError

__all__ = ["Architecture", "as_onnx"]

Weights = Mapping[str, NDArray[Any]]

_MICROSOFT = "com.microsoft"
_FLOAT = 1
"""ONNX's number for float32."""


@dataclass(frozen=True, slots=True)
class Architecture:
    """What of a model's configuration the graph depends on."""

    layers: int
    heads: int
    hidden: int
    """Numbers of a token's state, and of the text's vector."""
    epsilon: float
    """Of the layers' normalisation."""
    pooling: Literal["mean", "cls"]
    """Whether the text's vector is the mean of the tokens' or the first token's."""


def as_onnx(weights: Weights, shape: Architecture) -> bytes:
    """Return a model file: from one text's token numbers, int64 of shape (1, tokens), to its vector, not normalised.

    Weights are rounded to a byte, with a scale for each output; activations while it runs, with a scale for each text.

    Raises:
        EmbedderError: The weights are not those of such a model.

    Source: BERT, Devlin et al. 2018; dynamic quantisation as in onnxruntime.
    """
    graph = _Graph(weights, shape)
    try:
        graph.embeddings()
        for layer in range(shape.layers):
            graph.layer(f"encoder.layer.{layer}")
    except KeyError as error:
        raise EmbedderError(f"The model's weights lack {error}: only BERT models can be run here.") from error
    return graph.finished()


class _Graph:
    def __init__(self, weights: Weights, shape: Architecture) -> None:
        prefix = "bert." if "bert.embeddings.word_embeddings.weight" in weights else ""
        self._weights = {name.removeprefix(prefix): array for name, array in weights.items()}
        self._shape = shape
        self._nodes: list[bytes] = []
        self._constants: list[bytes] = []
        self._state = ""

    def _given(self, name: str) -> NDArray[np.float32]:
        return np.asarray(self._weights[name], dtype=np.float32)

    def _constant(self, name: str, array: NDArray[Any]) -> str:
        self._constants.append(protobuf.tensor(name, array))
        return name

    def _add(self, kind: str, inputs: list[str], output: str, *, domain: str = "", **attributes: float) -> str:
        self._nodes.append(protobuf.node(kind, inputs, [output], domain=domain, **attributes))
        return output

    def embeddings(self) -> None:
        """Look up words and positions."""
        codes, scales = _in_bytes(self._given("embeddings.word_embeddings.weight"))
        positions = self._given("embeddings.position_embeddings.weight")
        positions = positions + self._given("embeddings.token_type_embeddings.weight")[0]
        bytes_ = self._add("Gather", [self._constant("words", codes), "tokens"], "words.bytes")
        floats = self._add("Cast", [bytes_], "words.floats", to=_FLOAT)
        scale = self._add("Gather", [self._constant("words.scales", scales[:, None]), "tokens"], "words.scale")
        words = self._add("Mul", [floats, scale], "words.states")
        places = self._add("Gather", [self._constant("places", positions), "positions"], "places.states")
        self._state = self._normalised(words, places, "embeddings.LayerNorm")

    def layer(self, name: str) -> None:
        """Let the tokens look at each other, then each at itself."""
        attended = self._attention(f"{name}.attention.self")
        projected = self._dense(attended, f"{name}.attention.output.dense")
        self._state = self._normalised(projected, self._state, f"{name}.attention.output.LayerNorm")
        inner = self._dense(self._state, f"{name}.intermediate.dense")
        active = self._add("Gelu", [inner], f"{name}.active", domain=_MICROSOFT)
        outer = self._dense(active, f"{name}.output.dense")
        self._state = self._normalised(outer, self._state, f"{name}.output.LayerNorm")

    def _attention(self, name: str) -> str:
        parts = [f"{name}.{part}" for part in ("query", "key", "value")]
        weight = np.concatenate([self._given(f"{part}.weight") for part in parts])
        bias = np.concatenate([self._given(f"{part}.bias") for part in parts])
        together = self._dense(self._state, name, weight, bias)
        sizes = self._constant(f"{name}.sizes", np.full(3, self._shape.hidden, dtype=np.int64))
        self._nodes.append(protobuf.node("Split", [together, sizes], parts, axis=-1))
        heads = self._shape.heads
        return self._add("MultiHeadAttention", parts, f"{name}.out", domain=_MICROSOFT, num_heads=heads)

    def _dense(
        self,
        state: str,
        name: str,
        weight: NDArray[np.float32] | None = None,
        bias: NDArray[np.float32] | None = None,
    ) -> str:
        codes, scales = _in_bytes(self._given(f"{name}.weight") if weight is None else weight)
        bias = self._given(f"{name}.bias") if bias is None else bias
        inputs = [
            state,
            self._constant(f"{name}.codes", np.ascontiguousarray(codes.T)),
            self._constant(f"{name}.scales", scales),
            "",
            self._constant(f"{name}.bias", bias),
        ]
        return self._add("DynamicQuantizeMatMul", inputs, f"{name}.result", domain=_MICROSOFT)

    def _normalised(self, state: str, skipped: str, name: str) -> str:
        constants = [self._constant(f"{name}.{part}", self._given(f"{name}.{part}")) for part in ("weight", "bias")]
        inputs, epsilon = [state, skipped, *constants], self._shape.epsilon
        return self._add("SkipLayerNormalization", inputs, f"{name}.out", domain=_MICROSOFT, epsilon=epsilon)

    def finished(self) -> bytes:
        """Return the model file's contents."""
        if self._shape.pooling == "mean":
            self._nodes.append(protobuf.node("ReduceMean", [self._state], ["vector"], axes=[1], keepdims=0))
        else:
            first = self._constant("first", np.array(0, dtype=np.int64))
            self._add("Gather", [self._state, first], "vector", axis=1)
        inputs = [protobuf.value(name, "int64", [1, "tokens_in_text"]) for name in ("tokens", "positions")]
        outputs = [protobuf.value("vector", "float32", [1, self._shape.hidden])]
        return protobuf.model(self._nodes, self._constants, inputs, outputs)


def _in_bytes(weight: NDArray[np.float32]) -> tuple[NDArray[np.int8], NDArray[np.float32]]:
    """Return a matrix's rows as whole numbers from -127 to 127, and each row's scale."""
    scales = np.abs(weight).max(axis=1) / np.float32(127)
    scales[scales == 0] = 1
    return np.rint(weight / scales[:, None]).astype(np.int8), scales.astype(np.float32)
