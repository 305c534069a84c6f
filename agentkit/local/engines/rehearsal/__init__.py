"""`rehearsal-1`: a deterministic model that does the obvious, offline.

It reads instructions, tools, handoffs, schemas and the request, and picks by plain rules: the tool whose words the
request uses, the arguments that the request names, the agent whose language or subject it is. It has no knowledge, does
not learn, and says so. The same prompt always gets the same reply, so tutorials and tests can rely on it.

From the outside in:

- `engine` cuts a reply into pieces; `decide` makes it from the prompt.
- `conversation` sorts the prompt out, with `contents` and `passages`; `rules` reads the instructions; `facts` keeps
  what was told.
- `handoffs`, `choose`, `clauses`, `plan` and `parallels` settle what is called, and in which turn.
- `fill` with `fill_numbers` and `fill_strings` finds values for a schema (`schemas`), by what each property means
  (`meaning`) and by what stands around each value (`matching`, `number_matching`, `choices`, `extract`).
- `searching` decides on a search in files, and quotes what it found.
- `answers`, `results` and `compose` write; `structured` and `judge` fill output types; `arithmetic` works out.
- All of them stand on `reading` (what a text mentions) and on plain vocabulary: `lexicon`, `topics`, `languages`,
  `phrases`, `places`, `numbers`, `dates`, `words`.
"""

from __future__ import annotations

from .decide import Reply, reply
from .engine import RehearsalEngine

__all__ = ["RehearsalEngine", "Reply", "reply"]
