"""One answer in the making: from a request to the messages that tell of it, a token at a time."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch

from agentkit.local.chat.stop import StopFilter
from agentkit.local.chat_templates import TemplateRefusedError, render
from agentkit.local.engines.trained.asking import SEARCH_TOOL
from agentkit.local.engines.trained.calls import Call, CallReader
from agentkit.local.engines.trained.detokenizing import Detokenizer
from agentkit.local.engines.trained.drawing import Drawing
from agentkit.local.engines.trained.failures import AnswerError
from agentkit.local.engines.trained.grammars import Constraint
from agentkit.local.engines.trained.loading import LoadedModel
from agentkit.local.engines.trained.thinking import ThoughtFilter

__all__ = ["Answering"]

_CHUNK = 512
"""Tokens of a prompt that are read at once: other answers go on in between."""


class Answering:
    """Makes an answer.

    Args:
        loaded: The model.
        request: What was asked; see `asking.request_of`.

    Raises:
        AnswerError: The messages or a schema can't be used with the model.
    """

    def __init__(self, loaded: LoadedModel, request: dict[str, Any]) -> None:
        self._loaded = loaded
        self._request = request
        self._mode: str = request["mode"]
        tools = request["tools"] if self._mode != "not" else []
        prompt = _prompt(loaded, request["messages"], tools, thinks=request["thinks"])
        self._tokens: list[int] = loaded.tokenizer(prompt, add_special_tokens=False)["input_ids"]
        self.input_tokens = len(self._tokens)
        thinks = loaded.thinks and prompt.rstrip().endswith("<think>")
        self._thoughts = ThoughtFilter(active=loaded.thinks, begun=thinks)
        names = [tool["function"]["name"] for tool in tools]
        self._calls = CallReader(loaded.calls, names)
        self._stop = StopFilter(request.get("stop") or [])
        self._untold = 0
        """Tokens since the last message."""
        self._made = 0
        self._thought = 0
        self._is_over = False
        self._constraint: Constraint | None = None
        self._first_grammar: str | None = None
        self._call_grammar: str | None = None
        self._call_token: int | None = None

    def check(self) -> None:
        """Check that there is room for an answer, and prepare what it has to keep to.

        Raises:
            AnswerError: The prompt is too long, or a schema can't be followed.
        """
        if not self._tokens:
            raise AnswerError("The model's chat template makes no prompt of these messages.", code="invalid_value")
        context = self._loaded.context
        if context is not None and self.input_tokens >= context:
            message = (
                f"This model's maximum context length is {context:,} tokens. However, your messages resulted in "
                f"{self.input_tokens:,} tokens, and the answer needs some too. Please shorten the messages."
            )
            raise AnswerError(message, code="context_length_exceeded", param="input")
        grammars, request = self._loaded.grammars, self._request
        formatted = grammars.answer(request["format"])
        if self._mode == "must":
            self._first_grammar = grammars.calls(request, begun=False)
        elif self._mode == "may" and formatted is not None:
            self._first_grammar = grammars.calls(request, begun=False, or_format=True)
        else:
            self._first_grammar = formatted
        if self._mode == "may" and formatted is None and (token := grammars.begin_token()) is not None:
            self._call_token = token
            self._call_grammar = grammars.calls(request, begun=True)

    def messages(self) -> Iterator[dict[str, Any] | None]:
        """Yield what is to be told, and None after each step of the work."""
        loaded, request = self._loaded, self._request
        drawing = Drawing(
            loaded.defaults,
            temperature=request["temperature"],
            top_p=request["top_p"],
            seed=request["seed"],
            device=loaded.device,
        )
        words = Detokenizer(loaded.tokenizer, loaded.marks)
        logits, cache = None, None
        for start in range(0, self.input_tokens, _CHUNK):
            logits, cache = self._forward(self._tokens[start : start + _CHUNK], cache)
            if start + _CHUNK < self.input_tokens:
                yield None
        cut = False
        self._begin_constraint()
        limit = self._most()
        while True:
            with torch.inference_mode():
                token = drawing.next(
                    logits, self._tokens, None if self._constraint is None else self._constraint.mask()
                )
            self._made += 1
            self._untold += 1
            self._thought += self._thoughts.thinking
            if token in loaded.ends:
                break
            self._tokens.append(token)
            yield from self._say(words.feed(token), cut=None)
            if self._is_over or self._keep_to(token):
                break
            if limit is not None and self._made >= limit:
                cut = True
                break
            yield None
            logits, cache = self._forward([token], cache)
        if not self._is_over:
            yield from self._say(words.end(), cut=cut)
        yield {"done": self._usage(cut)}

    def _usage(self, cut: bool) -> dict[str, Any]:
        return {
            "input_tokens": self.input_tokens,
            "output_tokens": self._made,
            "reasoning_tokens": self._thought,
            "cut": cut,
        }

    def _most(self) -> int | None:
        """Return how many tokens the answer may have."""
        context, asked = self._loaded.context, self._request["max_tokens"]
        if asked is None and self._constraint is None:  # what keeps to a schema has to come to its end
            asked = getattr(self._loaded.defaults, "max_new_tokens", None)
        room = None if context is None else context - self.input_tokens
        limits = [limit for limit in (room, asked) if limit is not None]
        return min(limits) if limits else None

    def _forward(self, tokens: list[int], cache: Any) -> tuple[Any, Any]:
        """Return the logits behind `tokens`, which follow what is in the cache, and the cache with them."""
        given = torch.tensor([tokens], device=self._loaded.device)
        with torch.inference_mode():
            out = self._loaded.model(
                input_ids=given, past_key_values=cache, use_cache=True, logits_to_keep=1, return_dict=True
            )
        return out.logits[0, -1], out.past_key_values

    def _begin_constraint(self) -> None:
        """Keep to the answer's grammar from now on, unless it is still being thought."""
        if self._first_grammar is not None and not self._thoughts.thinking:
            self._constraint = self._loaded.grammars.constraint(self._first_grammar)
            self._first_grammar = None

    def _keep_to(self, token: int) -> bool:
        """Take a token into account of what may come next; return whether nothing may."""
        if self._constraint is not None:
            self._constraint.take(token)
            if not self._constraint.is_over:
                return False
            self._constraint = None
            return self._call_grammar is None
        if self._first_grammar is not None:
            self._begin_constraint()
        elif token == self._call_token and self._call_grammar is not None and not self._thoughts.thinking:
            self._constraint = self._loaded.grammars.constraint(self._call_grammar)
        return False

    def _say(self, text: str, *, cut: bool | None) -> Iterator[dict[str, Any]]:
        """Yield the messages of a text.

        Args:
            text: The text.
            cut: At the end of the answer, whether it was cut; None before.
        """
        answer = self._thoughts.feed(text)
        if cut is not None:
            answer += self._thoughts.end()
        yield from self._sorted(self._calls.feed(answer))
        if cut is not None and not self._is_over:
            yield from self._sorted(self._calls.end(cut=cut))
            if not self._is_over and (rest := self._stop.end()):
                yield self._told({"text": rest})

    def _sorted(self, found: Iterator[str | Call]) -> Iterator[dict[str, Any]]:
        for one in found:
            if isinstance(one, Call):
                if held := self._stop.end():
                    yield self._told({"text": held})
                call = {"name": one.name, "arguments": one.arguments, "complete": one.complete}
                yield self._told({"call": call})
                self._is_over = one.name == SEARCH_TOOL or not self._request["parallel"]
            elif given := self._stop.feed(one):
                yield self._told({"text": given})
            self._is_over = self._is_over or self._stop.stopped
            if self._is_over:
                return

    def _told(self, message: dict[str, Any]) -> dict[str, Any]:
        untold, self._untold = self._untold, 0
        return {**message, "tokens": untold}


def _prompt(loaded: LoadedModel, messages: list[dict[str, Any]], tools: list[dict[str, Any]], *, thinks: bool) -> str:
    try:
        return render(loaded.tokenizer, loaded.template, messages, tools, thinks=thinks)
    except TemplateRefusedError as error:
        message = f"The model's chat template doesn't take these messages: {error}"
        raise AnswerError(message, code="invalid_value", param="input") from error
