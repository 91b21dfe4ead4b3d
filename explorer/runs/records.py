"""Files of messages, length-prefixed msgpack, that one process appends to while others read.

A message is written with one call. A process that is killed in the middle of it, or a disk that is full, leaves a torn
tail: readers leave that for later, and whoever appends next cuts it off.
"""

import os
import struct
from pathlib import Path
from typing import Generic, TypeVar

import msgspec

from explorer.protocol.framing import MAX_MESSAGE_BYTES, encoded
from explorer.runs.failures import written

_LENGTH = struct.Struct(">I")

T = TypeVar("T")


class RecordWriter:
    """Appends messages to a file, after the last whole one.

    Raises
    ------
    StorageFullError, ConfigError
        the file cannot be written.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        with written(path):
            self._file = path.open("ab", buffering=0)
            try:
                self._end = whole_length(path)
                self._file.truncate(self._end)
            except BaseException:
                self._file.close()
                raise

    def append(self, message: msgspec.Struct) -> None:
        """Write one message; it is in the file when this returns, a killed process or not.

        Raises
        ------
        StorageFullError, ConfigError
            it could not be written; the file then ends with the message before it.
        """
        body = encoded(message)
        record = _LENGTH.pack(len(body)) + body
        with written(self._path):
            try:
                n_written = self._file.write(record)
                while n_written < len(record):  # a disk that is almost full takes a part, then refuses the rest
                    n_written += self._file.write(record[n_written:])
            except OSError:
                self._file.truncate(self._end)
                raise
        self._end += len(record)

    def close(self) -> None:
        """Give the file back."""
        self._file.close()


class RecordReader(Generic[T]):
    """Reads what is new in a file of messages. A message of an unknown kind is left out: a newer version wrote it."""

    def __init__(self, path: Path, decoder: "msgspec.msgpack.Decoder[T]", *, offset: int = 0) -> None:
        self._path = path
        self._decoder = decoder
        self._offset = offset

    def read(self) -> list[T]:
        """The messages that came since the last call; none while there is no file, or it cannot be read."""
        try:
            with self._path.open("rb") as file:
                if os.fstat(file.fileno()).st_size < self._offset:  # another file by now
                    self._offset = 0
                file.seek(self._offset)
                content = file.read()
        except OSError:
            return []
        messages = []
        for start, end in _bodies(content):
            self._offset += end - start + _LENGTH.size
            try:
                messages.append(self._decoder.decode(memoryview(content)[start:end]))
            except msgspec.DecodeError:
                continue
        return messages


def whole_length(path: Path) -> int:
    """Bytes of the file up to the end of its last whole message; 0 without a file."""
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return 0
    return max((end for _, end in _bodies(content)), default=0)


def _bodies(content: bytes) -> list[tuple[int, int]]:
    """Where the bodies of whole messages start and end."""
    spans = []
    offset = 0
    while offset + _LENGTH.size <= len(content):
        (length,) = _LENGTH.unpack_from(content, offset)
        end = offset + _LENGTH.size + length
        # A length of nothing, or of more than any message has, is what a power cut leaves.
        if not 0 < length <= MAX_MESSAGE_BYTES or end > len(content):
            break
        spans.append((offset + _LENGTH.size, end))
        offset = end
    return spans
