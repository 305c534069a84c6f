"""What a response is made from: earlier items, new items and the instructions."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from agentkit.local.engines.base import Prompt
from agentkit.local.engines.quoting import quoted_results
from agentkit.local.errors import ApiError, missing_parameter
from agentkit.local.requests.text_format import check_json_is_mentioned
from agentkit.local.responses.items import canonical_items
from agentkit.local.responses.request import options_with_defaults
from agentkit.local.store import ResponseStore

__all__ = ["Context", "build_context", "build_prompt"]


@dataclass(frozen=True, slots=True)
class Context:
    """The items of a prompt, in order: all but the instructions."""

    earlier: list[dict[str, Any]]
    """Those of the responses that this one goes on from."""
    new: list[dict[str, Any]]
    """Those that the request brought."""


async def build_context(body: dict[str, Any], store: ResponseStore) -> Context:
    """Return the items that a checked request is about.

    Raises:
        ApiError: A response or item that it refers to isn't there; a call and its output don't belong together.
    """
    previous_id = body.get("previous_response_id")
    if "input" not in body and previous_id is None:
        raise missing_parameter("input")
    try:
        earlier = [] if previous_id is None else await store.conversation(previous_id)
    except KeyError as error:
        message = f"Previous response with id '{error.args[0]}' not found."
        code = "previous_response_not_found"
        raise ApiError(message, param="previous_response_id", code=code) from None
    new = canonical_items(body.get("input", []))
    new = [await _resolve(item, store) for item in new] if any("role" not in item for item in new) else new
    context = Context(earlier, new)
    if not earlier and not new and not body.get("instructions"):
        message = (
            "Invalid 'input': empty array. Expected an array with minimum length 1, but got an empty array instead."
        )
        raise ApiError(message, param="input", code="empty_array")
    _check_calls([*earlier, *new])
    return context


def build_prompt(body: dict[str, Any], context: Context, *, model: str) -> Prompt:
    """Return what the engine gets.

    Raises:
        ApiError: A JSON object is asked for, but the input doesn't say so.
    """
    options = options_with_defaults(body)
    items = [_with_quotes(item) for item in (*context.earlier, *context.new)]
    if body.get("instructions"):
        items = [{"type": "message", "role": "system", "content": body["instructions"]}, *items]
    text_format = options["text"]["format"]
    if text_format["type"] == "json_object":
        check_json_is_mentioned(items, what="Response input messages", option="text.format", param="input")
    return Prompt(
        model=model,
        items=items,
        tools=options["tools"],
        tool_choice=options["tool_choice"],
        parallel_tool_calls=options["parallel_tool_calls"],
        text_format=text_format,
        max_output_tokens=body.get("max_output_tokens"),
        temperature=body.get("temperature"),
        top_p=body.get("top_p"),
        effort=options["reasoning"]["effort"],
    )


def _with_quotes(item: dict[str, Any]) -> dict[str, Any]:
    """Return an item as an engine gets it: of an earlier search, what it found is quoted, where that is known."""
    if item["type"] != "file_search_call":
        return item
    queries = item.get("queries")
    found = item.get("results")
    results = [result for result in found if isinstance(result, dict)] if isinstance(found, list) else None
    output = "What it found is not kept." if results is None else quoted_results(results)
    return {**item, "queries": queries if isinstance(queries, list) else [], "results": results, "output": output}


async def _resolve(item: dict[str, Any], store: ResponseStore) -> dict[str, Any]:
    if item.get("type", "item_reference") != "item_reference":
        return item
    if (found := await store.item(item["id"])) is None:
        message = (
            f"Item with id '{item['id']}' not found. Items of responses made with 'store' set to false are not kept: "
            "send the item itself."
        )
        raise ApiError(message, status=404, param="input")
    return found


def _check_calls(items: Iterable[dict[str, Any]]) -> None:
    """Check that every function call has its output after it, and every output its call before it."""
    called: set[str] = set()
    waiting: dict[str, None] = {}  # in order
    for item in items:
        if item["type"] == "function_call":
            called.add(item["call_id"])
            if item["status"] != "incomplete":  # cut by a token limit: nobody could have run it
                waiting[item["call_id"]] = None
        elif item["type"] == "function_call_output":
            if item["call_id"] not in called:
                message = f"No tool call found for function call output with call_id {item['call_id']}."
                raise ApiError(message, param="input")
            waiting.pop(item["call_id"], None)
    if waiting:
        raise ApiError(f"No tool output found for function call {next(iter(waiting))}.", param="input")
