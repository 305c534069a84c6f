"""Files that a magic's line names: where they are looked for, and what is wrong with them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from agentkit.notebook.conversations import notebook_file
from agentkit.notebook.options import Command, closest, usage_error

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

__all__ = ["find_file", "read_text"]

_MAX_TEXT_BYTES = 1_000_000


def find_file(shell: InteractiveShell, path: str) -> Path:
    """Return where a file is: in the notebook's folder, or else in the kernel's; there already with a path of its own.

    The two are the same until a cell changes the folder, so that a notebook finds its files either way.

    Args:
        shell: The notebook's shell.
        path: What was typed; `~` is the home folder.
    """
    file = Path(path).expanduser()
    in_kernel = getattr(shell, "kernel", None) is not None
    notebook = notebook_file(shell.user_ns, in_kernel=in_kernel)
    if file.is_absolute() or notebook is None or not Path(notebook).is_absolute():
        return file
    beside = Path(notebook).parent / file
    return beside if beside.exists() or not file.exists() else file


def read_text(command: Command, shell: InteractiveShell, option: str, path: str) -> str:
    """Return the text of a file, in UTF-8.

    Args:
        command: The magic, for errors.
        shell: The notebook's shell.
        option: The option that names the file, for errors.
        path: What was typed.

    Raises:
        UsageError: It isn't there, can't be read, or is no text.
    """
    file = find_file(shell, path)
    try:
        if file.is_dir():
            raise usage_error(command, f"{option}: {file} is a folder, and has to be a text file.")
        data = file.read_bytes()
        if len(data) > _MAX_TEXT_BYTES:
            said = f"{option}: {file} has {len(data):,} bytes, where {_MAX_TEXT_BYTES:,} is the most."
            raise usage_error(command, said)
        text = data.decode("utf-8-sig")
    except FileNotFoundError:
        raise usage_error(command, f"{option}: there is no file {_shown(file)}.{_near(file)}") from None
    except UnicodeDecodeError as error:
        said = f"{option}: {file} is no text in UTF-8 (byte {error.start:,} isn't). Save it as UTF-8."
        raise usage_error(command, said) from None
    except (OSError, ValueError) as error:
        said = f"{option}: {file} can't be read: {getattr(error, 'strerror', None) or error}."
        raise usage_error(command, said) from None
    if not text.strip():
        raise usage_error(command, f"{option}: {file} is empty.")
    return text.replace("\r\n", "\n")


def _shown(file: Path) -> str:
    """Return a path from its beginning: what is relative to the wrong folder is else hard to see."""
    return str(file if file.is_absolute() else Path.cwd() / file)


def _near(file: Path) -> str:
    try:
        return closest(file.name, [entry.name for entry in file.parent.iterdir()])
    except OSError:
        return ""
