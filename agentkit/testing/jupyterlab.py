"""JupyterLab and Jupyter Notebook on a free port, apart from the user's own settings, for tests in a browser."""

from __future__ import annotations

import json
import os
import secrets
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, ClassVar, Literal, Self

from agentkit.testing.kernel import without_pytest

__all__ = ["THEMES", "JupyterLab", "JupyterNotebook", "JupyterServer", "Theme"]

Theme = Literal["light", "dark"]

_START_TIMEOUT_S = 90
_STOP_TIMEOUT_S = 15
_POLL_S = 0.1
_END_ATTEMPTS = 5

_SETTINGS: dict[str, dict[str, Any]] = {
    # Saving is for the test to decide; a dialog about a changed file would cover what it looks at.
    "docmanager-extension/plugin": {"autosave": False},
    "apputils-extension/notification": {"fetchNews": "false", "checkForUpdates": False},
    # All cells stay in the page, also those that are scrolled out of sight.
    "notebook-extension/tracker": {"windowingMode": "none"},
}

THEMES: dict[Theme, str] = {"light": "JupyterLab Light", "dark": "JupyterLab Dark"}
"""What the front ends call their themes."""


class JupyterServer:
    """A Jupyter server with settings, files and a token of its own; a context manager that ends it.

    `JupyterLab` and `JupyterNotebook` say which front end it serves.

    Args:
        root: The folder that it serves; kernels start there.
        env: Environment variables besides those of this process, for the server and its kernels.
        python: The Python that has the front end; by default this one.
    """

    title: ClassVar[str]
    """The front end's name."""
    module: ClassVar[str]
    """What `python -m` starts."""
    application: ClassVar[str]
    """The class whose `expose_app_in_browser` lets tests ask the page whether the kernel is ready."""

    def __init__(self, root: Path, *, env: Mapping[str, str] | None = None, python: Path | None = None) -> None:
        self.root = root
        self._python = sys.executable if python is None else str(python)
        self.token = secrets.token_hex(16)
        self.port = 0
        self._extra_env = dict(env or {})
        self._state = Path()
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self._state = Path(tempfile.mkdtemp(prefix=f"{self.module}-"))
        for plugin, settings in _SETTINGS.items():
            self._write_settings(plugin, settings)
        self.port = _free_port()
        with open(self._log, "wb") as log:
            self._process = subprocess.Popen(
                self._command(),
                env=self._environment(),
                cwd=self.root,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # Ctrl-C in the tests' terminal is for the tests
            )
        try:
            self._wait_until_up(self._process)
        except BaseException:
            self._stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._stop()

    @property
    def url(self) -> str:
        """The server's address, without a slash at its end."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def log(self) -> str:
        """What the server has printed so far."""
        return self._log.read_text(encoding="utf-8", errors="replace")

    def notebook_url(self, name: str) -> str:
        """Return the address that opens the notebook `name`, a path below `root`."""
        raise NotImplementedError

    def set_theme(self, theme: Theme) -> None:
        """Choose the colours of pages that are opened from now on."""
        self._write_settings("apputils-extension/themes", {"theme": THEMES[theme]})

    def add_kernel(self, name: str, python: Path) -> None:
        """Offer a kernel that runs in another Python, such as one with another ipykernel.

        Args:
            name: What notebooks call it: lower-case letters, digits, dots and hyphens.
            python: Its interpreter.
        """
        spec = {
            "argv": [str(python), "-m", "ipykernel_launcher", "-f", "{connection_file}"],
            "display_name": name,
            "language": "python",
        }
        folder = self._state / "data" / "kernels" / name
        folder.mkdir(parents=True)
        (folder / "kernel.json").write_text(json.dumps(spec), encoding="utf-8")

    def api(self, path: str, *, method: str = "GET") -> Any:
        """Call the server's REST API and return its JSON, None where the answer is empty."""
        request = urllib.request.Request(
            f"{self.url}/api/{path}", method=method, headers={"Authorization": f"token {self.token}"}
        )
        with urllib.request.urlopen(request, timeout=30) as response:
            body = response.read()
        return json.loads(body) if body else None

    def end_kernels(self, name: str | None = None) -> None:
        """End every notebook session and with it its kernel; with `name`, that of this notebook only."""
        for attempt in range(_END_ATTEMPTS):
            there = [session["id"] for session in self.api("sessions") if name in (None, session["path"])]
            try:
                for session in there:
                    self.api(f"sessions/{session}", method="DELETE")
                return
            except urllib.error.HTTPError:  # a kernel that is just ending, or beginning anew, by itself
                if attempt == _END_ATTEMPTS - 1:
                    raise
                time.sleep(0.5)

    def _write_settings(self, plugin: str, settings: dict[str, Any]) -> None:
        file = self._state / "settings" / "@jupyterlab" / f"{plugin}.jupyterlab-settings"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(settings), encoding="utf-8")

    @property
    def _log(self) -> Path:
        return self._state / "server.log"

    def _command(self) -> list[str]:
        return [
            *(self._python, "-m", self.module, "--no-browser", "--allow-root"),
            "--ServerApp.ip=127.0.0.1",
            f"--ServerApp.port={self.port}",
            "--ServerApp.port_retries=0",
            f"--ServerApp.root_dir={self.root}",
            f"--IdentityProvider.token={self.token}",
            f"--{self.application}.expose_app_in_browser=True",
        ]

    def _environment(self) -> dict[str, str]:
        folders = {
            "JUPYTER_CONFIG_DIR": "config",
            "JUPYTER_DATA_DIR": "data",
            "JUPYTER_RUNTIME_DIR": "runtime",
            "JUPYTERLAB_SETTINGS_DIR": "settings",
            "JUPYTERLAB_WORKSPACES_DIR": "workspaces",
            "IPYTHONDIR": "ipython",
        }
        own = {name: str(self._state / folder) for name, folder in folders.items()}
        inherited = without_pytest(os.environ)
        return {**inherited, **own, "JUPYTER_PREFER_ENV_PATH": "1", **self._extra_env}

    def _wait_until_up(self, process: subprocess.Popen[bytes]) -> None:
        deadline = time.monotonic() + _START_TIMEOUT_S
        while time.monotonic() < deadline:
            if process.poll() is not None:
                raise RuntimeError(f"{self.title} ended with status {process.returncode}. Its output:\n{self.log}")
            try:
                self.api("status")
                return
            except (urllib.error.URLError, ConnectionError, TimeoutError):
                time.sleep(_POLL_S)
        raise TimeoutError(f"{self.title} was not up within {_START_TIMEOUT_S} s. Its output:\n{self.log}")

    def _stop(self) -> None:
        process = self._process
        if process is not None and process.poll() is None:
            process.terminate()  # the server ends its kernels first
            try:
                process.wait(_STOP_TIMEOUT_S)
            except subprocess.TimeoutExpired:
                process.kill()  # kernels see that their parent is gone, and end
                process.wait()
        shutil.rmtree(self._state, ignore_errors=True)


class JupyterLab(JupyterServer):
    """A JupyterLab server: see `JupyterServer`. Each notebook opens in a fresh workspace."""

    title, module, application = "JupyterLab", "jupyterlab", "LabApp"

    def notebook_url(self, name: str) -> str:
        """Return the address that opens the notebook `name`, a path below `root`."""
        workspace = secrets.token_hex(4)
        return f"{self.url}/lab/workspaces/{workspace}/tree/{name}?token={self.token}&reset"


class JupyterNotebook(JupyterServer):
    """A Jupyter Notebook 7 server: see `JupyterServer`."""

    title, module, application = "Jupyter Notebook", "notebook", "JupyterNotebookApp"

    def notebook_url(self, name: str) -> str:
        """Return the address that opens the notebook `name`, a path below `root`."""
        return f"{self.url}/notebooks/{name}?token={self.token}"


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port
