"""The `agentkit` command."""

from __future__ import annotations

import argparse
import io
import sys
from collections.abc import Sequence

from agentkit import __version__
from agentkit.exceptions import AgentsException, UserError

__all__ = ["main"]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line, and return its exit status.

    Args:
        arguments: The arguments; those of the process when None.
    """
    parser = argparse.ArgumentParser(prog="agentkit", description="AI agents in a notebook.")
    parser.add_argument("--version", action="version", version=f"agentkit {__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    serve = commands.add_parser(
        "serve",
        help="put the embedded platform on a port, for other programs",
        description="Serve the embedded platform at http://HOST:PORT/v1 until interrupted.",
    )
    serve.add_argument("--host", default="127.0.0.1", help="address to listen on (default: %(default)s)")
    serve.add_argument("--port", type=_port, default=8383, help="port; 0 for any free one (default: %(default)s)")
    serve.add_argument("--token", help="bearer token that clients must send; made up and shown when not given")
    serve.add_argument("--allow-remote", action="store_true", help="allow an address that other machines reach")
    doctor = commands.add_parser(
        "doctor",
        help="say what is installed, what answers, what is wrong, and how to mend it",
        description="Look at everything; or, with --scan, for keys in notebooks. The exit status is 1 where something "
        "has to be mended or a key was found, and 2 where a file could not be looked into.",
    )
    doctor.add_argument("--scan", nargs="+", metavar="PATH", help="notebooks, or folders of them, to look for keys in")
    options = parser.parse_args(arguments)
    try:
        return _doctor(options) if options.command == "doctor" else _serve(options)
    except (AgentsException, OSError) as error:
        print(f"agentkit {options.command}: {error}", file=sys.stderr)
        return 1


def _doctor(options: argparse.Namespace) -> int:
    from agentkit.notebook.doctor import diagnose, look_into

    report = look_into(options.scan) if options.scan else diagnose()
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")  # a terminal without ✓ shows a question mark
    print(report.plain())
    if not report.healthy:
        return 1
    unread = options.scan and any(finding.level == "warn" for finding in report.findings)
    return 2 if unread else 0


def _port(text: str) -> int:
    try:
        port = int(text)
    except ValueError:
        port = -1
    if not 0 <= port <= 65535:
        raise argparse.ArgumentTypeError(f"{text!r} is no port; use 0 to 65535")
    return port


def _serve(options: argparse.Namespace) -> int:
    from agentkit.local.server import RemoteAddressError, serve

    try:
        serve(host=options.host, port=options.port, token=options.token, allow_remote=options.allow_remote)
    except RemoteAddressError as error:
        raise UserError(error.message, hint="Use 127.0.0.1, or allow it with --allow-remote.") from None
    return 0


if __name__ == "__main__":
    sys.exit(main())
