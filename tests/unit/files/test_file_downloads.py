"""Files from the web: fetched with a limit, named by what they are, never from private networks unasked."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx2
import pytest

from agentkit.exceptions import UserError
from agentkit.files.downloads import Downloads
from agentkit.files.store import VectorStore

PAGES: dict[str, tuple[int, dict[str, str], bytes]] = {
    "/handbook.md": (200, {"Content-Type": "text/markdown"}, b"# Leave\n\nThirty days."),
    "/get": (200, {"Content-Type": "application/octet-stream"}, b"%PDF-1.7\n"),
    "/page": (200, {"Content-Type": "text/html; charset=utf-8"}, b"<!DOCTYPE html><p>hello"),
    "/named": (200, {"Content-Disposition": 'attachment; filename="../rules.txt"'}, b"rules"),
    "/moved": (302, {"Location": "/handbook.md"}, b""),
    "/loop": (302, {"Location": "/loop"}, b""),
    "/inside": (302, {"Location": "http://169.254.169.254/secret"}, b""),
    "/big": (200, {"Content-Type": "text/plain"}, b"x" * 2000),
}


class Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        status, headers, body = PAGES.get(self.path.partition("?")[0], (404, {}, b"gone"))
        self.send_response(status)
        for name, value in ({"Content-Length": str(len(body))} | headers).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def site() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.parametrize(
    ("path", "filename"),
    [
        ("/handbook.md", "handbook.md"),
        ("/get?id=3", "get.pdf"),
        ("/page", "page.html"),
        ("/named", "_rules.txt"),
        ("/moved", "handbook.md"),
    ],
)
async def test_a_file_is_named_by_its_address_and_what_it_is(site: str, path: str, filename: str) -> None:
    data, name = await Downloads(limit_bytes=1000, allow_private=True).get(site + path)
    assert (name, data) == (
        filename,
        PAGES.get(path.partition("?")[0], PAGES["/handbook.md"])[2] or PAGES["/handbook.md"][2],
    )


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("/absent", "its server answered 404"),
        ("/big", "has more than 1,000 bytes"),
        ("/loop", "redirects more than 5 times"),
    ],
)
async def test_what_cannot_be_had_is_told(site: str, path: str, said: str) -> None:
    with pytest.raises(UserError, match=said):
        await Downloads(limit_bytes=1000, allow_private=True).get(site + path)


@pytest.mark.parametrize(
    "address",
    [
        "http://127.0.0.1/a.md", "http://localhost/a.md", "http://[::1]/a.md", "http://10.0.0.1/a.md",
        "http://192.168.1.1/a.md", "http://169.254.169.254/latest", "http://[::ffff:10.0.0.1]/a.md", "http://0.0.0.0/a",
    ],
)  # fmt: skip
async def test_private_addresses_are_refused(address: str) -> None:
    with pytest.raises(UserError, match="within a private network or of this machine. If it is meant"):
        await Downloads(limit_bytes=1000).get(address)


async def test_addresses_that_are_none_are_told() -> None:
    with pytest.raises(UserError, match="no address of a file on the web"):
        await Downloads(limit_bytes=1000).get("ftp://example.com/a")


def test_a_store_takes_addresses_and_knows_them_again(store: VectorStore, site: str) -> None:
    address = f"{site}/handbook.md"
    assert store.add(address).problems["reason"].iloc[0].startswith(f"{address} was not fetched: 127.0.0.1 is")
    assert store.add(address, allow_private=True).counts == {"uploaded": 1}
    assert store.add(address, allow_private=True).counts == {"unchanged": 1}
    assert store.file(address).filename == "handbook.md"


def test_what_answers_nothing_is_told_without_its_secrets(store: VectorStore, site: str) -> None:
    report = store.add(site.replace("//", "//user:secret@") + "/absent?key=secret", allow_private=True)
    assert "secret" not in repr(report)
    assert report.problems["reason"].iloc[0].endswith("its server answered 404.")


@pytest.fixture
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.usefixtures("no_proxy")
async def test_a_request_goes_to_the_machine_that_was_looked_at() -> None:
    async def resolve(host: str, port: int) -> list[str]:
        assert (host, port) == ("files.example.com", 443)
        return ["93.184.216.34"]

    async with httpx2.AsyncClient() as client:
        request = await Downloads(limit_bytes=1, resolve=resolve).request(client, "https://files.example.com/a.pdf?x=1")
    assert (str(request.url), request.headers["host"]) == ("https://93.184.216.34/a.pdf?x=1", "files.example.com")
    assert request.extensions["sni_hostname"] == "files.example.com"


@pytest.mark.usefixtures("no_proxy")
async def test_a_name_that_leads_inside_is_refused() -> None:
    async def resolve(host: str, port: int) -> list[str]:
        return ["93.184.216.34", "10.0.0.7"]

    with pytest.raises(UserError, match="10.0.0.7 is an address within a private network"):
        await Downloads(limit_bytes=1, resolve=resolve).get("https://files.example.com/a.pdf")


@pytest.mark.parametrize("proxy", [None, "http://proxy.example:3128"])
@pytest.mark.parametrize(
    "host", ["127.0.0.1", "2130706433", "0x7f.1", "0", "localhost.", "[::1]", "[::ffff:10.0.0.1]", "[64:ff9b::7f00:1]",
             "[2002:7f00:1::]"],
)  # fmt: skip
async def test_however_an_inner_address_is_written_it_is_refused(
    host: str, proxy: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("no_proxy", "NO_PROXY", "http_proxy"):
        monkeypatch.delenv(name, raising=False)
    if proxy is not None:  # which would look the name up itself
        monkeypatch.setenv("http_proxy", proxy)
    async with httpx2.AsyncClient() as client:
        with pytest.raises(UserError, match="within a private network"):
            await Downloads(limit_bytes=10).request(client, f"http://{host}/")


async def test_a_translated_address_of_the_web_is_fetched() -> None:
    async def resolve(host: str, port: int) -> list[str]:
        return ["64:ff9b::808:808"]  # 8.8.8.8, in a network without IPv4

    async with httpx2.AsyncClient() as client:
        request = await Downloads(limit_bytes=10, resolve=resolve).request(client, "http://web.example/a.md")
    assert request.url.host == "64:ff9b::808:808"
