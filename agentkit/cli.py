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
    stores = commands.add_parser(
        "stores",
        help="list vector stores, or copy one to a shared server and back",
        description="Vector stores of the embedded platform, on this machine or in PostgreSQL. An address is "
        "postgresql://… or 'embedded'. Passwords are better kept in ~/.pgpass than in a command.",
    )
    _add_store_commands(stores.add_subparsers(dest="action", required=True, metavar="ACTION"))
    options = parser.parse_args(arguments)
    run = {"doctor": _doctor, "serve": _serve, "stores": _stores}[options.command]
    try:
        return run(options)
    except (AgentsException, OSError) as error:
        print(f"agentkit {options.command}: {error}", file=sys.stderr)
        return 1


def _add_store_commands(actions: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    listed = actions.add_parser("list", help="list the stores")
    listed.add_argument("--at", metavar="ADDRESS", help="where (default: by AGENTKIT_VECTORS)")
    copy = actions.add_parser(
        "copy",
        help="copy a store, with its files' passages and vectors, and compare the copy",
        description="Copy a store under the same id. A copy that was interrupted goes on when it is asked for again.",
    )
    copy.add_argument("store", metavar="ID", help="vs_…")
    copy.add_argument("--from", dest="source", metavar="ADDRESS", help="where it is (default: by AGENTKIT_VECTORS)")
    copy.add_argument("--to", dest="target", metavar="ADDRESS", required=True, help="where it shall be")
    copy.add_argument("--delete-source", action="store_true", help="delete it there once the copy is known to be good")


def _stores(options: argparse.Namespace) -> int:
    from agentkit.local.vector_stores.command import copy_store, list_stores
    from agentkit.local.vector_stores.storage import StorageError

    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")
    try:
        if options.action == "list":
            list_stores(options.at, show=print)
        else:
            copy_store(options.store, options.source, options.target, delete_source=options.delete_source, show=print)
    except StorageError as error:
        raise UserError(str(error)) from None
    return 0


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
