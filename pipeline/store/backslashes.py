"""Texts for ML Metadata on PostgreSQL, whose statements are wrong for a text with a backslash."""

from __future__ import annotations

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message

_MARK = "\ue000"
"""A character for private use, which stands in for a backslash together with the next one."""


def encoded(text: str) -> str:
    """Returns a text without backslashes."""
    return text.replace(_MARK, f"{_MARK}e").replace("\\", f"{_MARK}b")


def decoded(text: str) -> str:
    """Returns the text that was encoded."""
    return text.replace(f"{_MARK}b", "\\").replace(f"{_MARK}e", _MARK)


def encode(message: Message) -> None:
    """Encodes all texts of a message; those in messages of other packages are stored as bytes."""
    content = message.SerializeToString()
    if b"\\" in content or _MARK.encode() in content:
        _change(message, encode=True)


def decode(message: Message) -> None:
    """Decodes all texts of a message."""
    if _MARK.encode() in message.SerializeToString():
        _change(message, encode=False)


def _change(message: Message, *, encode: bool) -> None:
    change = encoded if encode else decoded
    for field, value in message.ListFields():
        if field.type == FieldDescriptor.TYPE_STRING:
            if isinstance(value, str):
                setattr(message, field.name, change(value))
            else:
                value[:] = [change(text) for text in value]
        elif field.type == FieldDescriptor.TYPE_MESSAGE and not field.message_type.full_name.startswith("google."):
            if isinstance(value, Message):
                _change(value, encode=encode)
            elif not field.message_type.GetOptions().map_entry:
                for one in value:
                    _change(one, encode=encode)
            elif field.message_type.fields_by_name["value"].type == FieldDescriptor.TYPE_MESSAGE:
                for one in value.values():
                    _change(one, encode=encode)
