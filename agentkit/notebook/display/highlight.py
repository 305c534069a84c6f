"""Code in colour: a handful of classes, for one small stylesheet."""

from __future__ import annotations

from functools import cache
from html import escape
from typing import Any

__all__ = ["CLASSES", "highlight"]

CLASSES = frozenset({"b", "c", "d", "f", "i", "k", "m", "s"})
"""The classes used: builtin, comment, deleted line, name defined, inserted line, keyword, number, string."""

_LIMIT = 40_000


def highlight(code: str, language: str) -> str:
    """Return `code` as HTML, coloured where pygments knows the language and it is shorter than 40,000 characters."""
    lexer = _lexer(language) if language and len(code) <= _LIMIT else None
    if lexer is None:
        return escape(code)
    shown = []
    for token, text in lexer.get_tokens(code):
        kind = _class_of(token)
        shown.append(f'<span class="{kind}">{escape(text)}</span>' if kind and not text.isspace() else escape(text))
    return "".join(shown)


@cache
def _lexer(language: str) -> Any:  # a pygments lexer, which has no types
    from pygments.lexers import get_lexer_by_name  # type: ignore[import-untyped]
    from pygments.util import ClassNotFound  # type: ignore[import-untyped]

    try:
        return get_lexer_by_name(language, stripnl=False, ensurenl=False)
    except ClassNotFound:
        return None


@cache
def _class_of(token: Any) -> str:
    """Return the class for a kind of token, "" for those that keep the text's own colour."""
    from pygments.token import Comment, Generic, Keyword, Name, Number, Operator, String  # type: ignore[import-untyped]

    kinds = [
        (Keyword, "k"), (Operator.Word, "k"), (Name.Tag, "k"), (String, "s"), (Comment, "c"), (Number, "m"),
        (Name.Builtin, "b"), (Name.Function, "f"), (Name.Class, "f"), (Name.Decorator, "f"), (Name.Attribute, "f"),
        (Generic.Deleted, "d"), (Generic.Inserted, "i"),
    ]  # fmt: skip
    return next((name for kind, name in kinds if token in kind), "")
