"""Keys are made up here, from a seed: nothing that looks like one stands in this file."""

from __future__ import annotations

import base64
import hashlib
import random
import string
import uuid

import pytest

from agentkit.notebook.doctor.key_shapes import find_keys, masked

_random = random.Random(20261121)
_HEX = "0123456789abcdef"
_UPPER = string.ascii_uppercase + "234567"


def made_up(length: int, alphabet: str = string.ascii_letters + string.digits) -> str:
    return "".join(_random.choice(alphabet) for _ in range(length))


KEYS = {
    "OpenAI": ("an OpenAI key, or one like it", "", "sk-" + made_up(48), ""),
    "OpenAI project": ("an OpenAI key, or one like it", "key = '", "sk-proj-" + made_up(80), "'"),
    "Anthropic": ("an Anthropic key", "", "sk-ant-api03-" + made_up(90), ""),
    "AWS": ("an AWS key", "", "AKIA" + made_up(16, _UPPER), ""),
    "GitHub": ("a GitHub token", "git clone https://x:", "ghp_" + made_up(36), "@github.com/a/b"),
    "GitHub, fine-grained": ("a GitHub token", "", "github_pat_" + made_up(22) + "_" + made_up(59), ""),
    "Hugging Face": ("a Hugging Face token", 'login("', "hf_" + made_up(34), '")'),
    "Google": ("a Google API key", "?key=", "AIza" + made_up(35), "&x=1"),
    "Slack": ("a Slack token", "", "xoxb-" + made_up(12, "123456789") + "-" + made_up(24), ""),
    "JWT": ("a signed token", "", f"eyJ{made_up(30)}.eyJ{made_up(60)}.{made_up(43)}", ""),
    "assignment": ("a secret given to api_key", 'api_key = "', made_up(32), '"'),
    "annotated": ("a secret given to api_key", 'api_key: str = "', made_up(32), '"'),
    "keyword": ("a secret given to api_key", 'Client(api_key="', made_up(40), '")'),
    "dictionary": ("a secret given to client_secret", '{"client_secret": "', made_up(40), '"}'),
    "os.environ": ("a secret given to MY_TOKEN", 'os.environ["MY_TOKEN"] = "', made_up(40), '"'),
    "shell": ("a secret given to WANDB_API_KEY", "!export WANDB_API_KEY=", made_up(40, _HEX), ""),
    "%env": ("a secret given to OTHER_KEY", "%env OTHER_KEY=", made_up(40), ""),
    "flag": ("a secret given to api-key", "!tool --api-key ", made_up(40), " --fast"),
    "password": ("a secret given to password", "password='", "Tr0ub4dor&3" + made_up(6), "'"),
    "AWS secret": ("a secret given to aws_secret_access_key", "aws_secret_access_key = ", made_up(40), ""),
    "Azure": ("an Azure key", '"Ocp-Apim-Subscription-Key": "', made_up(32, _HEX), '"'),
    "Azure, in prose": ("an Azure key", "The azure openai key is: ", made_up(32, _HEX), "."),
    "database": ("a password in an address", 'create_engine("postgresql://me:', "Tr0ub4dor" + made_up(9), '@host/db")'),
    "signed address": ("a key in an address", "https://x.blob.example/a?sig=", made_up(43), "&se=1"),
    "bearer": ("a bearer token", '{"Authorization": "Bearer ', made_up(40), '"}'),
}


@pytest.mark.parametrize("name", KEYS)
def test_a_key_is_found_with_its_kind_and_shown_by_three_characters(name: str) -> None:
    kind, before, key, after = KEYS[name]
    found = find_keys(f"x = 1\n{before}{key}{after}\n")
    assert [(each.kind.lower(), each.masked, each.start) for each in found] == [
        (kind.lower(), f"{key[:3]}… ({len(key)} characters)", 6 + len(before))
    ]


def test_a_private_key_is_found() -> None:
    block = f"-----BEGIN RSA PRIVATE KEY-----\n{made_up(400)}\n-----END RSA PRIVATE KEY-----"
    assert [each.kind for each in find_keys(block)] == ["a private key"]


def test_a_key_of_the_environment_is_found_whatever_it_looks_like(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOUSE_API_KEY", "open sesame, please")
    assert [each.kind for each in find_keys("print('open sesame, please')")] == [
        "a key that is in this environment now"
    ]


def test_the_same_key_is_told_once() -> None:
    key = "sk-" + made_up(48)
    assert len(find_keys(f"{key} and {key} again, and {key}")) == 1


NO_KEYS = {
    "sha256": hashlib.sha256(b"x").hexdigest(),
    "md5": f"checksum: {hashlib.md5(b'x').hexdigest()}",
    "commit": f"commit {hashlib.sha1(b'x').hexdigest()}",
    "uuid": f"session_token: {uuid.UUID(int=_random.getrandbits(128))}",
    "picture": base64.b64encode(bytes(_random.randrange(256) for _ in range(4000))).decode(),
    "data address": "data:image/png;base64," + made_up(300),
    "environment": "api_key=os.environ['OPENAI_API_KEY_2']",
    "getenv": "api_key = os.getenv('OPENAI_API_KEY_2')",
    "getpass": "api_key = getpass.getpass('Key number 2, please: ')",
    "attribute": "api_key = config.openai_v2.api_key_1",
    "ellipsis": "api_key = 'sk-...'",
    "placeholder": 'api_key="YOUR_API_KEY_GOES_HERE_123"',
    "placeholder of OpenAI's": "sk-your-key-here-12345678901",
    "crosses": "sk-xxxxxxxxxxxxxxxxxxxxxxxxxxxx1",
    "counting": "api_key='sk-1234567890abcdef1234567890abcdef'",
    "AWS's example": "AKIAIOSFODNN7EXAMPLE",
    "package": "pip install sk-learn-contrib-project-2024",
    "SSH": "sk-ecdsa-sha2-nistp256@openssh.com",
    "tokenizer": "token = tokenizer.convert_ids_to_tokens_v2",
    "eos token": "pad_token = '<|endoftext_2|>'",
    "max tokens": "max_tokens=2048, tokens: 1234567890123",
    "page": "next_token='page2of10results'",
    "cache key": "cache_key = 'user:1234:profile_page_view_2024'",
    "words": "token embeddings-ada-002-v2-beta",
    "class": "private_key: Ed25519PrivateKeyTypes",
    "index": "access_key = keys_by_name_of_user[17]",
    "SecretStr": "api_key=SecretStr('**********')",
    "redacted": "Incorrect API key provided: sk-[redacted]",
    "response": f"resp_{made_up(50, _HEX)} trace_{made_up(32, _HEX)} chatcmpl-9abCDefGhIjKlMnOpQrStUvWxYz12",
    "address": "The access token: https://example.com/oauth2/token/abc123def456ghi789",
    "database": "postgresql://postgres:postgres@localhost:5432/db, mysql://user:password@host/db, x://u:{secret_1}@h",
    "link": "https://example.com/search?key=introduction-to-agents-part-2&token=none",
    "number": "password: 123456789012345",
}


@pytest.mark.parametrize("name", NO_KEYS)
def test_what_only_looks_random_is_no_key(name: str) -> None:
    assert find_keys(NO_KEYS[name]) == []


def test_long_texts_without_keys_take_time_in_proportion() -> None:
    for text in ("a-" * 200_000, "token=" * 60_000, "secret_" * 50_000, "api_key: " * 40_000, "=" * 400_000):
        assert find_keys(text) == []


def test_no_mask_shows_more_than_three_characters_and_none_of_a_short_key() -> None:
    assert masked("abcdefghijklmnop") == "abc… (16 characters)"
    assert masked("abcdefghij") == "… (10 characters)"
