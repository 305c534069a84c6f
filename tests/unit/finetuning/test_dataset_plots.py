"""Data sets are drawn: how long examples are, how many turns they have, and what they answer."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import matplotlib
import pytest

matplotlib.use("agg")
import matplotlib.pyplot as plt

from agentkit import FineTuningDataset, UserError
from tests.unit.finetuning.lines import chat, pair


@pytest.fixture(autouse=True)
def closed() -> Iterator[None]:
    yield
    plt.close("all")


def dataset(count: int = 12) -> FineTuningDataset:
    lines = [chat(f"Question number {n}?", "yes" if n % 3 else "no") for n in range(count)]
    lines.append({"messages": [*lines[0]["messages"], *chat("And then?", "yes", system=None)["messages"]]})
    return FineTuningDataset.from_examples(lines)


def test_all_three_are_drawn_side_by_side() -> None:
    tokens, turns, labels = dataset().plot()
    assert [each.get_xlabel() for each in (tokens, turns, labels)] == [
        "tokens of an example", "messages of the user", "examples",
    ]  # fmt: skip
    assert sum(int(patch.get_height()) for patch in tokens.patches) == 2 * 13  # all tokens, and those that are learnt
    assert {round(bar.get_x() + bar.get_width() / 2): int(bar.get_height()) for bar in turns.patches} == {
        1: 12, 2: 1,
    }  # fmt: skip
    assert [label.get_text() for label in labels.get_yticklabels()] == ["yes", "no"]
    assert [int(bar.get_width()) for bar in labels.patches] == [9, 4]


def test_a_figure_is_white_whatever_the_style_is() -> None:
    with plt.style.context("dark_background"):
        axes = dataset().plot()
    assert {axes[0].figure.get_facecolor(), *(each.get_facecolor() for each in axes)} == {(1.0, 1.0, 1.0, 1.0)}
    assert axes[0].xaxis.label.get_color() == "#222222"


def test_on_dark_axes_of_the_callers_it_is_written_in_light() -> None:
    _, ax = plt.subplots(facecolor="black", subplot_kw={"facecolor": "black"})
    (drawn,) = dataset().plot("labels", ax=ax)
    assert drawn is ax
    assert {label.get_color() for label in ax.get_yticklabels()} == {"#eeeeee"}


def test_of_many_labels_the_most_frequent_are_drawn_and_the_others_counted() -> None:
    examples = FineTuningDataset.from_examples([(f"q{n}", f"answer {n}") for n in range(40)])
    (ax,) = examples.plot("labels")
    names = [label.get_text() for label in ax.get_yticklabels()]
    assert (len(names), names[-1], int(ax.patches[-1].get_width())) == (16, "25 others", 25)


def test_labels_are_what_the_caller_says() -> None:
    (ax,) = dataset().plot("labels", by=lambda line: len(line["messages"]))
    assert [label.get_text() for label in ax.get_yticklabels()] == ["3", "5"]


def test_pairs_are_drawn_too() -> None:
    axes = FineTuningDataset.from_examples([pair(f"{n}?", "2", "3") for n in range(4)]).plot()
    assert len(axes) == 3


def test_foreign_characters_and_dollars_are_drawn_as_they_are() -> None:
    examples = FineTuningDataset.from_examples([(f"{n}?", "$x^$\n日本 \x1b[31m") for n in range(3)])
    (ax,) = examples.plot("labels")
    ax.figure.canvas.draw()
    assert "x^" in ax.get_yticklabels()[0].get_text()


def test_where_there_is_nothing_that_is_said(tmp_path: Path) -> None:
    empty = dataset()[:0]
    assert [each.texts[0].get_text() for each in empty.plot()] == ["There are no examples."] * 3
    path = tmp_path / "broken.jsonl"
    path.write_bytes(b"{\n" * 3)
    tokens, turns, _ = FineTuningDataset.from_jsonl(path).plot()
    assert [each.texts[0].get_text() for each in (tokens, turns)] == ["No example can be read."] * 2


def test_what_makes_no_sense_is_told() -> None:
    _, ax = plt.subplots()
    with pytest.raises(UserError, match="No picture is called 'lengths'"):
        dataset().plot("lengths")  # type: ignore[arg-type]
    with pytest.raises(UserError, match="Three pictures don't fit"):
        dataset().plot(ax=ax)
