"""Tokens as OpenAI's models count them: exact, offline, and in linear time for texts of any length.

tiktoken does the work. Its own loader fetches vocabularies from the network; here they lie in the package, and are
checked against the digests that tiktoken itself expects. Long texts are encoded in segments that end where no token can
reach across, so that the tokens are those of the whole: tiktoken itself gives up on long runs of spaces.

Text is plain: "<|endoftext|>" in a file is these characters, not a special token.
"""

from __future__ import annotations

import base64
import functools
import hashlib
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal, cast

if TYPE_CHECKING:
    import numpy as np
    import tiktoken

__all__ = [
    "EncodingName",
    "count_tokens",
    "decode",
    "encode",
    "encode_segments",
    "is_boundary",
    "next_boundary",
    "token_bytes",
]

EncodingName = Literal["cl100k_base", "o200k_base"]

_FOLDER = Path(__file__).parent / "vocabularies"
_SEGMENT = 65_536
"""Characters encoded at once, at most: tiktoken's regular expression overflows on some runs of ten times that."""

# Between these characters every token of both encodings ends (o200k_base lets "/" follow a line end within a token):
# what a token's pattern matches to the left can't reach over, and to the right it looks at nothing before.
_BOUNDARY = re.compile(r"(?<=\S)(?=[ \t])|(?<=[^\W_])(?=[\r\n])|(?<=[\r\n])(?=[^\s/]|[ \t]{1,200}\S)")

_DIGESTS = {
    "o200k_base": "446a9538cb6c348e3516120d7c08b09f57c36495e2acfffe59a5bf8b0cfb1a2d",
    "cl100k_base": "223921b76ee99bde995b7ff738513eef100fb51d18c93597a113bcffe865b2a7",
}
_SPECIAL_TOKENS = {
    "o200k_base": {"<|endoftext|>": 199999, "<|endofprompt|>": 200018},
    "cl100k_base": {
        "<|endoftext|>": 100257,
        "<|fim_prefix|>": 100258,
        "<|fim_middle|>": 100259,
        "<|fim_suffix|>": 100260,
        "<|endofprompt|>": 100276,
    },
}
_PATTERNS = {
    "o200k_base": "|".join(
        (
            r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?",
            r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?",
            r"\p{N}{1,3}",
            r" ?[^\s\p{L}\p{N}]+[\r\n/]*",
            r"\s*[\r\n]+",
            r"\s+(?!\S)",
            r"\s+",
        )
    ),
    "cl100k_base": "|".join(
        (
            r"'(?i:[sdmt]|ll|ve|re)",
            r"[^\r\n\p{L}\p{N}]?+\p{L}++",
            r"\p{N}{1,3}+",
            r" ?[^\s\p{L}\p{N}]++[\r\n]*+",
            r"\s++$",
            r"\s*[\r\n]",
            r"\s+(?!\S)",
            r"\s",
        )
    ),
}


def count_tokens(text: str, encoding: EncodingName = "o200k_base") -> int:
    """Return how many tokens a text has.

    Args:
        text: Any text.
        encoding: "o200k_base", of GPT-4o and later, or "cl100k_base", of GPT-4 and the embedding models.

    Raises:
        ValueError: There is no such encoding.
        RuntimeError: The vocabulary's file is missing or damaged.
    """
    return sum(len(tokens) for _, _, tokens in encode_segments(text, encoding))


def encode(text: str, encoding: EncodingName = "o200k_base") -> list[int]:
    """Return a text's tokens. Arguments and errors are those of `count_tokens`."""
    found: list[int] = []
    for _, _, tokens in encode_segments(text, encoding):
        found.extend(tokens.tolist())
    return found


def decode(tokens: Sequence[int], encoding: EncodingName = "o200k_base") -> str:
    """Return the text of tokens; a character that isn't whole becomes "�".

    Raises:
        ValueError: There is no such encoding, or no such token.
    """
    try:
        return _vocabulary(encoding)[0].decode(list(tokens))
    except (KeyError, OverflowError) as error:
        raise ValueError(f"{encoding} has no such token: {error}.") from None


def encode_segments(
    text: str, encoding: EncodingName = "o200k_base"
) -> Iterator[tuple[int, int, np.ndarray[tuple[int], np.dtype[np.uint32]]]]:
    """Yield a text's tokens in pieces of at most 65,536 characters.

    Yields:
        `(start, end, tokens)`: characters `text[start:end]` and their tokens, uint32 of shape (n,). Together the tokens
        are exactly those of the whole text; only in a run of more than 65,536 characters without a space after a
        word, where tiktoken takes too long or gives up, they may differ by one where it is split.
    """
    encoder = _vocabulary(encoding)[0]
    start = 0
    while start < len(text):
        end = _segment_end(text, start)
        part = text[start:end]
        try:
            tokens = encoder.encode_to_numpy(part, disallowed_special=())
        except UnicodeEncodeError:  # half a surrogate pair: counted as the character that stands for such
            tokens = encoder.encode_to_numpy(_without_surrogates(part), disallowed_special=())
        yield start, end, cast("np.ndarray[tuple[int], np.dtype[np.uint32]]", tokens)
        start = end


def is_boundary(text: str, place: int) -> bool:
    """Return whether tokens surely end at a place, so that the counts of both sides add up to that of the whole."""
    return place in (0, len(text)) or _BOUNDARY.match(text, place) is not None


def next_boundary(text: str, start: int, end: int) -> int | None:
    """Return the first place from `start` to `end` where tokens surely end, None where there is none."""
    found = _BOUNDARY.search(text, start, end)
    return found.start() if found else None


def token_bytes(encoding: EncodingName = "o200k_base") -> np.ndarray[tuple[int], np.dtype[np.uint8]]:
    """Return how many bytes of UTF-8 each token stands for, uint8 of shape (vocabulary,), by token; 0 for special ones.

    Raises:
        ValueError: There is no such encoding.
    """
    return _vocabulary(encoding)[1]


def _segment_end(text: str, start: int) -> int:
    limit = start + _SEGMENT
    if len(text) <= limit:
        return len(text)
    for window in (1_024, _SEGMENT - 1):
        places = [match.start() for match in _BOUNDARY.finditer(text, limit - window, limit)]
        if places:
            return places[-1]
    return limit


def _without_surrogates(text: str) -> str:
    return re.sub("[\ud800-\udfff]", "\ufffd", text)


@functools.lru_cache(maxsize=2)
def _vocabulary(name: EncodingName) -> tuple[tiktoken.Encoding, np.ndarray[tuple[int], np.dtype[np.uint8]]]:
    """Return the encoder and the length of each token in bytes; loading takes about 0.3 s."""
    import numpy as np
    import tiktoken

    if name not in _PATTERNS:
        raise ValueError(f"There is no encoding {name!r} here: take {' or '.join(sorted(_PATTERNS))}.")
    ranks = _read_ranks(name)
    encoder = tiktoken.Encoding(
        name, pat_str=_PATTERNS[name], mergeable_ranks=ranks, special_tokens=_SPECIAL_TOKENS[name]
    )
    lengths = np.zeros(encoder.n_vocab, dtype=np.uint8)
    lengths[np.fromiter(ranks.values(), dtype=np.int64, count=len(ranks))] = [len(token) for token in ranks]
    lengths.flags.writeable = False
    return encoder, lengths


def _read_ranks(name: str) -> dict[bytes, int]:
    """Return each token's bytes with its number."""
    path = _FOLDER / f"{name}.tiktoken"
    try:
        data = path.read_bytes()
    except OSError as error:
        raise RuntimeError(f"The vocabulary {path} can't be read ({error}). Install agentkit anew.") from None
    if (digest := hashlib.sha256(data).hexdigest()) != _DIGESTS[name]:
        raise RuntimeError(
            f"The vocabulary {path} is damaged: its SHA-256 is {digest}, not {_DIGESTS[name]}. Install agentkit anew."
        )
    ranks: dict[bytes, int] = {}
    for line in data.splitlines():
        token, rank = line.split()
        ranks[base64.b64decode(token)] = int(rank)
    return ranks
