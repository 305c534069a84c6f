"""The rules of a trace's waterfall, beside those of all views; the browser's widget has the same."""

from __future__ import annotations

__all__ = ["WATERFALL_CSS", "WATERFALL_STYLE"]


def _mix(colour: str, share: int) -> str:
    return f"color-mix(in srgb,{colour} {share}%,transparent)"


# A row lays its lane and its words out as a grid. Without these rules (a notebook that isn't trusted) the lane comes
# first, as wide as its own style says, and the words after it: the bars still lie below each other. What those styles
# set is overruled here where it has to be.
_RULES = {
    ".agk-trace": "--w-model:#3b82c4;--w-tool:#2e9e7a;--w-agent:#8a8f98;--w-handoff:#9162c0;--w-guardrail:#c27c1e;"
    "max-width:76em",
    ".agk-wf": "margin:.6em 0 0;border-top:1px solid var(--l);font-size:.93em",
    ".agk-wr": "border-bottom:1px solid color-mix(in srgb,var(--l) 45%,transparent)",
    ".agk-wr>summary,.agk-wa": "display:grid;gap:0 1em;align-items:center;padding:.12em .3em;"
    "grid-template-columns:minmax(9em,32%) minmax(6em,1fr) minmax(9em,32%)",
    ".agk-wa": "color:var(--s);font-size:.85em;padding-top:.25em",
    ".agk-wa>span": "grid-column:2;display:grid!important;grid-template-columns:repeat(4,1fr);width:auto!important",
    ".agk-wa>span>span": "width:auto!important;white-space:nowrap;overflow:hidden",
    ".agk-wa>span>span:last-child": "text-align:right",
    ".agk-wr>summary:hover": "background:var(--f)",
    ".agk-wr[open]>summary": "background:var(--f)",
    ".agk-wn": "grid-column:1;grid-row:1;overflow:hidden;text-overflow:ellipsis;white-space:nowrap",
    ".agk-wl": "grid-column:2;grid-row:1;width:auto!important;height:1.15em;display:block!important;overflow:hidden;"
    "background:repeating-linear-gradient(90deg,var(--l) 0 1px,transparent 1px 25%)",
    ".agk-wx": "grid-column:3;grid-row:1;color:var(--s);white-space:nowrap;overflow:hidden;text-overflow:ellipsis;"
    "font-variant-numeric:tabular-nums;font-size:.92em",
    ".agk-wr>summary>.agk-wn::before": 'content:"▸";display:inline-block;width:1em;color:var(--s)',
    ".agk-wr[open]>summary>.agk-wn::before": 'content:"▾"',
    ".agk-wi>summary::before": 'content:"▸ "',
    ".agk-wi[open]>summary::before": 'content:"▾ "',
    ".agk-wk": "color:var(--s);font-size:.88em",
    ".agk-wb": "--c:var(--w-agent);display:block!important;height:.62em!important;margin-top:.27em;border-radius:2px;"
    "box-sizing:border-box;background:var(--c)!important;min-width:3px;overflow:hidden",
    ".agk-wb-agent": f"background:{_mix('var(--c)', 45)}!important",
    ".agk-wb-model": "--c:var(--w-model)",
    ".agk-wb-tool": "--c:var(--w-tool)",
    ".agk-wb-handoff": "--c:var(--w-handoff)",
    ".agk-wb-guardrail": "--c:var(--w-guardrail)",
    ".agk-wb-failed": "--c:var(--no);background:repeating-linear-gradient(135deg,var(--c) 0 3px,"
    f"{_mix('var(--c)', 35)} 3px 6px)!important",
    ".agk-wb-agent.agk-wb-failed": "opacity:.55",
    ".agk-wb-open": "border-radius:2px 0 0 2px;background:repeating-linear-gradient(90deg,var(--c) 0 5px,"
    "transparent 5px 8px)!important",
    ".agk-wt": "display:block;height:100%!important;border:0!important;background:linear-gradient(to left,"
    "var(--jp-content-font-color1,currentColor) 0 2px,color-mix(in srgb,var(--jp-layout-color1,Canvas) 60%,transparent)"
    " 2px)",
    ".agk-wg": "color:var(--s);padding:.1em .3em .1em 1.5em;font-size:.88em;"
    "border-bottom:1px solid color-mix(in srgb,var(--l) 45%,transparent)",
    ".agk-wd": "padding:.2em .3em .7em 1.6em;border-left:2px solid var(--l);margin:0 0 .2em .6em",
    ".agk-wd pre": "max-height:22em;overflow:auto;margin:.15em 0 .4em",
    ".agk-wd pre code": "white-space:pre-wrap;overflow-wrap:anywhere",
    ".agk-wh": "color:var(--s);font-size:.85em;margin-top:.35em",
    ".agk-wi>summary": "color:var(--s)",
}


def _rule(selectors: str, declarations: str) -> str:
    return ",".join(f"div.agk.agk {selector}" for selector in selectors.split(",")) + f"{{{declarations}}}"


WATERFALL_CSS = "".join(
    _rule(selectors, declarations).replace("div.agk.agk .agk-trace", "div.agk.agk.agk-trace")
    for selectors, declarations in _RULES.items()
)
"""The rules."""

WATERFALL_STYLE = f"<style>{WATERFALL_CSS}</style>"
"""The element that carries them."""
