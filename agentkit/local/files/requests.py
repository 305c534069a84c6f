"""What requests for files and uploads may hold."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from agentkit.local.checking import Shape, check
from agentkit.local.errors import ApiError
from agentkit.local.files.uploads import UPLOAD_BYTES

__all__ = ["CompleteRequest", "FileFields", "FilesQuery", "UploadRequest", "check_fields"]

Purpose = Literal["assistants", "batch", "fine-tune", "vision", "user_data", "evals"]
_Seconds = Annotated[int, Field(ge=3600, le=2_592_000)]


class FileExpiry(Shape):
    """When a file goes."""

    anchor: Literal["created_at"]
    seconds: _Seconds


class _FormFileExpiry(BaseModel):
    """The same in a form, where numbers are texts."""

    model_config = ConfigDict(extra="forbid")

    anchor: Literal["created_at"]
    seconds: _Seconds


class FileFields(BaseModel):
    """The fields beside the file in `POST /v1/files`."""

    model_config = ConfigDict(extra="forbid")

    purpose: Purpose
    expires_after: _FormFileExpiry | None = None


class FilesQuery(BaseModel):
    """The query of `GET /v1/files`; its values arrive as text."""

    model_config = ConfigDict(extra="ignore")

    after: str | None = None
    limit: int = Field(10_000, ge=1, le=10_000)
    order: Literal["asc", "desc"] = "desc"
    purpose: str | None = None


class UploadRequest(Shape):
    """The body of `POST /v1/uploads`."""

    bytes: Annotated[int, Field(ge=1, le=UPLOAD_BYTES)]
    filename: Annotated[str, Field(min_length=1, max_length=255)]
    mime_type: str
    purpose: Purpose
    expires_after: FileExpiry | None = None


class CompleteRequest(Shape):
    """The body of `POST /v1/uploads/{upload_id}/complete`."""

    part_ids: Annotated[list[str], Field(min_length=1)]
    md5: Annotated[str, Field(pattern=r"^[0-9a-fA-F]{32}$")] | None = None


def check_fields(fields: Mapping[str, str]) -> FileFields:
    """Return a form's fields; those written as `expires_after[seconds]` are parts of an object.

    Raises:
        ApiError: They don't fit.
    """
    value: dict[str, Any] = {}
    for name, text in fields.items():
        outer, bracket, inner = name.partition("[")
        if bracket and inner.endswith("]"):
            held = value.setdefault(outer, {})
            if not isinstance(held, dict):
                raise ApiError(f"Invalid '{outer}': given as a text and as an object.", param=outer)
            held[inner[:-1]] = text
        else:
            value[name] = text
    return check(FileFields, value)
