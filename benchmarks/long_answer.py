"""A long answer of a model, always the same: prose, lists, tables, code and mathematics."""

from __future__ import annotations

__all__ = ["LONG_ANSWER", "PACED_MODEL", "long_answer"]

_SECTION = """## {number}. How the tide of day {number} was reckoned

The harbour of station **{number}** lies open to the *west*, so that the swell of the evening comes in against the
stream, and whoever reads the gauge then will read it {number} mm too high. See the
[tables of the port](https://example.org/port/{number}), where `level_mm` is corrected for it by
$h_{{{number}}} = a \\cos(\\omega t + \\varphi_{{{number}}})$, and for the pressure of the air by a further term that
nobody has measured well.

1. Read the gauge at the turn of the stream, not at the turn of the tide.
2. Take away what the swell has added:
   - by night all of it,
   - by day **half** of it, since the wind falls off towards noon.
3. Write down the level in millimetres, the hour, and who has read it.

| hour | level in mm | stream in cm/s | read by |
|-----:|------------:|---------------:|---------|
{rows}

```python
def level_{number}(hour: float, *, pressure_hpa: float = 1013.25) -> float:
    \"\"\"Return the level at station {number} in mm, {number} days after the new moon.\"\"\"
    amplitude, phase = {amplitude}, {phase:.3f}
    tide = amplitude * math.cos(2 * math.pi * hour / 12.42 + phase)
    return tide - 9.95 * (pressure_hpa - 1013.25)  # one hPa presses the water down by a centimetre
```

> The keeper of the light says that none of this holds in a storm, and that he would rather look out of the window.

"""


def _section(number: int) -> str:
    rows = "\n".join(
        f"| {hour:02d}:00 | {1000 + (number * 37 + hour * 113) % 900} | {(number * 13 + hour * 7) % 90} | keeper |"
        for hour in range(0, 24, 3)
    )
    return _SECTION.format(number=number, rows=rows, amplitude=700 + number, phase=number / 7)


def long_answer(chars: int = 80_000) -> str:
    """Return an answer of so many characters; a token is about four of them."""
    text, number = "# The tides of a month, day by day\n\n", 0
    while len(text) < chars:
        number += 1
        text += _section(number)
    return text[:chars]


LONG_ANSWER = "long_answer.md"
"""The file, in the notebook's folder, from which the cell below reads it."""

PACED_MODEL = f'''
import asyncio, pathlib
from agentkit import Agent
from agentkit.testing import ScriptedModel

class Paced(ScriptedModel):
    """Says its replies at a pace, four characters being a token."""
    tokens_per_s = 2000

    async def stream_response(self, *args, **options):
        began, said = None, 0
        async for event in super().stream_response(*args, **options):
            if event.type == "response.output_text.delta":
                began = began or asyncio.get_running_loop().time()
                said += len(event.delta)
                ahead = said / 4 / self.tokens_per_s - (asyncio.get_running_loop().time() - began)
                if ahead > 0.005:
                    await asyncio.sleep(ahead)
            yield event

model = Paced()
answer = pathlib.Path("{LONG_ANSWER}").read_text(encoding="utf-8")
reader = Agent(name="reader", instructions="You read aloud.", model=model)
'''
"""A cell that defines `model`, which replies at `model.tokens_per_s`, the text `answer` and the agent `reader`."""
