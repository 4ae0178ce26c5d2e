"""MariaDB and PostgreSQL as real servers of the tests, each in a folder of its own on a free port."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

USER, PASSWORD = "seqloom", "p:w/d@ 'ü\\x"


class DatabaseServer:
    """A server with the user `USER`, who owns any database that `create` makes.

    Attributes:
        scheme: That of its URLs.
        port: Its port on 127.0.0.1.
    """

    scheme: str
    account: str
    """The user of the operating system that the server runs as, if the tests run as root."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.data = folder, folder / "data"
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port: int = free.getsockname()[1]
        self._process: subprocess.Popen[bytes] | None = None
        self.initialize()

    def url(self, database: str) -> str:
        return f"{self.scheme}://{USER}@127.0.0.1:{self.port}/{database}"

    def initialize(self) -> None:
        raise NotImplementedError

    def command(self) -> list[str]:
        raise NotImplementedError

    def execute(self, statement: str, database: str | None = None) -> str:
        """Runs a statement as the server's administrator, with the server's own client; returns what it prints."""
        raise NotImplementedError

    def start(self) -> None:
        with (self.folder / "server.log").open("ab") as log:
            streams = {"stdin": subprocess.DEVNULL, "stdout": log, "stderr": log}
            self._process = subprocess.Popen(self._as_account(self.command()), cwd=self.folder, **streams)
        for _ in range(600):
            with contextlib.suppress(subprocess.CalledProcessError):
                self.execute("select 1")
                return
            if self._process.poll() is not None:
                break
            time.sleep(0.1)
        raise RuntimeError((self.folder / "server.log").read_text())

    def stop(self, number: signal.Signals = signal.SIGQUIT) -> None:
        if self._process is not None:
            self._process.send_signal(number)
            self._process.wait()
            self._process = None

    def create(self, database: str) -> str:
        """Makes an empty database; returns its URL."""
        raise NotImplementedError

    def _as_account(self, command: list[str]) -> list[str]:
        return ["setpriv", f"--reuid={self.account}", f"--regid={self.account}", "--clear-groups", *command]

    def _run(self, command: list[str]) -> str:
        done = subprocess.run(self._as_account(command), cwd=self.folder, capture_output=True, text=True, check=True)
        return done.stdout


class MariaDb(DatabaseServer):
    scheme, account = "mysql", "mysql"

    def initialize(self) -> None:
        self._run(
            [
                "mariadb-install-db",
                "--no-defaults",
                f"--datadir={self.data}",
                "--auth-root-authentication-method=socket",
                "--auth-root-socket-user=mysql",
                "--skip-test-db",
            ]
        )

    def command(self) -> list[str]:
        where = [f"--datadir={self.data}", f"--socket={self.folder}/socket", f"--port={self.port}"]
        fast = ["--innodb-flush-log-at-trx-commit=0", "--skip-log-bin", "--innodb-doublewrite=0"]
        program = shutil.which("mariadbd", path=f"{os.environ['PATH']}:/usr/sbin")
        return [str(program), "--no-defaults", "--bind-address=127.0.0.1", *where, *fast]

    def execute(self, statement: str, database: str | None = None) -> str:
        client = ["mariadb", "--no-defaults", f"--socket={self.folder}/socket", "--user=mysql", "--skip-column-names"]
        return self._run([*client, f"--execute={statement}", *([database] if database else [])])

    def create(self, database: str) -> str:
        password = PASSWORD.replace("\\", "\\\\").replace("'", "''")
        self.execute(f"create database `{database}` character set utf8mb4")
        self.execute(f"create user if not exists {USER}@'%' identified by '{password}'")
        self.execute(f"grant all on `{database}`.* to {USER}@'%'")
        return self.url(database)

    def stop(self, number: signal.Signals = signal.SIGTERM) -> None:
        super().stop(number)


class PostgreSql(DatabaseServer):
    scheme, account = "postgresql", "postgres"

    def initialize(self) -> None:
        self._run(
            [
                _postgres("initdb"),
                f"--pgdata={self.data}",
                "--auth-local=trust",
                "--auth-host=scram-sha-256",
                "--encoding=UTF8",
            ]
        )

    def command(self) -> list[str]:
        settings = [f"-cunix_socket_directories={self.folder}", "-clisten_addresses=127.0.0.1", "-cfsync=off"]
        return [_postgres("postgres"), f"-D{self.data}", f"-p{self.port}", *settings]

    def execute(self, statement: str, database: str | None = None) -> str:
        options = ["--no-psqlrc", "--tuples-only", "--no-align", f"--host={self.folder}", f"--port={self.port}"]
        return self._run([_postgres("psql"), *options, f"--dbname={database or 'postgres'}", f"--command={statement}"])

    def create(self, database: str) -> str:
        if not self.execute(f"select 1 from pg_roles where rolname = '{USER}'").strip():
            password = PASSWORD.replace("'", "''")
            self.execute(f"create role {USER} login password '{password}'")
        self.execute(f'create database "{database}" owner {USER}')
        return self.url(database)


SERVERS = {"mariadb": MariaDb, "postgresql": PostgreSql}


def missing(name: str) -> str | None:
    """Returns why a server cannot be started, None if it can."""
    if os.getuid() != 0:
        return "servers need an account of their own, which only root can give them"
    found = shutil.which("mariadb-install-db") if name == "mariadb" else _postgres("initdb")
    return None if found else f"{name} is not installed"


@contextlib.contextmanager
def started(name: str) -> Iterator[DatabaseServer]:
    """Starts a server, and stops it at the end."""
    with tempfile.TemporaryDirectory(prefix="seqloom-") as folder:
        shutil.chown(folder, SERVERS[name].account, SERVERS[name].account)
        server = SERVERS[name](Path(folder))
        server.start()
        try:
            yield server
        finally:
            server.stop()


def _postgres(program: str) -> str:
    """Returns the newest version of a program of PostgreSQL, which Debian keeps off the PATH; "" if there is none."""
    return shutil.which(program) or next(
        (str(path) for path in sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{program}"), reverse=True)), ""
    )
