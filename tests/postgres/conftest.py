"""A throw-away PostgreSQL cluster, reached through a Unix socket only."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

# root may run no PostgreSQL server: Debian's package has made a user for that
_AS_OTHER = ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"] if os.getuid() == 0 else []


def _programs() -> Path | None:
    """The folder of PostgreSQL's programs, the newest where there are several."""
    debian = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    found = debian[-1] if debian else shutil.which("initdb")
    return None if found is None else Path(found).resolve().parent


@pytest.fixture(scope="session")
def socket_folder() -> Iterator[Path]:
    """The folder of a running server's socket."""
    programs = _programs()
    if programs is None:
        if os.environ.get("CI"):
            pytest.fail("There is no PostgreSQL: bash tests/postgres/install_postgresql.sh")
        pytest.skip("There is no PostgreSQL here: bash tests/postgres/install_postgresql.sh")
    folder = Path(tempfile.mkdtemp(prefix="pg"))  # short: a socket's path has at most 107 characters
    if _AS_OTHER:
        user = pwd.getpwnam("postgres")
        os.chown(folder, user.pw_uid, user.pw_gid)

    def run(program: str, *arguments: str) -> None:
        command = [*_AS_OTHER, str(programs / program), "-D", str(folder / "data"), *arguments]
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=120)
        assert done.returncode == 0, f"{program}: {done.stdout}{done.stderr}"

    try:
        run("initdb", "--username=agentkit", "--auth=trust", "--encoding=UTF8", "--no-locale", "--no-sync")
        settings = f"-c listen_addresses='' -c unix_socket_directories='{folder}' -c fsync=off"
        run("pg_ctl", "start", "--wait", "--silent", "-l", str(folder / "log"), "-o", settings)
        try:
            yield folder
        finally:
            run("pg_ctl", "stop", "--wait", "--silent", "-m", "immediate")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def url(socket_folder: Path) -> Iterator[str]:
    """The address of a new, empty database."""
    programs = _programs()
    assert programs is not None
    name = f"test_{os.urandom(4).hex()}"
    where = ["--host", str(socket_folder), "--username", "agentkit"]
    subprocess.run([programs / "createdb", *where, name], check=True, timeout=60)
    yield f"postgresql+asyncpg://agentkit@/{name}?host={socket_folder}"
    subprocess.run([programs / "dropdb", "--force", *where, name], check=True, timeout=60)
