"""The one way in which an output leaves for the notebook."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

__all__ = ["EMPTY", "publish"]

EMPTY = {"text/html": "", "text/plain": ""}
"""What stands in the place of an output that isn't needed any more: one can be replaced, not taken away."""


def publish(bundle: Mapping[str, Any], *, display_id: str | None = None, update: bool = False) -> None:
    """Show a bundle of MIME types as it is.

    Never by IPython's display classes: those take text that is a path or an address for something to open.

    Args:
        bundle: The output's data by MIME type.
        display_id: Under which it can be replaced.
        update: Whether to replace the output of that id.
    """
    from IPython.display import display

    if display_id is None:
        display(dict(bundle), raw=True)  # type: ignore[no-untyped-call]
    else:
        display(dict(bundle), raw=True, display_id=display_id, update=update)  # type: ignore[no-untyped-call]
