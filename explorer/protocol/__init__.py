"""What window and engine say to each other: length-prefixed msgpack, one tagged struct per message.

A message is a 4-byte big-endian length and that many bytes of msgpack. Every request carries an ``id`` that its sender
chose; every answer carries the id of the request it answers. A request ends in exactly one *final* answer: its own
response type, :class:`Failed` or :class:`Cancelled`; :class:`Progress` may come any number of times before it.
Paths are bytes (``os.fsencode``), because names need not be UTF-8; a ``display`` string travels beside them.
"""

from explorer.protocol.framing import MAX_MESSAGE_BYTES, read_message, write_message
from explorer.protocol.messages import *  # noqa: F403 - the messages are this package's vocabulary
from explorer.protocol.messages import __all__ as _messages

__all__ = ["MAX_MESSAGE_BYTES", "read_message", "write_message", *_messages]
