"""What goes with a question: images, PDFs and texts, from files or from the notebook's variables.

What something is, its bytes say, not its name: a JPEG called `photo.png` is sent as the JPEG that it is.
"""

from __future__ import annotations

import base64
import io
import os
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from agentkit._images import image_info
from agentkit.exceptions import UserError
from agentkit.notebook.options import closest, kind_of

__all__ = [
    "IMAGE_TYPES",
    "MAX_BYTES",
    "MAX_TEXT_BYTES",
    "PDF_TYPE",
    "Attachment",
    "attachment_of",
    "can_be_attached",
    "clean_name",
    "content_parts",
    "media_type_of",
    "read_attachment",
]

MAX_BYTES = 20_000_000
"""Most bytes of an image or a PDF."""
MAX_TEXT_BYTES = 2_000_000
"""Most bytes of a text: some 500,000 tokens, about what the largest models take."""
IMAGE_TYPES = ("image/png", "image/jpeg", "image/gif", "image/webp")
"""Kinds of images that models take."""
PDF_TYPE = "application/pdf"
"""The kind of a PDF."""

_TAKEN = "PNG, JPEG, GIF and WebP images, PDFs and texts can be attached."
_OTHER_MARKS = {
    b"PK\x03\x04": "a ZIP archive, as Word, Excel and PowerPoint files are",
    b"\xd0\xcf\x11\xe0": "an old Office file",
    b"BM": "a BMP image",
    b"II*\x00": "a TIFF image",
    b"MM\x00*": "a TIFF image",
    b"\x1f\x8b": "a gzip archive",
    b"SQLite format 3\x00": "a SQLite database",
    b"\x7fELF": "a program",
    b"PAR1": "a Parquet file",
}
_CONTROLS = re.compile(r"[\x00-\x08\x0e-\x1a\x1c-\x1f]")
_TEXTS = {
    ".csv": "text/csv",
    ".css": "text/css",
    ".htm": "text/html",
    ".html": "text/html",
    ".ipynb": "application/json",
    ".js": "text/javascript",
    ".json": "application/json",
    ".md": "text/markdown",
    ".py": "text/x-python",
    ".rst": "text/x-rst",
    ".svg": "text/xml",
    ".tex": "text/x-tex",
    ".toml": "application/toml",
    ".tsv": "text/tab-separated-values",
    ".xml": "text/xml",
    ".yaml": "application/yaml",
    ".yml": "application/yaml",
}
"""The kinds of texts; others are plain. Not the system's table, which differs from one to the next."""


@dataclass(frozen=True, slots=True)
class Attachment:
    """Something that goes with a question."""

    name: str
    """What it is called: its file's name, without a folder."""
    media_type: str
    """One of `IMAGE_TYPES`, `PDF_TYPE`, or a text's, such as `text/csv`."""
    data: bytes
    """Its bytes; a text's in UTF-8."""

    def __repr__(self) -> str:
        return f"Attachment({self.name!r}, {self.media_type!r}, {len(self.data):,} bytes)"

    @property
    def kind(self) -> Literal["image", "pdf", "text"]:
        """What it is to a model."""
        return "image" if self.media_type in IMAGE_TYPES else "pdf" if self.media_type == PDF_TYPE else "text"

    @classmethod
    def of(cls, name: str, data: bytes) -> Attachment:
        """Return what these bytes are.

        Args:
            name: What it is called; of a path, the last part.
            data: Its bytes.

        Raises:
            UserError: There are none, too many of them, or they are nothing that can be attached.
        """
        name = clean_name(name)
        if not data:
            raise UserError(f"{name} is empty: there is nothing in it to attach.")
        kind = media_type_of(data, name)
        if kind is None:
            raise UserError(f"{name} can't be attached: it is {_described(data)}.", hint=_TAKEN)
        binary = kind in IMAGE_TYPES or kind == PDF_TYPE
        _check_size(name, len(data), MAX_BYTES if binary else MAX_TEXT_BYTES)
        return cls(name, kind, data if binary else _decoded(data).encode())

    @property
    def data_url(self) -> str:
        """It as a `data:` address."""
        return f"data:{self.media_type};base64,{base64.b64encode(self.data).decode()}"

    @property
    def text(self) -> str:
        """The text of a text."""
        return self.data.decode()

    def part(self) -> dict[str, Any]:
        """Return it as a part of a message, in the shape of the Responses API."""
        if self.kind == "image":
            return {"type": "input_image", "image_url": self.data_url, "detail": "auto"}
        if self.kind == "pdf":
            return {"type": "input_file", "filename": self.name, "file_data": self.data_url}
        return {"type": "input_text", "text": _fenced(self)}


def content_parts(text: str, attachments: Iterable[Attachment]) -> list[dict[str, Any]]:
    """Return a message's content in the shape of the Responses API: the text, then what goes with it.

    Args:
        text: What is asked; "" for nothing but attachments.
        attachments: Images become data URLs, PDFs files, texts named blocks of text.
    """
    parts = [{"type": "input_text", "text": text}] if text else []
    return [*parts, *(attachment.part() for attachment in attachments)]


def read_attachment(path: str | Path) -> Attachment:
    """Return what a file holds.

    Args:
        path: The file; relative to the working folder, `~` for the home folder.

    Raises:
        UserError: It isn't there, can't be read, is too large, or nothing that can be attached.
    """
    file = Path(path).expanduser()
    try:
        if file.is_dir():
            raise UserError(f"{path} is a folder: attach the files in it.")
        if not file.is_file() and file.exists():
            raise UserError(f"{path} is no ordinary file, and can't be attached.")
        _check_size(str(path), file.stat().st_size, MAX_BYTES)
        data = file.read_bytes()
    except FileNotFoundError:
        raise UserError(f"There is no file {path}.{_near(file)}") from None
    except (OSError, ValueError) as error:  # ValueError: a NUL in the path
        raise UserError(f"{path} can't be read: {getattr(error, 'strerror', None) or error}.") from None
    return Attachment.of(file.name, data)


def attachment_of(value: Any, name: str) -> Attachment:  # whatever a variable may hold
    """Return what a variable holds, as an attachment: a figure, an image, bytes, a path, an attachment.

    Args:
        value: What it holds. Figures and images become PNGs.
        name: Name of the variable, for the attachment and for errors.

    Raises:
        UserError: It is nothing that can be attached.
    """
    if isinstance(value, Attachment):
        return value
    if isinstance(value, Path):
        return read_attachment(value)
    data = _bytes_of(value)
    if data is None:
        hint = "A matplotlib figure, a PIL image, bytes and a pathlib.Path can be attached."
        raise UserError(f"{name} is {kind_of(value)}, and can't be attached.", hint=hint)
    return Attachment.of(name, data)


def can_be_attached(value: Any) -> bool:
    """Tell whether a variable's value is one that `attachment_of` takes. It makes no picture of it yet."""
    if isinstance(value, (Attachment, Path, bytes, bytearray, memoryview)):
        return True
    return not isinstance(value, type) and (_is_figure(value) or hasattr(value, "_repr_png_"))


def media_type_of(data: bytes, name: str = "") -> str | None:
    """Return what bytes are: an image's type, a PDF's, or a text's by its name; None for anything else."""
    if (image := image_info(data)) is not None:
        return image.media_type
    if b"%PDF-" in data[:1024]:
        return PDF_TYPE
    try:
        text = _decoded(data)
    except UnicodeDecodeError:
        return None
    if _CONTROLS.search(text):
        return None
    return _TEXTS.get(Path(name).suffix.lower(), "text/plain")


def clean_name(name: str) -> str:
    """Return a file's name without folders, control characters, line ends and backticks; "file" where none is left."""
    last = re.split(r"[/\\]", name)[-1]
    kept = "".join(char if char.isprintable() and char != "`" else " " for char in last)
    return " ".join(kept.split())[:120] or "file"


def _bytes_of(value: Any) -> bytes | None:
    if isinstance(value, (bytes, bytearray, memoryview)):
        return bytes(value)
    figure = value if hasattr(value, "savefig") else getattr(value, "figure", None)
    if figure is not None and hasattr(figure, "savefig") and not isinstance(value, type):
        buffer = io.BytesIO()
        figure.savefig(buffer, format="png")
        return buffer.getvalue()
    if hasattr(value, "_repr_png_") and not isinstance(value, type):
        png = value._repr_png_()
        png = png[0] if isinstance(png, tuple) else png  # with metadata
        if isinstance(png, str):  # IPython's Image gives it in base64
            png = base64.b64decode(png)
        return bytes(png) if png else _held_by(value)
    return _held_by(value)


def _held_by(value: Any) -> bytes | None:
    """Return the bytes of an object that only holds some, such as IPython's Image of a JPEG."""
    held = getattr(value, "data", None)
    return held if isinstance(held, bytes) and hasattr(value, "format") else None


def _is_figure(value: Any) -> bool:
    return hasattr(value, "savefig") or hasattr(getattr(value, "figure", None), "savefig")


def _check_size(name: str, size: int, most: int) -> None:
    if size > most:
        hint = "Attach a part of it." if most == MAX_TEXT_BYTES else "Make it smaller, or attach a part of it."
        raise UserError(f"{name} is too large: {_megabytes(size)}, where {_megabytes(most)} is the most.", hint=hint)


def _megabytes(size: int) -> str:
    return f"{size / 1_000_000:.3g} MB" if size < 100_000_000 else f"{size / 1_000_000:,.0f} MB"


def _decoded(data: bytes) -> str:
    """Return the text that bytes hold: UTF-8, or UTF-16 that says so at its beginning."""
    encoding = "utf-16" if data[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
    return data.decode(encoding)


def _described(data: bytes) -> str:
    found = next((words for mark, words in _OTHER_MARKS.items() if data.startswith(mark)), None)
    if found is None and data[4:8] == b"ftyp":
        found = "a HEIC or AVIF image" if data[8:12] in (b"heic", b"heix", b"mif1", b"avif") else "a video or a sound"
    return found or "neither an image nor a PDF, nor text in UTF-8"


def _fenced(attachment: Attachment) -> str:
    """Return a text as a block that says what it is called and where it ends."""
    text = attachment.text
    longest = max((len(run) for run in re.findall(r"`{3,}", text)), default=2)
    fence = "`" * (longest + 1)
    kind = attachment.media_type.rpartition("/")[2].removeprefix("x-")
    language = {"plain": "", "tab-separated-values": "tsv"}.get(kind, kind)
    return f"File {attachment.name}:\n{fence}{language}\n{text}{'' if text.endswith(chr(10)) else chr(10)}{fence}"


def _near(file: Path) -> str:
    try:
        names = os.listdir(file.parent)
    except OSError:
        return f" There is no folder {file.parent} either." if str(file.parent) != "." else ""
    return closest(file.name, names)
