"""The paths below `/v1/responses`."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncGenerator
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from agentkit.local.attachments import read_attachments
from agentkit.local.catalog import REHEARSAL_MODEL
from agentkit.local.checking import check, read_json
from agentkit.local.engines.base import CountingEngine, Prompt
from agentkit.local.errors import ApiError
from agentkit.local.generation import ArgumentsPart, Generation, TextPart
from agentkit.local.pace import Pace
from agentkit.local.platform import Platform
from agentkit.local.replies import EventStream, event_bytes, json_reply, stopped_when_gone
from agentkit.local.responses.context import Context, build_context, build_prompt
from agentkit.local.responses.events import ResponseWriter
from agentkit.local.responses.file_search import searcher_for
from agentkit.local.responses.pages import page_of
from agentkit.local.responses.record import fail, finish, new_response, usage_of
from agentkit.local.responses.request import ResponseRequest, TokenCountRequest, check_prompt_options, check_request
from agentkit.local.responses.uploaded import check_uploads, resolve_uploads
from agentkit.local.tokens import count_input_tokens
from agentkit.local.vector_stores.details import wants_details

__all__ = ["ResponseRoutes"]


class _Answer:
    """An answer in the making, and what it is made from."""

    def __init__(
        self,
        generation: Generation,
        response: dict[str, Any],
        context: Context,
        *,
        kept: bool,
        with_results: bool,
    ) -> None:
        self.generation = generation
        self.response = response
        self.context = context
        self.kept = kept
        self.writer = ResponseWriter(response, with_results=with_results)


class ResponseRoutes:
    """Answers requests below `/v1/responses`."""

    def __init__(self, platform: Platform) -> None:
        self._platform = platform
        self._store = platform.store
        self._files = platform.files
        self._retrieval = platform.retrieval

    def routes(self) -> list[Route]:
        """Return the paths."""
        one = "/v1/responses/{response_id}"
        return [
            Route("/v1/responses", self.create, methods=["POST"]),
            Route("/v1/responses/input_tokens", self.count_tokens, methods=["POST"]),
            Route(one, self.retrieve, methods=["GET"]),
            Route(one, self.delete, methods=["DELETE"]),
            Route(f"{one}/cancel", self.cancel, methods=["POST"]),
            Route(f"{one}/input_items", self.list_input_items, methods=["GET"]),
        ]

    async def create(self, http: Request) -> Response:
        """Answer a request, streamed or whole."""
        body = read_json(await http.body())
        request = check(ResponseRequest, body)
        chosen = await self._platform.choose(request.model)
        check_request(request, body)
        async with stopped_when_gone(http.receive):
            context = await build_context(body, self._store)
            prompt = await self._read(body, context, chosen.name)
            searcher = searcher_for(
                self._retrieval, prompt.tools, max_tool_calls=request.max_tool_calls, detailed=wants_details(http)
            )
            if searcher is not None:
                await searcher.check_stores()
            response = new_response(request, body, model=chosen.name)
            generation = Generation(self._platform.engine_for(chosen.name), prompt, searcher)
            with_results = "file_search_call.results" in (request.include or [])
            kept = request.store is not False
            answer = _Answer(generation, response, context, kept=kept, with_results=with_results)
            if request.stream:
                pace = self._platform.pace_for(chosen.name)
                await generation.start()
                return EventStream(self._stream(answer, pace), chosen.headers)
            await generation.start()
            async with contextlib.aclosing(self._make(answer, Pace(0))) as events:
                async for _ in events:
                    pass
            return json_reply(response, headers=chosen.headers)

    async def count_tokens(self, http: Request) -> Response:
        """Return how many tokens a request would have."""
        body = read_json(await http.body())
        request = check(TokenCountRequest, body)
        chosen = await self._platform.choose(request.model or REHEARSAL_MODEL)
        check_prompt_options(request, body)
        context = await build_context(body, self._store)
        prompt = await self._read(body, context, chosen.name)
        return json_reply({"object": "response.input_tokens", "input_tokens": await self._count(prompt)})

    async def retrieve(self, http: Request) -> Response:
        """Return a stored response."""
        if http.query_params.get("stream") == "true":
            message = (
                "Only responses made in background mode can be streamed again, and the embedded platform has none."
            )
            raise ApiError(message, param="stream", code="invalid_value")
        return json_reply(await self._stored(http.path_params["response_id"]))

    async def delete(self, http: Request) -> Response:
        """Forget a stored response."""
        response_id = http.path_params["response_id"]
        if not await self._store.delete(response_id):
            raise _not_found(response_id)
        return json_reply({"id": response_id, "object": "response", "deleted": True})

    async def cancel(self, http: Request) -> Response:
        """Refuse: what can be found here is at its end."""
        await self._stored(http.path_params["response_id"])
        raise ApiError("Cannot cancel a synchronous response.")

    async def list_input_items(self, http: Request) -> Response:
        """Return the items that a stored response was made from, a page at a time."""
        response_id = http.path_params["response_id"]
        try:
            items = await self._store.input_items(response_id)
        except KeyError:
            raise _not_found(response_id) from None
        return json_reply(page_of(items, http.query_params))

    async def _stream(self, answer: _Answer, pace: Pace) -> AsyncGenerator[bytes, None]:
        """Yield the answer's events as they go over the wire; a failure is told by the last one."""
        try:
            async with contextlib.aclosing(self._make(answer, pace)) as events:
                async for event in events:
                    yield event_bytes(event)
        except ApiError as error:
            answer.writer.abandon()
            fail(answer.response, error)
            with contextlib.suppress(ApiError):  # it may be the store that failed
                await self._keep(answer)
            yield event_bytes(answer.writer.closing())

    async def _make(self, answer: _Answer, pace: Pace) -> AsyncGenerator[dict[str, Any], None]:
        """Yield the answer's events, and keep the response before the last one.

        Raises:
            ApiError: The engine or the store failed.
        """
        generation, writer = answer.generation, answer.writer
        async with contextlib.aclosing(generation):
            for event in writer.opening():
                yield event
            async with contextlib.aclosing(generation.parts()) as parts:
                async for part in parts:
                    if isinstance(part, TextPart | ArgumentsPart):
                        await pace.next_token()
                    for event in writer.write(part):
                        yield event
        for event in writer.end_output(complete=not generation.cut):
            yield event
        input_tokens = generation.input_tokens
        if input_tokens is None:
            input_tokens = self._input_tokens(generation.prompt)
        usage = usage_of(input_tokens, generation.output_tokens, generation.reasoning_tokens)
        finish(answer.response, cut=generation.cut, usage=usage)
        await self._keep(answer)
        yield writer.closing()

    async def _keep(self, answer: _Answer) -> None:
        if answer.kept:
            await self._store.put(answer.response, answer.context.new)

    async def _stored(self, response_id: str) -> dict[str, Any]:
        if (response := await self._store.get(response_id)) is None:
            raise _not_found(response_id)
        return response

    async def _read(self, body: dict[str, Any], context: Context, model: str) -> Prompt:
        """Return what the engine gets, with what is in the files and images that come along."""
        await check_uploads(context.new, self._files)
        prompt = build_prompt(body, context, model=model)
        return await read_attachments(await resolve_uploads(prompt, self._files))

    async def _count(self, prompt: Prompt) -> int:
        engine = self._platform.engine_for(prompt.model)
        return await engine.count_prompt(prompt) if isinstance(engine, CountingEngine) else self._input_tokens(prompt)

    def _input_tokens(self, prompt: Prompt) -> int:
        engine = self._platform.engine_for(prompt.model)
        return count_input_tokens(engine, prompt.items, prompt.tools, prompt.text_format)


def _not_found(response_id: str) -> ApiError:
    return ApiError(f"Response with id '{response_id}' not found.", status=404, param="response_id")
