"""What agentkit depends on is declared, used, and justified in docs/dependencies.md."""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from importlib.metadata import PackageNotFoundError, files, packages_distributions, requires
from pathlib import Path

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).parents[3]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
FOR_DEVELOPERS = {"bench", "lab", "test"}  # extras whose packages the package itself doesn't import
OPTIONAL_AT_RUN_TIME = {"agentkit/testing"}  # needs the test extra, and says so

_STDLIB = sys.stdlib_module_names | {"annotationlib"}  # in it from Python 3.14 on


def names(requirements: list[str]) -> set[str]:
    """The bare names of requirements, as PEP 503 spells them."""
    return {re.split(r"[\[<>=~!; ]", requirement)[0].lower().replace("_", "-") for requirement in requirements}


def section(title: str) -> set[str]:
    """The first column of the table under a heading of docs/dependencies.md."""
    document = (ROOT / "docs" / "dependencies.md").read_text(encoding="utf-8")
    text = document.split(f"\n## {title}\n")[1].split("\n## ")[0]
    return set(re.findall(r"^\| `([^`]+)` \|", text, re.MULTILINE))


RUNTIME = names(PROJECT["dependencies"])
EXTRAS = PROJECT["optional-dependencies"]


def owners(module: str, candidates: list[str]) -> list[str]:
    """Those of several distributions with a common top package (as google.…) that have the module itself."""
    if len(candidates) < 2:
        return candidates
    path = module.replace(".", "/")
    return [name for name in candidates if any(str(file).startswith(path) for file in files(name) or [])]


def imported_distributions() -> dict[str, set[str]]:
    """Every distribution that the package imports, with the files that do."""
    distributions = packages_distributions()
    found: dict[str, set[str]] = {}
    for path in (ROOT / "agentkit").rglob("*.py"):
        place = path.relative_to(ROOT)
        if str(place.parent) in OPTIONAL_AT_RUN_TIME:
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            modules = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom) and node.module and not node.level:
                modules = [node.module]
            if isinstance(node, ast.Call) and ast.unparse(node.func) in ("importlib.import_module", "import_module"):
                modules = [each.value for each in node.args[:1] if isinstance(each, ast.Constant)]  # has no types
            for module in modules:
                top = module.partition(".")[0]
                if top in _STDLIB:
                    continue
                for distribution in owners(module, distributions.get(top, [top])):
                    found.setdefault(distribution.lower().replace("_", "-"), set()).add(str(place))
    found.pop("agentkit", None)
    return found


def test_each_runtime_dependency_is_justified() -> None:
    assert section("Run time") == RUNTIME


@pytest.mark.parametrize("extra", sorted(EXTRAS))
def test_each_package_of_an_extra_is_justified(extra: str) -> None:
    assert section(f"Extra `{extra}`") == names(EXTRAS[extra]) - {"agentkit"}


def test_each_runtime_dependency_is_imported() -> None:
    assert RUNTIME - set(imported_distributions()) == set()


def test_each_import_is_declared_or_comes_with_what_is() -> None:
    extras = {name for extra, packages in EXTRAS.items() if extra not in FOR_DEVELOPERS for name in names(packages)}
    allowed = RUNTIME | section("What comes with them") | extras
    assert {name: files for name, files in imported_distributions().items() if name not in allowed} == {}


def what_comes_with(extra: str) -> set[str]:
    """Every distribution that `pip install agentkit[extra]` brings here, by the installed packages' own metadata."""
    found: set[str] = set()
    waiting = [(name, frozenset[str]()) for name in RUNTIME] + [("agentkit", frozenset({extra}))]
    seen = set(waiting)
    while waiting:
        name, extras = waiting.pop()
        found.add(name)
        try:
            requirements = requires(name) or []
        except PackageNotFoundError:
            continue  # for another system or Python
        if name == "agentkit":  # as declared now, however old the installation
            requirements = [text for each in extras for text in EXTRAS[each]]
        for requirement in map(Requirement, requirements):
            marker = requirement.marker
            if name != "agentkit" and marker and not any(marker.evaluate({"extra": each}) for each in {"", *extras}):
                continue
            needed = requirement.name.lower().replace("_", "-"), frozenset(requirement.extras)
            if needed not in seen:
                seen.add(needed)
                waiting.append(needed)
    return found


def test_each_import_at_the_top_of_a_test_comes_with_the_test_extra() -> None:
    """What merely happens to be in one's environment is missing from a fresh one."""
    distributions = packages_distributions()
    own = {path.stem for path in (ROOT / "tests").rglob("*.py")} | {"tests", "benchmarks", "agentkit"}
    allowed = what_comes_with("test")
    missing: dict[str, set[str]] = {}
    for path in (ROOT / "tests").rglob("*.py"):
        if {"servers", "receivers"} & set(path.relative_to(ROOT).parts):
            continue  # in environments of their own
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            modules = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom) and node.module and not node.level:
                modules = [node.module]
            for module in {module.partition(".")[0] for module in modules} - _STDLIB - own:
                names_of = {name.lower().replace("_", "-") for name in distributions.get(module, [module])}
                if not names_of & allowed:
                    missing.setdefault(module, set()).add(str(path.relative_to(ROOT)))
    assert missing == {}


def test_binder_pins_every_package_exactly() -> None:
    lines = (ROOT / "binder" / "requirements.txt").read_text(encoding="utf-8").splitlines()
    pins = dict(line.split("==") for line in lines if not line.startswith(("#", "-e .")))
    pinned = names(list(pins))
    assert RUNTIME | names(EXTRAS["lab"]) <= pinned


def test_binder_has_a_jupyter_server_without_the_known_stored_xss() -> None:
    """CVE-2026-44727: fixed in 2.20.0."""
    text = (ROOT / "binder" / "requirements.txt").read_text(encoding="utf-8")
    found = re.search(r"^jupyter_server==(\d+)\.(\d+)", text, re.MULTILINE)
    assert found
    assert (int(found[1]), int(found[2])) >= (2, 20)
