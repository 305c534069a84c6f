"""Keys in a text that was saved or pasted: what `_secrets` knows, and what only its surroundings give away.

`_secrets` keeps keys out of outputs, where it may be generous. A report must not cry wolf: what stands for a key in
documentation, and what merely looks random (digests, ids, pictures), is left out here.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from agentkit import _secrets

__all__ = ["Key", "find_keys", "masked"]


@dataclass(frozen=True, slots=True)
class Key:
    """A key in a text."""

    kind: str
    """What it is, such as "a GitHub token"."""
    masked: str
    """What may be shown of it: see `masked`."""
    start: int
    """Where in the text it begins."""


_VAGUE = ("a bearer token", "a key in a header", "a key in a setting", "a key in an address", "a key in an error")
"""Kinds that only the words around them tell: the key has to look random too."""
_MAKERS = (
    ("sk-ant-", "an Anthropic key"),
    ("sk-or-", "an OpenRouter key"),
    ("sk-", "an OpenAI key, or one like it"),
)

# `name = "value"`, `"name": "value"`, `name=value` in a shell line, `--name value`: the name says that it's a key.
_ASSIGNED = re.compile(
    r"(?<![A-Za-z0-9])(?P<name>(?:[A-Za-z0-9]{1,30}[_-]){0,4}"
    r"(?:api[_-]?key|apikey|(?:secret|access|subscription|account|private|master)[_-]?key|(?-i:[A-Z0-9]{2,30}_KEY)|"
    r"client[_-]?secret|secret|token|password|passwd|pwd|connection[_-]?string)(?:_id)?)"
    r"[\"']?\]?\s{0,3}(?::\s?str\s{0,3}=|[=:,])\s{0,3}"
    r"(?P<quote>[bfru]{0,2}[\"'])?(?P<value>[^\s\"'`,;)(\]\[}{<>\\]{12,512})",
    re.IGNORECASE,
)
_FLAG = re.compile(
    r"(?<![\w-])--(?P<name>(?:[a-z]{1,20}-){0,3}(?:key|token|secret|password))\s{1,3}(?P<quote>[\"'])?"
    r"(?P<value>[^\s\"'`,;)(\]\[}{<>\\]{12,512})"
)
_HEX = re.compile(r"[0-9a-f]+\Z", re.IGNORECASE)
_UUID = re.compile(r"[0-9a-f]{7,8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\Z", re.IGNORECASE)
_AZURE = re.compile(
    r"(?i:azure|cognitive|openai\.azure|subscription|ocp-apim)[^\n]{0,120}?[\"'=:\s]([0-9a-f]{32})(?![0-9A-Za-z])"
)
_PLAIN_NAME = re.compile(r"[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)+\Z")
_STANDS_FOR_ONE = re.compile(
    r"(?i)\.\.\.|…|sk-ecdsa-|sk-ssh-|x{6,}|\*{3,}|_here\b|your|example|placeholder|dummy|changeme|redacted|sample|insert|replace|"
    r"test-?key|fake|not-?a-?(?:real-?)?key|abcdef(?:gh|12)|0{8}|1234567890?abc|[$%{<]"
)
_WORD = re.compile(r"[a-z]*[aeiouy][a-z]*\Z")
_UNSAYABLE = re.compile(r"[^aeiouy]{4}|[aeiou]{4}|^[^aeiouy]{3}|q[^u]|[jvwx][^aeiouy]|[^aeiouyclnrstx][jqx]|^.{1,2}\Z")
_LONG = 16
"""Of keys that are shorter, three characters would tell too much."""
_AWS_EXAMPLES = ("AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY")


def masked(key: str) -> str:
    """Return a key as it may be shown: "sk-… (51 characters)"; of a short one, nothing of itself."""
    return f"{key[:3] if len(key) >= _LONG else ''}… ({len(key):,} characters)"


def find_keys(text: str) -> list[Key]:
    """Return the keys in `text`, in their order, each once.

    Args:
        text: Source, an output, or anything else that is text.
    """
    found = {start: (start, end, kind) for start, end, kind in _assigned(text)}
    found |= {start: (start, end, kind) for start, end, kind in _azure(text)}
    for start, end, kind in _known(text):
        if kind not in _VAGUE or start not in found:
            found[start] = (start, end, kind)
    keys: list[Key] = []
    seen: set[str] = set()
    reached = 0
    for start, end, kind in sorted(found.values(), key=lambda span: (span[0], -span[1])):
        value = text[start:end]
        if start >= reached and value not in seen:
            keys.append(Key(kind, masked(value), start))
            seen.add(value)
        reached = max(reached, end)
    return keys


def _known(text: str) -> Iterator[tuple[int, int, str]]:
    """Yield what `_secrets` finds, but for what stands for a key in documentation."""
    for found in _secrets.find(text):
        value, kind = text[found.start : found.end], found.kind
        if kind == "a key of this process":
            yield found.start, found.end, "a key that is in this environment now"
        elif kind == "a private key":
            if len(value) > 150 and "..." not in value:
                yield found.start, found.end, kind
        elif kind in _VAGUE:
            if _is_random(value) and not _in_code(text, found.start, found.end):
                yield found.start, found.end, kind
        elif kind == "a password in an address":
            if _kinds_of_characters(value) >= 2 and not _stands_for_one(value):
                yield found.start, found.end, kind
        elif not _stands_for_one(value):
            made_by = next((maker for start, maker in _MAKERS if value.startswith(start)), kind)
            yield found.start, found.end, made_by


def _assigned(text: str) -> Iterator[tuple[int, int, str]]:
    """Yield values that are given to names such as `api_key`, where they look random."""
    for match in (*_ASSIGNED.finditer(text), *_FLAG.finditer(text)):
        value = match["value"].rstrip(".")
        quoted = match["quote"] is not None
        if (
            match["value"].endswith("...")
            or not _is_random(value)
            or (not quoted and _in_code(text, match.start("value"), match.end("value")))
        ):
            continue
        name = match["name"].lower()
        if name.endswith("_id") and not name.endswith("key_id"):
            continue
        yield match.start("value"), match.start("value") + len(value), f"a secret given to {match['name']}"


def _azure(text: str) -> Iterator[tuple[int, int, str]]:
    for match in _AZURE.finditer(text):
        value = match[1]
        if _entropy(value) > 3 and re.search(r"(?i)key|token|secret|ocp-apim", text[match.start() : match.start(1)]):
            yield match.start(1), match.end(1), "an Azure key"


def _stands_for_one(value: str) -> bool:
    """Tell whether a text is what documentation puts where a key belongs, or the name of a kind of SSH key."""
    body = value.rpartition("-")[2] if value.startswith("sk-") else value
    return value in _AWS_EXAMPLES or bool(_STANDS_FOR_ONE.search(value)) or _entropy(body or value) < 2.5


def _is_random(value: str) -> bool:
    """Tell whether a value looks made by a generator of keys, and neither by a person nor for something else."""
    if _stands_for_one(value) or _UUID.match(value) or _PLAIN_NAME.match(value) or "://" in value:
        return False
    if value.startswith(("/", "./", "~", "data:")) or not re.search(r"[0-9]", value) or value.isdigit():
        return False
    if _HEX.match(value):
        return len(value) >= 24 and _entropy(value) > 3
    if not re.search(r"[A-Za-z]", value):
        return False
    # words with a number, such as "max-new-tokens-2048", have long runs of letters that can be said
    if len(value) < 20:
        return _kinds_of_characters(value) >= 3 and _entropy(value) > 3 and not _is_words(value)
    return _entropy(value) > (3.4 if len(value) < 28 else 3.6) and not _is_words(value)


def _kinds_of_characters(value: str) -> int:
    """Return how many of these are in a value: small letters, capital letters, digits, others."""
    return sum(bool(re.search(kind, value)) for kind in ("[a-z]", "[A-Z]", "[0-9]", "[^A-Za-z0-9]"))


def _is_words(value: str) -> bool:
    """Tell whether a value is mostly words that can be said, such as "embeddings-ada-002-v2" or a class's name."""
    parts = re.findall(r"[A-Z]?[a-z]+|[A-Z]+|[0-9]+", value)
    words = [part for part in parts if _WORD.match(part.lower()) and not _UNSAYABLE.search(part.lower())]
    return len(parts) <= 2 + len(value) // 4 and sum(map(len, words)) > 0.6 * len(value)


def _in_code(text: str, start: int, end: int) -> bool:
    """Tell whether what stands there is code that gets a value, such as `os.environ["KEY"]` or `getpass()`."""
    return text[end : end + 1] in ("(", "[") or bool(_PLAIN_NAME.match(text[start:end]))


def _entropy(text: str) -> float:
    """Return the bits that a character of `text` tells, after Shannon: 0.0 for one that is repeated."""
    counts = Counter(text)
    return -sum(count / len(text) * math.log2(count / len(text)) for count in counts.values()) if text else 0.0
