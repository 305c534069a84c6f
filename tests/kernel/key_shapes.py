"""Keys of every shape, made up anew from the same numbers each time: the repository holds none."""

from __future__ import annotations

import random
import string
from dataclasses import dataclass

__all__ = ["BY_NAME_ONLY", "KEYS", "Spoken", "spoken"]

_random = random.Random(2611)
_ALNUM = string.ascii_letters + string.digits


def _chars(count: int, alphabet: str = _ALNUM) -> str:
    """Return random characters, a digit among them."""
    return "".join(_random.choice(alphabet) for _ in range(count - 2)) + "7q"


_UPPER = string.ascii_uppercase + string.digits

KEYS: dict[str, str] = {
    "openai": f"sk-{_chars(48)}",
    "openai-project": f"sk-proj-{_chars(60)}-{_chars(20)}_{_chars(30)}",
    "openai-service": f"sk-svcacct-{_chars(40)}",
    "openai-admin": f"sk-admin-{_chars(40)}",
    "anthropic": f"sk-ant-api03-{_chars(60)}-{_chars(20)}AA",
    "openrouter": f"sk-or-v1-{_chars(64, '0123456789abcdef')}",
    "aws-id": f"AKIA{''.join(_random.choice(_UPPER) for _ in range(16))}",
    "aws-session-id": f"ASIA{''.join(_random.choice(_UPPER) for _ in range(16))}",
    "github": f"ghp_{_chars(36)}",
    "github-app": f"ghs_{_chars(36)}",
    "github-fine": f"github_pat_{_chars(22)}_{_chars(59)}",
    "gitlab": f"glpat-{_chars(20)}",
    "hugging-face": f"hf_{_chars(34)}",
    "google": f"AIza{_chars(35)}",
    "slack": f"xoxb-{_chars(12, '0123456789')}-{_chars(24)}",
    "groq": f"gsk_{_chars(52)}",
    "xai": f"xai-{_chars(60)}",
    "stripe": f"sk_live_{_chars(24)}",
    "npm": f"npm_{_chars(36)}",
    "jwt": f"eyJ{_chars(30)}.eyJ{_chars(60)}.{_chars(43)}",
}
"""Keys that are known by their shape alone, wherever they stand."""


@dataclass(frozen=True)
class Spoken:
    """A key of no shape of its own, within words that give it away."""

    key: str
    """The key."""
    text: str
    """What is said."""


def spoken() -> dict[str, Spoken]:
    """Return keys that only the words around them give away."""
    said = {
        "bearer": "Authorization: Bearer {}",
        "bearer-repr": "{{'authorization': b'Bearer {}'}}",
        "basic": "Authorization: Basic {}",
        "x-api-key": '{{"x-api-key": "{}"}}',
        "api-key-argument": "connect(api_key='{}')",
        "azure-header": "Ocp-Apim-Subscription-Key: {}",
        "query-key": "https://maps.example.test/v1?q=a&key={}&z=1",
        "query-api-key": "https://example.test/v1/models?api_key={}",
        "query-token": "GET /download?token={} HTTP/1.1",
        "query-access-token": "wss://example.test/s?access_token={}#x",
        "signed-url": "https://b.example.test/o?X-Amz-Signature={}&X-Amz-Date=1",
        "aws-secret": "aws_secret_access_key = {}",
        "client-secret": '"client_secret": "{}"',
        "refresh-token": "refresh_token={}",
        "url-password": "postgresql://agent:{}@db.example.test:5432/agents",
        "refused": "Incorrect API key provided: {}. You can find your key at",
    }
    return {name: Spoken(key, text.format(key)) for name, text in said.items() for key in [_chars(32)]}


BY_NAME_ONLY = {
    "ACME_API_KEY": _chars(24),
    "ACME_TOKEN": _chars(20),
    "ACME_CLIENT_SECRET": _chars(30),
    "BILLING_KEY": f"{_chars(10)}/{_chars(10)}+{_chars(8)}==",
    "DEPLOY_PASSWORD": f"p&<{_chars(14)}'",
    "DATABASE_URL": f"postgresql://agent:{_chars(18)}@db.example.test/agents",
}
"""Environment variables whose values look like nothing: known because they are in the environment by these names."""
