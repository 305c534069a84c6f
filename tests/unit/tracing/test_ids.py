from __future__ import annotations

import os
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest

from agentkit.exceptions import UserError
from agentkit.tracing import gen_group_id, gen_span_id, gen_trace_id, trace


@pytest.mark.parametrize(
    ("make", "form"),
    [
        (gen_trace_id, r"trace_[0-9a-f]{32}"),
        (gen_span_id, r"span_[0-9a-f]{24}"),
        (gen_group_id, r"group_[0-9a-f]{24}"),
    ],
)
def test_made_up_ids_have_the_documented_form_and_differ(make, form) -> None:
    ids = {make() for _ in range(1000)}
    assert len(ids) == 1000
    assert all(re.fullmatch(form, each) for each in ids)


def test_a_given_trace_id_of_letters_and_digits_is_kept() -> None:
    given = "trace_" + "aZ09" * 8
    assert trace("w", trace_id=given).trace_id == given


@pytest.mark.parametrize(
    "wrong",
    ["", "trace_", "my-run", "trace_" + "a" * 31, "trace_" + "a" * 33, "trace_" + "-" * 32, "trace_" + "ä" * 32],
)
@pytest.mark.parametrize("disabled", [False, True])
def test_a_trace_id_of_another_form_is_refused_with_what_to_do(wrong: str, disabled: bool) -> None:
    with pytest.raises(UserError, match=re.escape(f"not {wrong!r}") + ".*gen_trace_id"):
        trace("w", trace_id=wrong, disabled=disabled)


def test_threads_never_get_the_same_span_id() -> None:
    with ThreadPoolExecutor(8) as threads:
        made = list(threads.map(lambda _: [gen_span_id() for _ in range(1_000)], range(8)))
    assert len({each for ids in made for each in ids}) == 8_000


FORK = """
import os, sys
from agentkit.tracing import gen_span_id
gen_span_id()
read, write = os.pipe()
child = os.fork()
ids = "".join(gen_span_id() + "\\n" for _ in range(100))
if child == 0:
    os.write(write, ids.encode())
    os._exit(0)
assert os.waitpid(child, 0)[1] == 0
print(len(set(ids.split()) | set(os.read(read, 65536).decode().split())))
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="has no fork")
def test_a_forked_child_never_gets_the_same_span_ids_as_its_parent() -> None:
    done = subprocess.run([sys.executable, "-c", FORK], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout == "200\n"
