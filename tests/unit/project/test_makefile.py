"""The commands that a person types first."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")
TARGETS = re.findall(r"^\.PHONY: (\S+)$", MAKEFILE, re.MULTILINE)


def make(*arguments: str, folder: Path = ROOT) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["make", *arguments], cwd=folder, capture_output=True, text=True)


def test_make_alone_lists_every_target_with_a_word_about_it() -> None:
    listed = re.findall(r"^make (\S+) +\S.*$", make().stdout, re.MULTILINE)
    assert sorted(listed) == sorted(TARGETS)


def test_the_documented_targets_exist() -> None:
    assert {"bench", "binder", "check", "help", "lab", "notebooks", "test"} <= set(TARGETS)


def test_every_command_of_the_readme_is_a_target() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    commands = re.findall(r"^(?:\$ )?make (\S+)", readme, re.MULTILINE)
    assert commands[:2] == ["lab", "test"]
    assert set(commands) <= set(TARGETS)


def test_without_a_suitable_python_it_says_what_is_needed(tmp_path: Path) -> None:
    shutil.copy(ROOT / "Makefile", tmp_path)
    (tmp_path / "pyproject.toml").touch()
    done = make("PYTHON=", "lab", folder=tmp_path)
    assert done.returncode != 0
    assert "agentkit needs Python 3.11 or newer" in done.stderr
    assert not (tmp_path / ".venv").exists()


@pytest.mark.parametrize("check", ["ruff check", "ruff format --check", "mypy --strict agentkit", "lint-imports"])
def test_pre_commit_runs_the_same_checks_as_make_check(check: str) -> None:
    hooks = (ROOT / ".pre-commit-config.yaml").read_text(encoding="utf-8")
    recipe = make("--dry-run", "--always-make", "check").stdout
    assert check in recipe
    assert re.search(rf"entry: \.venv/bin/(python -m )?{check}", hooks)


def test_ci_runs_make_test() -> None:
    assert "make test" in (ROOT / ".ci" / "run").read_text(encoding="utf-8")


def test_make_test_runs_every_kind_of_test() -> None:
    recipe = make("--dry-run", "--always-make", "test").stdout
    folders = {path.name for path in (ROOT / "tests").iterdir() if any(path.glob("**/test_*.py"))}
    folders -= {"servers", "receivers"}  # need packages of their own: `make servers`, `make receivers`
    assert {name for name in folders if f"tests/{name}" in recipe} == folders
    assert "--nbval" in recipe
