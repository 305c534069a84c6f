"""The keys of this process, and what looks like a key, so that nothing it shows or stores repeats them."""

from __future__ import annotations

import html
import json
import os
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, unquote, urlsplit

__all__ = ["Found", "Redactor", "find", "known", "register", "register_headers", "secret_of", "showable_length"]

_MIN_CHARS = 8
"""Anything shorter is too likely to be part of a text: "none" and "EMPTY" are, among others."""

_PLACEHOLDERS = frozenset(
    {
        *("anything", "api-key", "dummy-key", "embedded", "lm-studio", "no-api-key", "no-key-needed"),
        *("no-key-required", "not-needed", "not-required", "not-used", "placeholder", "sk-no-key-required"),
        *("password", "changeme", "postgres", "username"),
    }
)
"""What people put where a key is demanded and none is needed: words that answers may well contain."""

# Variables whose names are not as clear as *_API_KEY hold other things too, so their values have to look like keys.
_OTHER_NAMES = re.compile(r"(?:^|_)(?:KEY|TOKEN|SECRET|PASSWORD|PASSWD|PAT)\Z")
_LOOKS_SECRET = re.compile(r"(?=.*[0-9])(?=.*[A-Za-z])[^\s/~.][^\s]{11,}\Z")
_ADDRESS_NAMES = ("_URL", "_URI", "_DSN")

_registered: set[str] = set()
_environment: tuple[dict[Any, Any], frozenset[str]] | None = None
"""The environment as it was when it was last looked at, as the system has it, and the keys in it."""


def register(value: str | None) -> None:
    """Remember a key until the process ends. None, fewer than 8 characters and common placeholders are ignored."""
    if secret := secret_of(value):
        _registered.add(secret)


_HEADER_NAMES = re.compile(r"auth|key|token|secret|cookie|password|credential", re.I)


def register_headers(headers: Mapping[str, Any] | None) -> None:
    """Remember the keys in headers, or in an address's parameters: the values of those named like one."""
    for name, value in (headers or {}).items():
        if isinstance(value, str) and _HEADER_NAMES.search(name):
            register(value.rpartition(" ")[2])  # "Bearer …": the key is the last word


def known() -> list[str]:
    """Return the registered keys and those of the environment, as it is now.

    Of the environment: `*_API_KEY`; `*_KEY`, `*_TOKEN`, `*_SECRET`, `*_PASSWORD` and `*_PAT` where the value has at
    least 12 characters, letters and digits among them, and is neither a path nor an address; and the password in an
    address (`*_URL`, `*_URI`, `*_DSN`). The longest come first: one key may be the beginning of another.
    """
    return sorted(_registered | _of_environment(), key=len, reverse=True)


def _of_environment() -> frozenset[str]:
    """Return the keys in the environment; it is gone through again only where it has changed.

    Every text that is shown or stored asks, and to decode all variables takes a hundred times what comparing them does.
    """
    global _environment
    raw = getattr(os.environ, "_data", None)  # the variables as the system has them: those of CPython keep them there
    if raw is not None and _environment is not None and _environment[0] == raw:
        return _environment[1]
    seen = None if raw is None else dict(raw)
    found = frozenset(key for name, value in os.environ.items() for key in _of_variable(name.upper(), value))
    _environment = None if seen is None else (seen, found)
    return found


def _of_variable(name: str, value: str) -> Iterator[str]:
    """Yield the keys that a variable holds."""
    if name.endswith("API_KEY"):
        if secret := secret_of(value):
            yield secret
    elif _OTHER_NAMES.search(name):
        if (secret := secret_of(value)) and _LOOKS_SECRET.match(secret) and "://" not in secret:
            yield secret
    elif name.endswith(_ADDRESS_NAMES) and "@" in value and (password := _password(value)):
        yield from {password, unquote(password)}


def _password(address: str) -> str:
    """Return the password in an address, as it is written there; "" where there is none."""
    try:
        return secret_of(urlsplit(address).password)
    except ValueError:  # no address
        return ""


def secret_of(value: str | None) -> str:
    """Return what of a key has to be kept secret: "" of None, fewer than 8 characters and common placeholders."""
    secret = (value or "").strip()
    return secret if len(secret) >= _MIN_CHARS and secret.lower() not in _PLACEHOLDERS else ""


# -- what looks like a key ------------------------------------------------------------------------------------------

_WORD = r"[A-Za-z0-9_-]"
# A key starts a word. In JSON text the word may follow an escape such as \n, whose letter isn't part of it.
_START = r"(?:(?<![A-Za-z0-9])|(?<=\\[bfnrt])|(?<=\\u[0-9a-f]{4}))"


# A quotation mark around a name or a key: as it is, within JSON that is a text of JSON, or in HTML.
_QUOTE = r"(?:\\{0,7}[\"']|&quot;|&#x27;|&#39;)?"


@dataclass(frozen=True, slots=True)
class _Shape:
    """What the keys of one kind look like."""

    kind: str
    """What it is, for a person."""
    beginnings: tuple[str, ...]
    """One of these is in every text that has one: looked for first, since that is fast. Lower case for any case."""
    pattern: re.Pattern[str]
    """The key; or, where it has groups, what stands before it, and the key."""
    shown: str = "[redacted]"
    """What stands in its place."""

    def may_be_in(self, text: str, lowered: str) -> bool:
        """Tell whether the text has one of the beginnings."""
        where = lowered if self.pattern.flags & re.IGNORECASE else text
        return any(beginning in where for beginning in self.beginnings)


def _shape(kind: str, beginnings: str, pattern: str, shown: str = "[redacted]", *, flags: int = 0) -> _Shape:
    return _Shape(kind, tuple(beginnings.split("|")), re.compile(pattern, flags), shown)


# Each is matched in time linear in the text: runs of characters are taken whole, and what they must hold is looked at
# afterwards (`_is_key`), so that nothing is scanned twice.
_SHAPES = (
    _shape("an API key", "sk-", rf"{_START}sk-{_WORD}{{16,}}", "sk-[redacted]"),
    _shape(
        "an API key", "sk-", rf"{_START}sk-{_WORD}{{0,64}}\*{{3,}}[*A-Za-z0-9_-]*", "sk-[redacted]"
    ),  # as a server masks it
    _shape("a GitHub token", "ghp_|gho_|ghu_|ghs_|ghr_", rf"{_START}gh[pousr]_[A-Za-z0-9]{{30,}}"),
    _shape("a GitHub token", "github_pat_", rf"{_START}github_pat_\w{{22,}}"),
    _shape("a GitLab token", "glpat-", rf"{_START}glpat-{_WORD}{{20,}}"),
    _shape("a Hugging Face token", "hf_", rf"{_START}hf_[A-Za-z0-9]{{30,}}"),
    _shape("a Google API key", "AIza", rf"{_START}AIza{_WORD}{{35}}(?!{_WORD})"),
    _shape("an AWS key", "AKIA|ASIA", rf"{_START}A[KS]IA[0-9A-Z]{{16}}(?![A-Za-z0-9])"),
    _shape("a Slack token", "xox", rf"{_START}xox[abeprs]-{_WORD}{{10,}}"),
    _shape("a Groq key", "gsk_", rf"{_START}gsk_[A-Za-z0-9]{{30,}}"),
    _shape("an xAI key", "xai-", rf"{_START}xai-{_WORD}{{30,}}"),
    _shape("a Perplexity key", "pplx-", rf"{_START}pplx-{_WORD}{{30,}}"),
    _shape("a Tavily key", "tvly-", rf"{_START}tvly-{_WORD}{{16,}}"),
    _shape("a Stripe key", "_live_", rf"{_START}[rs]k_live_[A-Za-z0-9]{{16,}}"),
    _shape("an npm token", "npm_", rf"{_START}npm_[A-Za-z0-9]{{30,}}"),
    _shape("a signed token", "eyJ", rf"(?<!{_WORD})eyJ{_WORD}{{8,}}\.eyJ{_WORD}{{8,}}\.{_WORD}{{8,}}"),
    _shape(
        "a private key",
        "PRIVATE KEY-----",
        r"-----BEGIN [A-Z ]{0,20}PRIVATE KEY-----[^-]{16,}(?:-----END [A-Z ]{0,20}PRIVATE KEY-----)?",
    ),
    _shape("a bearer token", "bearer", rf"({_START}bearer[ \t]{{1,4}})([\w.~+/-]{{16,}}={{0,2}})", flags=re.I | re.A),
    _shape(
        "a key in a header",
        "api-key|api_key|apikey|authorization|subscription-key|auth-token",
        rf"({_START}(?:api[-_]?key|subscription-key|auth-token|authorization)"
        rf"{_QUOTE}[ \t]{{0,3}}[:=][ \t]{{0,3}}b?{_QUOTE}(?:(?:basic|token|key)[ \t]{{1,4}})?)"
        r"([\w.~+/-]{16,}={0,2})",
        flags=re.I | re.A,
    ),
    _shape(
        "a key in a setting",
        "access_key|access-key|accesskey|client_secret|client-secret|access_token|refresh_token|id_token|session_token",
        rf"({_START}(?:(?:aws_)?(?:secret_)?access[_-]?key|client[_-]secret|(?:access|refresh|id|session)_token)"
        rf"{_QUOTE}[ \t]{{0,3}}[:=][ \t]{{0,3}}b?{_QUOTE})([\w.~+/%-]{{16,}}={{0,2}})",
        flags=re.I | re.A,
    ),
    _shape(
        "a key in an address",
        "?|&",
        r"([?&](?:amp;)?(?:x-[a-z]{3,4}-(?:signature|credential|security-token)|sig|signature|key|token|auth|password)=)"
        r"([\w.~+/%-]{8,}={0,2})",
        flags=re.I | re.A,
    ),
    _shape(
        "a password in an address",
        "://",
        r"(?<![A-Za-z0-9])([a-z][a-z0-9+.-]{1,15}://[^\s:/@?#<>\"']{0,64}:)([^\s:/@?#<>\"']{6,200})(?=@)",
        flags=re.I | re.A,
    ),
    _shape("a key in an error", "key provided: ", r"(key provided: )([^\s'\",<>\[]{3,}[^\s'\",.<>\[])", flags=re.I),
)

_NO_DIGIT_NEEDED = ("a private key", "a key in an error", "a password in an address")
_DIGIT = re.compile(r"[0-9*]")


def _is_key(shape: _Shape, text: str) -> bool:
    """Tell whether what has a key's shape is one. Real ones have digits; `sk-learn-contrib-project` is none."""
    return shape.kind in _NO_DIGIT_NEEDED or _DIGIT.search(text) is not None


def _replaced(shape: _Shape) -> Callable[[re.Match[str]], str]:
    def replace(match: re.Match[str]) -> str:
        before, key = match.groups() if match.re.groups else ("", match[0])
        return f"{before}{shape.shown}" if _is_key(shape, key) else match[0]

    return replace


_REPLACEMENTS = tuple((shape, _replaced(shape)) for shape in _SHAPES)
_BEGINNINGS = tuple({beginning.lower(): None for shape in _SHAPES for beginning in shape.beginnings})


@dataclass(frozen=True, slots=True)
class Found:
    """A key in a text."""

    start: int
    """Where it begins."""
    end: int
    """Where it ends."""
    kind: str
    """What it looks like: "an API key", "a GitHub token"; or "a key of this process"."""


def find(text: str) -> list[Found]:
    """Return the keys in `text`, in their order, none within another."""
    found = []
    for secret in known():
        at = text.find(secret)
        while at >= 0:
            found.append(Found(at, at + len(secret), "a key of this process"))
            at = text.find(secret, at + len(secret))
    lowered = text.lower()
    for shape in _SHAPES:
        if shape.may_be_in(text, lowered):
            group = shape.pattern.groups
            found += [
                Found(match.start(group), match.end(group), shape.kind)
                for match in shape.pattern.finditer(text)
                if _is_key(shape, match[group])
            ]
    kept: list[Found] = []
    for each in sorted(found, key=lambda found: (found.start, -found.end)):
        if not kept or each.start >= kept[-1].end:
            kept.append(each)
    return kept


class Redactor:
    """Knows the keys that were registered or in the environment when it was made. Cheap to make, once a batch."""

    __slots__ = ("_known",)

    def __init__(self) -> None:
        self._known = [(spelling, _head(spelling)) for secret in known() for spelling in _spellings(secret)]

    def is_harmless(self, text: str) -> bool:
        """Return whether nothing in `text` even looks like the beginning of a key.

        One look at many texts, joined by line ends, is cheaper than `clean` for each.
        """
        lowered = text.lower()
        return not any(map(lowered.__contains__, _BEGINNINGS)) and not any(head in text for _, head in self._known)

    def clean(self, text: str) -> str:
        """Return `text` with every API key replaced; also a key of this process that somebody has cut short."""
        for secret, head in self._known:
            if head in text:
                text = _without(text, secret, head)
        lowered = text.lower()
        if not any(map(lowered.__contains__, _BEGINNINGS)):  # as of most texts
            return text
        for shape, replacement in _REPLACEMENTS:
            if shape.may_be_in(text, lowered):
                text = shape.pattern.sub(replacement, text)
        return text


def _spellings(secret: str) -> list[str]:
    """Return a key as it is, and as it stands in JSON, in HTML, in an address and in a repr, where that differs."""
    if secret.isalnum() and secret.isascii():
        return [secret]
    others = {json.dumps(secret)[1:-1], json.dumps(secret, ensure_ascii=False)[1:-1]}
    others |= {html.escape(secret), quote(secret, safe="", errors="replace"), repr(secret)[1:-1]}
    return [secret, *sorted(others - {secret}, key=len, reverse=True)]


def _head(secret: str) -> str:
    """Return the beginning by which a key is known: half of a long one, all of a short one."""
    return secret[: max(_MIN_CHARS, len(secret) // 2)] if len(secret) >= 2 * _MIN_CHARS else secret


def _without(text: str, secret: str, head: str) -> str:
    """Return `text` without a key, and without what begins as it does, as far as it does."""
    parts = text.split(head)
    rest = secret[len(head) :]
    kept = [parts[0]]
    for part in parts[1:]:
        same = next(
            (index for index, (a, b) in enumerate(zip(part, rest, strict=False)) if a != b), min(len(part), len(rest))
        )
        kept.append(part[same:])
    return "[redacted]".join(kept)


# -- keys that stream -----------------------------------------------------------------------------------------------

_LONGEST_KEY = 4_000
_FIXED = (
    *("sk-", "ghp_", "gho_", "ghu_", "ghs_", "ghr_", "github_pat_", "glpat-", "hf_", "AIza", "AKIA", "ASIA", "gsk_"),
    *("xoxa-", "xoxb-", "xoxe-", "xoxp-", "xoxr-", "xoxs-", "xai-", "pplx-", "tvly-", "sk_live_", "rk_live_", "npm_"),
    *("eyJ",),
)


def _beginnings(word: str) -> str:
    """Return a pattern for every beginning of `word`, the whole included."""
    return "|".join(re.escape(word[:length]) for length in range(len(word), 0, -1))


# A text's end that is, or may become, a key: from its first character on, or what is shown of it would be missing when
# the whole is looked for. The same for words after which anything is a key.
_BEGUN = re.compile(
    rf"(?<![A-Za-z0-9])(?:(?:{'|'.join(map(re.escape, _FIXED))})[A-Za-z0-9_.*-]*|"
    rf"(?:{'|'.join(_beginnings(word) for word in _FIXED)}))\Z"
)
_WORDS = (
    *("bearer", "api-key", "api_key", "apikey", "subscription-key", "auth-token", "authorization", "key provided:"),
    *("access_key", "access-key", "accesskey", "client_secret", "client-secret"),
    *("access_token", "refresh_token", "id_token", "session_token"),
)
_BEGUN_AFTER_WORDS = re.compile(
    rf"(?<![A-Za-z0-9])(?:(?:{'|'.join(_WORDS)})[\"']?[ \t]{{0,3}}[:=]?[ \t]{{0,4}}b?[\"']?"
    rf"(?:(?:basic|bearer|token|key)[ \t]{{1,4}})?[^\s\"']*|(?:{'|'.join(_beginnings(word) for word in _WORDS)}))\Z",
    re.I | re.A,
)
_BEGUN_ADDRESS = re.compile(r"(?<![A-Za-z0-9])[a-z][a-z0-9+.-]{1,15}://\S*\Z|[?&][\w;-]{0,40}(?:=\S*)?\Z", re.I | re.A)
_BEGUN_BLOCK = re.compile(r"-{1,5}(?:BEGIN[A-Z ]{0,40}-{0,5}[^-]*)?\Z")


def showable_length(text: str) -> int:
    """Return how many characters of an unfinished text can be shown with no risk of showing a part of a key."""
    tail_start = max(0, len(text) - _LONGEST_KEY)
    tail = text[tail_start:]
    shown = len(tail)
    block = tail.rfind("-----BEGIN")
    begun_block = block if block >= 0 else max(0, len(tail) - 60)
    begun = ((_BEGUN, _last_words(tail, 2)), (_BEGUN_AFTER_WORDS, _last_words(tail, 6)))
    for pattern, start in (*begun, (_BEGUN_ADDRESS, _last_words(tail, 1)), (_BEGUN_BLOCK, begun_block)):
        if match := pattern.search(tail, start):
            shown = min(shown, match.start())
    for secret in known():
        for length in range(min(len(secret) - 1, len(tail)), 0, -1):
            if tail.endswith(secret[:length]):
                shown = min(shown, len(tail) - length)
                break
    return tail_start + shown


def _last_words(text: str, count: int) -> int:
    """Return where the last words begin, the space before them included: no key has space in it."""
    parts = text.rsplit(None, count)
    return len(parts[0]) if len(parts) > count else 0
