"""Formulas as MathML."""

from __future__ import annotations

import re
from xml.etree import ElementTree

import pytest

from agentkit.notebook.display.markdown import render_markdown
from agentkit.notebook.display.math import mathml, typeset
from agentkit.notebook.display.style import CONTROLS_CSS


def inner(source: str, *, block: bool = False) -> str | None:
    """A formula without the two elements around all of them."""
    shown = mathml(source, display="block" if block else "inline")
    return shown and re.sub(r"^<math[^>]*><mrow>|</mrow></math>$", "", shown)


@pytest.mark.parametrize(
    ("source", "shown"),
    [
        ("x^2", "<msup><mi>x</mi><mn>2</mn></msup>"),
        (r"\frac12", "<mfrac><mn>1</mn><mn>2</mn></mfrac>"),
        ("a<b", "<mi>a</mi><mo>&lt;</mo><mi>b</mi>"),
        (r"\mathbb{R}", "<mi>ℝ</mi>"),
        (r"\mathcal{LM}", "<mrow><mi>ℒ</mi><mi>ℳ</mi></mrow>"),
        (r"\mathbf{x}", "<mi>𝐱</mi>"),
        (r"\mathrm{d}", '<mrow><mi mathvariant="normal">d</mi></mrow>'),
        (r"\text{if }x", "<mtext>if\u00a0</mtext><mi>x</mi>"),
        (r"\boxed{x}", '<mrow class="agk-box"><mrow><mi>x</mi></mrow></mrow>'),
        (r"\cancel{x}", '<mrow class="agk-cut"><mrow><mi>x</mi></mrow></mrow>'),
        (r"\color{red}x", '<mstyle mathcolor="red"><mi>x</mi></mstyle>'),
    ],
)
def test_a_formula_is_written_in_elements(source: str, shown: str) -> None:
    assert inner(source) == shown


def test_operators_have_their_limits_above_and_below_where_there_is_room() -> None:
    limits = "<mo>∑</mo><mi>i</mi><mi>n</mi>"
    assert inner(r"\sum_i^n", block=True) == f"<munderover>{limits}</munderover>"
    assert inner(r"\sum_i^n") == f"<msubsup>{limits}</msubsup>"
    assert (inner(r"\lim_x", block=True) or "").startswith("<munder>")


@pytest.mark.parametrize(
    "environment", ["align", "align*", "aligned", "gather", "equation", "cases", "pmatrix", "bmatrix", "split"]
)
def test_environments_that_answers_have_are_known(environment: str) -> None:
    shown = mathml(rf"\begin{{{environment}}} a = b \end{{{environment}}}", display="block")
    assert shown is not None
    assert "<mi>a</mi>" in shown
    assert "begin" not in shown


@pytest.mark.parametrize(
    "source",
    [
        "",
        r"\unknown{x}",
        r"\frac{a}",
        r"\begin{tikzpicture}x\end{tikzpicture}",
        r"\href{https://example.org}{x}",
        r"\style{color:red}{x}",
        r"\def\x{\x\x}\x",
        r"\newcommand{\x}{y}\x",
        r"\includegraphics{x.png}",
        r"\HREF{javascript:alert(1)}{x}",
        "{" * 100 + "x" + "}" * 100,
        "x" * 1_001,
        r"\begin{matrix}" + "&" * 300 + r"\end{matrix}",
        r"\sqrt" * 150 + "x",
    ],
    ids=range(14),
)
def test_what_is_no_formula_or_too_much_of_one_is_not_typeset(source: str) -> None:
    assert mathml(source) is None


@pytest.mark.parametrize(
    "source",
    [
        r"\rule{999em}{999em}",
        r"\hspace{9999em}x",
        r"\kern999em x",
        r"\color{url(https://example.org)}x",
        r"\textcolor{expression(alert(1))}{x}",
        r'\text{"><img src=x onerror=alert(1)>}',
        r"\mathop{</mo><script>alert(1)</script>}",
        r"\text{&#x3c;script&#x3e;}",
        r"{\Huge {\Huge {\Huge x}}}",
    ],
)
def test_of_anything_else_only_what_can_be_looked_at_is_left(source: str) -> None:
    shown = mathml(source)
    if shown is None:
        return
    for element in ElementTree.fromstring(shown).iter():
        assert re.fullmatch("math|m[a-z]+", element.tag)
        for name, value in element.attrib.items():
            assert not name.startswith("on")
            assert name not in ("href", "src", "style", "id", "xlink:href", "actiontype")
            assert not re.search(r"\d{3}|[(:]", value)
    assert shown.count("mathsize") <= 1


def test_classes_of_formulas_have_their_rules() -> None:
    for name in ("agk-box", "agk-cut", "agk-left", "agk-right"):
        assert f".{name}" in CONTROLS_CSS


def test_an_answer_full_of_formulas_stays_small() -> None:
    shown = typeset([f"$x_{{{n}}}^2$" for n in range(5_000)])
    assert shown[0].startswith("<math")
    assert shown[-1] == "<code><span>$</span>x_{4999}^2<span>$</span></code>"


def test_in_markdown_formulas_are_typeset_where_no_mathjax_runs() -> None:
    text = "Let $x^2$, **so**:\n\n$$\\frac12$$\n\n`$y$` costs $5 or \\$6."
    shown = render_markdown(text, math="mathml")
    assert shown.count("<math") == 2
    assert f"<p>Let {mathml('x^2')}, <strong>so</strong>:</p>" in shown
    assert (mathml(r"\frac12", display="block") or "-") in shown
    assert "$x^2$" in render_markdown(text)


def test_an_environment_without_signs_is_a_formula_too() -> None:
    source = "\\begin{align}\na &= b \\\\\n  &= c\n\\end{align}"
    assert render_markdown(f"So:\n{source}") == f"<p>So:\n{source.replace('&', '&amp;')}</p>\n"
    assert render_markdown(source, math="mathml") == f"<p>{mathml(source, display='block')}</p>\n"
    assert "<math" not in render_markdown(source.replace("end{align}", "end{split}"), math="mathml")


def test_in_markdown_what_can_not_be_typeset_is_code() -> None:
    shown = render_markdown(r"See $\unknown{<b>}$.", math="mathml")
    assert shown == ("<p>See <code><span>$</span>\\unknown{&lt;b&gt;}<span>$</span></code>.</p>\n")


def test_a_formula_can_not_be_forged() -> None:
    shown = render_markdown('agentkit-0; <math href="javascript:alert(1)"><mi>x</mi></math> $x$', math="mathml")
    assert shown.count("<math") == 1
    assert "&lt;math" in shown
