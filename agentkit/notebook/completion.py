"""What Tab offers in agentkit's magics: options, agents, tools, models; and names inside `{{ }}`."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from agentkit.notebook import agent_parts, completion_sources, namespace
from agentkit.notebook.conversation_list import conversation_names
from agentkit.notebook.conversations import conversations
from agentkit.notebook.finetuning import named as finetuning
from agentkit.notebook.model_options import setting_names
from agentkit.notebook.options import Command, Option, Values
from agentkit.notebook.stores import file_names, store_names, stores_in
from agentkit.notebook.type_expressions import type_names

if TYPE_CHECKING:
    from IPython.core.completer import CompletionContext, SimpleMatcherResult
    from IPython.core.interactiveshell import InteractiveShell

__all__ = ["MagicCompleter"]

_LINE = re.compile(r"(?:^|\n)[ \t]*(?:[A-Za-z_]\w*[ \t]*=[ \t]*)?(%%?)(\w+)([ \t][^\n]*)$")
_PLACE = re.compile(r"\{\{\s*([A-Za-z_]\w*)?$")
_CELL = re.compile(r"\s*%%(\w+)")
_FRAGMENT = re.compile(r"[^\s,=\"']*$")


class MagicCompleter:
    """The matcher given to IPython's completer.

    In a magic of ours it is the only one that is heard: after `--` IPython would offer every builtin.

    Args:
        shell: The notebook's shell.
        commands: The magics by name.
    """

    def __init__(self, shell: InteractiveShell, commands: dict[str, Command]) -> None:
        self._shell = shell
        self._commands = commands

    def matcher(self) -> Any:
        """Return the function to register: IPython asks it for every completion."""
        from IPython.core.completer import context_matcher

        @context_matcher(identifier="agentkit.magics")  # type: ignore[untyped-decorator]
        def agentkit_matcher(context: CompletionContext) -> SimpleMatcherResult:
            return self.complete(context.full_text, context.cursor_position, context.cursor_line)

        return agentkit_matcher

    def complete(self, text: str, position: int, line: int = 0) -> SimpleMatcherResult:
        """Return what may come next in a cell.

        Args:
            text: The cell's whole text.
            position: The cursor's place in its line.
            line: The cursor's line, from 0.
        """
        from IPython.core.completer import SimpleCompletion

        lines = text.split("\n")
        before = "\n".join([*lines[:line], lines[line][:position]])
        found = self._in_text(before) or self._in_line(before)
        if found is None:
            return {"completions": []}
        fragment, words, kind = found
        completions = [
            SimpleCompletion(text=word, type=kind) for word in words if word.lstrip('"').startswith(fragment)
        ]
        return {"completions": completions, "matched_fragment": fragment, "suppress": True, "ordered": True}

    def _in_text(self, before: str) -> tuple[str, list[str], str] | None:
        """Return the variables, within `{{` in a cell of ours."""
        magic, place = _CELL.match(before) or _LINE.search(before), _PLACE.search(before)
        if magic is None or place is None or not {magic[1], magic[magic.re.groups - 1 or 1]} & set(self._commands):
            return None
        hidden = self._shell.user_ns_hidden
        names = [name for name in self._shell.user_ns if not name.startswith("_") and name not in hidden]
        return place[1] or "", sorted(names), "variable"

    def _in_line(self, before: str) -> tuple[str, list[str], str] | None:
        match = _LINE.search(before)
        command = self._commands.get(match[2]) if match else None
        if match is None or command is None:
            return None
        command, line = _part(command, match[3])
        words, fragment = self._words(line)
        if command.subcommands and not words and not fragment.startswith("-"):
            return fragment, [part.name.rpartition(" ")[2] for part in command.subcommands], "name"
        if command.subject is not None and command.subject.values == "settings":
            return self._setting(line, fragment)
        option = self._option_before(command, words)
        if option is not None and option.metavar is not None:
            return fragment, self._values(option.values, option, fragment), "value"
        if fragment.startswith("-"):
            given = {word.partition("=")[0] for word in words}
            flags = [option.flag for option in _offered(command) if option.many or option.flag not in given]
            return fragment, [*flags, "--help"], "option"
        subject = self._subject(command, words)
        if subject is None and command.subject is not None:
            return fragment, self._values(command.subject.values, fragment=fragment), "name"
        if command.words is not None and command.words.values == "store files":
            names = [
                name for name in file_names(self._shell.user_ns, subject or "") if name.lstrip('"').startswith(fragment)
            ]
            return fragment, names or [fragment], "file"  # what is typed already, else IPython offers Python's words
        if command.words is not None:
            return fragment, self._values(command.words.values, fragment=fragment), "value"
        if command.takes_rest:  # prose from here on
            return fragment, [], "text"
        return fragment, [option.flag for option in _offered(command)], "option"

    @staticmethod
    def _words(line: str) -> tuple[list[str], str]:
        """Return the words before the one at the cursor, and that one as far as it's typed."""
        fragment = _FRAGMENT.search(line)
        typed = fragment[0] if fragment else ""
        return line[: len(line) - len(typed)].replace("=", " ").replace(",", " ").split(), typed

    @staticmethod
    def _option_before(command: Command, words: list[str]) -> Option | None:
        """Return the option whose value is being typed."""
        for back, word in enumerate(reversed(words)):
            option = command.option(word)
            if option is not None:
                return option if back == 0 or option.many else None
        return None

    @staticmethod
    def _subject(command: Command, words: list[str]) -> str | None:
        """Return the subject, if it is typed already."""
        value_follows = False
        for word in words:
            if word.startswith("--"):
                option = command.option(word)
                value_follows = option is not None and option.metavar is not None
            elif value_follows:
                value_follows = False
            else:
                return word
        return None

    def _setting(self, line: str, fragment: str) -> tuple[str, list[str], str]:
        """Return the settings; or the values of the one whose value is being typed."""
        if (typed := re.search(r"(\w+)=\S*$", line)) is None:
            return fragment, completion_sources.settings_words(), "name"
        return fragment, completion_sources.setting_values(typed[1], self._values("models")), "value"

    def _values(self, kind: Values, option: Option | None = None, fragment: str = "") -> list[str]:
        names = self._shell.user_ns
        match kind:
            case "agents":
                return sorted(namespace.agents_in(names))
            case "tools":
                return [*_sorted({**namespace.tools_in(names), **stores_in(names)}), *_functions(names)]
            case "tool choices":
                return ["auto", "required", "none", *_sorted(namespace.tools_in(names))]
            case "tool uses":
                return ["again", "stop", *_sorted(namespace.tools_in(names))]
            case "handoffs" | "hooks" | "input guardrails" | "mcp servers" | "output guardrails":
                return agent_parts.parts_in(names, kind)
            case "models":
                return namespace.model_names(names)
            case "types":
                return type_names(names)
            case "model settings":
                return [f"{name}=" for name in setting_names()]
            case "dataframes":
                return _sorted(namespace.instances(names, "pandas", "DataFrame"))
            case "states":
                return _sorted(namespace.instances(names, "agentkit.runtime", "RunState"))
            case "stores":
                return store_names(names)
            case "sources":
                frames = [f"{{{{{name}}}}}" for name in namespace.instances(names, "pandas", "DataFrame")]
                return [*completion_sources.files(fragment), *_sorted(frames)]
            case "jobs":
                return finetuning.job_names(names)
            case "start models":
                return [
                    *finetuning.start_models(names),
                    *(completion_sources.files(fragment) if "/" in fragment else []),
                ]
            case "training data":
                held = {**finetuning.datasets_in(names), **namespace.instances(names, "pandas", "DataFrame")}
                return [*_sorted(held), *completion_sources.files(fragment, "examples")]
            case "checkpoints":
                return ["best", "last"]
            case "files" | "images" | "notebooks":
                return completion_sources.files(fragment, kind)
            case "sessions":
                variables = namespace.instances(names, "agentkit.sessions", "SQLiteSession")
                branches = [branch.session_id for branch in conversations.branches_in_memory()]
                return [*_sorted([*variables, *branches]), *completion_sources.sessions()]
            case "conversations":
                return conversation_names(self._shell)
            case "platforms":
                return completion_sources.platforms()
            case "keys":
                return completion_sources.key_variables()
            case "choices":
                return list(option.choices) if option else []
            case "variables":
                return _sorted(name for name in names if not name.startswith("_"))
        return []


def _part(command: Command, line: str) -> tuple[Command, str]:
    """Return the part of a magic whose line is being typed, and the line after the part's name."""
    word, space, rest = line.lstrip().partition(" ")
    part = command.subcommand(word) if space else None
    return (command, line) if part is None else (part, f" {rest}")


def _sorted(names: Iterable[str]) -> list[str]:
    return sorted(set(names))


def _functions(names: dict[str, Any]) -> list[str]:
    return [
        name for name, value in names.items()
        if not name.startswith("_") and inspect.isfunction(value) and value.__module__ == "__main__"
    ]  # fmt: skip


def _offered(command: Command) -> list[Option]:
    return [option for option in command.options if not option.refused]
