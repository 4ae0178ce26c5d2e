"""Connections to MySQL and PostgreSQL by plain SQL, for what ML Metadata itself does not offer."""

from __future__ import annotations

import abc
import contextlib
import hashlib
import socket
import time
from collections.abc import Iterator
from typing import Any

import pg8000.exceptions
import pg8000.native
import pymysql

from pipeline.config.metadata_settings import PASSWORD_VARIABLE, ServerAddress
from pipeline.store.backslashes import decoded
from trainer.errors import JobError, TransientError

_ANSWER_SECONDS = 30
_LOCK_SECONDS = 120
_LOCK_INTERVAL = 0.1

_MYSQL_LOGIN, _MYSQL_DATABASE = (1045, 1698), (1044, 1049)
_MYSQL_PASSING = (1040, 1053, 1203, 2002, 2003, 2006, 2013)
_POSTGRES_LOGIN, _POSTGRES_DATABASE = ("28P01", "28000"), ("3D000", "42501")
_POSTGRES_PASSING = ("57P01", "57P02", "57P03", "53300")


class Database(abc.ABC):
    """An open connection to a database.

    Args:
        address: The database.
    """

    def __init__(self, address: ServerAddress) -> None:
        self.address = address

    @property
    def place(self) -> str:
        """The database, as messages name it."""
        return place_of(self.address)

    @abc.abstractmethod
    def rows(self, statement: str) -> list[tuple[Any, ...]]:
        """Runs a statement and returns its rows."""

    @abc.abstractmethod
    def tables(self) -> frozenset[str]:
        """Returns the names of the tables in lower case."""

    @abc.abstractmethod
    def begin_snapshot(self) -> None:
        """Makes all later statements read the same state."""

    @abc.abstractmethod
    def close(self) -> None:
        """Closes the connection, which releases its lock."""

    @abc.abstractmethod
    def _try_lock(self, key: int) -> bool:
        """Takes a lock of the database, if no other connection has it."""

    @abc.abstractmethod
    def _unlock(self, key: int) -> None:
        """Releases a lock."""

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        """Waits for this product's lock of the database, and holds it; it also ends with the connection.

        Raises:
            TransientError: If another process holds it for too long.
        """
        name = f"seqloom {self.address.database}".encode()
        key = int.from_bytes(hashlib.sha256(name).digest()[:7], "big")
        end = time.monotonic() + _LOCK_SECONDS
        while not self._try_lock(key):
            if time.monotonic() > end:
                found = f"locked by another process for {_LOCK_SECONDS} seconds"
                raise TransientError("The metadata store is being initialized.", where=self.place, found=found)
            time.sleep(_LOCK_INTERVAL)
        try:
            yield
        finally:
            with contextlib.suppress(JobError):
                self._unlock(key)


class _MySql(Database):
    def __init__(self, address: ServerAddress, password: str) -> None:
        super().__init__(address)
        try:
            self._connection: Any = pymysql.connect(
                host=address.host,
                port=address.port,
                user=address.user,
                password=password.encode(),
                database=address.database,
                charset="latin1",
                connect_timeout=_ANSWER_SECONDS,
                autocommit=True,
            )
        except pymysql.MySQLError as error:
            raise self._explained(error) from None
        # ML Metadata sends UTF-8 as if it were latin1, and the server converts it to what its tables have, and back.
        self._connection.encoding = "utf-8"

    def rows(self, statement: str) -> list[tuple[Any, ...]]:
        try:
            with self._connection.cursor() as cursor:
                cursor.execute(statement)
                return list(cursor.fetchall())
        except pymysql.MySQLError as error:
            raise self._explained(error) from None

    def tables(self) -> frozenset[str]:
        return frozenset(name.lower() for (name,) in self.rows("SHOW TABLES"))

    def begin_snapshot(self) -> None:
        self.rows("SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        self.rows("START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY")

    def close(self) -> None:
        with contextlib.suppress(pymysql.MySQLError):
            self._connection.close()

    def _try_lock(self, key: int) -> bool:
        return self.rows(f"SELECT GET_LOCK('seqloom-{key}', 0)") == [(1,)]

    def _unlock(self, key: int) -> None:
        self.rows(f"SELECT RELEASE_LOCK('seqloom-{key}')")

    def _explained(self, error: pymysql.MySQLError) -> JobError:
        code, text = (*error.args, "", "")[:2]
        cause = getattr(error, "original_exception", None)
        if isinstance(cause, socket.gaierror):
            return _unknown_host(self.address, cause)
        if code in _MYSQL_LOGIN:
            return _refused_login(self.address, str(text))
        if code in _MYSQL_DATABASE:
            return _no_database(self.address, str(text))
        return _failed(self.address, str(text or error), passes=code in _MYSQL_PASSING)


class _PostgreSql(Database):
    def __init__(self, address: ServerAddress, password: str) -> None:
        super().__init__(address)
        try:
            self._connection: Any = pg8000.native.Connection(
                address.user,
                host=address.host,
                port=address.port,
                database=address.database,
                password=password,
                timeout=_ANSWER_SECONDS,
                application_name="seqloom",
            )
        except (pg8000.exceptions.Error, OSError) as error:
            raise self._explained(error) from None

    def rows(self, statement: str) -> list[tuple[Any, ...]]:
        try:
            found = self._connection.run(statement) or ()
            return [tuple(decoded(each) if isinstance(each, str) else each for each in row) for row in found]
        except (pg8000.exceptions.Error, OSError) as error:
            raise self._explained(error) from None

    def tables(self) -> frozenset[str]:
        found = self.rows("SELECT tablename FROM pg_tables WHERE schemaname = current_schema()")
        return frozenset(name.lower() for (name,) in found)

    def begin_snapshot(self) -> None:
        self.rows("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")

    def close(self) -> None:
        with contextlib.suppress(pg8000.exceptions.Error, OSError):
            self._connection.close()

    def _try_lock(self, key: int) -> bool:
        return self.rows(f"SELECT pg_try_advisory_lock({key})") == [(True,)]

    def _unlock(self, key: int) -> None:
        self.rows(f"SELECT pg_advisory_unlock({key})")

    def _explained(self, error: Exception) -> JobError:
        details = error.args[0] if error.args and isinstance(error.args[0], dict) else {}
        code, text = details.get("C"), str(details.get("M", error))
        cause = error.__cause__ or error.__context__
        if isinstance(cause, socket.gaierror):
            return _unknown_host(self.address, cause)
        if code in _POSTGRES_LOGIN:
            return _refused_login(self.address, text)
        if code in _POSTGRES_DATABASE:
            return _no_database(self.address, text)
        return _failed(self.address, text, passes=not details or code in _POSTGRES_PASSING)


@contextlib.contextmanager
def connected(address: ServerAddress, password: str) -> Iterator[Database]:
    """Opens a connection to a database, and closes it at the end.

    Raises:
        TransientError: If the server does not answer, or closes the connection.
        JobError: If the host, the user, the password or the database is wrong.
    """
    database = (_MySql if address.scheme == "mysql" else _PostgreSql)(address, password)
    try:
        yield database
    finally:
        database.close()


def place_of(address: ServerAddress) -> str:
    """Returns a database as messages name it."""
    host = f"[{address.host}]" if ":" in address.host else address.host
    return f"{address.scheme}://{host}:{address.port}/{address.database}"


def _unknown_host(address: ServerAddress, error: socket.gaierror) -> JobError:
    passes = error.errno == socket.EAI_AGAIN
    return (TransientError if passes else JobError)(
        "The metadata store's host is unknown.",
        where=place_of(address),
        found=f"{address.host}: {error.strerror}",
        fix="correct metadata.url, or the machine's name service",
    )


def _refused_login(address: ServerAddress, found: str) -> JobError:
    return JobError(
        "The metadata store refuses the user or the password.",
        where=place_of(address),
        found=found,
        fix=f"set {PASSWORD_VARIABLE} or metadata.password_file to the password of {address.user}",
    )


def _no_database(address: ServerAddress, found: str) -> JobError:
    return JobError(
        f"The server has no database {address.database} for this user.",
        where=place_of(address),
        found=found,
        fix=f"create the database, give {address.user} all rights on it, and run `seqloom store init`",
    )


def _failed(address: ServerAddress, found: str, *, passes: bool) -> JobError:
    if passes:
        fix = "start the server or correct metadata.url, and run the same command again"
        return TransientError("The metadata store does not answer.", where=place_of(address), found=found, fix=fix)
    return JobError("The metadata store refuses a statement.", where=place_of(address), found=found)
