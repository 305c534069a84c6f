"""What the notebook keeps of a chat: an ordinary output that says all, with no kernel, no script and no widget.

The same for a chat on the screen and for one that no one saw, to the letter: no times, no ids. A class made of what is
in it lets the chat beneath find out whether it is the newest.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from agentkit.notebook.chat.turn_html import (
    answer_html,
    files_html,
    question_html,
    rating_text,
    steps_of,
    version_text,
)
from agentkit.notebook.display.citations import cited_text
from agentkit.notebook.display.console import step_line
from agentkit.notebook.display.kept_digest import digest_class
from agentkit.notebook.display.passages import PASSAGES_STYLE
from agentkit.notebook.display.run_view import has_searches
from agentkit.notebook.display.style import KEPT_STYLE, STYLE
from agentkit.notebook.display.text import clean, escape, one_line

if TYPE_CHECKING:
    from agentkit.notebook.chat.turns import Turn, TurnTree
    from agentkit.notebook.display.run_view import Bundle

__all__ = ["TURNS_CSS", "kept_bundle"]

_TURN_RULES = {
    ".agk-turn": "margin:0 0 1.2em",
    ".agk-turn:last-child": "margin-bottom:0",
    ".agk-user": "background:var(--f);border-radius:1em;padding:.4em 1em;margin:0 0 .6em auto;width:fit-content;"
    "max-width:85%;box-sizing:border-box;white-space:pre-wrap;overflow-wrap:anywhere",
    ".agk-by": "position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%);white-space:nowrap",
    ".agk-files": "margin-top:.3em;display:flex;flex-wrap:wrap;gap:.4em",
    ".agk-file": "border:1px solid var(--l);border-radius:.8em;padding:0 .6em;font-size:.85em;white-space:nowrap",
    ".agk-turn .agk-s": "margin:0 0 .7em",
    ".agk-other": "margin:-.2em 0 .6em;font-size:.85em;color:var(--s)",
    ".agk-other>summary": "text-align:right",
    ".agk-other>.agk-turn": "border-left:2px solid var(--l);padding-left:.9em;margin:.5em 0;font-size:1.15em;"
    "color:var(--jp-content-font-color1,inherit)",
}

TURNS_CSS = "".join(
    f"{','.join(f'div.agk.agk {each}' for each in selectors.split(','))}{{{declarations}}}"
    for selectors, declarations in _TURN_RULES.items()
)
"""The rules of a chat's turns, beside those of all views."""

_STYLE = f"<style>{TURNS_CSS}</style>"

_OTHERS_DEPTH = 3
"""How deep versions of messages within other versions are told of."""


def kept_bundle(tree: TurnTree, turns: Sequence[Turn], *, title: str, agent: str, part: bool = False) -> Bundle:
    """Return the turns of a chat as HTML and as plain text.

    Args:
        tree: All that was said.
        turns: What is kept, the first first.
        title: What the chat is about.
        agent: Name of the agent.
        part: Whether this is only a part of the chat, which another output begins.
    """
    over = [turn for turn in turns if turn.over]
    head = "" if part else _head(title, agent, bool(over))
    body = "".join(_turn_html(tree, turn, _OTHERS_DEPTH) for turn in over)
    style = STYLE + KEPT_STYLE + _STYLE if not part else STYLE + _STYLE
    style += PASSAGES_STYLE if any(turn.citations or has_searches(turn.steps) for turn in tree) else ""
    classes = "agk" if part else f"agk agk-kept {digest_class(head + body)}"
    shown = f'<div class="{classes}">{style}{head}{body}</div>'
    plain = [] if part else [f"Chat with {agent}" + (f": {title}" if title else "") + ("" if over else " (empty)")]
    plain += [_turn_plain(tree, turn) for turn in over]
    return {"text/html": shown, "text/plain": clean("\n\n".join(plain))}


def _head(title: str, agent: str, said: bool) -> str:
    about = f": {escape(title)}" if title else ""
    empty = "" if said else " Nothing has been said yet."
    return f'<div class="agk-f agk-head">Chat with <span class="agk-n">{escape(agent)}</span>{about}.{empty}</div>'


def _turn_html(tree: TurnTree, turn: Turn, depth: int) -> str:
    steps = "".join(steps_of(turn))
    parts = [
        f'<div class="agk-turn"><div class="agk-user"><b class="agk-by">You: </b>{question_html(turn)}',
        f"{files_html(turn)}</div>",
        _others_html(tree, turn, depth),
        f'<b class="agk-by">{escape(turn.agent)}: </b>',
        steps and f'<div class="agk-s">{steps}</div>',
        (answer := _out_of_contents(answer_html(turn, math="tex"))) and f'<div class="agk-a">{answer}</div>',
        turn.note and f'<div class="agk-f"><span class="agk-no">■</span> {escape(turn.note)}</div>',
    ]
    foot = " · ".join(filter(None, (escape(turn.usage_line), escape(rating_text(turn)))))
    return "".join([*parts, foot and f'<div class="agk-f">{foot}</div>', "</div>"])


def _out_of_contents(html: str) -> str:
    """Return HTML whose headings JupyterLab leaves out of the notebook's table of contents.

    They are none of the notebook's own; and hundreds of them, from one long answer, keep it busy for seconds.
    """
    return re.sub(r"<(h[1-6])>", r'<\1 class="jp-toc-ignore">', html)  # text has no "<" of its own in it


def _others_html(tree: TurnTree, turn: Turn, depth: int) -> str:
    """Return the other versions of a message, folded, with what was said after them."""
    number, count = tree.place(turn)
    if count == 1 or depth == 0:
        return ""
    others = [each for each in tree.versions(turn) if each is not turn and each.over]
    told = "".join(_turn_html(tree, each, 0) + _after_html(tree, each, depth - 1) for each in others)
    which = "other version" if count == 2 else f"{count - 1} other versions"
    return f'<details class="agk-other"><summary>‹ {number}/{count} › ▸ {which}</summary>{told}</details>'


def _after_html(tree: TurnTree, turn: Turn, depth: int) -> str:
    return "".join(_turn_html(tree, each, depth) for each in tree.path_from(turn)[1:] if each.over)


def _turn_plain(tree: TurnTree, turn: Turn) -> str:
    files = ", ".join(file.name for file in turn.files)
    version = version_text(tree.place(turn))
    lines = [f"You: {turn.question}" + (f"  {version}" if version else ""), files and f"[with {files}]"]
    lines += [f"  {one_line(step_line(step), 160)}" for step in turn.steps]
    answer = cited_text(turn.answer, turn.citations, turn.passages)
    lines.append(f"{turn.agent}: {answer}" if answer else "")
    rating = rating_text(turn)
    lines += [turn.note and f"[{turn.note}]", rating and f"[{rating}]"]
    return "\n".join(filter(None, lines))
