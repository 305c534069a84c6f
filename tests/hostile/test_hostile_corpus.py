"""The corpus itself: large enough, each text told from the others, and most of them able to do harm."""

from __future__ import annotations

from collections import Counter

import html5lib
from corpus import EVIL_HOST, HOSTILE


def test_the_corpus_has_hundreds_of_texts_of_every_kind() -> None:
    kinds = Counter(text.kind for text in HOSTILE)
    assert len(HOSTILE) >= 350
    assert min(kinds.values()) >= 10
    assert len(kinds) == 15


def test_every_text_has_an_id_and_a_number_of_its_own() -> None:
    assert len({text.id for text in HOSTILE}) == len({text.number for text in HOSTILE}) == len(HOSTILE)


def test_what_a_text_runs_or_fetches_names_it() -> None:
    for text in HOSTILE:
        if "__hit(" in text.text:
            assert f"__hit({text.number})" in text.text
        assert "@JS@" not in text.text
        assert "@URL@" not in text.text
    assert sum("__hit(" in text.text for text in HOSTILE) > 150
    assert sum(EVIL_HOST in text.text for text in HOSTILE) > 70


def test_most_texts_would_be_active_if_they_were_shown_as_html() -> None:
    active = {"script", "img", "svg", "math", "style", "link", "iframe", "object", "embed", "form", "meta", "base"}

    def tags(text: str) -> set[str]:
        root = html5lib.parseFragment(text[:2_000], namespaceHTMLElements=False)
        return {str(element.tag).rpartition("}")[2] for element in root.iter()}

    kinds = ("script", "handler", "svg", "mathml", "css")
    texts = [text for text in HOSTILE if text.kind in kinds]
    assert sum(bool(tags(text.text) & active) for text in texts) > 0.6 * len(texts)
