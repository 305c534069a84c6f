"""The options of a magic: declared once, from which come its parser, its help and what Tab offers.

Not argparse: the text after an agent's name is prose, with apostrophes and dashes, and must reach the model as it is.
"""

from __future__ import annotations

import contextvars
import difflib
import re
import textwrap
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, Literal

__all__ = [
    "Arguments",
    "Command",
    "HelpRequested",
    "Option",
    "Subject",
    "closest",
    "kind_of",
    "typed_as",
    "typed_sign",
    "usage_error",
]

Values = Literal[
    "agents",
    "checkpoints",
    "choices",
    "conversations",
    "dataframes",
    "files",
    "handoffs",
    "hooks",
    "images",
    "input guardrails",
    "jobs",
    "keys",
    "mcp servers",
    "model settings",
    "models",
    "none",
    "notebooks",
    "output guardrails",
    "platforms",
    "sessions",
    "settings",
    "sources",
    "start models",
    "states",
    "store files",
    "stores",
    "tool choices",
    "tool uses",
    "tools",
    "training data",
    "types",
    "variables",
]
"""What Tab offers for a value: names of that kind in the notebook."""

typed_as: contextvars.ContextVar[str | None] = contextvars.ContextVar("agentkit_typed_as", default=None)
"""The magic that is running, as it was typed: `%ask` or `%%ask`, for errors."""

_TOKEN = re.compile(r"""\s*(?:"((?:[^"\\]|\\.)*)"(?=[\s,]|$)|'((?:[^'\\]|\\.)*)'(?=[\s,]|$)|(\S+))""")
_WIDTH = 100


class HelpRequested(Exception):  # noqa: N818 (not an error: the way out of parsing)
    """The line asks for `--help`.

    Args:
        command: The magic, or the part of one, whose help is wanted.
    """

    def __init__(self, command: Command) -> None:
        super().__init__(command.name)
        self.command = command


@dataclass(frozen=True, slots=True)
class Option:
    """One option of a magic."""

    flag: str
    """As it is typed: `--max-turns`."""
    help: str
    """What it does, in a sentence or less."""
    metavar: str | None = None
    """What stands for its value in the help; None for a switch, which takes none."""
    kind: str = ""
    """What its value has to be, for errors: "a whole number of 1 or more"; "" for what follows from `convert`."""
    many: bool = False
    """Whether it takes several values: with commas, with spaces, or given again."""
    convert: Callable[[str], Any] = str
    """Makes the value of the text; a ValueError says that it can't."""
    values: Values = "none"
    """What Tab offers for its value."""
    choices: tuple[str, ...] = ()
    """The only values it takes, where there are few."""
    whole: bool = False
    """Whether a value may hold spaces (in quotes) and commas, as a file's name may; matters where it takes several."""
    expression: bool = False
    """Whether a value may hold spaces, without quotes, within its brackets and around `|`: `list[City] | None`."""

    refused: str = ""
    """Why it isn't taken, and what to do instead; such an option is never suggested."""

    @property
    def key(self) -> str:
        """Its name in `Arguments`: `max_turns`."""
        return self.flag.lstrip("-").replace("-", "_")


@dataclass(frozen=True, slots=True)
class Subject:
    """The first word of a magic's line that is no option: an agent's name, say."""

    metavar: str
    """What stands for it in the help."""
    help: str
    """What it is."""
    values: Values = "none"
    """What Tab offers for it."""
    required: bool = True
    """Whether the magic needs it."""


@dataclass(slots=True)
class Arguments:
    """A magic's line, taken apart."""

    subcommand: str | None = None
    """The magic's part that was named, such as "doctor"; the rest is what that one was given."""
    subject: str | None = None
    """The subject, without its quotes."""
    options: dict[str, Any] = field(default_factory=dict)
    """Values by the options' keys; absent where they weren't given."""
    words: list[str] = field(default_factory=list)
    """The words that follow the subject, without their quotes, for magics that take several."""
    rest: str = ""
    """What follows, untouched, for magics that take text on their line."""
    awaited: bool = False
    """Whether the cell awaits what the magic returns."""

    def __getitem__(self, key: str) -> Any:  # as varied as the options are
        return self.options.get(key)


@dataclass(frozen=True, slots=True)
class Command:
    """A magic as it is typed: its name, subject and options."""

    name: str
    """Such as "ask"."""
    summary: str
    """What it does, in one line."""
    kinds: tuple[Literal["line", "cell"], ...]
    """Whether it is `%name`, `%%name` or both."""
    subject: Subject | None = None
    """The word that it is about."""
    words: Subject | None = None
    """What further words are, before, between and after options; None where there are none."""
    options: tuple[Option, ...] = ()
    """In the order of the help."""
    text: str = ""
    """What a cell's text is, for the help; "" where there is none."""
    takes_rest: bool = False
    """Whether text may follow the subject on a line."""
    rest_metavar: str = "text …"
    """What stands for that text in the help."""
    options_anywhere: bool = False
    """Whether options may stand after that text and within it, too: where it is brief, and no prose for a model."""
    examples: str = ""
    """Cells to try."""
    subcommands: tuple[Command, ...] = ()
    """Its parts, each with a name of its own: `%agentkit doctor` has one named "agentkit doctor"."""

    @property
    def sign(self) -> str:
        """Its name with its percent signs, `%%ask`; one for a magic that is both."""
        return ("%" if "line" in self.kinds else "%%") + self.name

    def option(self, flag: str) -> Option | None:
        """Return the option that `flag` names."""
        return next((option for option in self.options if option.flag == flag), None)

    def subcommand(self, word: str) -> Command | None:
        """Return the part that `word` names."""
        return next((part for part in self.subcommands if part.name.rpartition(" ")[2] == word), None)

    def parse(self, line: str, *, cell: bool = False) -> Arguments:
        """Return the line taken apart. A first word that names a part of the magic leaves the rest to that part.

        Args:
            line: What follows the magic's name.
            cell: Whether the text is in the cell, so that none may follow on the line.

        Raises:
            HelpRequested: `--help` or `-h` is among the options.
            UsageError: An option is unknown or its value wrong, or a word too many or too few.
        """
        if not cell and (
            not self.takes_rest or self.options_anywhere
        ):  # it hides the value, which is for IPython to read
            line = line.rstrip().removesuffix(";")
        word, _, rest = line.strip().partition(" ")
        if (part := self.subcommand(word)) is not None:
            arguments = part.parse(rest, cell=cell)
            arguments.subcommand = word
            return arguments
        if self.subcommands and self.subject is None and word and not word.startswith("-"):
            words = [part.name.rpartition(" ")[2] for part in self.subcommands]
            near = closest(word, words) or f" There is {', '.join(words)}."
            raise usage_error(self, f"There is no {self.sign} {word}.{near}")
        return _Parser(self, line, cell).parse()

    def help(self) -> str:
        """Return the whole help: usage, options, examples."""
        parts = [self.summary, "", *self._usage()]
        if self.text:
            parts += ["", textwrap.fill(self.text, _WIDTH)]
        rows = [(part.name.rpartition(" ")[2], part.summary) for part in self.subcommands]
        rows += [(each.metavar, each.help) for each in (self.subject, self.words) if each is not None]
        rows += [(_label(option), option.help) for option in self.options]
        rows.append(("-h, --help", "Show this."))
        width = max(len(label) for label, _ in rows) + 4
        parts.append("")
        for label, text in rows:
            indent = " " * width
            first = f"  {label}".ljust(width)
            parts.append(textwrap.fill(text, _WIDTH, initial_indent=first, subsequent_indent=indent))
        if self.examples:
            parts += ["", "Examples:", textwrap.indent(self.examples.strip("\n"), "    ")]
        return "\n".join(parts)

    def _usage(self) -> list[str]:
        words = ["[PART]"] if self.subcommands else []
        if self.subject is not None:
            words.append(self.subject.metavar if self.subject.required else f"[{self.subject.metavar}]")
        if self.options:
            words.append("[options]")
        line = " ".join(words)
        usage = []
        if "cell" in self.kinds:
            usage += [f"  %%{self.name} {line}".rstrip(), "  text …"]
        if "line" in self.kinds:
            rest = self.words.metavar if self.words is not None else self.rest_metavar if self.takes_rest else ""
            usage.append("  " + " ".join(word for word in (f"%{self.name}", line, rest) if word))
        return ["Usage:", *usage]


class _Parser:
    """Reads one line, from left to right."""

    def __init__(self, command: Command, line: str, cell: bool) -> None:
        self.command = command
        self.line = line
        self.cell = cell
        self.at = 0
        self.only_text = False
        self.found = Arguments()

    def parse(self) -> Arguments:
        while (token := self._peek()) is not None:
            text, end, quoted = token
            if text == "--" and not quoted:
                self.at, self.only_text = end, True
                break
            if text in ("-h", "--help") and not quoted:
                raise HelpRequested(self.command)
            if text.startswith("--") and not quoted and not self._is_prose(text):
                self._option(text, end)
            elif self.found.subject is None and self.command.subject is not None:
                self.at = end
                self.found.subject = text
            elif self.command.words is not None:
                self.at = end
                self.found.words.append(text.rstrip(",") if not quoted else text)
            else:
                break
        self._finish()
        return self.found

    def _finish(self) -> None:
        command = self.command
        anywhere = command.options_anywhere and not self.only_text
        rest = self._text_around_options() if anywhere else self.line[self.at :].strip()
        if rest and (self.cell or not command.takes_rest):
            where = "Text goes in the lines below. " if self.cell and command.text else ""
            raise usage_error(command, f"{rest.split()[0]!r} is one word too many. {where}")
        if command.rest_metavar and not self.only_text and not anywhere:
            self._refuse_options_in(rest)
        self.found.rest = rest
        if command.subject is not None and command.subject.required and self.found.subject is None:
            raise usage_error(
                command,
                f"It needs {command.subject.metavar}: {command.subject.help[0].lower()}{command.subject.help[1:]}",
            )
        if command.words is not None and command.words.required and not self.found.words:
            what = command.words
            raise usage_error(command, f"It needs {what.metavar}: {what.help[0].lower()}{what.help[1:]}")

    def _text_around_options(self) -> str:
        """Read the options that stand in what follows, and return the rest of it, which is text as it was typed."""
        pieces, begin = [], self.at
        while (token := self._peek()) is not None:
            text, end, quoted = token
            if text in ("-h", "--help") and not quoted:
                raise HelpRequested(self.command)
            if quoted or self.command.option(text.partition("=")[0]) is None:
                self.at = end
                continue
            pieces.append(self.line[begin : self.at].strip())
            self._option(text, end)
            begin = self.at
        return " ".join(piece for piece in (*pieces, self.line[begin:].strip()) if piece)

    def _refuse_options_in(self, text: str) -> None:
        """Refuse a text with a word that is one of the options: sent to a model, it would do nothing, and cost."""
        for word in text.removesuffix(";").split():
            flag = word.partition("=")[0]
            if flag == "--help" or self.command.option(flag) is not None:
                sign, who = f"%{self.command.name}", self.found.subject or ""
                who = who if re.fullmatch(r"\S*", who) else f'"{who}"'
                cell = f", or use %{sign}" if "cell" in self.command.kinds else ""
                raise usage_error(
                    self.command,
                    f"{flag} stands within the text, so it would be sent and do nothing. Write it before the text: "
                    f"{sign} {who} {flag} … To say it to the model, put -- before the text ({sign} {who} -- …){cell}.",
                )

    def _is_prose(self, text: str) -> bool:
        """Tell whether a word with dashes is the beginning of a text, such as "--verbose does what?" after a name."""
        return self.command.takes_rest and self.found.subject is not None and not re.match(r"--[a-z][a-z-]*(=|$)", text)

    def _option(self, text: str, end: int) -> None:
        flag, equals, attached = text.partition("=")
        begin, self.at = end - len(attached), end
        option = self.command.option(flag)
        if option is None:
            raise usage_error(self.command, f"There is no option {flag}.{self._instead(flag)}")
        if option.refused and not equals and self._peek() is None:
            raise usage_error(self.command, f"{flag} isn't taken. {option.refused}")
        if option.metavar is None:
            if equals:
                raise usage_error(self.command, f"{flag} takes no value.")
            self.found.options[option.key] = True
            return
        if option.expression and equals:
            self.at, equals = begin, ""
        values = self._values(option, attached if equals else None)
        if option.many:
            self.found.options.setdefault(option.key, []).extend(values)
        elif option.key in self.found.options:
            raise usage_error(self.command, f"{flag} is given twice.")
        else:
            self.found.options[option.key] = values[0]

    def _instead(self, flag: str) -> str:
        """Return what is said after an option that isn't there."""
        options = self.command.options
        near = closest(flag, [option.flag for option in options])
        why = next(
            (f" {option.refused}" for option in options if option.refused and option.flag in near.rstrip("?").split()),
            "",
        )
        near = closest(flag, [option.flag for option in options if not option.refused])
        return why or near

    def _values(self, option: Option, attached: str | None) -> list[Any]:
        words = [] if attached is None else [_unquoted(attached)]
        # further words belong to a list only where no other reading is possible: after the subject, in no prose
        named = self.command.subject is None or self.found.subject is not None
        greedy = option.many and named and (self.cell or not self.command.takes_rest) and self.command.words is None
        while (not words or greedy) and (token := self._peek()) is not None:
            text, end, quoted = token
            if not quoted and (text.startswith("--") or text == "-h"):
                break
            if option.expression and not quoted:
                text, end = _expression(self.line, self.at)
            self.at = end
            words.append(text)
        if option.many and not option.whole and not option.expression:
            words = [part for word in words for part in re.split(r"\s*,\s*", word.strip()) if part]
        if not words:
            raise usage_error(self.command, f"{option.flag} needs a value: {option.metavar}.")
        return [self._converted(option, word) for word in words]

    def _converted(self, option: Option, word: str) -> Any:
        if option.choices and word not in option.choices:
            near = closest(word, option.choices) or f" It is one of {', '.join(option.choices)}."
            raise usage_error(self.command, f"{option.flag} can't be {word!r}.{near}")
        try:
            return option.convert(word)
        except ValueError:
            by_type: dict[Any, str] = {int: "a whole number", float: "a number"}
            kind = option.kind or by_type.get(option.convert, option.metavar or "")
            raise usage_error(self.command, f"{option.flag} has to be {kind}, not {word!r}.") from None

    def _peek(self) -> tuple[str, int, bool] | None:
        match = _TOKEN.match(self.line, self.at)
        if match is None:
            return None
        double, single, bare = match.groups()
        if bare is not None:
            return bare, match.end(), False
        return re.sub(r"\\(.)", r"\1", double if double is not None else single), match.end(), True


def _expression(line: str, at: int) -> tuple[str, int]:
    """Return the value that begins at `at`, up to the space that ends it, and its end."""
    at += len(line[at:]) - len(line[at:].lstrip())
    depth, quote, end = 0, "", at
    while end < len(line):
        char = line[end]
        if quote:
            if char == "\\":
                end += 1
            elif char == quote:
                quote = ""
        elif char in "\"'" and (depth > 0 or line[end - 1] == "="):  # else it is an apostrophe
            quote = char
        elif char in "([{":
            depth += 1
        elif char in ")]}":
            depth -= 1
        elif char.isspace() and depth <= 0:
            following = line[end:].lstrip()
            if not following.startswith("|") and not line[at:end].rstrip().endswith("|"):
                break
            end = len(line) - len(following) - 1
        end += 1
    return line[at:end].strip(), min(end, len(line))


def _unquoted(text: str) -> str:
    return text[1:-1] if len(text) > 1 and text[0] == text[-1] and text[0] in "\"'" else text


def _label(option: Option) -> str:
    if option.metavar is None:
        return option.flag
    return f"{option.flag} {option.metavar}{',…' if option.many else ''}"


def closest(word: str, known: Iterable[str]) -> str:
    """Return " Did you mean …?" with the known words most like `word`, or "" where none is."""
    by_lower = {name.lower(): name for name in known if name != word}
    near = [by_lower[match] for match in difflib.get_close_matches(word.lower(), by_lower, n=2, cutoff=0.6)]
    return f" Did you mean {' or '.join(near)}?" if near else ""


def kind_of(value: Any) -> str:  # whatever a variable holds
    """Return the name of a value's class with its article: "an int", "a DataFrame"."""
    name = type(value).__name__
    return f"{'an' if name[:1].lower() in ('a', 'e', 'i', 'o') else 'a'} {name}"


def typed_sign(command: Command) -> str:
    """Return a magic's name with its percent signs as it was typed: `%%ask`, where it is `%ask` too."""
    typed = typed_as.get()
    return command.sign if typed is None else f"{'%%' if typed.startswith('%%') else '%'}{command.name}"


def usage_error(command: Command, message: str) -> Exception:
    """Return IPython's `UsageError`, which is shown as one line, for a magic that was typed wrongly."""
    from IPython.core.error import UsageError

    message = " ".join(message.split())
    sign = typed_sign(command)
    return UsageError(f"{sign}: {message} See {sign} --help.")
