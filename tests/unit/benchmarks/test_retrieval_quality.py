"""The labelled set of documentation: what is asked is not in the file, and the figures are what they are called."""

from __future__ import annotations

import gzip
import math
from pathlib import Path

import pytest

from benchmarks.retrieval_quality import labelled, measuring
from benchmarks.retrieval_quality.documents import Document, without
from benchmarks.retrieval_quality.faqs import debian_faq, perl_faq, python_faq
from benchmarks.retrieval_quality.programs import docstrings

ANSWER = "An answer that is long enough to be one, with several words in it. " * 4


def written(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def test_a_phrase_is_taken_out_wherever_it_stands() -> None:
    assert without("To list  files, LIST\nfiles.", "list files.") == "To , ."
    assert without("a (b) a", "(b)") == "a  a"
    assert without("unchanged", "") == "unchanged"


def test_perl_answers_are_files_without_their_questions(tmp_path: Path) -> None:
    pod = f"=head1 NAME\n\nperlfaq1\n\n=head2 How do I C<sort> a L<hash|perldata>?\nX<sort> X<hash, sort>\n\n{ANSWER}\n"
    pod += "\n=head2 Short?\n\nNo.\n"
    written(tmp_path / "usr/share/perl/5.36.0/pod/perlfaq1.pod", pod + "=head1 AUTHOR AND COPYRIGHT\n\n=head2 Not I?\n")
    (document,) = perl_faq(tmp_path)
    assert (document.kind, document.question) == ("Perl FAQ", "How do I sort a hash?")
    assert document.text == ANSWER.strip()


def test_python_answers_are_files_and_its_tutorial_has_no_questions(tmp_path: Path) -> None:
    sources = tmp_path / "usr/share/doc/python3.11/html/_sources"
    written(
        sources / "faq/general.rst.txt",
        f"===\nFAQ\n===\n\nWhat is :mod:`os` for?\n----------------------\n\n{ANSWER}\n",
    )
    written(sources / "tutorial/intro.rst.txt", f"Numbers\n=======\n\n{ANSWER}\n")
    found = [(document.kind, document.question, document.text) for document in python_faq(tmp_path)]
    assert found == [
        ("Python FAQ", "What is os for?", ANSWER.strip()),
        ("Python tutorial", "", f"Numbers\n\n{ANSWER.strip()}"),
    ]


def test_debian_answers_are_files_without_their_questions(tmp_path: Path) -> None:
    path = tmp_path / "usr/share/doc/debian/FAQ/debian-faq.en.txt.gz"
    path.parent.mkdir(parents=True)
    path.write_bytes(gzip.compress(f"    1.1. What is it, and\n\n1.1. What is it, and\nwhy?\n\n{ANSWER}\n".encode()))
    (document,) = debian_faq(tmp_path)
    assert (document.question, document.text) == ("What is it, and why?", ANSWER.strip())


def test_docstrings_lose_their_first_lines(tmp_path: Path) -> None:
    code = f'def sort_it(x):\n    """Return all things in order.\n\n    {ANSWER}\n    """\n    return sorted(x)\n'
    written(tmp_path / "usr/lib/python3.11/things.py", code)
    written(tmp_path / "usr/lib/python3.11/test/test_things.py", code)
    (document,) = docstrings(tmp_path)
    assert (document.key, document.question) == ("things.sort_it", "Return all things in order.")
    assert "all things in order" not in document.text
    assert "return sorted(x)" in document.text


def test_questions_are_capped_by_kind_and_two_thirds_are_for_testing() -> None:
    documents = tuple(Document(f"{kind}{n}", kind, "text", f"What is {n}?") for kind in "ab" for n in range(200))
    questions = list(labelled._questions((*documents, Document("c", "a", "no question"))))
    assert len(questions) == 300
    assert [sum(each.kind == kind and each.for_test for each in questions) for kind in "ab"] == [100, 100]
    assert questions == list(labelled._questions(tuple(reversed(documents))))


def test_the_figures_are_those_of_the_literature() -> None:
    found = measuring.scores([1, 2, None, 4])
    assert found.ndcg == pytest.approx((1 + 1 / math.log2(3) + 1 / math.log2(5)) / 4)
    assert (found.recall, found.mrr, found.questions) == (0.75, pytest.approx((1 + 0.5 + 0.25) / 4), 4)


def test_a_gain_comes_with_its_interval() -> None:
    ours, theirs = [1] * 50 + [None] * 50, [2] * 50 + [None] * 50
    gain, low, high = measuring.gain(ours, theirs)
    assert gain == pytest.approx(math.log2(3) - 1)
    assert low <= gain <= high
    assert measuring.gain(ours, ours) == (0.0, 0.0, 0.0)
