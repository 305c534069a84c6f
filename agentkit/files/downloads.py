"""Files that are given by address: fetched with a limit, and never from addresses within the user's own network."""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import mimetypes
import re
import socket
import urllib.request
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import SplitResult, unquote, urljoin, urlsplit

from agentkit._secrets import Redactor
from agentkit.exceptions import UserError

if TYPE_CHECKING:
    import httpx2

__all__ = ["Downloads", "is_address"]

_MOST_REDIRECTS: Final = 5
_NAT64: Final = ipaddress.IPv6Network("64:ff9b::/96")
_UNSAFE: Final = re.compile(r'[\\/:*?"<>|\x00-\x1f\x7f]')
_SIGNATURES: Final = ((b"%PDF-", ".pdf"), (b"<!doctype html", ".html"), (b"<html", ".html"), (b"{\\rtf", ".rtf"))


def is_address(text: str) -> bool:
    """Return whether a text is the address of something on the web."""
    return text[:8].lower().startswith(("http://", "https://"))


class Downloads:
    """Fetches files.

    Args:
        limit_bytes: Most bytes of a file.
        allow_private: Whether addresses within a private network, and of this machine, may be fetched from.
        timeout_s: Seconds that a server may be silent.
        resolve: Returns the addresses of a host, given its name and port; the system's when None.
    """

    def __init__(
        self,
        *,
        limit_bytes: int,
        allow_private: bool = False,
        timeout_s: float = 30,
        resolve: Callable[[str, int], Awaitable[Sequence[str]]] | None = None,
    ) -> None:
        self._limit = limit_bytes
        self._allow_private = allow_private
        self._timeout_s = timeout_s
        self._resolve = resolve or _addresses

    async def get(self, address: str) -> tuple[bytes, str]:
        """Return a file's bytes, and what it is called, with the ending of what it is.

        Raises:
            UserError: There is no such file, it is too big, or its server is within a private network.
        """
        import httpx2

        async with httpx2.AsyncClient(timeout=self._timeout_s, follow_redirects=False) as client:
            for _ in range(_MOST_REDIRECTS + 1):
                request = await self.request(client, address)
                try:
                    response = await client.send(request, stream=True)
                    try:
                        if response.is_redirect and "location" in response.headers:
                            address = urljoin(address, response.headers["location"])
                            continue
                        data = await self._body(response, address)
                        return data, _filename(address, response.headers, data[:64])
                    finally:
                        await response.aclose()
                except httpx2.HTTPError as error:
                    why = str(error) or type(error).__name__
                    raise UserError(f"{_shown(address)} could not be fetched: {why}.") from error
        raise UserError(f"{_shown(address)} was not fetched: it redirects more than {_MOST_REDIRECTS} times.")

    async def request(self, client: httpx2.AsyncClient, address: str) -> httpx2.Request:
        """Return the request for an address, to the very machine that was looked at: a name may mean another next.

        Raises:
            UserError: The machine is within a private network, or there is none.
        """
        parts = urlsplit(address)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise UserError(f"{_shown(address)} is no address of a file on the web.", hint="Use http:// or https://.")
        if self._allow_private:
            return client.build_request("GET", address)
        _refuse_private(_literal(parts.hostname), address)
        if _through_proxy(parts):  # which looks the name up itself
            return client.build_request("GET", address)
        port = parts.port or (443 if parts.scheme == "https" else 80)
        try:
            machines = await self._resolve(parts.hostname, port)
        except OSError as error:
            raise UserError(f"{_shown(address)} could not be fetched: there is no host {parts.hostname!r}.") from error
        for machine in machines:
            _refuse_private(machine, address)
        request = client.build_request("GET", address)  # which sets Host by the name
        request.url = request.url.copy_with(host=machines[0])
        request.extensions = {**request.extensions, "sni_hostname": parts.hostname}
        return request

    async def _body(self, response: httpx2.Response, address: str) -> bytes:
        if response.status_code != 200:
            raise UserError(f"{_shown(address)} could not be fetched: its server answered {response.status_code}.")
        parts: list[bytes] = []
        size = 0
        async for part in response.aiter_bytes():
            size += len(part)
            if size > self._limit:
                raise UserError(f"{_shown(address)} has more than {self._limit:,} bytes, and was not fetched.")
            parts.append(part)
        return b"".join(parts)


async def _addresses(host: str, port: int) -> Sequence[str]:
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(entry[4][0]) for entry in found]


def _through_proxy(parts: SplitResult) -> bool:
    proxies: Mapping[str, Any] = urllib.request.getproxies()
    named = proxies.get(parts.scheme) or proxies.get("all")
    return bool(named) and not urllib.request.proxy_bypass(parts.hostname or "")


def _literal(host: str) -> str | None:
    """Return the address that a host's name is by itself, also as C libraries read it: "0x7f.1", "2130706433"."""
    host = host.removesuffix(".")
    if host == "localhost" or host.endswith(".localhost"):
        return "127.0.0.1"
    with contextlib.suppress(ValueError):
        return str(ipaddress.ip_address(host))
    with contextlib.suppress(OSError, ValueError):
        return socket.inet_ntoa(socket.inet_aton(host))
    return None


def _refuse_private(machine: str | None, address: str) -> None:
    if machine is None:
        return
    at = ipaddress.ip_address(machine.partition("%")[0])
    inner = at if at.version == 4 else _within(at)
    if not inner.is_global or inner.is_multicast:
        raise UserError(
            f"{_shown(address)} was not fetched: {machine} is an address within a private network or of this machine.",
            hint="If it is meant, pass allow_private=True.",
        )


def _within(at: ipaddress.IPv6Address) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    """Return the IPv4 address that an IPv6 address stands for (mapped, 6to4, NAT64), or itself."""
    translated = ipaddress.IPv4Address(int(at) & 0xFFFFFFFF) if at in _NAT64 else None
    return at.ipv4_mapped or at.sixtofour or translated or at


def _filename(address: str, headers: Mapping[str, str], start: bytes) -> str:
    """Return what a fetched file is called, with an ending that fits it."""
    told = re.search(r"filename\*?=(?:UTF-8'')?\"?([^\";]+)", headers.get("content-disposition", ""), re.IGNORECASE)
    parts = urlsplit(address)
    name = unquote(told[1]) if told else unquote(PurePosixPath(parts.path).name)
    name = _UNSAFE.sub("_", name).strip(". ") or _UNSAFE.sub("_", parts.hostname or "file")
    if PurePosixPath(name).suffix.lower() and mimetypes.guess_type(name)[0]:
        return name
    lowered = start[:64].lstrip().lower()
    found = next((ending for sign, ending in _SIGNATURES if lowered.startswith(sign.lower())), None)
    kind = headers.get("content-type", "").partition(";")[0].strip().lower()
    known = {"text/markdown": ".md", "text/plain": ".txt", "application/octet-stream": None}
    ending = found or (known[kind] if kind in known else mimetypes.guess_extension(kind)) or ""
    return f"{name}{ending}"


def _shown(address: str) -> str:
    """Return an address without a password or key that may stand in it."""
    parts = urlsplit(address)
    plain = parts._replace(netloc=parts.netloc.rpartition("@")[2], query="", fragment="")
    return Redactor().clean(plain.geturl())
