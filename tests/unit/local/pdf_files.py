"""PDF files as small as they can be, made for tests."""

from __future__ import annotations

import io

from pypdf import PdfReader, PdfWriter


def pdf(
    *pages: str, outline: list[tuple[str, int]] | None = None, title: str = "", password: str | None = None
) -> bytes:
    """Return a PDF with lines of text on each page, and bookmarks: their titles and pages from 0."""
    kids = " ".join(f"{4 + 2 * index} 0 R" for index in range(len(pages)))
    objects = [
        "<< /Type /Catalog /Pages 2 0 R >>",
        f"<< /Type /Pages /Kids [{kids}] /Count {len(pages)} >>",
        "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    ]
    for index, text in enumerate(pages):
        lines = " ".join(f"({line}) Tj 0 -14 Td" for line in text.split("\n") if line)
        objects += page(5 + 2 * index, f"BT /F1 12 Tf 20 700 Td {lines} ET" if text else "")
    plain = pdf_of(objects)
    if not outline and not title and password is None:
        return plain
    writer = PdfWriter(clone_from=PdfReader(io.BytesIO(plain)))
    if title:
        writer.add_metadata({"/Title": title})
    for text, number in outline or []:
        writer.add_outline_item(title=text, page_number=number)
    if password is not None:
        writer.encrypt(password, algorithm="RC4-128")
    buffer = io.BytesIO()
    writer.write(buffer)
    return buffer.getvalue()


def page(contents: int, drawing: str) -> tuple[str, str]:
    """Return a page and its contents, which is the object of that number. Object 3 is its font."""
    return (
        f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 600 800] /Contents {contents} 0 R "
        "/Resources << /Font << /F1 3 0 R >> >> >>",
        stream(drawing),
    )


def stream(content: str) -> str:
    """Return an object that holds a text."""
    return f"<< /Length {len(content)} >>\nstream\n{content}\nendstream"


def pdf_of(objects: list[str]) -> bytes:
    """Return a PDF of objects, which are numbered from 1; the first is its catalog."""
    out, places = b"%PDF-1.7\n", []
    for number, body in enumerate(objects, 1):
        places.append(len(out))
        out += f"{number} 0 obj\n{body}\nendobj\n".encode()
    table = "".join(f"{place:010d} 00000 n \n" for place in places)
    size = len(objects) + 1
    end = f"xref\n0 {size}\n0000000000 65535 f \n{table}trailer\n<< /Size {size} /Root 1 0 R >>\nstartxref\n{len(out)}"
    return out + f"{end}\n%%EOF\n".encode()
