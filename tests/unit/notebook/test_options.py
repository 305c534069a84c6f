from __future__ import annotations

import pytest
from IPython.core.error import UsageError

from agentkit.notebook.options import Command, HelpRequested, Option, Subject

ASK = Command(
    name="ask",
    summary="Ask.",
    kinds=("line", "cell"),
    subject=Subject("AGENT", "Who is asked."),
    options=(
        Option("--out", "Where to.", "NAME"),
        Option("--max-turns", "How long.", "COUNT", convert=int),
        Option("--quiet", "Say nothing."),
    ),
    text="The question.",
    takes_rest=True,
)
AGENT = Command(
    name="agent",
    summary="Define.",
    kinds=("cell",),
    subject=Subject("NAME", "Its name."),
    options=(
        Option("--tools", "What it calls.", "NAME", many=True),
        Option("--kind", "Which.", "KIND", choices=("fast", "slow")),
    ),
)


def parsed(command: Command, line: str, *, cell: bool = False) -> tuple[str | None, dict[str, object], str]:
    arguments = command.parse(line, cell=cell)
    return arguments.subject, arguments.options, arguments.rest


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("weather What's up in Oslo?", ("weather", {}, "What's up in Oslo?")),
        ("weather --out r It's 5 o'clock", ("weather", {"out": "r"}, "It's 5 o'clock")),
        ("--out r weather Hi", ("weather", {"out": "r"}, "Hi")),
        ("--out=r --max-turns=3 weather Hi", ("weather", {"out": "r", "max_turns": 3}, "Hi")),
        ('"Spanish agent" Hola "amigo"', ("Spanish agent", {}, 'Hola "amigo"')),
        ("weather -- --out is an option", ("weather", {}, "--out is an option")),
        ("weather --quiet Hi", ("weather", {"quiet": True}, "Hi")),
        ("weather -5 degrees?", ("weather", {}, "-5 degrees?")),
        ("weather   spaced   out  ", ("weather", {}, "spaced   out")),
        ("weather --- a line", ("weather", {}, "--- a line")),
    ],
)
def test_text_after_the_subject_is_left_as_it_is(line: str, expected: tuple[str, dict[str, object], str]) -> None:
    assert parsed(ASK, line) == expected


@pytest.mark.parametrize(
    "line",
    ["a --tools x,y", "a --tools x y", "a --tools x, y", "a --tools x --tools y", "--tools x,y a", "a --tools=x,y"],
)
def test_a_list_may_be_written_in_any_way(line: str) -> None:
    assert parsed(AGENT, line, cell=True) == ("a", {"tools": ["x", "y"]}, "")


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("weather --ot r Hi", "%ask: There is no option --ot. Did you mean --out? See %ask --help."),
        ("weather --max-turns many", "%ask: --max-turns has to be a whole number, not 'many'. See %ask --help."),
        ("weather --out", "%ask: --out needs a value: NAME. See %ask --help."),
        ("weather --out a --out b", "%ask: --out is given twice. See %ask --help."),
        ("weather --quiet=yes", "%ask: --quiet takes no value. See %ask --help."),
        ("", "%ask: It needs AGENT: who is asked. See %ask --help."),
    ],
)
def test_a_mistake_is_one_line_that_says_what_to_do(line: str, message: str) -> None:
    with pytest.raises(UsageError) as raised:
        ASK.parse(line)
    assert str(raised.value) == message


def test_text_on_the_first_line_of_a_cell_is_refused() -> None:
    with pytest.raises(UsageError, match="'What' is one word too many. Text goes in the lines below."):
        ASK.parse("weather What now", cell=True)


def test_a_value_that_is_no_choice_names_the_nearest() -> None:
    with pytest.raises(UsageError, match="--kind can't be 'fsat'. Did you mean fast"):
        AGENT.parse("a --kind fsat", cell=True)


@pytest.mark.parametrize("line", ["--help", "-h", "weather --help", "weather --out r -h"])
def test_help_is_asked_for_anywhere_before_the_text(line: str) -> None:
    with pytest.raises(HelpRequested):
        ASK.parse(line)


def test_help_names_every_option_and_both_forms() -> None:
    assert ASK.help() == (
        "Ask.\n\nUsage:\n  %%ask AGENT [options]\n  text …\n  %ask AGENT [options] text …\n\nThe question.\n\n"
        "  AGENT              Who is asked.\n"
        "  --out NAME         Where to.\n"
        "  --max-turns COUNT  How long.\n"
        "  --quiet            Say nothing.\n"
        "  -h, --help         Show this."
    )


KEEP = Command(
    name="keep",
    summary="Keep things.",
    kinds=("line",),
    subcommands=(
        Command(name="keep list", summary="List them.", kinds=("line",), options=(Option("--all", "All of them."),)),
        Command(
            name="keep scan",
            summary="Look into files.",
            kinds=("line",),
            options=(Option("--in", "Files.", "FILE", many=True, whole=True),),
        ),
        Command(name="keep set", summary="Set.", kinds=("line",), takes_rest=True, rest_metavar="NAME=VALUE …"),
    ),
)


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("", (None, {}, "")),
        ("list", ("list", {}, "")),
        ("list --all", ("list", {"all": True}, "")),
        ('scan --in "my notes.ipynb" a,b.ipynb', ("scan", {"in": ["my notes.ipynb", "a,b.ipynb"]}, "")),
        ("set model=x  y=2", ("set", {}, "model=x  y=2")),
    ],
)
def test_a_magic_leaves_its_line_to_the_part_that_the_first_word_names(
    line: str, expected: tuple[str | None, dict[str, object], str]
) -> None:
    arguments = KEEP.parse(line)
    assert (arguments.subcommand, arguments.options, arguments.rest) == expected


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("lits", "%keep: There is no %keep lits. Did you mean list? See %keep --help."),
        ("burn it", "%keep: There is no %keep burn. There is list, scan, set. See %keep --help."),
        ("list --al", "%keep list: There is no option --al. Did you mean --all? See %keep list --help."),
        ("list them", "%keep list: 'them' is one word too many. See %keep list --help."),
    ],
)
def test_mistakes_in_a_part_of_a_magic_name_the_part(line: str, message: str) -> None:
    with pytest.raises(UsageError) as raised:
        KEEP.parse(line)
    assert str(raised.value) == message


def test_each_part_of_a_magic_has_its_help() -> None:
    assert KEEP.help().splitlines()[:8] == [
        *("Keep things.", "", "Usage:", "  %keep [PART]", ""),
        *("  list        List them.", "  scan        Look into files.", "  set         Set."),
    ]
    with pytest.raises(HelpRequested) as asked:
        KEEP.parse("set --help")
    assert asked.value.command.help().splitlines()[:4] == ["Set.", "", "Usage:", "  %keep set NAME=VALUE …"]
