"""Lines of training files, right and wrong."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

Line = dict[str, Any]

PNG = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x01\0\0\0\x01\x08\x06\0\0\0"


def chat(question: str = "1 and 1?", answer: str = "Two.", *, system: str | None = "Be brief.", **more: Any) -> Line:
    told = [{"role": "system", "content": system}] if system else []
    return {
        "messages": [*told, {"role": "user", "content": question}, {"role": "assistant", "content": answer}],
        **more,
    }


def pair(question: str = "1 and 1?", liked: str = "2", disliked: str = "3") -> Line:
    return {
        "input": {"messages": [{"role": "user", "content": question}]},
        "preferred_output": [{"role": "assistant", "content": liked}],
        "non_preferred_output": [{"role": "assistant", "content": disliked}],
    }


TOOL = {"type": "function", "function": {"name": "add", "parameters": {"type": "object"}}}


def call(identifier: str = "call_1", name: str = "add", arguments: Any = '{"a": 1}') -> Line:
    return {"id": identifier, "type": "function", "function": {"name": name, "arguments": arguments}}


def with_call(**changed: Any) -> Line:
    return {
        "messages": [
            {"role": "user", "content": "1 and 1?"},
            {"role": "assistant", "tool_calls": [call(**changed)]},
            {"role": "tool", "content": "2", "tool_call_id": "call_1"},
            {"role": "assistant", "content": "Two."},
        ],
        "tools": [TOOL],
    }


def image(data: bytes = PNG) -> Line:
    return {
        "type": "image_url",
        "image_url": {"url": f"data:image/png;base64,{base64.b64encode(data).decode()}", "detail": "low"},
    }


def with_images(count: int = 1, data: bytes = PNG) -> Line:
    content = [{"type": "text", "text": "What is it?"}, *[image(data)] * count]
    return {"messages": [{"role": "user", "content": content}, {"role": "assistant", "content": "A dot."}]}


def many(count: int = 60) -> list[Line]:
    """Examples that nothing is wrong with."""
    animals = [
        "ape",
        "bee",
        "cat",
        "dog",
        "elk",
        "fox",
        "gnu",
        "hen",
        "ibis",
        "jay",
        "koi",
        "lark",
        "mole",
        "newt",
        "owl",
    ]
    plans = ["lives in a nest", "eats leaves all day", "swims across rivers", "sleeps through winter"]
    return [
        chat(
            f"Tell me what the {animals[i % 15]} number {i} does.", f"The {animals[(i * 7) % 15]} {plans[i % 4]}, {i}."
        )
        for i in range(count)
    ]


def written(path: Path, lines: Iterable[Line | bytes | str]) -> Path:
    def data(line: Line | bytes | str) -> bytes:
        if isinstance(line, bytes):
            return line
        return line.encode() if isinstance(line, str) else json.dumps(line, ensure_ascii=False).encode()

    path.write_bytes(b"".join(data(line) + b"\n" for line in lines))
    return path
