"""Length-prefixed msgpack on a byte stream."""

import os
import struct
from typing import Any, BinaryIO, TypeVar

import msgspec

from explorer.errors import EngineError

MAX_MESSAGE_BYTES = 1 << 30
"""A longer message is taken for a broken stream (something printed to stdout), not for a message."""

_LENGTH = struct.Struct(">I")
_encoder = msgspec.msgpack.Encoder()
T = TypeVar("T")


def encoded(message: msgspec.Struct) -> bytes:
    """The message in msgpack. What is not UTF-8 in its texts, such as a file's name in a sentence, is escaped."""
    try:
        return _encoder.encode(message)
    except UnicodeEncodeError:
        return _encoder.encode(_escaped(msgspec.to_builtins(message, builtin_types=(bytes,))))


def _escaped(value: Any) -> Any:
    if isinstance(value, str):
        try:
            return os.fsencode(value).decode("utf-8", errors="backslashreplace")
        except UnicodeEncodeError:  # no name of a file, but half of a character
            return value.encode("utf-8", errors="backslashreplace").decode("utf-8")
    if isinstance(value, dict):
        return {_escaped(key): _escaped(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_escaped(inner) for inner in value]
    return value


def write_message(stream: BinaryIO, message: msgspec.Struct) -> None:
    """Write one message and flush; the caller serialises writers."""
    body = encoded(message)
    stream.write(_LENGTH.pack(len(body)) + body)
    stream.flush()


def read_message(stream: BinaryIO, decoder: "msgspec.msgpack.Decoder[T]") -> T | None:
    """Read one message; ``None`` at the end of the stream.

    Raises:
        EngineError: the stream ended inside a message, or does not hold messages.
    """
    head = stream.read(_LENGTH.size)
    if not head:
        return None
    if len(head) < _LENGTH.size:
        raise EngineError("The engine stopped in the middle of a message.")
    (length,) = _LENGTH.unpack(head)
    if length > MAX_MESSAGE_BYTES:
        raise EngineError(
            "The engine's answer is not in the expected form.", "Something printed to its standard output."
        )
    body = stream.read(length)
    if len(body) < length:
        raise EngineError("The engine stopped in the middle of a message.")
    try:
        return decoder.decode(body)
    except msgspec.DecodeError as error:
        raise EngineError(f"The engine's answer cannot be read ({error}).") from error
