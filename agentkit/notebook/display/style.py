"""The one stylesheet of all views, in the colours of the notebook's theme.

It goes out with every output, since an output has to look right alone, in a saved file too: so it is short. Where a
viewer drops it (GitHub does), what is left is plain HTML in a sensible order.
"""

from __future__ import annotations

__all__ = ["BENEATH_STYLE", "CONTROLS_CSS", "CSS", "KEPT_STYLE", "STYLE"]


def _in_colour(kind: str, fallback: str) -> str:
    """Return the colour of a kind of token in the theme's editor."""
    return f"--c:var(--jp-mirror-editor-{kind}-color,{fallback})"


# Selectors below an output's outermost element. JupyterLab styles bare elements by up to two classes and an element;
# with `div.agk.agk` before them these win.
_RULES = {
    "": "--s:var(--jp-ui-font-color2,var(--vscode-descriptionForeground,#888));--f:rgba(128,128,128,.08);"
    "--l:var(--jp-border-color2,rgba(128,128,128,.35));"
    "--ok:color-mix(in srgb,var(--jp-success-color1,#2e9e44) 85%,currentColor);"
    "--no:color-mix(in srgb,var(--jp-error-color1,#d64541) 85%,currentColor);"
    "--m:var(--jp-code-font-family,ui-monospace,Menlo,Consolas,monospace);"
    "max-width:60em;line-height:1.5",
    # the answer; of a long one, what nobody has scrolled to yet is laid out later
    ".agk-a>:nth-child(n+40)": "content-visibility:auto;contain-intrinsic-size:auto 6em",
    ".agk-a>:first-child": "margin-top:0",
    ".agk-a>:last-child": "margin-bottom:0",
    "h1,h2,h3": "font-size:1.1em;font-weight:600;margin:.8em 0 .4em",
    "h1": "font-size:1.4em",
    "h2": "font-size:1.25em",
    "pre": "background:var(--f);border-radius:4px;padding:.5em .8em;margin:.5em 0;overflow-x:auto;line-height:1.4",
    "code": "font-family:var(--m)",
    "pre code": "background:none;padding:0;white-space:pre",
    "blockquote": "margin:.5em 0;padding:0 0 0 .9em;border-left:3px solid var(--l)",
    "table": "margin:.5em 0",
    "td,th": "text-align:left;vertical-align:top",
    # the steps
    ".agk-s": "margin:.6em 0 0;border-left:2px solid var(--l);padding-left:.7em;font-size:.93em",
    ".agk-s>*": "padding:.05em 0",
    ".agk-s>div,.agk-r>summary": "white-space:nowrap;overflow:hidden;text-overflow:ellipsis",
    "details": "margin:0",
    "summary": "cursor:pointer;list-style:none",
    "summary::-webkit-details-marker": "display:none",
    ".agk-r>summary": "position:relative;padding-right:1.3em",
    ".agk-r>summary::after": 'content:"▸";position:absolute;right:.2em;top:0;color:var(--s)',
    ".agk-r[open]>summary::after": 'content:"▾"',
    ".agk-r>summary:hover": "background:var(--f);border-radius:3px",
    ".agk-r pre": "max-height:16em;overflow:auto;margin:.3em 0 .5em 1.3em",
    ".agk-r pre code": "white-space:pre-wrap",
    ".agk-m": "display:inline-block;width:1em;color:var(--s)",
    ".agk-ok": "color:var(--ok)",
    ".agk-no": "color:var(--no)",
    ".agk-d": "color:var(--s)",
    ".agk-n": "font-family:var(--m);font-weight:600;font-size:.95em",
    ".agk-g": "font-family:var(--m);font-size:.9em;color:var(--s)",
    ".agk-f": "margin-top:.5em;font-size:.82em;color:var(--s)",
    # cards
    ".agk-c": "border:1px solid var(--l);border-radius:6px;padding:.6em .9em;display:inline-block;min-width:22em;"
    "box-sizing:border-box",
    ".agk-h": "font-size:1.05em;font-weight:600",
    ".agk-k": "display:grid;grid-template-columns:max-content 1fr;gap:.15em 1em;margin:.5em 0 0",
    "dt": "font-weight:400;color:var(--s);float:none;width:auto",
    "dd": "margin:0;float:none;width:auto",
    # rows
    ".agk-w": "overflow-x:auto",
    ".agk-bar": "width:100%;max-width:30em;accent-color:var(--ok)",
    ".agk-p": "white-space:pre-wrap;margin:.35em 0 0",
    # values
    "dd>*": "margin:0",
    # code in colour, with some of the text's so that it can be read
    "code [class]": "color:color-mix(in srgb,var(--c) 75%,currentColor)",
    ".k": _in_colour("keyword", "#7a3e9d"),
    ".s": _in_colour("string", "#b5433a"),
    ".c": _in_colour("comment", "#5f8787") + ";font-style:italic",
    ".m": _in_colour("number", "#2a7f3f"),
    ".f": _in_colour("def", "#1f66c1"),
    ".b": _in_colour("builtin", "#2a7f3f"),
    ".d": "--c:var(--no)",
    ".i": "--c:var(--ok)",
}


def _rule(selectors: str, declarations: str) -> str:
    return ",".join(f"div.agk.agk {selector}".rstrip() for selector in selectors.split(",")) + f"{{{declarations}}}"


CSS = "".join(_rule(selectors, declarations) for selectors, declarations in _RULES.items())
"""The rules."""

STYLE = f"<style>{CSS}</style>"
"""The element that carries them."""

_CONTROLS = {
    "": "--e:color-mix(in srgb,currentColor 32%,transparent)",
    ".agk-button": "font:inherit;color:inherit;background:none;cursor:pointer;padding:.05em .7em;"
    "border:1px solid var(--e);border-radius:4px;line-height:1.6",
    ".agk-button:hover:enabled": "background:var(--f)",
    ".agk-button:disabled": "opacity:.55;cursor:default",
    ".agk-button:focus-visible,input:focus-visible": "outline:2px solid var(--jp-brand-color1,#1976d2);"
    "outline-offset:1px",
    ".agk-stop": "margin-left:.8em",
    ".agk-ask": "border:1px solid var(--l);border-left:3px solid var(--jp-warn-color1,#d98b00);border-radius:4px;"
    "padding:.5em .8em;margin:.5em 0",
    ".agk-lag": "border:1px solid var(--jp-warn-color1,#d98b00);border-radius:4px;padding:.4em .8em;margin:.5em 0;"
    "overflow-wrap:anywhere",
    ".agk-again": "user-select:all",
    ".agk-row": "display:flex;flex-wrap:wrap;gap:.5em;align-items:center;margin-top:.4em",
    # fonts that have signs of all sizes; as high as MathJax's beside text
    "math": 'font-family:"Latin Modern Math","STIX Two Math","Cambria Math","DejaVu Math TeX Gyre",math;'
    "font-size:1.15em;overflow-x:auto;overflow-y:hidden;max-width:100%",
    # what browsers don't read from MathML's own attributes
    "math .agk-box": "border:1px solid;padding:.2em .3em",
    "math .agk-cut": "background:linear-gradient(to top right,transparent 47%,currentColor 47%,currentColor 53%,"
    "transparent 53%)",
    "math .agk-left": "text-align:left",
    "math .agk-right": "text-align:right",
    ".agk-approve": "border-color:var(--ok);color:var(--ok);font-weight:600",
    ".agk-reject": "border-color:var(--no);color:var(--no)",
    ".agk-reason": "flex:1 1 14em;min-width:8em;font:inherit;color:inherit;background:none;padding:.1em .5em;"
    "border:1px solid var(--e);border-radius:4px",
}

CONTROLS_CSS = "".join(_rule(selectors, declarations) for selectors, declarations in _CONTROLS.items())
"""The rules of buttons and fields, which only widgets have."""

# A notebook keeps a widget as a reference to something in the kernel. Once that is gone, JupyterLab writes "Loading
# widget..." (no kernel) or "Error displaying widget: model not found" (another one) in its place; beneath an output
# that says all there is to say, nothing is better. Of all outputs only a widget's has no data-mime-type.
_NO_DEAD_CONTROL = (
    ".jp-OutputArea-child:has(.agk-kept)+.jp-OutputArea-child:has(>.lm-Panel:not([data-mime-type]))"
    ":not(:has(.agk-control)){display:none}"
)

# The same for a control that is an earlier output of the cell; as long as it is there, nothing is needed beneath it.
_NO_DEAD_CONTROL_ABOVE = (
    ".jp-OutputArea-child:has(>.lm-Panel:not([data-mime-type])):not(:has(.agk-control))"
    ":has(~.jp-OutputArea-child .agk-beneath),"
    ".jp-OutputArea-child:has(.agk-live)~.jp-OutputArea-child:has(.agk-beneath){display:none}"
)

KEPT_STYLE = f"<style>{_NO_DEAD_CONTROL}</style>"
"""The element for a kept output (class `agk-kept`) whose control (`agk-control`) is the cell's next output."""

BENEATH_STYLE = f"<style>{_NO_DEAD_CONTROL_ABOVE}</style>"
"""The element for an output (class `agk-beneath`) that stands in for its control, an earlier output of the cell."""
