"""A PostgreSQL server of one's own, from Debian's package, for tests and benchmarks: started, killed, started again."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any

SUPERUSER = "probatum"
CONF = """
listen_addresses = '127.0.0.1'
max_connections = 60
shared_buffers = '16MB'
fsync = {fsync}
lc_messages = 'C'
"""


def programs() -> Path | None:
    """The folder of the newest server's programs, None where none is installed."""
    versions = [p.parent for p in Path("/usr/lib/postgresql").glob("*/bin/initdb")]
    return max(versions, key=lambda folder: int(folder.parent.name), default=None)


class PostgresqlServer:
    """A server in a temporary folder, on a free port of the loopback address and a socket in its folder.

    Everybody may connect by the socket; by the port, whoever knows the password of the role 'guarded'. PostgreSQL
    refuses to run as root, so root starts it as the user 'nobody'.

    Args:
        fsync: whether it waits for the disk. Killed processes lose nothing without; only lost power does.
    """

    def __init__(self, *, fsync: bool = False):
        found = programs()
        assert found is not None, "no PostgreSQL server is installed"
        self._programs = found
        self.folder = Path(tempfile.mkdtemp(prefix="probatum-postgresql-"))
        self._as: dict[str, Any] = {}
        if os.geteuid() == 0:
            self._as = {"user": "nobody", "group": "nogroup", "extra_groups": []}
            shutil.chown(self.folder, "nobody", "nogroup")
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port: int = free.getsockname()[1]
        self._data = self.folder / "data"
        self._process: subprocess.Popen[bytes] | None = None
        self._run("initdb", "-D", str(self._data), "-U", SUPERUSER, "-A", "trust", "-E", "UTF8", "--locale=C", "-N")
        self._write("postgresql.auto.conf", CONF.format(fsync="on" if fsync else "off"))
        self._write("pg_hba.conf", "local all all trust\nhost all all 127.0.0.1/32 scram-sha-256\n")
        self.start()
        self.execute("CREATE ROLE guarded LOGIN PASSWORD 'sesame'", "CREATE DATABASE campaigns")

    def url(self, **options: object) -> str:
        """The address of the database 'campaigns', with options of the ledger's address."""
        wanted = {"host": self.folder, "port": self.port, **options}
        query = "&".join(f"{key}={value}" for key, value in wanted.items())
        return f"postgresql+psycopg://{SUPERUSER}@/campaigns?{query}"

    def start(self) -> None:
        """Starts it and waits until it answers."""
        log = (self.folder / "log").open("ab")
        self._process = subprocess.Popen(
            [self._programs / "postgres", "-D", self._data, "-k", self.folder, "-p", str(self.port)],
            stdout=log,
            stderr=log,
            cwd=self.folder,
            start_new_session=True,
            **self._as,
        )
        log.close()
        until = time.monotonic() + 60
        while subprocess.run([self._programs / "pg_isready", "-q", "-h", self.folder, "-p", str(self.port)]).returncode:
            assert self._process.poll() is None, (self.folder / "log").read_text()
            assert time.monotonic() < until, (self.folder / "log").read_text()
            time.sleep(0.05)

    def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        """Stops it: by default at once, ending every session; SIGKILL kills all of its processes without a word."""
        if self._process is not None:
            if how == signal.SIGKILL:
                os.killpg(self._process.pid, how)
            else:
                self._process.send_signal(how)
            self._process.wait()
            self._process = None

    def restart(self, away: float = 0.0, how: signal.Signals = signal.SIGINT) -> None:
        """Stops it, and starts it again after so many seconds."""
        self.stop(how)
        time.sleep(away)
        self.start()

    def execute(self, *statements: str, database: str = "postgres") -> list[tuple[Any, ...]]:
        """Executes statements as the superuser; returns the rows of the last one."""
        import psycopg

        where = {"host": str(self.folder), "port": self.port, "user": SUPERUSER, "dbname": database}
        with psycopg.connect(**where, autocommit=True) as db:  # type: ignore[arg-type]
            for statement in statements:
                found = db.execute(statement)  # type: ignore[arg-type]
            return found.fetchall() if found.description else []

    def close(self) -> None:
        """Stops it and removes its folder."""
        self.stop(signal.SIGKILL)
        shutil.rmtree(self.folder)

    def _run(self, program: str, *arguments: str) -> None:
        subprocess.run(
            [self._programs / program, *arguments], check=True, capture_output=True, cwd=self.folder, **self._as
        )

    def _write(self, name: str, content: str) -> None:
        file = self._data / name
        file.write_text(content, encoding="utf-8")
        if self._as:
            shutil.chown(file, "nobody", "nogroup")
