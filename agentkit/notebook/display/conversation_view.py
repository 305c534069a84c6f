"""Conversations as a list, and one of them as it was spoken."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from agentkit.notebook.display.citations import cited_html, sources_line
from agentkit.notebook.display.file_search import FileSearch, Passage, citations_of, passages_of
from agentkit.notebook.display.markdown import render_markdown
from agentkit.notebook.display.passages import PASSAGES_STYLE, search_html
from agentkit.notebook.display.run_view import Bundle, arguments_line, json_html
from agentkit.notebook.display.spoken import is_message, message_text, role_of, said_text
from agentkit.notebook.display.style import STYLE
from agentkit.notebook.display.text import clean, escape, one_line, shorten

if TYPE_CHECKING:
    from agentkit.notebook.conversation_list import Conversation

__all__ = ["ConversationList", "ConversationText"]

_MOST_MESSAGES = 200
_MESSAGE_LIMIT = 20_000
_DETAIL_LIMIT = 2_000
_LINE = 100


@dataclass(frozen=True)
class ConversationList:
    """Conversations, shown as a table."""

    conversations: Sequence[Conversation]
    """In their order."""
    everywhere: bool = False
    """Whether those of other notebooks are among them: then it is told whose each is, and when it was last used."""

    def __len__(self) -> int:
        return len(self.conversations)

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> Bundle:
        if not self.conversations:
            text = "No conversations yet." if self.everywhere else "No conversations in this notebook yet."
            text += "" if self.everywhere else " %session list --all shows those of others."
            return {"text/html": f'<div class="agk">{STYLE}<span class="agk-d">{escape(text)}</span></div>',
                    "text/plain": text}  # fmt: skip
        head, rows = self._head(), self._rows()
        cells = "".join(f"<th>{escape(name)}</th>" for name in head)
        body = "".join("<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in rows)
        html = f'<div class="agk">{STYLE}<table><thead><tr>{cells}</tr></thead><tbody>{body}</tbody></table></div>'
        widths = [max(len(row[column]) for row in [head, *rows]) for column in range(len(head))]
        lines = [
            "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
            for row in [head, *rows]
        ]
        return {"text/html": html, "text/plain": "\n".join(lines)}

    def _head(self) -> list[str]:
        return ["conversation", "of", "items", "began with", *(["last used"] if self.everywhere else [])]

    def _rows(self) -> list[list[str]]:
        return [
            [clean(one_line(entry.name, 60)), clean(entry.kind), f"{entry.items:,}", clean(entry.started_with)]
            + ([entry.used] if self.everywhere else [])
            for entry in self.conversations
        ]


@dataclass(frozen=True)
class ConversationText:
    """One conversation, shown as it was spoken. Its messages are numbered, as `%session branch --at` takes them."""

    name: str
    """What it is called."""
    items: Sequence[Mapping[str, Any]]
    """Its items, in the shape of the Responses API."""
    most: int = _MOST_MESSAGES
    """Messages that are shown, the last ones."""

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> Bundle:
        numbered, left_out = self._shown()
        title = f"{self.name} · {_count(len([item for item in self.items if is_message(item)]), 'message')}"
        html = [f'<div class="agk">{STYLE}<div class="agk-h">{escape(title)}</div>']
        plain = [title]
        if left_out:
            note = f"The first {left_out:,} messages are left out."
            html.append(f'<div class="agk-d">{escape(note)}</div>')
            plain.append(note)
        passages = passages_of(self.items)
        if passages or any(citations_of(item) for item in self.items):
            html[0] = html[0].replace(STYLE, STYLE + PASSAGES_STYLE, 1)
        for number, item in numbered:
            html.append(_message_html(number, item, passages) if number else _step_html(item))
            plain.append(_message_plain(number, item) if number else f"    {_step_line(item)}")
        return {"text/html": "".join([*html, "</div>"]), "text/plain": clean("\n".join(plain))}

    def _shown(self) -> tuple[list[tuple[int, Mapping[str, Any]]], int]:
        """Return the items that are shown, messages with their numbers, and how many messages are left out."""
        numbered, number = [], 0
        for item in self.items:
            number += is_message(item)
            numbered.append((number if is_message(item) else 0, item))
        left_out = max(0, number - self.most)
        while numbered and left_out and numbered[0][0] != left_out + 1:
            numbered.pop(0)
        return numbered, left_out


def _count(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"


def _message_html(number: int, item: Mapping[str, Any], passages: Sequence[Passage]) -> str:
    role, text = role_of(item), shorten(clean(message_text(item)), _MESSAGE_LIMIT)
    head = f'<div class="agk-f"><span class="agk-m">{number}</span> {escape(role)}</div>'
    citations = citations_of(item)
    if role == "assistant" and citations and len(said := said_text(item)) <= _MESSAGE_LIMIT:
        cited = said, citations, passages
        return f'{head}<div class="agk-a">{cited_html(*cited)}</div>{sources_line(*cited)}'
    if role == "assistant":
        return f'{head}<div class="agk-a">{render_markdown(text)}</div>'
    return f'{head}<div class="agk-p">{escape(text)}</div>'


def _step_html(item: Mapping[str, Any]) -> str:
    if item.get("type") == "file_search_call" and (search := FileSearch.of(item)).passages:
        found = search_html(search, 4 * _DETAIL_LIMIT)
        line = escape(_step_line(item))
        return f'<div class="agk-s"><details class="agk-r"><summary>{line}</summary>{found}</details></div>'
    line, text = escape(_step_line(item)), message_text(item)
    if len(text) <= _LINE:
        return f'<div class="agk-s"><div>{line}</div></div>'
    details = f"<pre><code>{json_html(text, _DETAIL_LIMIT)}</code></pre>"
    return f'<div class="agk-s"><details class="agk-r"><summary>{line}</summary>{details}</details></div>'


def _step_line(item: Mapping[str, Any]) -> str:
    """Return a call, a result or a thought as one line."""
    match item.get("type"):
        case "function_call":
            arguments = arguments_line(str(item.get("arguments") or ""))
            return f"⚙ {clean(str(item.get('name')))}({one_line(clean(arguments), _LINE)})"
        case "function_call_output":
            return f"→ {one_line(clean(message_text(item)), _LINE)}"
        case "file_search_call":
            search = FileSearch.of(item)
            queries = one_line(" ".join(f'"{query}"' for query in search.queries), _LINE)
            return f"⚙ file_search {queries}{search.told and f' → {search.told}'}"
        case "reasoning":
            return f"~ {one_line(clean(message_text(item)), _LINE)}"
    return f"{role_of(item)}: {one_line(clean(message_text(item)), _LINE)}"


def _message_plain(number: int, item: Mapping[str, Any]) -> str:
    text = shorten(clean(message_text(item)), _MESSAGE_LIMIT).replace("\n", "\n    ")
    return f"{number:>3} {role_of(item)}: {text}"
