"""An MCP server for the tests: run as a program it speaks over stdio."""

from __future__ import annotations

import json
import os
import sys
import time
from typing import Any

from mcp.server.mcpserver import Context, MCPServer
from mcp_types import ImageContent, TextContent

PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="

REFUSALS = {
    "busy": (503, ""),
    "forgotten": (400, "Bad Request: No valid session ID provided"),
    "odd": (400, "No such thing"),
}
"""Calls that an HTTP server refuses the first time: by a status, and words where there are any."""


def make_server() -> MCPServer:
    server = MCPServer("Sums", log_level="CRITICAL")

    @server.tool(structured_output=False)
    def add(a: int, b: int) -> str:
        """Add two numbers."""
        return str(a + b)

    @server.tool(structured_output=False)
    def fail(reason: str) -> str:
        """Fail."""
        raise ValueError(reason)

    @server.tool(structured_output=False)
    def picture() -> list[TextContent | ImageContent]:
        """Draw a picture."""
        text = TextContent(type="text", text="A dot:")
        return [text, ImageContent(type="image", data=PIXEL, mime_type="image/png")]

    @server.tool()
    def facts() -> dict[str, int]:
        """Return facts."""
        return {"legs": 4}

    @server.tool(structured_output=False)
    def large(size: int) -> str:
        """Return a long text."""
        return "0123456789" * (size // 10)

    @server.tool(structured_output=False)
    def grumble(size: int) -> str:
        """Write much to stderr."""
        print("." * size, file=sys.stderr, flush=True)
        return "said"

    @server.tool(structured_output=False)
    def stand_still(path: str) -> str:
        """Tell the pipe at `path`, and do nothing for a long time."""
        with open(path, "w", encoding="utf-8") as pipe:
            pipe.write("still")
        time.sleep(600)
        return ""

    @server.tool(structured_output=False)
    def die(code: int) -> str:
        """End the server's process."""
        print("out of memory, says the server", file=sys.stderr, flush=True)
        os._exit(code)

    waiting: list[int] = []
    met: list[Any] = []

    @server.tool(structured_output=False)
    async def wait() -> str:
        """Never answer."""
        import anyio

        waiting.append(1)
        try:
            await anyio.sleep_forever()
        finally:
            waiting.pop()
        return ""

    @server.tool(structured_output=False)
    def how_many_wait() -> str:
        """Return how many calls of `wait` go on."""
        return str(len(waiting))

    @server.tool(structured_output=False)
    async def meet(count: int) -> str:
        """Answer when `count` calls have come."""
        import anyio

        met.append(anyio.Event())
        if len(met) == count:
            for event in met:
                event.set()
        mine = met[-1]
        await mine.wait()
        return "met"

    @server.tool(structured_output=False)
    def pid() -> str:
        """Return the id of the server's process."""
        return str(os.getpid())

    @server.tool(structured_output=False)
    async def grow(ctx: Context) -> str:
        """Get one more tool."""

        def subtract(a: int, b: int) -> str:
            """Subtract."""
            return str(a - b)

        server.add_tool(subtract, structured_output=False)
        await ctx.session.send_tool_list_changed()
        return "done"

    @server.resource("file:///poem.txt", mime_type="text/plain")
    def poem() -> str:
        """A poem."""
        return "Tyger"

    @server.resource("file:///{name}.md")
    def note(name: str) -> str:
        """A note."""
        return f"# {name}"

    @server.prompt()
    def greet(name: str) -> str:
        """Greet somebody."""
        return f"Say hello to {name}."

    return server


def serve_http(port: int) -> None:
    """Serve streamable HTTP and SSE at 127.0.0.1; writes the port to stdout when it is ready."""
    import uvicorn

    class Server(uvicorn.Server):
        async def startup(self, sockets: Any = None) -> None:
            await super().startup(sockets)
            print(self.servers[0].sockets[0].getsockname()[1], flush=True)

    server = make_server()
    refused: list[str] = []
    ended: list[str] = []

    @server.tool(structured_output=False)
    def busy() -> str:
        """Is refused once, with status 503."""
        return "not busy any more"

    @server.tool(structured_output=False)
    def forgotten() -> str:
        """Is refused once, with status 400 and words of a session that isn't known."""
        return "remembered"

    @server.tool(structured_output=False)
    def sessions_ended() -> str:
        """Return how many sessions clients have ended."""
        return str(len(ended))

    app = server.streamable_http_app()
    app.routes.extend(server.sse_app().routes)

    async def guarded(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http" and dict(scope["headers"]).get(b"authorization") == b"Bearer wrong":
            await send({"type": "http.response.start", "status": 401, "headers": []})
            await send({"type": "http.response.body", "body": b"no"})
            return
        if scope["type"] == "http" and scope["method"] == "DELETE":
            ended.append(scope["path"])
        if scope["type"] != "http" or scope["method"] != "POST":
            await app(scope, receive, send)
            return
        messages = [await receive()]
        while messages[-1].get("more_body"):
            messages.append(await receive())
        body = json.loads(b"".join(message.get("body", b"") for message in messages) or b"{}")
        name = body.get("params", {}).get("name")
        if name in REFUSALS and name not in refused:
            refused.append(name)
            status, said = REFUSALS[name]
            answer = {"jsonrpc": "2.0", "id": None, "error": {"code": -32000, "message": said}}
            kind = (b"content-type", b"application/json" if said else b"text/plain")
            await send({"type": "http.response.start", "status": status, "headers": [kind]})
            await send({"type": "http.response.body", "body": json.dumps(answer).encode() if said else b"busy"})
            return

        async def again() -> Any:
            return messages.pop(0) if messages else await receive()

        await app(scope, again, send)

    Server(uvicorn.Config(guarded, port=port, log_level="critical", timeout_graceful_shutdown=1)).run()


if __name__ == "__main__":
    print("starting", file=sys.stderr, flush=True)
    match sys.argv[1:]:
        case ["--silent"]:
            time.sleep(600)
        case ["--broken"]:
            sys.exit("no configuration file")
        case ["--http", port]:
            serve_http(int(port))
        case _:
            make_server().run("stdio")
