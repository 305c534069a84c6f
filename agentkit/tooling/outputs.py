"""What a tool returns, as the model gets it: text, or a list of texts, images and files."""

from __future__ import annotations

import base64
import io
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, model_validator

from agentkit._repr import brief

__all__ = ["ToolOutputFileContent", "ToolOutputImage", "ToolOutputText", "output_for_model"]


class _Output(BaseModel):
    model_config = ConfigDict(extra="forbid")

    # For readers, as a picture's data is long. Not `__repr__`: among other values in a list, that goes to the model.
    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        told = {name: value for name, value in self if name != "type" and value is not None}
        shown = ", ".join(f"{name}={brief(value)}" for name, value in told.items())
        printer.text(f"{type(self).__name__}({shown})")


class ToolOutputText(_Output):
    """Text for the model, as one of several parts of a tool's output."""

    type: Literal["text"] = "text"
    """Tells it from the other kinds."""
    text: str
    """The text."""


class ToolOutputImage(_Output):
    """An image for the model, by address, as data URL, or by the id of an uploaded file."""

    type: Literal["image"] = "image"
    """Tells it from the other kinds."""
    image_url: str | None = None
    """Address of the image, or a data URL (`data:image/png;base64,…`)."""
    file_id: str | None = None
    """Id of a file that has been uploaded to the platform."""
    detail: Literal["low", "high", "auto"] | None = None
    """How closely the model is to look."""

    @model_validator(mode="after")
    def _has_a_source(self) -> ToolOutputImage:
        if not self.image_url and not self.file_id:
            raise ValueError("ToolOutputImage needs an image_url or a file_id.")
        return self


class ToolOutputFileContent(_Output):
    """A file for the model: its content, its address, or the id of an uploaded file."""

    type: Literal["file"] = "file"
    """Tells it from the other kinds."""
    file_data: str | None = None
    """The content, as data URL or base64."""
    file_url: str | None = None
    """Address of the file."""
    file_id: str | None = None
    """Id of a file that has been uploaded to the platform."""
    filename: str | None = None
    """Its name."""

    @model_validator(mode="after")
    def _has_a_source(self) -> ToolOutputFileContent:
        if not (self.file_data or self.file_url or self.file_id):
            raise ValueError("ToolOutputFileContent needs file_data, a file_url or a file_id.")
        return self


_KINDS: dict[str, type[_Output]] = {"text": ToolOutputText, "image": ToolOutputImage, "file": ToolOutputFileContent}


def output_for_model(value: Any) -> str | list[dict[str, Any]]:
    """Return what a tool returned as the API takes it: text, or a list of content parts.

    Parts are `ToolOutputText`, `ToolOutputImage` and `ToolOutputFileContent`, dicts of the same fields, and pictures
    such as matplotlib's figures and Pillow's images; one, or a list of nothing else. All other values become text, as
    `str` makes it.
    """
    if isinstance(value, str):
        return value
    many = isinstance(value, (list, tuple)) and bool(value)
    parts = [_part(each) for each in (value if many else [value])]
    if any(part is None for part in parts):
        return str(value)
    return [part for part in parts if part is not None]


def _part(value: Any) -> dict[str, Any] | None:
    """Return the content part that a value stands for, or None where it stands for none."""
    if isinstance(value, dict) and value.get("type") in _KINDS:
        try:
            value = _KINDS[value["type"]].model_validate(value)
        except ValueError:  # a dict of the user's own that has a "type" too
            return None
    if isinstance(value, _Output):
        fields = value.model_dump(exclude_none=True)
        return {**fields, "type": f"input_{fields['type']}"}
    picture = _png(value)
    if picture is None:
        return None
    return {"type": "input_image", "image_url": "data:image/png;base64," + base64.b64encode(picture).decode()}


def _png(value: Any) -> bytes | None:
    """Return a picture as PNG, or None where the value is none."""
    if isinstance(value, (type, bool, int, float, type(None), dict)):
        return None
    kind = type(value)
    if kind.__module__.startswith("matplotlib.") and hasattr(value, "savefig"):
        buffer = io.BytesIO()
        value.savefig(buffer, format="png")
        return buffer.getvalue()
    if hasattr(kind, "_repr_png_"):
        png = value._repr_png_()
        return png if isinstance(png, bytes) else None
    return None
