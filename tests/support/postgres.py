"""A PostgreSQL server of a test's own: in a temporary folder, on loopback, stopped by its pid.

Belongs here: starting and stopping it. It runs as another user where the test is root, because
PostgreSQL refuses to serve as root.
"""

from __future__ import annotations

import os
import pwd
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg

START_SECONDS = 60.0


@dataclass(frozen=True)
class Server:
    """Where a server listens and what its owner's password is."""

    port: int
    user: str
    password: str

    def address(self, user: str | None = None, password: str | None = None) -> str:
        """A connection string of libpq."""
        return (
            f"host=127.0.0.1 port={self.port} dbname=postgres user={user or self.user}"
            f" password={password or self.password}"
        )

    def connect(self, user: str | None = None, password: str | None = None) -> psycopg.Connection:
        """A connection that commits each statement."""
        return psycopg.connect(self.address(user, password), autocommit=True)


def binaries() -> Path | None:
    """The folder of initdb and postgres, the newest; Debian keeps them off PATH."""
    if found := shutil.which("initdb"):
        return Path(found).resolve().parent
    kept = sorted(
        Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3])
    )
    return kept[-1].parent if kept else None


@contextmanager
def serving(folder: Path) -> Iterator[Server]:
    """A fresh server with its files in its binaries' `folder`; gone when the block ends."""
    account = _account()
    user: dict[str, int] = {} if account is None else {"user": account.pw_uid}
    # Not below pytest's own folder, which only its user may enter.
    data = Path(tempfile.mkdtemp(prefix="tieout-postgres-"))
    password = secrets.token_hex(12)
    secret = data / "password"
    secret.write_text(password)
    if account is not None:
        for path in (data, secret):
            os.chown(path, account.pw_uid, account.pw_gid)
    try:
        subprocess.run(
            [folder / "initdb", "--pgdata", data / "db", "--username", "tester", "--no-sync",
             "--auth", "scram-sha-256", "--pwfile", secret, "--encoding", "UTF8", "--locale", "C"],
            check=True, capture_output=True, cwd="/", **user,
        )  # fmt: skip
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        with (data / "log").open("w") as log:
            server = subprocess.Popen(
                [folder / "postgres", "-D", data / "db", "-p", str(port), "-h", "127.0.0.1",
                 "-k", "", "-c", "fsync=off", "-c", "shared_buffers=32MB"],
                stdout=subprocess.DEVNULL, stderr=log, cwd="/", **user,
            )  # fmt: skip
        try:
            yield _answering(Server(port, "tester", password), server, data / "log")
        finally:
            server.send_signal(signal.SIGINT)  # its "fast" way to stop: sessions are ended
            server.wait(timeout=30)
    finally:
        shutil.rmtree(data)


def _account() -> pwd.struct_passwd | None:
    """Who serves where the test is root."""
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    raise RuntimeError("no user but root to run PostgreSQL as")


def _answering(server: Server, process: subprocess.Popen[bytes], log: Path) -> Server:
    until = time.monotonic() + START_SECONDS
    while True:
        try:
            server.connect().close()
        except psycopg.OperationalError:
            if process.poll() is not None or time.monotonic() > until:
                raise RuntimeError(f"PostgreSQL did not start: {log.read_text()}") from None
            time.sleep(0.05)
        else:
            return server
