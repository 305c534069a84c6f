"""Images and files in a request: what of them reaches the engine, what they cost, and what is wrong with some."""

from __future__ import annotations

import base64
import io
import json
import zipfile
from typing import Any

import openai
import pytest
from pdf_files import pdf
from PIL import Image

from agentkit.local import embedded_transports

BASE_URL = "http://agentkit.local/v1"


def image(kind: str = "PNG", size: tuple[int, int] = (640, 480)) -> str:
    buffer = io.BytesIO()
    Image.new("RGB", size).save(buffer, kind)
    return url(buffer.getvalue(), f"image/{kind.lower()}")


def url(data: bytes, kind: str = "application/pdf") -> str:
    return f"data:{kind};base64,{base64.b64encode(data).decode()}"


def asked(text: str, *parts: dict[str, Any]) -> list[Any]:
    return [{"role": "user", "content": [{"type": "input_text", "text": text}, *parts]}]


def file(data: str, name: str = "report.pdf") -> dict[str, Any]:
    return {"type": "input_file", "filename": name, "file_data": data}


@pytest.fixture
def rehearsal(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A function that asks rehearsal-1."""
    monkeypatch.setenv("AGENTKIT_REHEARSAL_TOKENS_PER_S", "0")
    transport = embedded_transports(home=tmp_path)[1]
    client = openai.OpenAI(
        api_key="k", base_url=BASE_URL, http_client=openai.DefaultHttpx2Client(transport=transport), max_retries=0
    )

    def ask(given: Any, **options: Any) -> Any:
        return client.responses.create(model="rehearsal-1", input=given, **options)

    yield ask
    client.close()


def refusal(ask: Any, data: str, name: str = "report.pdf") -> str:
    with pytest.raises(openai.BadRequestError) as caught:
        ask(asked("Summarize it.", file(data, name)))
    assert caught.value.code == "invalid_file"
    return str(caught.value.body["message"])  # type: ignore[index]


PAGES = ("Sales grew by twelve percent in Norway.", "Costs fell in Sweden. Profit was 40 million.")
REPORT = pdf(*PAGES)


# -- what the engine gets ---------------------------------------------------------------------------------------------


async def test_the_engine_gets_an_images_size_and_a_files_text(engine: Any, client: openai.AsyncOpenAI) -> None:
    parts = [{"type": "input_image", "image_url": image("JPEG")}, file(url(REPORT)), file(url(b"a,b\n1,2"), "a.csv")]
    await client.responses.create(model="rehearsal-1", input=asked("What?", *parts))
    _, picture, report, table = engine.prompt.items[-1]["content"]
    assert picture["size"] == "JPEG, 640 × 480 px"
    assert (report["document"].name, report["document"].pages) == ("report.pdf", 2)
    assert report["document"].text == (
        "Sales grew by twelve percent in Norway.\n\nCosts fell in Sweden. Profit was 40 million."
    )
    assert (table["document"].pages, table["document"].text) == (0, "a,b\n1,2")


async def test_chat_completions_read_the_same(engine: Any, client: openai.AsyncOpenAI) -> None:
    content: Any = [
        {"type": "text", "text": "What?"},
        {"type": "image_url", "image_url": {"url": image()}},
        {"type": "file", "file": {"filename": "report.pdf", "file_data": url(REPORT)}},
    ]
    await client.chat.completions.create(model="rehearsal-1", messages=[{"role": "user", "content": content}])
    _, picture, report = engine.prompt.items[-1]["content"]
    assert picture["size"] == "PNG, 640 × 480 px"
    assert report["document"].pages == 2


async def test_what_is_not_sent_is_not_fetched(engine: Any, client: openai.AsyncOpenAI) -> None:
    part = {"type": "input_image", "image_url": "https://example.com/a.png"}
    await client.responses.create(model="rehearsal-1", input=asked("What?", part))
    assert "size" not in engine.prompt.items[-1]["content"][1]


@pytest.mark.parametrize(
    ("part", "tokens"),
    [
        ({"type": "input_image", "image_url": image(size=(1024, 1024))}, 765),
        ({"type": "input_image", "image_url": image(size=(1024, 1024)), "detail": "low"}, 85),
        ({"type": "input_image", "image_url": "https://example.com/a.png"}, 85),
        (file(url(pdf("one two three"))), 3),
    ],
)
async def test_what_comes_with_a_message_has_tokens(client: openai.AsyncOpenAI, part: Any, tokens: int) -> None:
    bare = await client.responses.create(model="rehearsal-1", input=asked("What?"))
    whole = await client.responses.create(model="rehearsal-1", input=asked("What?", part))
    assert bare.usage is not None
    assert whole.usage is not None
    assert whole.usage.input_tokens - bare.usage.input_tokens == tokens


# -- what rehearsal-1 says --------------------------------------------------------------------------------------------


def test_it_finds_the_sentence_that_is_asked_for(rehearsal: Any) -> None:
    said = rehearsal(asked("What was the profit?", file(url(REPORT)))).output_text
    assert said == "`report.pdf` (PDF, 2 p.): Profit was 40 million."


def test_it_tells_how_a_file_begins(rehearsal: Any) -> None:
    said = rehearsal(asked("Summarize the file.", file(url(REPORT)))).output_text
    assert said == (
        "`report.pdf` (PDF, 2 p.): Sales grew by twelve percent in Norway. Costs fell in Sweden. Profit was 40 million."
    )


def test_a_text_that_was_attached_is_a_file(rehearsal: Any) -> None:
    text = "File terms.txt:\n```\nThe notice period is three months. Rent is due on the first.\n```"
    said = rehearsal(asked("What is the notice period?", {"type": "input_text", "text": text})).output_text
    assert said == "`terms.txt`: The notice period is three months."


@pytest.mark.parametrize("text", ["File a.txt:\n```\nx\n```\nWhat is it?", "Look:\n```\nx\n```", "File a.txt:\n```\nx"])
async def test_a_text_with_a_block_of_code_is_no_file(engine: Any, client: openai.AsyncOpenAI, text: str) -> None:
    await client.responses.create(model="rehearsal-1", input=asked(text))
    assert "document" not in engine.prompt.items[-1]["content"][0]


def test_it_sees_no_picture_and_says_so_with_its_size(rehearsal: Any) -> None:
    said = rehearsal(asked("What does this show?", {"type": "input_image", "image_url": image("GIF")})).output_text
    assert "can't look at images" in said
    assert said.endswith("(GIF, 640 × 480 px)")


def test_fields_are_taken_from_a_file(rehearsal: Any) -> None:
    schema = {
        "type": "object",
        "properties": {"email": {"type": "string"}},
        "required": ["email"],
        "additionalProperties": False,
    }
    form = {"format": {"type": "json_schema", "name": "contact", "schema": schema, "strict": True}}
    data = url(pdf("Write to anna@example.com for more."))
    answer = rehearsal(asked("Extract the contact.", file(data)), text=form)
    assert json.loads(answer.output_text) == {"email": "anna@example.com"}


def test_a_scan_has_no_words(rehearsal: Any) -> None:
    assert rehearsal(asked("Summarize it.", file(url(pdf("", ""))))).output_text == "`report.pdf` (PDF, 2 p.): …"


def test_a_word_file_is_read(rehearsal: Any) -> None:
    space = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'
    texts = "".join(
        f"<w:p><w:r>{mark}<w:t>{text}</w:t></w:r></w:p>"
        for mark, text in (("", "Sales grew."), ("<w:lastRenderedPageBreak/>", "Profit was 40 million."))
    )
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("word/document.xml", f"<w:document {space}><w:body>{texts}</w:body></w:document>")
    said = rehearsal(asked("What was the profit?", file(url(buffer.getvalue()), "report.docx"))).output_text
    assert said == "`report.docx` (2 p.): Profit was 40 million."


def test_a_damaged_word_file_is_refused(rehearsal: Any) -> None:
    assert refusal(rehearsal, url(b"PK\x03\x04" + bytes(200)), "a.docx").startswith("The file 'a.docx' is damaged: ")


async def test_a_file_stays_in_the_conversation(engine: Any, client: openai.AsyncOpenAI) -> None:
    first = await client.responses.create(model="rehearsal-1", input=asked("What?", file(url(REPORT))))
    await client.responses.create(model="rehearsal-1", input="And?", previous_response_id=first.id)
    assert engine.prompt.items[0]["content"][1]["document"].pages == 2


# -- files that can't be read -----------------------------------------------------------------------------------------


def test_a_pdf_that_needs_no_password_is_read(rehearsal: Any) -> None:
    said = rehearsal(asked("What was the profit?", file(url(pdf(*PAGES, password=""))))).output_text
    assert said.endswith("Profit was 40 million.")


def test_a_pdf_that_needs_one_is_refused(rehearsal: Any) -> None:
    told = "The file 'report.pdf' is encrypted: save it without a password."
    assert refusal(rehearsal, url(pdf(*PAGES, password="secret"))) == told


@pytest.mark.parametrize(
    "data", [b"%PDF-1.7\n", b"%PDF-1.7\n%%EOF", REPORT[: len(REPORT) // 3], b"%PDF-" + bytes(2_000)]
)
def test_a_damaged_pdf_is_refused(rehearsal: Any, data: bytes, capfd: pytest.CaptureFixture[str]) -> None:
    assert refusal(rehearsal, url(data)).startswith("The file 'report.pdf' is damaged")
    assert capfd.readouterr() == ("", "")


def test_a_pdf_of_too_many_pages_is_refused(rehearsal: Any) -> None:
    told = "The file 'report.pdf' has 1,001 pages, where 1,000 is the most."
    assert refusal(rehearsal, url(pdf(*[""] * 1_001))) == told


async def test_what_is_no_text_is_left_to_the_engine(engine: Any, client: openai.AsyncOpenAI) -> None:
    await client.responses.create(model="rehearsal-1", input=asked("What?", file(url(b"\xff\xfe\0\1"), "a.bin")))
    assert "document" not in engine.prompt.items[-1]["content"][1]
