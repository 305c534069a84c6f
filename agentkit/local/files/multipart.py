"""Reading of `multipart/form-data` as it comes: the file's bytes go to the disk, the other fields are few and short.

Starlette's own form would put the file on the disk twice, first as a temporary one. The parser is python-multipart's,
which Starlette's form needs too: it finds the boundaries, and hands over the bytes between them without copying.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections.abc import AsyncGenerator, Callable
from typing import TYPE_CHECKING, Any

from agentkit.local.errors import ApiError, missing_parameter
from agentkit.local.files.incoming import Incoming

if TYPE_CHECKING:
    from starlette.requests import Request

__all__ = ["Form", "arriving", "plain_name", "read_form"]

_FIELD_BYTES = 65_536
"""Most bytes of all fields but the file, with their names: of fields without a value there may not be millions."""
_INLINE_BYTES = 262_144
"""A larger piece is written in a thread, so that the event loop is not kept waiting."""
_ESCAPED = re.compile(r"%(0A|0D|22)")


class Form:
    """What a form holds, while it is being read.

    Args:
        file_field: Name of the field that is the file.
        incoming: Where its bytes go.
    """

    def __init__(self, file_field: str, incoming: Incoming) -> None:
        self.fields: dict[str, str] = {}
        """The other fields; of several with one name the last."""
        self.filename: str | None = None
        """What the file is called; None where none has come."""
        self.complete = False
        """Whether the form's end has come."""
        self._file_field = file_field
        self._incoming = incoming
        self._headers: dict[bytes, bytes] = {}
        self._header_name = b""
        self._header_value = b""
        self._name = ""
        self._in_file = False
        self._value = bytearray()
        self._field_bytes = 0

    def callbacks(self) -> dict[str, Any]:
        """Return what the parser calls: functions of nothing, or of a buffer with a start and an end in it."""
        return {
            "on_part_begin": self._begin,
            "on_header_field": self._add_header_name,
            "on_header_value": self._add_header_value,
            "on_header_end": self._end_header,
            "on_headers_finished": self._begin_body,
            "on_part_data": self._add_data,
            "on_part_end": self._end,
            "on_end": self._finish,
        }

    def _begin(self) -> None:
        self._headers = {}
        self._value = bytearray()

    def _add_header_name(self, data: bytes, start: int, end: int) -> None:
        self._header_name += data[start:end]

    def _add_header_value(self, data: bytes, start: int, end: int) -> None:
        self._header_value += data[start:end]

    def _end_header(self) -> None:
        self._headers[self._header_name.lower()] = self._header_value
        self._header_name = self._header_value = b""

    def _begin_body(self) -> None:
        from python_multipart.multipart import parse_options_header

        _, options = parse_options_header(self._headers.get(b"content-disposition", b""))
        self._name = _text(options.get(b"name", b""))
        self._in_file = self._name == self._file_field and b"filename" in options
        self._count(len(self._name) + 1)
        if self._in_file:
            if self.filename is not None:
                raise ApiError(f"Only one '{self._file_field}' can be sent at a time.", param=self._file_field)
            name = _ESCAPED.sub(lambda found: chr(int(found[1], 16)), _text(options[b"filename"]))
            self.filename = plain_name(name)

    def _add_data(self, data: bytes, start: int, end: int) -> None:
        if self._in_file:
            self._incoming.write(memoryview(data)[start:end])
            return
        self._count(end - start)
        self._value += data[start:end]

    def _count(self, size: int) -> None:
        self._field_bytes += size
        if self._field_bytes > _FIELD_BYTES:
            raise ApiError(f"The form's fields have more than {_FIELD_BYTES:,} bytes.", code="invalid_form")

    def _end(self) -> None:
        if not self._in_file:
            self.fields[self._name] = _text(bytes(self._value))

    def _finish(self) -> None:
        self.complete = True


@contextlib.asynccontextmanager
async def arriving(
    place: contextlib.AbstractContextManager[Incoming], *, before: Callable[[], None] | None = None
) -> AsyncGenerator[Incoming, None]:
    """Give a place for bytes that come, made and tidied up in a thread: another process may keep the tables busy.

    Args:
        place: The place.
        before: What is to be done in that thread before.
    """

    def enter() -> Incoming:
        if before is not None:
            before()
        return place.__enter__()

    incoming = await asyncio.to_thread(enter)
    try:
        yield incoming
    finally:
        if incoming.kept:
            place.__exit__(None, None, None)  # nothing is left to do
        else:
            await asyncio.to_thread(place.__exit__, None, None, None)


async def read_form(http: Request, file_field: str, incoming: Incoming) -> Form:
    """Read a form, and write its file.

    Args:
        http: The request, whose body has not been read yet.
        file_field: Name of the field that is the file.
        incoming: Where the file's bytes go.

    Raises:
        ApiError: The body is no form, breaks off, or has no file; or the disk is full.
        TooManyBytesError: The file is too large.
    """
    from python_multipart.exceptions import FormParserError
    from python_multipart.multipart import MultipartParser, parse_options_header

    kind, options = parse_options_header(http.headers.get("content-type", ""))
    if kind != b"multipart/form-data" or b"boundary" not in options:
        message = "The request's body has to be multipart/form-data, with a boundary in its Content-Type header."
        raise ApiError(message, code="invalid_content_type")
    form = Form(file_field, incoming)
    try:
        parser = MultipartParser(options[b"boundary"], form.callbacks())  # type: ignore[arg-type]  # plain functions
        async for piece in http.stream():
            if len(piece) > _INLINE_BYTES:
                await asyncio.to_thread(parser.write, piece)
            elif piece:
                parser.write(piece)
    except FormParserError as error:
        raise ApiError(f"We could not parse the form in your request: {error}.", code="invalid_form") from None
    if not form.complete:
        raise ApiError("The form in your request breaks off before its end.", code="invalid_form")
    if form.filename is None:
        raise missing_parameter(file_field)
    return form


def _text(data: bytes) -> str:
    return data.decode("utf-8", "replace")


def plain_name(name: str) -> str:
    """Return a file's name without its folders and without control characters."""
    plain = name.replace("\\", "/").rpartition("/")[2]
    return "".join(character for character in plain if character.isprintable()).strip()[:255] or "file"
