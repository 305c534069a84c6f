"""What goes with a question: images, PDFs and texts, from files and from variables."""

from __future__ import annotations

import base64
import io
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from IPython.display import Image as ShownImage
from matplotlib.figure import Figure
from PIL import Image

from agentkit.exceptions import UserError
from agentkit.notebook import attachments
from agentkit.notebook.attachments import Attachment, attachment_of, content_parts, read_attachment

if TYPE_CHECKING:
    from conftest import Mistake, Run
    from IPython.core.interactiveshell import InteractiveShell

    from agentkit import Agent
    from agentkit.testing import ScriptedModel


def image(kind: str = "PNG", size: tuple[int, int] = (4, 3)) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", size).save(buffer, kind)
    return buffer.getvalue()


def url(media_type: str, data: bytes) -> str:
    return f"data:{media_type};base64,{base64.b64encode(data).decode()}"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder that the notebook works in."""
    made = tmp_path / "work"
    made.mkdir()
    monkeypatch.chdir(made)
    return made


def failure(action: Any, *args: Any) -> str:
    with pytest.raises(UserError) as caught:
        action(*args)
    return str(caught.value)


# -- what things are --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "data", "media_type"),
    [
        ("a.png", image(), "image/png"),
        ("photo.png", image("JPEG"), "image/jpeg"),
        ("a", image("GIF"), "image/gif"),
        ("a.webp", image("WEBP"), "image/webp"),
        ("a.txt", b"%PDF-1.7\n...", "application/pdf"),
        ("a.csv", b"a,b\n", "text/csv"),
        ("a.PY", b"x = 1\n", "text/x-python"),
        ("a.svg", b"<svg/>", "text/xml"),
        ("a.log", b"\x1b[31mred\x1b[0m\ttab\r\n", "text/plain"),
        ("Makefile", "ü".encode(), "text/plain"),
    ],
)
def test_the_bytes_say_what_something_is(name: str, data: bytes, media_type: str) -> None:
    assert Attachment.of(name, data).media_type == media_type


def test_texts_become_utf_8() -> None:
    assert Attachment.of("a.txt", "Grüße".encode("utf-16")).data == "Grüße".encode()
    assert Attachment.of("a.txt", b"\xef\xbb\xbfHello").text == "Hello"


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("/home/me/a.txt", "a.txt"),
        ("C:\\me\\a.txt", "a.txt"),
        ("a\n`b`\u202e.txt", "a b .txt"),
        ("../", "file"),
        ("x" * 500, "x" * 120),
    ],
)
def test_a_name_is_one_plain_line(name: str, shown: str) -> None:
    assert Attachment.of(name, b"text").name == shown


def test_parts_are_those_of_the_responses_api() -> None:
    png, pdf, csv = image(), b"%PDF-1.7", b"a,b"
    given = [Attachment.of("a.png", png), Attachment.of("b.pdf", pdf), Attachment.of("c.csv", csv)]
    assert content_parts("What?", given) == [
        {"type": "input_text", "text": "What?"},
        {"type": "input_image", "image_url": url("image/png", png), "detail": "auto"},
        {"type": "input_file", "filename": "b.pdf", "file_data": url("application/pdf", pdf)},
        {"type": "input_text", "text": "File c.csv:\n```csv\na,b\n```"},
    ]
    assert content_parts("", given[2:]) == [{"type": "input_text", "text": "File c.csv:\n```csv\na,b\n```"}]


def test_a_texts_own_fences_do_not_end_its_block() -> None:
    [part] = content_parts("", [Attachment.of("a.md", b"````\nx\n````\n")])
    assert part["text"] == "File a.md:\n`````markdown\n````\nx\n````\n`````"


@pytest.mark.parametrize(
    ("data", "what"),
    [
        (b"PK\x03\x04\x00", "a ZIP archive, as Word, Excel and PowerPoint files are"),
        (b"II*\x00\x00", "a TIFF image"),
        (b"\0\0\0\x18ftypheic", "a HEIC or AVIF image"),
        (b"\0\0\0\x18ftypmp42", "a video or a sound"),
        (b"\xff\x00\xfe", "neither an image nor a PDF, nor text in UTF-8"),
        (b"text\0with nul", "neither an image nor a PDF, nor text in UTF-8"),
    ],
)
def test_what_can_not_be_attached_is_told(data: bytes, what: str) -> None:
    told = f"a.bin can't be attached: it is {what}. PNG, JPEG, GIF and WebP images, PDFs and texts can be attached."
    assert failure(Attachment.of, "a.bin", data) == told


def test_too_large_is_told_with_both_sizes() -> None:
    assert failure(Attachment.of, "a.txt", b"x" * 2_000_001) == (
        "a.txt is too large: 2 MB, where 2 MB is the most. Attach a part of it."
    )
    large = image() + b"\0" * 20_500_000
    told = "a.png is too large: 20.5 MB, where 20 MB is the most. Make it smaller, or attach a part of it."
    assert failure(Attachment.of, "a.png", large) == told


def test_nothing_can_not_be_attached() -> None:
    assert failure(Attachment.of, "a.txt", b"") == "a.txt is empty: there is nothing in it to attach."


# -- files ------------------------------------------------------------------------------------------------------------


def test_a_file_is_read(folder: Path) -> None:
    (folder / "a.csv").write_text("a,b")
    assert read_attachment("a.csv") == Attachment("a.csv", "text/csv", b"a,b")


def test_what_is_wrong_with_a_file_is_told(folder: Path) -> None:
    (folder / "plot.png").write_bytes(image())
    (folder / "sub").mkdir()
    assert failure(read_attachment, "plott.png") == "There is no file plott.png. Did you mean plot.png?"
    assert failure(read_attachment, "gone/a.png") == "There is no file gone/a.png. There is no folder gone either."
    assert failure(read_attachment, "sub") == "sub is a folder: attach the files in it."
    assert failure(read_attachment, "/dev/null") == "/dev/null is no ordinary file, and can't be attached."
    assert failure(read_attachment, "a\0b").startswith("a\0b can't be read: ")


def test_a_file_that_is_too_large_is_not_read(folder: Path) -> None:
    with (folder / "huge.png").open("wb") as file:
        file.truncate(3_000_000_000)
    assert failure(read_attachment, "huge.png").startswith("huge.png is too large: 3,000 MB, where 20 MB is the most.")


# -- variables --------------------------------------------------------------------------------------------------------


class HasPng:
    def _repr_png_(self) -> Any:
        return image(), {"width": 4}


def test_figures_images_and_bytes_are_taken() -> None:
    axes = Figure(figsize=(2, 1), dpi=100).subplots()
    for value in (axes, axes.figure):
        made = attachment_of(value, "fig")
        assert (made.name, made.media_type) == ("fig", "image/png")
        assert Image.open(io.BytesIO(made.data)).size == (200, 100)
    assert attachment_of(HasPng(), "x").data == image()
    assert attachment_of(ShownImage(data=image(), format="png"), "x").data == image()
    assert attachment_of(ShownImage(data=image("JPEG"), format="jpeg"), "x").media_type == "image/jpeg"
    assert attachment_of(Image.new("RGB", (5, 6)), "x").media_type == "image/png"
    assert attachment_of(bytearray(b"%PDF-1.7"), "x").kind == "pdf"
    made = Attachment.of("a.txt", b"text")
    assert attachment_of(made, "x") is made


def test_a_path_in_a_variable_is_read(folder: Path) -> None:
    (folder / "a.txt").write_text("text")
    assert attachment_of(Path("a.txt"), "x").name == "a.txt"


def test_other_values_are_refused() -> None:
    told = "A matplotlib figure, a PIL image, bytes and a pathlib.Path can be attached."
    assert failure(attachment_of, 7, "n") == f"n is an int, and can't be attached. {told}"
    assert failure(attachment_of, Figure, "f") == f"f is a type, and can't be attached. {told}"


# -- %ask -------------------------------------------------------------------------------------------------------------


def sent(model: ScriptedModel) -> Any:
    return model.requests[-1].input[-1]["content"]


def test_image_and_file_go_with_the_text(
    run: Run, folder: Path, loaded: InteractiveShell, weather: Agent[Any], model: ScriptedModel
) -> None:
    (folder / "my plot, 2.png").write_bytes(image())
    (folder / "a.csv").write_text("a,b")
    loaded.user_ns["png"] = image("GIF")
    model.reply("A plot.")
    assert run('%ask weather --file a.csv --image "my plot, 2.png" --image png Why?').error is None
    assert sent(model) == [
        {"type": "input_text", "text": "Why?"},
        {"type": "input_image", "image_url": url("image/png", image()), "detail": "auto"},
        {"type": "input_image", "image_url": url("image/gif", image("GIF")), "detail": "auto"},
        {"type": "input_text", "text": "File a.csv:\n```csv\na,b\n```"},
    ]


def test_in_a_cell_several_images_follow_one_option(
    run: Run, folder: Path, weather: Agent[Any], model: ScriptedModel
) -> None:
    for name in ("a.png", "b.png"):
        (folder / name).write_bytes(image())
    model.reply("Two.")
    assert run("%%ask weather --image a.png b.png --max-turns 2\nWhich?\n").error is None
    assert [part["type"] for part in sent(model)] == ["input_text", "input_image", "input_image"]


def test_an_image_alone_is_a_question(run: Run, folder: Path, weather: Agent[Any], model: ScriptedModel) -> None:
    (folder / "a.png").write_bytes(image())
    model.reply("A plot.")
    assert run("%ask weather --image a.png").error is None
    assert [part["type"] for part in sent(model)] == ["input_image"]


def test_what_a_variable_holds_is_named_with_dots(
    run: Run, weather: Agent[Any], model: ScriptedModel, loaded: InteractiveShell
) -> None:
    class Report:
        figure = HasPng()

    loaded.user_ns["report"] = Report
    model.reply("A plot.")
    assert run("%ask weather --image report.figure Why?").error is None
    assert sent(model)[1]["image_url"] == url("image/png", image())


def test_a_file_is_meant_where_a_variable_can_not_be(
    run: Run, folder: Path, weather: Agent[Any], model: ScriptedModel, loaded: InteractiveShell
) -> None:
    loaded.user_ns["data"] = 7
    (folder / "data").write_text("text")
    model.reply("Read.")
    assert run("%ask weather --file data Why?").error is None
    assert sent(model)[1]["text"] == "File data:\n```\ntext\n```"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ("--image sky.gif", "--image: There is no file sky.gif."),
        ("--image plott.png", "--image: There is no file plott.png. Did you mean plot.png?"),
        ("--image a.pdf", "--image: a.pdf is a PDF, not an image: give it to --file."),
        ("--image a.csv", "--image: a.csv is a text, not an image: give it to --file."),
        ("--image hollow.webp", "--image: hollow.webp is empty: there is nothing in it to attach."),
        (
            "--image huge.png",
            "--image: huge.png is too large: 30 MB, where 20 MB is the most. Make it smaller, or attach a part of it.",
        ),
        (
            "--image number",
            "--image: number is an int, and can't be attached. A matplotlib figure, a PIL image, bytes and a "
            "pathlib.Path can be attached.",
        ),
        ("--image number.figure", "There is no variable 'number.figure'."),
        ("--image", "--image needs a value: PATH."),
        ("--file .", "--file: . is a folder: attach the files in it."),
        (
            "--file a.zip",
            "--file: a.zip can't be attached: it is a ZIP archive, as Word, Excel and PowerPoint files are. PNG, JPEG, "
            "GIF and WebP images, PDFs and texts can be attached.",
        ),
    ],
)
def test_mistakes_are_one_line(
    mistake: Mistake, folder: Path, weather: Agent[Any], loaded: InteractiveShell, options: str, message: str
) -> None:
    loaded.user_ns["number"] = 7
    (folder / "plot.png").write_bytes(image())
    (folder / "a.pdf").write_bytes(b"%PDF-1.7")
    (folder / "a.csv").write_text("a,b")
    (folder / "hollow.webp").touch()
    (folder / "a.zip").write_bytes(b"PK\x03\x04")
    with (folder / "huge.png").open("wb") as file:
        file.truncate(30_000_000)
    assert mistake(f"%%ask weather {options}\nWhy?\n") == f"%%ask: {message}"


def test_all_that_is_attached_has_a_limit(
    mistake: Mistake, weather: Agent[Any], loaded: InteractiveShell, monkeypatch: pytest.MonkeyPatch
) -> None:
    loaded.user_ns["large"] = image() + b"\0" * (attachments.MAX_BYTES - 100)
    told = "%%ask: What is attached is too large: 60 MB in all, where 50 MB is the most."
    assert mistake("%%ask weather --image large large large\nWhy?\n") == told
