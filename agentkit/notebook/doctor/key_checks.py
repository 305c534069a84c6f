"""Whether keys lie about: in the environment, where they belong, and in the notebook, where they don't. Names only."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from agentkit.notebook.doctor.findings import Finding, trouble, warning, well
from agentkit.notebook.doctor.key_shapes import find_keys
from agentkit.notebook.doctor.scan import scan_notebook

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

__all__ = ["check_environment_keys", "check_notebook_keys", "saved_notebook"]

_NAMES = re.compile(r"(?:_KEY|_TOKEN|_SECRET|_PASSWORD|_PAT)\Z")
_MOST_NAMED = 6
_LONGEST_VALUE = 2_000_000
"""Longer texts in variables are data, and not looked through."""


def check_environment_keys() -> Iterator[Finding]:
    """Look at the variables that hold keys: which there are, and whether they were copied whole."""
    names = sorted(name for name, value in os.environ.items() if _NAMES.search(name.upper()) and value.strip())
    yield well("in the environment", f"{_listed(names)} (names only; no value is shown)" if names else "no keys")
    for name in names:
        if not name.upper().endswith("API_KEY"):
            continue
        value = os.environ[name]
        if value != value.strip() or value.strip()[0] in "\"'":
            text = f"{name} has spaces, a line break or quotes around it: servers will refuse it."
            yield trouble("in the environment", text, f"export {name}=…   # the key alone, before Jupyter starts")
        elif not value.isascii() or any(character.isspace() for character in value):
            text = f"{name} has characters in it that no key has, such as a space or an ellipsis."
            yield trouble("in the environment", text, f"export {name}=…   # copied anew, before Jupyter starts")


def check_notebook_keys(shell: InteractiveShell) -> Iterator[Finding]:
    """Look for keys in the notebook: in cells that were run, in variables, in values that were shown, in its file."""
    clean = True
    for finding in (*_in_history(shell), *_in_variables(shell), *_in_file(shell)):
        clean = False
        yield finding
    if clean:
        yield well("in the notebook", "none in the cells that were run, in variables, or in the saved file")


def _in_history(shell: InteractiveShell) -> Iterator[Finding]:
    inputs = list(getattr(shell.history_manager, "input_hist_raw", None) or shell.user_ns.get("In") or ())
    numbers = [number for number, source in enumerate(inputs) if isinstance(source, str) and find_keys(source)]
    if numbers:
        cells = _listed([f"In [{number}]" for number in numbers])
        text = f"typed into {cells}. It is in the notebook and in IPython's history: take it for known to others."
        yield trouble(
            "in the notebook",
            text,
            "# revoke the key where it was made, and take it out of the cell",
            "ipython history clear   # in a terminal",
            'import getpass, os; os.environ["OPENAI_API_KEY"] = getpass.getpass()   # to type the new one',
        )


def _in_variables(shell: InteractiveShell) -> Iterator[Finding]:
    hidden = shell.user_ns_hidden
    own = {name: value for name, value in shell.user_ns.items() if name not in hidden}
    names = sorted(name for name, value in own.items() if not name.startswith("_") and _holds_key(value))
    if names:
        text = f"held by the variable{'s' if len(names) > 1 else ''} {_listed(names)}: a cell that shows one saves it."
        yield warning("in variables", text, f"del {', '.join(names[:_MOST_NAMED])}")
    shown = [number for number, value in dict(shell.user_ns.get("Out") or {}).items() if _holds_key(value)]
    if shown:
        text = f"shown as {_listed([f'Out[{number}]' for number in shown])}: saved with the notebook."
        yield trouble("in outputs", text, "# Edit ▸ Clear Outputs of All Cells, save; then revoke the key")


def _holds_key(value: Any) -> bool:  # whatever a notebook's variable holds
    if isinstance(value, bytes):
        value = value[:_LONGEST_VALUE].decode("utf-8", "replace")
    if isinstance(value, str):
        return len(value) <= _LONGEST_VALUE and bool(find_keys(value))
    if isinstance(value, dict) and len(value) <= 50:  # named beside its value, as in the headers of a request
        texts = [f'{name}: "{part[:4000]}"' for name, part in value.items() if isinstance(part, str)]
        return any(find_keys(text) for text in texts)
    return False


def _in_file(shell: InteractiveShell) -> Iterator[Finding]:
    file = saved_notebook(shell)
    if file is None:
        return
    found = scan_notebook(file)
    if found.places:
        places = _listed([f"{place.key.kind} in {place.where}" for place in found.places])
        text = f"{file.name}, as it was saved, has {places}."
        yield trouble("in the saved file", text, f'%agentkit doctor --scan "{file}"')


def saved_notebook(shell: InteractiveShell) -> Path | None:
    """Return the notebook's file, where the front end tells it and it is there."""
    from agentkit.notebook.conversations import notebook_file

    named = notebook_file(shell.user_ns, in_kernel=getattr(shell, "kernel", None) is not None)
    if named is None:
        return None
    file = Path(named)
    return file if file.suffix == ".ipynb" and file.is_file() else None


def _listed(names: list[str]) -> str:
    more = len(names) - _MOST_NAMED
    return ", ".join(names[:_MOST_NAMED]) + (f" and {more} more" if more > 0 else "")
