"""The doctor: what is installed, what answers, where the files are; what is wrong, and how to mend it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from agentkit.notebook.doctor.findings import Check, Finding, carry_out
from agentkit.notebook.doctor.report import Report, scan_report
from agentkit.notebook.doctor.scan import scan

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

__all__ = ["Finding", "Report", "diagnose", "look_into"]


def diagnose(shell: InteractiveShell | None = None) -> Report:
    """Look at everything, and return what was found. No finding names a key's value.

    Args:
        shell: The notebook's shell; None on the command line, where there is no notebook to look at.
    """
    from agentkit import __version__
    from agentkit.notebook.doctor.platform_checks import load_client

    load_client()
    return Report(f"agentkit {__version__}, doctor", carry_out(_checks(shell)))


def look_into(paths: Sequence[str | Path]) -> Report:
    """Return which keys are in notebooks.

    Args:
        paths: Notebooks, and folders of them.
    """
    return scan_report(scan(paths))


def _checks(shell: InteractiveShell | None) -> list[Check]:
    from agentkit.notebook.doctor import file_checks, install_checks, key_checks, notebook_checks, platform_checks
    from agentkit.notebook.doctor.server import find_server

    server = find_server()
    checks = [
        Check("Installed", "Python", install_checks.check_python),
        Check("Installed", "packages", install_checks.check_packages),
        Check("Jupyter", "server", lambda: install_checks.check_server(server)),
        Check("Jupyter", "kernels", lambda: install_checks.check_kernels(server.kernel_folders)),
        Check("Platform", "platform", platform_checks.check_platform, limit_s=12),
        Check("Platform", "a run", platform_checks.check_run, limit_s=12),
        Check("Files", "AGENTKIT_HOME", file_checks.check_home),
        Check("Files", "databases", file_checks.check_stores, limit_s=5),
        Check("Keys", "environment", key_checks.check_environment_keys),
    ]
    if shell is None:
        return checks
    return [
        *checks,
        Check("Keys", "notebook", lambda: key_checks.check_notebook_keys(shell)),
        Check("Notebook", "front end", lambda: notebook_checks.check_notebook(shell)),
        Check("Notebook", "settings", notebook_checks.check_settings),
    ]
