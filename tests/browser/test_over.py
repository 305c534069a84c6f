"""One run for each row, as a reader sees it: the bar, Stop, and what is kept."""

from __future__ import annotations

from surfaces import App, Notebooks, Theme, on_both_surfaces, picture

SETUP = '''%load_ext agentkit
import asyncio, json
import pandas as pd
from typing import Literal
from pydantic import BaseModel
from agentkit import Agent
from agentkit.testing import ScriptedModel

class Review(BaseModel):
    mood: Literal["good", "bad"]
    topics: list[str]

class Judge(ScriptedModel):
    """Answers the first 40 rows, save one; the others only once they may."""
    may = False
    async def get_response(self, system_instructions, input, *args, **options):
        number = int(input[-1]["content"].split()[-1])
        if number >= 40 and not self.may:
            await asyncio.Event().wait()
        answer = {"mood": "good" if number % 3 else "bad", "topics": ["tea", f"cup {number}"]}
        self.reply(json.dumps(answer) if number != 5 or self.may else ValueError("the cup <b>broke</b>"))
        return await super().get_response(system_instructions, input, *args, **options)

model = Judge()
judge = Agent(name="judge", model=model, output_type=Review)
reviews = pd.DataFrame({"text": [f"This is review {n}" for n in range(60)], "shop": "Oslo"})'''
FIRST = "%%ask judge --over reviews --afresh --out judged\n{{text}}"
AGAIN = "%%ask judge --over reviews --out judged\n{{text}}"


@on_both_surfaces
def test_a_batch_that_is_stopped_keeps_its_rows_and_goes_on(notebook_with: Notebooks, app: App, theme: Theme) -> None:
    counts = "model.requests.clear(); model.may = True; judged['status'].value_counts().to_dict()"
    cells = [SETUP, FIRST, counts, AGAIN, "len(model.requests), judged.attrs['batch']['reused']", "judged.head(2)"]
    notebook = notebook_with(cells, app=app, theme=theme)
    notebook.run_cell(0)
    before = notebook.start_cell(1)
    notebook.output(1).locator("progress[value='40'][max='60']").wait_for()
    assert "40 of 60 · 1 failed" in notebook.text(1)
    picture(notebook, "over-live", 1)
    notebook.output(1).get_by_role("button", name="Stop").click()
    notebook.wait_until_done(1, before=before)
    picture(notebook, "over-stopped", 1)
    assert "Stopped: 39 of 60 rows have their answer, and are kept: run it again to go on." in notebook.text(1)
    assert notebook.output(1).locator("progress").count() == 0
    notebook.run_cell(2)
    assert notebook.text(2) == "{'ok': 39, 'cancelled': 20, 'failed': 1, 'waiting': 0, 'skipped': 0}"
    notebook.run_cell(3)
    notebook.run_cell(4)
    notebook.run_cell(5)
    assert notebook.text(4) == "(21, 39)"
    assert "judge · scripted · 60 rows" in notebook.text(3)
    picture(notebook, "over-kept", 3)
    picture(notebook, "over-window")
