"""Questions made into queries: without the words that people put around what they look for.

It is done by rule, so the same question always gives the same query. OpenAI's platform has a model do it.
"""

from __future__ import annotations

import re

__all__ = ["rewrite_query"]

_OF_FILES = r"(?:the\ |my\ |our\ |these\ |those\ |all\ )*(?:files?|documents?|docs)"
_SUPPORTED = r"(?:is|are|was|were|do|does|did|can|could|should|would|will|must|has|have|had)"
_OPENINGS = re.compile(
    rf"""(?:
    (?:hi|hello|hey|ok|okay|so|well|and|also|now|please|thanks|thank\ you)\b
    |(?:can|could|would|will)\ you\ (?:please\ |kindly\ )?
      (?:tell|show|give|explain(?:\ to)?|find|look\ up|search\ for|help)(?:\ (?:me|us))?(?:\ (?:with|out|about))?\b
    |(?:please\ )?(?:tell|show|give|remind)\ (?:me|us)(?:\ about)?\b
    |(?:i|we)(?:'d|\ would|\ want|\ need|'m|\ am|\ was)?\ (?:like|want|need|trying|wondering|looking|interested)?\ ?
      (?:to\ (?:know|find\ out|understand|learn|see)|for|in|if|about)\b
    |(?:do|does|did)\ (?:you|anyone|anybody)\ (?:happen\ to\ )?know\b
    |(?:search|look|looking|find|check)\ (?:in\ |through\ |into\ )?{_OF_FILES}\ (?:for|about)\b
    |(?:according\ to|in|from|based\ on)\ {_OF_FILES}\b
    |how\ (?:many|much|long|far|big|large|high|tall|old|often|fast|deep|heavy)(?:\ {_SUPPORTED}\b)?
    |(?:what|which|who|whom|whose|where|when|why|how)(?:'s|'re|\ (?:{_SUPPORTED}|to)\b)?
    |(?:is|are|was|were|do|does|did|can|could|should|would|will)\ (?:it|there|i|we|you|one|they)\b
    |(?:the|a|an|some|any|about|that|me|us|i|we|you|one|it|there)\b
    )[\s,:;.!–-]*""",
    re.IGNORECASE | re.VERBOSE,
)
_ENDINGS = re.compile(
    r"[\s,]*(?:\b(?:please|thanks|thank you|exactly|anyway|then"
    r"|(?:in|according to) (?:the|my|our|these|those) (?:files?|documents?|docs))|[?!.…])\s*$",
    re.IGNORECASE,
)
_SOURCE = re.compile(
    r"(?:according to|based on|going by|in|from) (?:the|my|our|these|those) ([^,.?!]{1,40}), (.+)",
    re.IGNORECASE | re.DOTALL,
)
_ALL_FILES = re.compile(r"(?:all )?(?:uploaded |attached )?(?:files?|documents?|docs)", re.IGNORECASE)
_SUPPORT = re.compile(r"\b(?:does|do|did) (?=\w)", re.IGNORECASE)
_SPACES = re.compile(r"\s+")
_MOST = 400
"""Characters that are looked at: a longer text is no question, and stays as it is."""


def rewrite_query(text: str) -> str:
    """Return what a question looks for: its words without greeting, politeness, question form and leading articles.

    A text that consists of nothing else stays as it is.
    """
    query = _SPACES.sub(" ", text).strip()
    if len(query) > _MOST:
        return query
    whole = query
    if named := _SOURCE.fullmatch(query):
        query = named[2] if _ALL_FILES.fullmatch(named[1]) else f"{_ENDINGS.sub('', named[2])} {named[1]}"
    asks = query.endswith("?")
    while (shorter := _ENDINGS.sub("", query)) != query:
        query = shorter
    while found := _OPENINGS.match(query):
        query = query[found.end() :]
    if asks:
        query = _SUPPORT.sub("", query)
    query = query.strip(" ,;:")
    return query or whole
