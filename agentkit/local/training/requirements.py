"""What has to be there before a job can be made: the packages that train, and a way into Weights & Biases."""

from __future__ import annotations

import netrc
import os
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import urlsplit

from agentkit._install import install_command
from agentkit.local.errors import ApiError

__all__ = ["TRAINING_PACKAGES", "check_training", "check_wandb"]

TRAINING_PACKAGES = ("torch", "transformers", "trl", "peft", "accelerate", "datasets", "tokenizers", "jinja2")
"""What the worker imports. They are looked for and not imported: this process never does."""
_OFFLINE = ("offline", "dryrun", "disabled")


def check_training(packages: tuple[str, ...] = TRAINING_PACKAGES) -> None:
    """Check that what trains is installed.

    Raises:
        ApiError: Something of it isn't.
    """
    missing = [name for name in packages if find_spec(name) is None]
    if missing:
        raise ApiError(
            f"Nothing can be trained here: {', '.join(missing)} {'is' if len(missing) == 1 else 'are'} not installed. "
            f"Install what the embedded trainer needs with: {install_command('train')}",
            code="training_unavailable",
        )


def check_wandb(environ: Mapping[str, str] = os.environ) -> None:
    """Check that the worker can tell Weights & Biases of its metrics, as far as that is known without asking there.

    Raises:
        ApiError: The package isn't installed, or nothing says who is telling.
    """
    if find_spec("wandb") is None:
        message = (
            f"Weights & Biases can't be told of this job: {install_command('wandb')}, or leave 'integrations' out."
        )
        raise _refused(message)
    if environ.get("WANDB_MODE") in _OFFLINE or _has_key(environ):
        return
    raise _refused(
        "Weights & Biases has no API key here. Run `wandb login`, or set WANDB_API_KEY, before the platform is "
        "started; or set WANDB_MODE=offline to keep the run in the job's folder, for `wandb sync` later."
    )


def _refused(message: str) -> ApiError:
    return ApiError(message, param="integrations", code="wandb_error")


def _has_key(environ: Mapping[str, str]) -> bool:
    """Return whether wandb will find a key in one of the places in which it looks: environment, netrc, settings."""
    if environ.get("WANDB_API_KEY") or environ.get("WANDB_IDENTITY_TOKEN_FILE"):
        return True
    host = urlsplit(environ.get("WANDB_BASE_URL") or "https://api.wandb.ai").netloc
    home = Path(environ.get("HOME") or Path.home())
    given = environ.get("NETRC")
    for path in [Path(given).expanduser()] if given else [home / ".netrc", home / "_netrc"]:
        try:
            if netrc.netrc(path).authenticators(host):
                return True
        except (OSError, netrc.NetrcParseError):
            continue
    settings = Path(environ.get("WANDB_CONFIG_DIR") or home / ".config" / "wandb") / "settings"
    try:
        return "api_key" in settings.read_text(errors="replace")
    except OSError:
        return False
