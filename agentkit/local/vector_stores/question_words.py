"""What a question is looked for by: its words without those that only make it a question.

"How do I sort a list?" asks for sort and list. In a store of manuals "how" and "I" are rare, so that BM25 takes them
for telling; with readers' questions (docs/file-search-quality.md) leaving them out is worth 7 % of nDCG@10. Meaning is
ranked by the whole question.
"""

from __future__ import annotations

import re

__all__ = ["telling_words"]

_FUNCTION_WORDS = (
    "a an the and or but if then than so as at by for from in into of off on onto out over to up with without "
    "i me my mine myself you your yours we us our ours he him his she her hers it its they them their theirs "
    "this that these those there here am is are was were be been being do does did doing done have has had having "
    "can could should would will shall may might must not no nor very just about any all some such too "
    "what which who whom whose how why when where "
    "don't doesn't didn't isn't aren't wasn't weren't can't couldn't won't wouldn't shouldn't i'm i've it's that's "
    "what's how's there's"
)
_WORDS = frozenset(_FUNCTION_WORDS.split())
_QUOTED_OR_WORD = re.compile(r"`[^`]{1,500}`|\"[^\"]{1,500}\"|[\w'’]+")


def telling_words(question: str) -> str:
    """Return a question without English words that tell nothing of what is asked for.

    What stands in quotation marks or backticks and what is written in capitals ("IT", "WITH") stays. A question of
    nothing else ("The Who", "to be or not to be") stays as it is; so do questions in other languages.
    """
    rest = _QUOTED_OR_WORD.sub(lambda found: "" if _tells_nothing(found[0]) else found[0], question)
    return rest if re.search(r"\w", rest) else question


def _tells_nothing(word: str) -> bool:
    return word.replace("’", "'").lower() in _WORDS and (len(word) == 1 or not word.isupper())
