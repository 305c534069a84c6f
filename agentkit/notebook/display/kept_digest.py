"""The class by which a kept output tells what is in it, so that the widget beneath finds out whether it follows.

Once the page was loaded anew, JupyterLab no longer replaces outputs that were made before: what is shown goes on, and
what is kept stays as it was.
"""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from agentkit.notebook.display.run_view import Bundle

__all__ = ["digest_class", "digest_of", "with_digest"]

_ELEMENT = re.compile(r'<div class="(agk[\w -]*?)(?: (agk-k[0-9a-f]{8}))?">')


def digest_class(html: str) -> str:
    """Return the class for an element with this in it."""
    return f"agk-k{hashlib.sha256(html.encode('utf-8', 'replace')).hexdigest()[:8]}"


def digest_of(bundle: Bundle) -> str:
    """Return the class by which the element of a kept output tells what is in it; "" where it has none."""
    found = _ELEMENT.match(bundle["text/html"])
    return (found[2] or "") if found else ""


def with_digest(bundle: Bundle) -> Bundle:
    """Return a kept output whose element has the class that tells what is in it."""
    html = bundle["text/html"]
    named = _ELEMENT.sub(rf'<div class="\1 {digest_class(html)}">', html, count=1)
    return bundle | {"text/html": named}
