"""What is made of an answer besides showing it: its JSON, its code."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from pydantic import BaseModel

from agentkit.notebook.answers import code_in, json_value

SEVERAL = """First:

```python
x = 1
```

in a shell:

```bash
pip install it
```

- and in a list:

  ```py
  print(x)
  ```

~~~Python3
y = '''
```
'''
~~~
"""


class City(BaseModel):
    name: str
    inhabitants: int


@dataclass
class Point:
    x: float
    y: float


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (SEVERAL, "x = 1\n\nprint(x)\n\ny = '''\n```\n'''"),
        ("```\nx = 1\n```", "x = 1"),
        ("```\n$ pip install it\n```", ""),
        ("```\nls\n```\n\n```python\nx = 1\n```", "x = 1"),
        ("```{python}\nx = 1\n```", "x = 1"),
        ('```python title="a.py"\nx = 1\n```', "x = 1"),
        ("```python\nx = 1", "x = 1"),
        ("```python\n\n```", ""),
        ("```javascript\nlet x = 1\n```", ""),
        ("Just `x = 1`.", ""),
        ("", ""),
    ],
    ids=["several", "unnamed", "no Python", "named first", "braces", "a title", "unclosed", "empty", "other", "inline",
         "nothing"],
)  # fmt: skip
def test_the_code_of_an_answer_is_that_of_its_blocks(text: str, code: str) -> None:
    assert code_in(text, "python") == code


def test_code_of_another_kernels_language_is_found_by_its_name() -> None:
    assert code_in("```r\nx <- 1\n```\n\n```\ny = 1\n```", "r") == "x <- 1"


@pytest.mark.parametrize(
    ("output", "value"),
    [
        ('{"a": [1, null]}', {"a": [1, None]}),
        ("  7\n", 7),
        ('Here it is:\n\n```json\n{"a": 1}\n```\n', {"a": 1}),
        ("```\n[1, 2]\n```", [1, 2]),
        (City(name="Oslo", inhabitants=709_000), {"name": "Oslo", "inhabitants": 709_000}),
        ([Point(1.0, 2.0)], [{"x": 1.0, "y": 2.0}]),
        ({"a": (1, 2)}, {"a": [1, 2]}),
    ],
)
def test_an_answer_stands_for_json(output: object, value: object) -> None:
    assert json_value(output) == value


@pytest.mark.parametrize(
    ("output", "why"),
    [
        ("Sunny.", "expecting value in line 1, column 1"),
        ('{"a": NaN}', "NaN is no JSON"),
        ("```json\n1\n```\n```json\n2\n```", "expecting value in line 1, column 1"),
        ("```json\n{\n```", "expecting property name enclosed in double quotes in line 2, column 1"),
        ("[" * 100_000, "maximum recursion depth"),
        (object(), "an object has no JSON form"),
    ],
    ids=["text", "NaN", "two blocks", "a broken block", "very deep", "an object"],
)
def test_why_an_answer_is_no_json_is_told(output: object, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        json_value(output)
