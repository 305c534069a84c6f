"""What an answer is allowed to be: JSON of a schema, or calls of tools, as masks over the tokens (llguidance)."""

from __future__ import annotations

import json
from typing import Any

from agentkit.local.engines.trained.calls import CallFormat
from agentkit.local.engines.trained.failures import AnswerError

__all__ = ["Constraint", "Grammars"]

_BLANKS = r"(\n {0,16}| )?"
"""Where JSON may have blanks: one, or the beginning of a line. Any number of them, and a model may never stop."""
_MOST_CALLS = 16


class Constraint:
    """Where an answer is in what it may be.

    Args:
        matcher: llguidance's.
    """

    def __init__(self, matcher: Any) -> None:
        self._matcher = matcher

    def mask(self) -> bytes:
        """Return a byte for each token: 0 where it may not come next."""
        mask: bytes = self._matcher.compute_logit_bias()
        self._check()
        return mask

    def take(self, token: int) -> None:
        """Go on by a token."""
        self._matcher.consume_token(token)
        self._check()

    @property
    def is_over(self) -> bool:
        """Whether nothing more may come."""
        return bool(self._matcher.is_stopped())

    def _check(self) -> None:
        if self._matcher.is_error():
            message = f"The answer can't be kept to its schema: {self._matcher.get_error()[:300]}"
            raise AnswerError(message, code="server_error", status=500)


class Grammars:
    """The constraints for the answers of one model.

    Args:
        tokenizer: A fast Hugging Face tokenizer.
        width: Tokens that the model has logits for.
        ends: Tokens that end an answer.
        calls: How the model writes calls.
    """

    def __init__(self, tokenizer: Any, width: int, ends: list[int], calls: CallFormat) -> None:
        self._tokenizer = tokenizer
        self._width = width
        self._ends = ends
        self._form = calls
        self._guide: Any = None
        self._vocabulary: dict[str, int] | None = None

    def answer(self, text_format: dict[str, Any]) -> str | None:
        """Return the grammar of a format's answers; None for plain text.

        Raises:
            AnswerError: The schema can't be followed.
        """
        if (schema := _schema_of(text_format)) is None:
            return None
        grammar = f"start: answer\nanswer: {schema}\n"
        self._check(grammar, f"Invalid schema for '{text_format.get('name', 'json_object')}'", "invalid_json_schema")
        return grammar

    def calls(self, request: dict[str, Any], *, begun: bool, or_format: bool = False) -> str:
        """Return the grammar of one or several calls.

        Args:
            request: With its `tools`, those of them that are `strict`, and whether calls may be `parallel`.
            begun: Whether the mark before the first call has come already; then it is for one call.
            or_format: Whether the answer may follow the request's format instead.

        Raises:
            AnswerError: A tool's parameters can't be followed.
        """
        rules = []
        for index, tool in enumerate(request["tools"]):
            rules += self._tool(index, tool["function"], strict=tool["function"]["name"] in request["strict"])
        names = " | ".join(f"call_{index}" for index in range(len(request["tools"])))
        top = self._start(begun=begun, parallel=request["parallel"])
        if or_format and (schema := _schema_of(request["format"])) is not None:
            top = [line.replace("start:", "called:", 1) for line in top]
            top = ["start: called | answer", f"answer: {schema}", *top]
        return "\n".join([*top, f"body: {names}", "blanks: BLANKS?", r"BLANKS: /\n {0,16}| /", *rules, ""])

    def constraint(self, grammar: str) -> Constraint:
        """Return a grammar at its beginning."""
        from llguidance import LLMatcher

        return Constraint(LLMatcher(self._guidance(), LLMatcher.grammar_from_lark(grammar)))

    def begin_token(self) -> int | None:
        """Return the token before a call, where it is one."""
        return self._token(self._form.begin)

    def _start(self, *, begun: bool, parallel: bool) -> list[str]:
        form = self._form
        begin = "" if begun else f"{self._mark(form.begin)} "
        more = "" if begun or not parallel else f'("\\n"? call){{0,{_MOST_CALLS - 1}}}'
        if form.kind == "hermes":
            return [
                f"start: {begin}rest {more}",
                f"call: {self._mark(form.begin)} rest",
                f'rest: "\\n"? body "\\n"? {self._mark(form.end)}',
            ]
        if form.kind == "llama":
            return ["start: body"]
        if form.has_args_mark:
            return [f"start: {begin}body {more}", f"call: {self._mark(form.begin)} body"]
        several = f'("," blanks body){{0,{_MOST_CALLS - 1}}}' if parallel else ""
        return [f'start: {begin}" "? "[" blanks body {several} blanks "]"']

    def _tool(self, index: int, function: dict[str, Any], *, strict: bool) -> list[str]:
        schema = self._parameters(function, strict=strict)
        if self._form.has_args_mark:
            return [
                f"call_{index}: {json.dumps(function['name'])} {self._mark('[ARGS]')} blanks arguments_{index}",
                f"arguments_{index}: {schema}",
            ]
        name, key = (json.dumps(json.dumps(text)) for text in (function["name"], self._form.arguments_key))
        return [
            f'call_{index}: "{{" blanks "\\"name\\"" blanks ":" blanks {name} blanks "," blanks '
            f'{key} blanks ":" blanks arguments_{index} blanks "}}"',
            f"arguments_{index}: {schema}",
        ]

    def _parameters(self, function: dict[str, Any], *, strict: bool) -> str:
        given = function.get("parameters") or {}
        schema = _json_rule({"type": "object", **given}, lenient=not strict)
        what = f"Invalid schema for function '{function['name']}'"
        try:
            self._check(f"start: {schema}\n", what, "invalid_function_parameters")
        except AnswerError:
            if strict:
                raise
            return _json_rule({"type": "object"}, lenient=True)
        return schema

    def _check(self, grammar: str, what: str, code: str) -> None:
        from llguidance import LLMatcher

        said = LLMatcher.validate_grammar(LLMatcher.grammar_from_lark(grammar), self._guidance())
        if said and not said.startswith("WARNING"):
            raise AnswerError(f"{what}: it can't be followed while answering: {said.strip()[:300]}", code=code)

    def _guidance(self) -> Any:
        if self._guide is None:
            from llguidance.hf import from_tokenizer

            if not getattr(self._tokenizer, "is_fast", False):
                message = "This model's tokenizer is not a fast one, which schemas and forced calls need."
                raise AnswerError(message, code="unsupported_parameter")
            width = max(self._width, len(self._tokenizer))
            self._guide = from_tokenizer(self._tokenizer, n_vocab=width, eos_token=self._ends or None)
        return self._guide

    def _token(self, text: str) -> int | None:
        if self._vocabulary is None:
            self._vocabulary = self._tokenizer.get_added_vocab()
        return self._vocabulary.get(text)

    def _mark(self, text: str) -> str:
        """Return a mark in a grammar: its token, or its text where it is several."""
        token = self._token(text)
        return json.dumps(text) if token is None else f"<[{token}]>"


def _schema_of(text_format: dict[str, Any]) -> str | None:
    if text_format["type"] == "text":
        return None
    if text_format["type"] == "json_object":
        return _json_rule({"type": "object"}, lenient=True)
    return _json_rule(text_format.get("schema") or {}, lenient=not text_format.get("strict"))


def _json_rule(schema: dict[str, Any], *, lenient: bool) -> str:
    own = {"whitespace_pattern": _BLANKS, "lenient": lenient}
    return f"%json {json.dumps({**schema, 'x-guidance': own})}"
