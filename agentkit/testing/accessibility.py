"""What a reader with a keyboard, a screen reader or weak eyes would trip over.

Checked of everything that one can act on: that it has a name (as Chromium computes it for screen readers), that the Tab
key leads to it, and that it looks different while it has the focus. Checked of every text: that it contrasts with what
is behind it by at least 4.5 to 1 (3 to 1 where it is large, or only a sign), as WCAG 2.2 asks at level AA.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from playwright.sync_api import CDPSession, Page

__all__ = ["accessibility_problems"]

_MOST_TABS = 500


def accessibility_problems(page: Page, selector: str) -> list[str]:
    """Return a line for each problem in the visible elements that match `selector`, empty where there is none.

    Moves the focus. Controls that are disabled or folded away are left out: look again once they aren't.

    Raises:
        ValueError: Nothing that is visible matches.
    """
    page.evaluate("script => { window.agentkitAccessibility = (0, eval)(script); }", _script())
    if not page.locator(f":is({selector}):visible").count():
        raise ValueError(f"Nothing on the page matches {selector!r}, or all that does is hidden.")
    contrast: list[str] = page.evaluate("selector => agentkitAccessibility.contrast(selector)", selector)
    return [*_nameless(page, selector), *_out_of_the_keyboards_reach(page, selector), *contrast]


@cache
def _script() -> str:
    return Path(__file__).with_name("accessibility.js").read_text(encoding="utf-8")


def _nameless(page: Page, selector: str) -> list[str]:
    """Return the controls that a screen reader could not name."""
    described: list[str] = page.evaluate(
        "selector => (window.agentkitControls = agentkitAccessibility.controls(selector))"
        ".map(agentkitAccessibility.describe)",
        selector,
    )
    session = page.context.new_cdp_session(page)
    try:
        session.send("Accessibility.enable")
        names = [_accessible_name(session, index) for index in range(len(described))]
    finally:
        session.detach()
    return [f"no accessible name: {what}" for what, name in zip(described, names, strict=True) if not name]


def _accessible_name(session: CDPSession, index: int) -> str:
    element = session.send("Runtime.evaluate", {"expression": f"agentkitControls[{index}]"})["result"]["objectId"]
    tree: dict[str, Any] = session.send(
        "Accessibility.getPartialAXTree", {"objectId": element, "fetchRelatives": False}
    )
    return str(tree["nodes"][0].get("name", {}).get("value", "")).strip()


def _out_of_the_keyboards_reach(page: Page, selector: str) -> list[str]:
    """Press Tab through all controls, and return those that it misses or that don't show the focus."""
    page.keyboard.press("Shift")  # focus shows as it does for those who use the keyboard
    inside: bool = page.evaluate("selector => agentkitAccessibility.enter(selector)", selector)
    for _ in range(_MOST_TABS):
        if not inside:
            break
        page.keyboard.press("Tab")
        inside = page.evaluate("agentkitAccessibility.noteFocus() || agentkitAccessibility.enterNext()")
    unreached: list[str] = page.evaluate("agentkitAccessibility.unreached()")
    unmarked: list[str] = page.evaluate("agentkitAccessibility.withoutFocusMark()")
    page.evaluate("document.activeElement?.blur()")
    missed = [f"Tab does not lead to {what}" for what in unreached]
    return [*missed, *(f"focus does not show on {what}" for what in unmarked)]
