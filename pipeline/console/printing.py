"""Prints text that may hold anything: names of files, keys, labels, sources and answers.

A terminal obeys control characters, and shows the text between bidirectional ones in another order.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

import typer
from rich.text import Text

CONTROLS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
"""Controls except newline and tab, bidirectional embeddings, overrides and isolates, and bytes that are not UTF-8."""


def visible(text: str, escape: Callable[[str], str] = lambda character: ascii(character)[1:-1]) -> str:
    r"""Returns a text with its control characters escaped: `\x1b`, or what `escape` returns for one."""
    return CONTROLS.sub(lambda match: escape(match[0]), text)


def unicode_escape(character: str) -> str:
    r"""Returns the escape of a character in strings of JSON and YAML: `\u001b`."""
    return f"\\u{ord(character):04x}"


def echo(text: str, *, err: bool = False) -> None:
    """Prints a text and a newline to stdout or stderr."""
    typer.echo(visible(text), err=err)


def echo_json(value: Any, indent: int | None = None) -> None:
    """Prints a value as JSON."""
    typer.echo(visible(json.dumps(value, indent=indent, ensure_ascii=False), unicode_escape))


def plain(text: str, style: str = "") -> Text:
    """Returns a text for rich, in which nothing is markup."""
    return Text(visible(text), style)
