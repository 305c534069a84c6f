"""The class by which a widget knows what the notebook keeps."""

from __future__ import annotations

import re

import pytest

from agentkit.notebook.display.kept_digest import digest_of, with_digest


@pytest.mark.parametrize("classes", ["agk", "agk agk-trace agk-kept"])
def test_it_tells_what_is_in_an_output_and_changes_nothing_else(classes: str) -> None:
    bundles = [
        {"text/html": f'<div class="{classes}"><div class="agk-a">{a}</div></div>', "text/plain": a} for a in "ab"
    ]
    assert [digest_of(bundle) for bundle in bundles] == ["", ""]
    first, again, other = (with_digest(bundle) for bundle in (bundles[0], bundles[0], bundles[1]))
    digest = digest_of(first)
    assert re.fullmatch("agk-k[0-9a-f]{8}", digest)
    assert (digest_of(again), digest_of(other) == digest) == (digest, False)
    assert first == {
        "text/html": f'<div class="{classes} {digest}"><div class="agk-a">a</div></div>',
        "text/plain": "a",
    }
