"""An MCP server for the tests: run as a program it speaks over stdio."""

from __future__ import annotations

import os
import sys
import time
from typing import Any

from mcp.server.mcpserver import Context, MCPServer
from mcp_types import ImageContent, TextContent

PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="


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
    def die(code: int) -> str:
        """End the server's process."""
        print("out of memory, says the server", file=sys.stderr, flush=True)
        os._exit(code)

    @server.tool(structured_output=False)
    async def wait() -> str:
        """Never answer."""
        import anyio

        await anyio.sleep_forever()
        return ""

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
    app = server.streamable_http_app()
    app.routes.extend(server.sse_app().routes)

    async def guarded(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http" and dict(scope["headers"]).get(b"authorization") == b"Bearer wrong":
            await send({"type": "http.response.start", "status": 401, "headers": []})
            await send({"type": "http.response.body", "body": b"no"})
            return
        await app(scope, receive, send)

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
