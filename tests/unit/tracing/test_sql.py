"""`agentkit.sql`: what it refuses, and that it can be interrupted."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from agentkit.exceptions import UserError
from agentkit.records.sql import sql
from agentkit.tracing import custom_span, flush_traces, store_path, trace

INTERRUPTED = """
import _thread, threading, sys
from agentkit.records.sql import sql
sql("select 1")  # imports what it takes
timer = threading.Timer(0.3, _thread.interrupt_main)
timer.start()
try:
    if sys.argv[1] == "first row":
        sql("with recursive n(x) as (select 1 union all select x + 1 from n) select count(*) from n")
    else:
        sql("with recursive n(x) as (select 1 union all select x + 1 from n) select x from n where x = 1 or x < 0")
except KeyboardInterrupt:
    print("interrupted")
timer.join()
print(sql("select 1 as one")["one"][0])
"""


@pytest.mark.parametrize("where", ["first row", "later rows"])
def test_a_query_without_an_end_can_be_interrupted(where: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", INTERRUPTED, where], capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.stdout, done.stderr) == ("interrupted\n1\n", "")


SEARCH_INTERRUPTED = """
import _thread
from agentkit.records.frames import spans
from agentkit.tracing import custom_span, searching, trace
with trace("w"), custom_span("c", {"text": "x"}) as span:
    span.set_error({"message": "no", "data": None})
loads = searching.loads
def interrupted(text):
    _thread.interrupt_main()
    return loads(text)
searching.loads = interrupted
try:
    spans(text="no")
except KeyboardInterrupt:
    print("interrupted")
"""


def test_a_search_for_a_text_can_be_interrupted() -> None:
    done = subprocess.run(
        [sys.executable, "-c", SEARCH_INTERRUPTED], capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.stdout, done.stderr) == ("interrupted\n", "")


@pytest.mark.parametrize("params", ["response", b"response", 5, {1, 2}, None])
def test_params_that_are_no_list_and_no_dictionary_are_told(params: Any) -> None:
    with pytest.raises(UserError, match=r"params is a list of values for the \? in the query, or a dictionary"):
        sql("select ?", params)


def test_params_by_place_and_by_name() -> None:
    assert sql("select ? as a, ? as b", ["x", 1]).to_numpy().tolist() == [["x", 1]]
    assert sql("select :a as a", {"a": "x"}).to_numpy().tolist() == [["x"]]


def test_a_home_that_cannot_be_made_is_a_clear_error(home: Path) -> None:
    home.write_text("in the way")
    with pytest.raises(UserError, match=r"(?s)traces\.sqlite3 can't be made .*AGENTKIT_HOME"):
        sql("select 1")


def test_a_folder_in_place_of_the_file_is_a_clear_error() -> None:
    store_path().mkdir(parents=True)
    with pytest.raises(UserError, match=r"(?s)traces\.sqlite3 can't be made \(unable to open database file\)"):
        sql("select 1")


@pytest.mark.parametrize("query", ["vacuum", "delete from traces", "create table x (y)", "attach 'x' as x"])
def test_what_changes_something_is_refused(query: str) -> None:
    with trace("w"), custom_span("c"):
        pass
    flush_traces()
    with pytest.raises(UserError):
        sql(query)
    assert sql("select count(*) as n from traces")["n"][0] == 1


def test_what_sqlite_says_ends_in_one_point() -> None:
    with trace("w"):
        pass
    flush_traces()
    with pytest.raises(UserError, match=r"one statement at a time\. The tables are") as refused:
        sql("select 1; select 2")
    assert ".." not in str(refused.value)
