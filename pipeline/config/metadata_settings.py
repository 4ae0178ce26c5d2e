"""The section of a job's YAML that says where ML Metadata is kept."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Annotated, Any, NamedTuple
from urllib.parse import unquote

from pydantic import BeforeValidator, Field

from trainer.errors import Problem, mask
from trainer.settings import Settings

SQLITE = "sqlite"
PASSWORD_VARIABLE = "SEQLOOM_METADATA_PASSWORD"  # noqa: S105 - the name of a variable

_FORM = "mysql://USER@HOST:PORT/DATABASE or postgresql://USER@HOST:PORT/DATABASE"
_PORTS = {"mysql": 3306, "postgresql": 5432}
_URL = re.compile(
    r"(?P<scheme>mysql|postgresql)://(?P<user>[^\s:/?#@]+)@(?P<host>[^\s:/?#@\[\]]+|\[[0-9a-fA-F:.]+\])"
    r"(?::(?P<port>\d{1,5}))?/(?P<database>[A-Za-z0-9_$-]{1,63})"
)


class ServerAddress(NamedTuple):
    """A database on a server, and the user who owns it there."""

    scheme: str
    user: str
    host: str
    port: int
    database: str


class MetadataSettings(Settings):
    """Where ML Metadata is kept."""

    url: str = Field(SQLITE, description=f"sqlite: a file in each root; or a database for several roots: {_FORM}.")
    password_file: str | None = Field(
        None, min_length=1, description=f"File with the user's password; null: that of {PASSWORD_VARIABLE}, if any."
    )

    @property
    def address(self) -> ServerAddress | None:
        """The database of a server; None for a file in each root."""
        found = _URL.fullmatch(self.url)
        if found is None:
            return None
        port = int(found["port"] or _PORTS[found["scheme"]])
        return ServerAddress(
            found["scheme"], unquote(found["user"]), found["host"].strip("[]"), port, found["database"]
        )

    def problems(self) -> Iterator[Problem]:
        """Yields the keys of this section that are valid alone but not together."""
        yield from super().problems()
        if self.url == SQLITE:
            if self.password_file is not None:
                fix = "remove it, or set metadata.url"
                yield Problem(("password_file",), "metadata.password_file needs a server.", "url: sqlite", fix=fix)
            return
        login, _, _ = self.url.partition("://")[2].rpartition("@")
        address = self.address
        if ":" in login:
            fix = f"remove it, and set the variable {PASSWORD_VARIABLE} or metadata.password_file"
            yield Problem(("url",), "metadata.url has a password.", expected=_FORM, fix=fix)
        elif address is None or not 0 < address.port < 65_536:
            # Whatever follows the database may be a secret.
            found = mask(self.url.partition("?")[0])
            yield Problem(("url",), "metadata.url is not the address of a database.", found, f"sqlite, {_FORM}")


def _expand_url(value: Any) -> Any:
    return {"url": value} if isinstance(value, str) else value


Metadata = Annotated[MetadataSettings, BeforeValidator(_expand_url, json_schema_input_type=str | MetadataSettings)]
"""The section, or only the URL."""
