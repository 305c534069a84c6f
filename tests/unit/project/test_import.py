"""What `import agentkit` gives, and what it leaves for later."""

from __future__ import annotations

import importlib
import subprocess
import sys

import pytest

import agentkit

HEAVY = {
    "aiohttp", "anywidget", "griffe", "httpx2", "ipywidgets", "markdown_it", "matplotlib", "nh3", "numpy", "openai",
    "pandas", "pydantic", "starlette", "uvicorn",
}  # fmt: skip


def modules_after(code: str) -> set[str]:
    """The modules of a fresh Python that has run `code`, beyond those that it starts with."""
    command = f"import sys; before = set(sys.modules)\n{code}\nprint(*(set(sys.modules) - before))"
    done = subprocess.run([sys.executable, "-c", command], capture_output=True, text=True, check=True)
    return set(done.stdout.splitlines()[-1].split())


def test_every_public_name_is_there() -> None:
    assert {name for name in agentkit.__all__ if not hasattr(agentkit, name)} == set()


def test_the_public_names_are_sorted_and_none_is_twice() -> None:
    assert list(agentkit.__all__) == sorted(set(agentkit.__all__))


def test_public_names_complete_with_tab_before_they_are_loaded() -> None:
    assert set(agentkit.__all__) <= set(dir(agentkit))


def test_a_name_that_is_not_there_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no_such_name"):
        _ = agentkit.no_such_name


def test_the_name_is_that_of_the_layer_that_defines_it() -> None:
    assert agentkit.Agent is importlib.import_module("agentkit.runtime.agent").Agent


def test_importing_agentkit_loads_one_module_beside_the_standard_library() -> None:
    loaded = modules_after("import agentkit")
    assert {name for name in loaded if name.partition(".")[0] not in sys.stdlib_module_names} == {"agentkit"}


def test_importing_agentkit_loads_nothing_heavy_of_the_standard_library() -> None:
    assert (
        modules_after("import agentkit") & {"asyncio", "sqlite3", "dataclasses", "inspect", "logging", "ssl"} == set()
    )


def test_loading_the_extension_loads_few_modules_and_nothing_heavy() -> None:
    shell = (
        "import os\nos.environ['IPYTHONDIR'] = os.environ['AGENTKIT_HOME']\n"
        "from IPython.core.interactiveshell import InteractiveShell\n"
        "import asyncio  # every kernel has it\n"
        "shell = InteractiveShell.instance()\nbefore = set(sys.modules)\n"
    )
    loaded = modules_after(f"{shell}shell.run_line_magic('load_ext', 'agentkit')")
    tops = {module.partition(".")[0] for module in loaded}
    assert tops & HEAVY == set()
    assert len(loaded) < 65
