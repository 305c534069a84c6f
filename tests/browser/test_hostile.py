"""Hostile texts in a real browser: live, reopened without a kernel, as somebody else's notebook, and by nbconvert.

Each text tells, in what it would run or fetch, which it is: see `tests/hostile/corpus.py`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Dialog, Page, Request, Route

from agentkit.testing.browser import NotebookPage
from agentkit.testing.fixtures import NotebookOpener

HOSTILE_TESTS = Path(__file__).parents[1] / "hostile"
SECRET = "what-the-reader-keeps-to-himself"

SETUP = f"""%load_ext agentkit
import os, sys
sys.path.insert(0, {str(HOSTILE_TESTS)!r})
os.environ.pop("AGENTKIT_APPROVE", None)
import agentkit
from agentkit.testing import ScriptedModel, message
from agentkit.notebook.display.publish import publish
from corpus import HOSTILE
from every_view import agent_for, as_json, bundles, call_of
from other_views import other_bundles
texts = [hostile.text[:1000] for hostile in HOSTILE if hostile.kind != "size"]
len(texts)"""
# Each text in a run that has it in every place; and of the other views, which take turns, five with each tenth text.
KEPT = """turn = 0
for number, text in enumerate(texts):
    publish((await anext(aiter(bundles(text))))[1])
    if number % 10 == 0:
        every = [each async for each in bundles(text)] + [each async for each in other_bundles(text)]
        for turn in range(turn, turn + 5):
            publish(every[turn % len(every)][1])"""
# One run in which each text is an answer while it streams, a name, arguments and a result.
LIVE = """model = ScriptedModel()
for text in texts:
    model.reply(message(text), call_of("give", as_json(text)), call_of(text, text))
model.reply("\\n\\n".join(texts))
keeper = agent_for(texts[0], tools=agent_for(texts[0]).tools[:1])
keeper.model = model"""
ASK = "%%ask keeper --new --max-turns 1000\nGo on."
CHAT = """for start, text in enumerate(texts[::15]):
    model.reply(call_of("give", as_json(text)), call_of(text, text)).reply(text)
keeper.name = texts[1]
talk = agentkit.chat(keeper, title=texts[2], suggestions=texts[:3])
for text in texts[::15]:
    talk.ask(text);"""
ERRORS = """from agentkit.exceptions import UserError
for text in texts[::3]:
    try:
        raise UserError(text) from ValueError(text)
    except UserError:
        get_ipython().showtraceback()"""
FAILS = "model.reply(ValueError('\\n'.join(texts)))"
CELLS = [SETUP, KEPT, LIVE, ASK, CHAT, ERRORS, FAILS, ASK]

# `top`, as the texts call it: frames that they open would tell, too.
CANARY = "window.__hits = []; window.__hit = (number) => { window.__hits.push(number); }; 0;"
# What is in the outputs that none of our views makes, but each of the front ends' own.
FOUND = """() => {
    const found = [];
    for (const area of document.querySelectorAll('.jp-OutputArea-output, body.jp-Notebook')) {
        for (const element of area.querySelectorAll('.agk, .agk *, pre *')) {
            const tag = element.tagName.toLowerCase();
            if (/^(script|iframe|object|embed|form|link|base|meta|video|audio|frame|frameset|applet|dialog)$/.test(tag)
                && !(tag === 'form' && /^agk-/.test(element.className) && !element.attributes.action))
                found.push(tag);
            for (const { name, value } of element.attributes) {
                if (name.startsWith('on') || name.startsWith('data-commandlinker')) found.push(`${tag} ${name}`);
                // JupyterLab itself makes links of addresses in errors, of data and files too: browsers open neither.
                const schemes = element.closest('.agk') ? /^\\s*(javascript|vbscript|data:text|file|blob)/i
                    : /^\\s*(javascript|vbscript|blob)/i;
                if (schemes.test(value) && /href|src|action/.test(name))
                    found.push(`${tag} ${name}=${value.slice(0, 80)}`);
            }
        }
    }
    return [...new Set(found)];
}"""


class Witness:
    """Notes what a page does at the texts' bidding."""

    def __init__(self, page: Page) -> None:
        self._page = page
        self.noted: list[str] = []
        page.add_init_script(CANARY)
        page.on("dialog", self._note_dialog)
        page.on("request", self._note_request)
        page.on("popup", lambda opened: self.noted.append(f"window {opened.url}"))
        page.on("download", lambda download: self.noted.append(f"download {download.url}"))

    def seen(self) -> list[str]:
        """Return what was noted so far: scripts that ran, requests, dialogs, windows; and what is in the outputs."""
        found: list[str] = self._page.evaluate(FOUND)
        hits: list[int] = self._page.evaluate("window.__hits")
        return [*self.noted, *(f"script of {number}" for number in hits), *found]

    def _note_dialog(self, dialog: Dialog) -> None:
        if dialog.type != "beforeunload":
            self.noted.append(f"{dialog.type} {dialog.message}")

    def _note_request(self, request: Request) -> None:
        if "/api/resolvePath?" in request.url:  # JupyterLab asks whether what looks like a path in an error is one
            return
        if re.search(r"evil\.test|secret|passwd|environ|/files/", request.url):
            self.noted.append(f"request {request.url[:200]}")


@pytest.fixture(scope="module")
def notebook(request: pytest.FixtureRequest, chromium: Browser) -> Iterator[NotebookPage]:
    """A notebook in which all the texts have been shown."""
    opener = NotebookOpener(request, chromium, "hostile")
    page = opener(CELLS)
    for kind in ("txt", "svg", "png"):
        (page.path.parent / f"secret-of-the-reader.{kind}").write_text(f"<svg>{SECRET}</svg>", encoding="utf-8")
    yield page
    opener.close()


@pytest.fixture(scope="module")
def witness(notebook: NotebookPage) -> Witness:
    witness = Witness(notebook.page)
    notebook.page.evaluate(CANARY)
    return witness


def settled(notebook: NotebookPage) -> None:
    """Wait until pictures have come or failed, formulas are set, and the page has nothing to do."""
    notebook.page.wait_for_load_state("networkidle")
    notebook.page.evaluate("new Promise((done) => requestIdleCallback(() => setTimeout(done), { timeout: 5000 }))")


def assert_nothing_happened(notebook: NotebookPage, witness: Witness) -> None:
    settled(notebook)
    assert witness.seen() == []
    assert notebook.outside_requests == []
    assert notebook.console_errors == []
    assert "pwned" not in notebook.page.title()


def test_shown_carelessly_the_texts_would_be_noticed(chromium: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(HOSTILE_TESTS))
    from corpus import EVIL_HOST, HOSTILE

    with chromium.new_context() as context:
        page = context.new_page()
        witness = Witness(page)
        context.route(lambda address: EVIL_HOST in address, lambda route: route.abort())
        page.evaluate(CANARY)
        page.on("dialog", lambda dialog: dialog.dismiss())
        for hostile in HOSTILE:
            if hostile.kind in ("script", "handler", "svg", "remote"):
                page.set_content(f'<div class="jp-OutputArea-output"><div class="agk">{hostile.text}</div></div>')
        seen = witness.seen()
    assert len({each for each in seen if each.startswith("script of")}) > 20
    assert len({each for each in seen if each.startswith("request")}) > 10
    assert [each for each in seen if each.startswith("alert")] != []


def run(notebook: NotebookPage, cells: Sequence[int]) -> None:
    for index in cells:
        notebook.run_cell(index, timeout_s=180)


def test_shown_live(notebook: NotebookPage, witness: Witness) -> None:
    run(notebook, range(len(CELLS)))
    assert int(notebook.text(0).splitlines()[-1]) > 350
    for index in (1, 3, 4):
        assert notebook.output(index).locator(".agk").count() > 0
    assert notebook.outputs(5)[0]["output_type"] == "error"
    assert notebook.outputs(7)[-1]["output_type"] == "error"
    unfold(notebook)
    assert_nothing_happened(notebook, witness)


def unfold(notebook: NotebookPage) -> None:
    """Unfold all details, as a reader could."""
    notebook.page.evaluate("document.querySelectorAll('.agk details').forEach((each) => { each.open = true; })")


@pytest.mark.parametrize("trusted", [True, False], ids=["trusted", "untrusted"])
def test_reopened_without_a_kernel(notebook: NotebookPage, witness: Witness, trusted: bool) -> None:
    notebook.reopen(trusted=trusted)
    assert notebook.is_trusted is trusted
    notebook.output(1).locator(".agk").first.wait_for()
    unfold(notebook)
    assert_nothing_happened(notebook, witness)


@pytest.mark.filterwarnings("ignore:Your element with mimetype")  # the chat's widget: its text is in the output above
def test_converted_to_html(notebook: NotebookPage, chromium: Browser, tmp_path: Path) -> None:
    from nbconvert import HTMLExporter

    saved: dict[str, Any] = notebook.saved()
    assert SECRET not in notebook.path.read_text(encoding="utf-8")
    nowhere = {"mathjax_url": "", "require_js_url": "", "jquery_url": "", "mermaid_js_url": ""}
    html, _ = HTMLExporter(**nowhere).from_notebook_node(saved)
    target = tmp_path / "converted.html"
    target.write_text(html, encoding="utf-8")
    refused: list[str] = []

    def refuse(route: Route) -> None:
        refused.append(route.request.url)
        route.abort()

    with chromium.new_context() as context:
        context.route(lambda address: not address.startswith(("file:", "data:", "blob:")), refuse)
        page = context.new_page()
        witness = Witness(page)
        page.goto(target.as_uri(), wait_until="load")
        assert page.locator(".agk").count() > 350
        page.evaluate("document.querySelectorAll('.agk details').forEach((each) => { each.open = true; })")
        page.wait_for_load_state("networkidle")
        assert witness.seen() == []
        assert page.title() == "Notebook"
        assert [address for address in refused if "evil" in address] == []
