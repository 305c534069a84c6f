"""An embedder that runs here: onnxruntime, from the weights of a BERT model."""

from __future__ import annotations

import hashlib
import os
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import cached_property
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from agentkit._home import home, make_private_folder
from agentkit.local.embedding.embedder import EmbedderError
from agentkit.local.embedding.models import ModelFolder

if TYPE_CHECKING:
    import numpy as np
    from tokenizers import Tokenizer

__all__ = ["LocalEmbedder"]

_WINDOW_PIECES = 230
"""Word pieces of a window. Such models learned on 256 at most; 230 leave room for texts that are cut in a word."""
_MOST_PIECES = 254
"""Word pieces of a text that is embedded, besides the two that mark its ends: the rest is not seen."""
_FORM = 1
"""Of the cached file: one of another form is made anew."""
_FEWEST_IN_PARALLEL = 4


class LocalEmbedder:
    """Turns texts into vectors on this machine's processor. Implements `Embedder`.

    Args:
        folder: The model.
        cache: Folder where the model is kept in the form that it is run in; None: in `AGENTKIT_HOME`.
        threads: Texts that are embedded at once; None: the processor's cores but one. A vector doesn't depend on it.
    """

    def __init__(self, folder: ModelFolder, *, cache: Path | None = None, threads: int | None = None) -> None:
        self._folder = folder
        self._cache = cache
        self._threads = threads or max(1, min(8, (os.cpu_count() or 2) - 1))
        self._lock = threading.Lock()
        self._process = os.getpid()
        self._session: Any = None

    @cached_property
    def name(self) -> str:
        """What tells its vectors from those of other embedders."""
        return self._folder.name()

    @property
    def dimensions(self) -> int:
        """How many numbers a vector has."""
        return self._folder.shape.hidden

    @cached_property
    def _tokenizer(self) -> Tokenizer:
        from tokenizers import Tokenizer

        try:
            tokenizer = Tokenizer.from_file(str(self._folder.path / "tokenizer.json"))
        except Exception as error:  # the package raises nothing narrower
            path = self._folder.path / "tokenizer.json"
            raise EmbedderError(f"{path} can't be read: {error}. Put the model's file there again.") from error
        tokenizer.no_padding()
        tokenizer.no_truncation()
        return tokenizer

    def windows(self, text: str) -> list[str]:
        """Cut a text into windows of at most 230 word pieces, about equally long, between words."""
        encoded = self._tokenizer.encode(_clean(text), add_special_tokens=False)
        pieces = len(encoded.ids)
        if pieces <= _WINDOW_PIECES:
            return [text]
        text, words, offsets = _clean(text), encoded.word_ids, encoded.offsets
        windows, begin = [], 0
        while begin < pieces:
            left = -(-(pieces - begin) // _WINDOW_PIECES)
            end = begin + -(-(pieces - begin) // left)
            cut = end
            while begin < cut < pieces and words[cut] == words[cut - 1]:
                cut -= 1
            end = end if cut == begin else cut  # a word of more pieces than a window is cut
            windows.append(text[offsets[begin][0] : offsets[end - 1][1]])
            begin = end
        return windows

    def embed(self, texts: Sequence[str]) -> np.ndarray:
        """Return the texts' vectors, float32 of shape (texts, dimensions), each of length 1.

        Raises:
            EmbedderError: The model can't be run.
        """
        import numpy as np

        vectors = np.empty((len(texts), self.dimensions), dtype=np.float32)
        session = self._ready()
        if self._threads == 1 or len(texts) < _FEWEST_IN_PARALLEL:
            for row, text in enumerate(texts):
                vectors[row] = self._vector(session, text)
            return vectors
        with ThreadPoolExecutor(self._threads, "agentkit-embedder") as pool:
            for row, vector in enumerate(pool.map(lambda text: self._vector(session, text), texts)):
                vectors[row] = vector
        return vectors

    def embed_query(self, text: str) -> np.ndarray:
        """Return the vector of a question, float32 of shape (dimensions,), of length 1.

        Raises:
            EmbedderError: The model can't be run.
        """
        return self._vector(self._ready(), text)

    def _vector(self, session: Any, text: str) -> np.ndarray:
        """Embed one text alone, so that its vector depends on nothing else."""
        import numpy as np

        pieces = self._tokenizer.encode(_clean(text)).ids
        most = min(_MOST_PIECES + 2, self._folder.positions)
        if len(pieces) > most:
            pieces = [*pieces[: most - 1], pieces[-1]]
        tokens = np.array([pieces], dtype=np.int64)
        places = np.arange(len(pieces), dtype=np.int64)[None, :]
        (found,) = session.run(["vector"], {"tokens": tokens, "positions": places})
        vector: np.ndarray = found[0] / max(float(np.linalg.norm(found[0])), 1e-12)
        return vector.astype(np.float32, copy=False)

    def _ready(self) -> Any:
        with self._lock:
            if self._session is None or self._process != os.getpid():
                self._session, self._process = self._opened(), os.getpid()
            return self._session

    def _opened(self) -> Any:
        plain = self.name.replace("/", "--")
        cache = self._cache or home() / "embedders"
        for path in sorted(cache.glob(f"{plain}-v{_FORM}-*.onnx")) if cache.is_dir() else []:
            if (data := _intact(path)) is not None:
                return _session(data)
        from agentkit.local.embedding.bert import as_onnx
        from agentkit.local.embedding.weights import read_weights

        data = as_onnx(read_weights(self._folder.path / "model.safetensors"), self._folder.shape)
        _keep(cache / f"{plain}-v{_FORM}-{_digest(data)}.onnx", data)
        return _session(data)


def _clean(text: str) -> str:
    """Return a text without halves of surrogate pairs, which are no characters."""
    return text if text.isascii() else text.encode(errors="replace").decode()


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()[:32]


def _intact(path: Path) -> bytes | None:
    """Return a cached model, or None where it isn't as it was written."""
    try:
        data = path.read_bytes()
    except OSError:
        return None
    return data if path.stem.endswith(_digest(data)) else None


def _keep(path: Path, data: bytes) -> None:
    """Write a file whole or not at all. If it can't be kept, it is made again the next time."""
    draft = path.with_suffix(f".{os.getpid()}.tmp")
    try:
        make_private_folder(path.parent)
        draft.write_bytes(data)
        draft.replace(path)
    except OSError:
        with suppress(OSError):
            draft.unlink(missing_ok=True)


def _session(data: bytes) -> Any:
    onnxruntime: Any = import_module("onnxruntime")  # without types

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1  # no threads of its own: several texts at once
    options.log_severity_level = 3
    try:
        return onnxruntime.InferenceSession(data, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # the package has an exception class for each of its status codes
        advice = "Update it: pip install -U onnxruntime"
        raise EmbedderError(f"onnxruntime {onnxruntime.__version__} can't run the model: {error}. {advice}") from error
