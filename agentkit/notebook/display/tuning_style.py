"""The rules of what fine-tuning shows, beside those of all views; the live view has the same."""

from __future__ import annotations

__all__ = ["TUNING_CSS", "TUNING_STYLE"]


def _readable(colour: str, share: int = 82) -> str:
    """Return a colour with some of the text's, so that it stands out from a light and from a dark ground."""
    return f"color-mix(in srgb,{colour} {share}%,var(--jp-content-font-color1,currentColor))"


# Colours that people of all kinds of sight tell apart (Okabe and Ito); the first two are training and validation.
_COLOURS = {
    ".agk-p1": "#1f83d6", ".agk-p2": "#e07a12", ".agk-p3": "#119d76", ".agk-p4": "#c0639b", ".agk-p5": "#7a6fd0",
    ".agk-p6": "#8d8a12",
}  # fmt: skip

# A plot is hidden where these rules are dropped (a notebook that isn't trusted: its words would be left without the
# lines), and the line of text beside it is hidden where they are not.
_RULES = {
    ".agk-tune": "max-width:62em",
    **{name: f"color:{_readable(colour)}" for name, colour in _COLOURS.items()},
    # the head
    ".agk-th": "display:flex;flex-wrap:wrap;align-items:center;gap:.2em .7em",
    ".agk-th .agk-h": "overflow-wrap:anywhere",
    ".agk-pill": "font-size:.82em;line-height:1.5;padding:0 .7em;border-radius:1em;white-space:nowrap;"
    "border:1px solid color-mix(in srgb,currentColor 45%,transparent);"
    "background:color-mix(in srgb,currentColor 7%,transparent)",
    ".agk-on": f"color:{_readable('#1f83d6', 68)}",
    ".agk-wait": f"color:{_readable('#b57b00', 62)}",
    ".agk-pill.agk-ok": f"color:{_readable('var(--ok)', 72)}",
    ".agk-pill.agk-no": f"color:{_readable('var(--no)', 72)}",
    ".agk-tb": "display:flex;flex-wrap:wrap;align-items:center;gap:.1em .8em;margin:.45em 0 0;"
    "font-variant-numeric:tabular-nums",
    ".agk-tb .agk-bar": f"flex:1 1 14em;max-width:26em;height:.85em;accent-color:{_readable('#1f83d6')}",
    ".agk-tn": "color:var(--s);font-size:.92em;overflow-wrap:anywhere",
    ".agk-tn code": "font-size:.95em",
    ".agk-te": "border:1px solid color-mix(in srgb,var(--no) 60%,transparent);border-left:3px solid var(--no);"
    "border-radius:4px;padding:.35em .8em;margin:.6em 0 0;overflow-wrap:anywhere",
    # the plots
    ".agk-plots": "display:flex;flex-wrap:wrap;gap:.5em 1.6em;margin:.7em 0 0",
    ".agk-fig": "margin:0;flex:0 1 auto;min-width:0",
    ".agk-drawn": "display:block!important",
    ".agk-plot": "display:block",
    ".agk-spark": "display:none",
    ".agk-plot text": "fill:var(--jp-content-font-color2,var(--s));font-size:11px;"
    "font-family:var(--jp-ui-font-family,system-ui,sans-serif);font-variant-numeric:tabular-nums;stroke:none",
    ".agk-plot .agk-pt": "fill:currentColor;font-size:12px;font-weight:600",
    ".agk-pg": "stroke:color-mix(in srgb,currentColor 13%,transparent);stroke-width:1;shape-rendering:crispEdges",
    ".agk-pb": "stroke:color-mix(in srgb,currentColor 38%,transparent);stroke-width:1;shape-rendering:crispEdges",
    ".agk-pm": "stroke:color-mix(in srgb,currentColor 40%,transparent);stroke-width:1;stroke-dasharray:1.5 3",
    ".agk-plot polyline": "fill:none;stroke:currentColor;stroke-linejoin:round;stroke-linecap:round",
    ".agk-pl": "stroke-width:1.8",
    ".agk-pr": "stroke-width:1;opacity:.32",
    ".agk-pd": "stroke-dasharray:5 3",
    ".agk-po": "fill:currentColor;stroke:var(--jp-layout-color1,Canvas);stroke-width:1.2",
    ".agk-keys": "display:flex;flex-wrap:wrap;gap:.1em 1.4em;margin:.15em 0 0 2px;font-size:.88em;color:var(--s)",
    ".agk-key": "overflow-wrap:anywhere;font-variant-numeric:tabular-nums",
    ".agk-key strong": "font-weight:600;color:var(--jp-content-font-color1,inherit)",
    ".agk-tm": "margin:.45em 0 0;overflow-wrap:anywhere",
    ".agk-hr": "fill:color-mix(in srgb,currentColor 72%,transparent)",
    ".agk-hc": "width:10em",
    ".agk-hb": "height:.7em;margin-top:.4em;border-radius:2px;"
    "background:color-mix(in srgb,currentColor 72%,transparent)",
    ".agk-ex": "margin:.7em 0 0;border-left:2px solid var(--l);padding-left:.8em",
    ".agk-tx": "white-space:pre-wrap;overflow-wrap:anywhere",
    # numbers and lists
    ".agk-tt": "font-size:.92em;margin:.5em 0 0;border-collapse:collapse",
    ".agk-tt th": "font-weight:600;font-size:.92em;color:var(--s)",
    ".agk-tt td,.agk-tt th": "padding:.15em 1.1em .15em 0;border:0;border-bottom:1px solid "
    "color-mix(in srgb,var(--l) 45%,transparent);font-variant-numeric:tabular-nums",
    ".agk-tt code,.agk-tt td:first-child": "white-space:nowrap",
    ".agk-tr": "margin:.5em 0 0;font-size:.92em",
    ".agk-tr>summary": "color:var(--s)",
    ".agk-tr>summary::before": 'content:"▸ "',
    ".agk-tr[open]>summary::before": 'content:"▾ "',
    ".agk-tv": "list-style:none;margin:.2em 0 0;padding:0 0 0 1.1em;max-height:14em;overflow:auto",
    ".agk-tv>li": "margin:0;overflow-wrap:anywhere;font-variant-numeric:tabular-nums",
}


def _rule(selectors: str, declarations: str) -> str:
    if selectors == ".agk-tune":
        return f"div.agk.agk{selectors}{{{declarations}}}"
    return ",".join(f"div.agk.agk {selector}" for selector in selectors.split(",")) + f"{{{declarations}}}"


TUNING_CSS = "".join(_rule(selectors, declarations) for selectors, declarations in _RULES.items())
"""The rules."""

TUNING_STYLE = f"<style>{TUNING_CSS}</style>"
"""The element that carries them."""
