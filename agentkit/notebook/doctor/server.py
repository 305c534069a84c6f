"""The Jupyter server of a kernel: it gives the page its extensions, and may live in another environment."""

from __future__ import annotations

import contextlib
import importlib
import json
import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from agentkit.notebook.doctor.versions import installed, site_packages

__all__ = ["Server", "find_server"]


@dataclass(frozen=True)
class Server:
    """A Python environment that a Jupyter server runs in, or would."""

    prefix: Path
    """Its folder."""
    running: bool
    """Whether it is known to be the one that serves this notebook."""

    @property
    def is_here(self) -> bool:
        """Whether it is the environment of this process too."""
        return _same(self.prefix, Path(sys.prefix))

    @property
    def python(self) -> str:
        """Its interpreter."""
        if self.is_here:
            return sys.executable
        for place in ("bin/python", "bin/python3", "Scripts/python.exe", "python.exe"):
            if (found := self.prefix / place).exists():
                return str(found)
        return "python"

    def versions(self, *names: str) -> dict[str, str]:
        """Return the versions of those of `names` that are installed in it."""
        return installed(names, path=None if self.is_here else site_packages(self.prefix))

    def has_extension(self, name: str) -> bool:
        """Tell whether JupyterLab's page gets an extension from it."""
        return any((folder / name / "package.json").is_file() for folder in self._extension_folders)

    @cached_property
    def disabled(self) -> dict[str, Path]:
        """The extensions that are switched off, and the file that says so."""
        found: dict[str, Path] = {}
        for folder in self._config_folders:
            for file in (folder / "labconfig" / "page_config.json", self._app_settings(folder)):
                listed: Any = _json(file).get("disabledExtensions") or {}
                names = [name for name, off in listed.items() if off] if isinstance(listed, dict) else listed
                found.update({str(name): file for name in names})
        return found

    @cached_property
    def _extension_folders(self) -> list[Path]:
        own = [self.prefix / "share" / "jupyter" / "labextensions"]
        home = Path(os.environ.get("JUPYTER_DATA_DIR") or _user_data())
        system = [Path("/usr/local/share/jupyter/labextensions"), Path("/usr/share/jupyter/labextensions")]
        listed = [Path(part) / "labextensions" for part in os.environ.get("JUPYTER_PATH", "").split(os.pathsep) if part]
        return [*own, home / "labextensions", *listed, *system]

    @property
    def kernel_folders(self) -> list[Path]:
        """Where the kernels that it offers are described, the folder that goes first at the beginning."""
        home = Path(os.environ.get("JUPYTER_DATA_DIR") or _user_data())
        listed = [Path(part) for part in os.environ.get("JUPYTER_PATH", "").split(os.pathsep) if part]
        own, system = self.prefix / "share" / "jupyter", (Path("/usr/local/share/jupyter"), Path("/usr/share/jupyter"))
        return [folder / "kernels" for folder in (*listed, own, home, *system)]

    @cached_property
    def _config_folders(self) -> list[Path]:
        home = Path(os.environ.get("JUPYTER_CONFIG_DIR") or Path.home() / ".jupyter")
        return [self.prefix / "etc" / "jupyter", home, Path("/usr/local/etc/jupyter"), Path("/etc/jupyter")]

    def _app_settings(self, folder: Path) -> Path:
        return folder.parent.parent / "share" / "jupyter" / "lab" / "settings" / "page_config.json"


def find_server() -> Server:
    """Return the server that this kernel was started by; else that of this environment, where one would run."""
    for command in _commands_above():
        prefix = _prefix_of(command)
        if prefix is not None:
            return Server(prefix, running=True)
    return Server(Path(sys.prefix), running=False)


def _commands_above() -> Iterator[list[str]]:
    """Yield the command lines of the processes that started this one, nearest first, where they can be read."""
    with contextlib.suppress(Exception):  # psutil comes with ipykernel; what other processes are is theirs to hide
        psutil: Any = importlib.import_module("psutil")
        process = psutil.Process()
        for _ in range(4):
            process = process.parent()
            if process is None:
                return
            yield process.cmdline()


def _prefix_of(command: list[str]) -> Path | None:
    """Return the environment of a Jupyter server, told by its command line; None where it is another program."""
    words = [Path(word).name.lower() for word in command[:4]]
    if not any(word.startswith(("jupyter", "jupyterlab")) for word in words):
        return None
    for word in command[:2]:
        path = Path(word)
        if path.is_absolute() and path.parent.name in ("bin", "Scripts"):
            return path.parent.parent
    return None


def _user_data() -> Path:
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Jupyter"
    if os.name == "nt":
        return Path(os.environ.get("APPDATA", Path.home())) / "jupyter"
    return Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share") / "jupyter"


def _json(file: Path) -> dict[str, Any]:
    try:
        read = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return read if isinstance(read, dict) else {}


def _same(one: Path, other: Path) -> bool:
    try:
        return one.resolve() == other.resolve()
    except OSError:
        return one == other
