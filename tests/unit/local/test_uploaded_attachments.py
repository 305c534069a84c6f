"""Uploaded files and images in messages, by their ids."""

from __future__ import annotations

import io
from typing import Any

import openai
import pytest
from PIL import Image


def picture() -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (64, 48)).save(buffer, "PNG")
    return buffer.getvalue()


def message(text: str, *parts: dict[str, Any]) -> list[Any]:
    return [{"role": "user", "content": [{"type": "input_text", "text": text}, *parts]}]


def test_a_file_by_its_id_is_read(api: openai.OpenAI) -> None:
    file = api.files.create(
        file=("terms.txt", b"Rent is due on the first. Notice is three months."), purpose="user_data"
    )
    response = api.responses.create(
        model="rehearsal-1", input=message("How long is the notice?", {"type": "input_file", "file_id": file.id})
    )
    assert response.output_text == "`terms.txt`: Notice is three months."


def test_an_engine_gets_the_content_and_the_conversation_keeps_the_id(engine: Any, sync_client: openai.OpenAI) -> None:
    file = sync_client.files.create(file=("a.txt", b"alpha"), purpose="user_data")
    image = sync_client.files.create(file=("a.png", picture()), purpose="vision")
    parts = [{"type": "input_file", "file_id": file.id}, {"type": "input_image", "file_id": image.id}]
    response = sync_client.responses.create(model="rehearsal-1", input=message("What?", *parts))
    _, read, seen = engine.prompt.items[-1]["content"]
    assert (read["document"].name, read["document"].text, seen["size"]) == ("a.txt", "alpha", "PNG, 64 × 48 px")
    kept = sync_client.responses.input_items.list(response.id).data[0].content[1:]  # type: ignore[union-attr]
    assert [part.to_dict() for part in kept] == [parts[0], {**parts[1], "detail": "auto"}]


def test_chat_completions_read_it_too(api: openai.OpenAI) -> None:
    file = api.files.create(file=("terms.txt", b"Notice is three months."), purpose="user_data")
    content: Any = [{"type": "text", "text": "How long is the notice?"}, {"type": "file", "file": {"file_id": file.id}}]
    made = api.chat.completions.create(model="rehearsal-1", messages=[{"role": "user", "content": content}])
    assert made.choices[0].message.content == "`terms.txt`: Notice is three months."


def test_a_file_that_is_not_there_is_told_of(api: openai.OpenAI) -> None:
    part = {"type": "input_file", "file_id": "file-none"}
    with pytest.raises(openai.NotFoundError, match="File with id 'file-none' not found") as caught:
        api.responses.create(model="rehearsal-1", input=message("What?", part))
    assert (caught.value.param, caught.value.code) == ("input", "file_not_found")


def test_a_conversation_outlives_its_files(api: openai.OpenAI) -> None:
    file = api.files.create(file=("a.txt", b"alpha"), purpose="user_data")
    first = api.responses.create(
        model="rehearsal-1", input=message("What?", {"type": "input_file", "file_id": file.id})
    )
    api.files.delete(file.id)
    second = api.responses.create(model="rehearsal-1", input="Thanks!", previous_response_id=first.id)
    assert second.output_text == "You're welcome!"
