"""What every message is, and the query that several of them carry."""

import msgspec


class Message(msgspec.Struct, frozen=True, tag=True, kw_only=True):
    """Base of everything that is said; ``id`` ties an answer to its request."""

    id: int


class Query(msgspec.Struct, frozen=True, kw_only=True):
    """What is searched for. At most one of the image fields is set; text and image together are averaged.

    Attributes:
        text: a sentence; may be empty if an image is given.
        not_text: a sentence to stay away from; subtracted.
        image_path: path of an image file on the engine's machine.
        image_bytes: an encoded image (dropped or pasted, or the engine is remote).
        image_item_id: an item of the open library ("search with this image").
    """

    text: str = ""
    not_text: str = ""
    image_path: bytes | None = None
    image_bytes: bytes | None = None
    image_item_id: int | None = None
