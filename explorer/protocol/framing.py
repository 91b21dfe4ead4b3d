"""Length-prefixed msgpack on a byte stream."""

import struct
from typing import BinaryIO, TypeVar

import msgspec

from explorer.errors import EngineError

MAX_MESSAGE_BYTES = 1 << 30
"""A longer message is taken for a broken stream (something printed to stdout), not for a message."""

_LENGTH = struct.Struct(">I")
_encoder = msgspec.msgpack.Encoder()
T = TypeVar("T")


def write_message(stream: BinaryIO, message: msgspec.Struct) -> None:
    """Write one message and flush; the caller serialises writers."""
    body = _encoder.encode(message)
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
