"""Training files: what is asked of their lines, and a check that needs nothing else of the kit."""

from __future__ import annotations

from agentkit.training_files.checking import Checker, check_path

__all__ = ["Checker", "check_path"]
