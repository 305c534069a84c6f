import pickle

import pytest

from agentkit import ModelStatusError, UserError


def raised(source: str) -> UserError:
    with pytest.raises(UserError) as caught:
        exec(compile(source, "cell", "exec"), {"__name__": "__main__"})
    return caught.value


def test_a_notebook_shows_what_is_wrong_and_where_and_all_of_it_when_asked_again() -> None:
    error = raised("from agentkit import Runner\n\nRunner.run_sync('a', 'Hi')")
    what, where = error._render_traceback_()
    assert "Runner needs an Agent to start with" in what
    assert where == "Line 3 of the cell; %tb shows the whole traceback."
    assert "Traceback (most recent call last)" in "".join(error._render_traceback_())


def test_errors_survive_pickling() -> None:
    error = pickle.loads(pickle.dumps(ModelStatusError("busy", status_code=429, hint="Wait.")))
    assert (str(error), error.status_code) == ("busy Wait.", 429)
