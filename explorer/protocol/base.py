"""What every message is, and the query that several of them carry."""

import msgspec


class Message(msgspec.Struct, frozen=True, tag=True, kw_only=True):
    """Base of everything that is said; ``id`` ties an answer to its request."""

    id: int


class Query(msgspec.Struct, frozen=True, kw_only=True):
    """What is searched for. At most one of the image and video fields is set; text and image or video are averaged.

    Attributes:
        text: a sentence; may be empty if an image is given.
        not_text: a sentence to stay away from; subtracted.
        image_path: path of an image file on the engine's machine.
        image_bytes: an encoded image (dropped or pasted, or the engine is remote).
        image_item_id: a photo or a shot of the open library ("search with this"), by its segment id.
        video_path: path of a video file on the engine's machine; the whole of it, unless ``video_span_s`` says more.
        video_span_s: start and end within that video, in seconds; an infinite end is the video's own.
    """

    text: str = ""
    not_text: str = ""
    image_path: bytes | None = None
    image_bytes: bytes | None = None
    image_item_id: int | None = None
    video_path: bytes | None = None
    video_span_s: tuple[float, float] | None = None
