"""The path `/v1/chat/completions`."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncGenerator
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from agentkit import _json
from agentkit.local.attachments import read_attachments
from agentkit.local.chat.record import ChatWriter
from agentkit.local.chat.request import ChatRequest, build_prompt, check_request, stop_sequences
from agentkit.local.checking import check, read_json
from agentkit.local.engines.base import Engine
from agentkit.local.errors import ApiError
from agentkit.local.generation import ArgumentsPart, Generation, TextPart
from agentkit.local.pace import Pace
from agentkit.local.platform import Platform
from agentkit.local.replies import EventStream, json_reply, stopped_when_gone
from agentkit.local.responses.uploaded import check_uploads, resolve_uploads
from agentkit.local.tokens import count_input_tokens

__all__ = ["ChatRoutes"]

Chunk = dict[str, Any]


class ChatRoutes:
    """Answers chat completions. They are not stored."""

    def __init__(self, platform: Platform) -> None:
        self._platform = platform
        self._files = platform.files

    def routes(self) -> list[Route]:
        """Return the path."""
        return [Route("/v1/chat/completions", self.create, methods=["POST"])]

    async def create(self, http: Request) -> Response:
        """Answer a request, streamed or whole."""
        body = read_json(await http.body())
        request = check(ChatRequest, body)
        chosen = await self._platform.choose(request.model)
        check_request(request, body)
        prompt = build_prompt(body, chosen)
        await check_uploads(prompt.items, self._files)
        prompt = await read_attachments(await resolve_uploads(prompt, self._files))
        with_usage = bool(request.stream_options and request.stream_options.include_usage)
        writer = ChatWriter(chosen.name, stop_sequences(request), with_usage=with_usage)
        engine = self._platform.engine_for(chosen.name)
        generation = Generation(engine, prompt)
        async with stopped_when_gone(http.receive):
            if request.stream:
                pace = self._platform.pace_for(chosen.name)
                await generation.start()
                return EventStream(self._stream(engine, generation, writer, pace, with_usage), chosen.headers)
            await generation.start()
            async with contextlib.aclosing(self._make(generation, writer, Pace(0))) as chunks:
                async for _ in chunks:
                    pass
            usage = _usage(engine, generation)
            return json_reply(writer.completion(usage, cut=generation.cut), headers=chosen.headers)

    async def _stream(
        self, engine: Engine, generation: Generation, writer: ChatWriter, pace: Pace, with_usage: bool
    ) -> AsyncGenerator[bytes, None]:
        """Yield the answer's chunks as they go over the wire; a failure is told by an error in their place."""
        try:
            async with contextlib.aclosing(self._make(generation, writer, pace)) as chunks:
                async for chunk in chunks:
                    yield _data(chunk)
        except ApiError as error:
            yield _data(error.body())
            return
        if with_usage:
            yield _data(writer.usage_chunk(_usage(engine, generation)))
        yield b"data: [DONE]\n\n"

    async def _make(self, generation: Generation, writer: ChatWriter, pace: Pace) -> AsyncGenerator[Chunk, None]:
        """Yield the answer's chunks.

        Raises:
            ApiError: The engine failed.
        """
        async with contextlib.aclosing(generation), contextlib.aclosing(generation.parts()) as parts:
            async for part in parts:
                if isinstance(part, TextPart | ArgumentsPart):
                    await pace.next_token()
                for chunk in writer.write(part):
                    yield chunk
                if writer.stopped:
                    break
        for chunk in writer.end(cut=generation.cut):
            yield chunk


def _usage(engine: Engine, generation: Generation) -> dict[str, Any]:
    prompt, output_tokens = generation.prompt, generation.output_tokens
    input_tokens = generation.input_tokens
    if input_tokens is None:
        input_tokens = count_input_tokens(engine, prompt.items, prompt.tools, prompt.text_format)
    return {
        "prompt_tokens": input_tokens,
        "completion_tokens": output_tokens,
        "total_tokens": input_tokens + output_tokens,
        "prompt_tokens_details": {"cached_tokens": 0, "audio_tokens": 0},
        "completion_tokens_details": {
            "reasoning_tokens": generation.reasoning_tokens,
            "audio_tokens": 0,
            "accepted_prediction_tokens": 0,
            "rejected_prediction_tokens": 0,
        },
    }


def _data(value: dict[str, Any]) -> bytes:
    return b"data: %b\n\n" % _json.dumps(value)
