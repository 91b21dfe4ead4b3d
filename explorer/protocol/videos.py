"""Videos: their shots, and the sample collection that has some."""

from explorer.protocol.base import Message, Query


class GetShots(Message, frozen=True):
    """The shots of a video and how well each fits; answered by :class:`Shots`.

    ``item_id``: the video, or any of its shots.
    """

    item_id: int
    query: Query | None = None
    model: str = ""


class GetPoster(Message, frozen=True):
    """A frame of a video file that is searched with; answered by :class:`Picture` of no item (id -1)."""

    path: bytes
    max_edge_px: int = 96


class RenderSample(Message, frozen=True):
    """Render the sample collection into a folder; :class:`Progress` while it works, then :class:`SampleRendered`."""

    folder: bytes
    seed: int = 0


class Shots(Message, frozen=True):
    """The shots of a video in order; shot p has the segment id of position p.

    Attributes:
        item_id: as it was asked for.
        starts_s, ends_s: little-endian float32 (n,), seconds within the video.
        scores: little-endian float32 (n,), larger is nearer; empty without a query, or without vectors of the model.
    """

    item_id: int
    starts_s: bytes
    ends_s: bytes
    scores: bytes = b""
    model: str = ""


class SampleRendered(Message, frozen=True):
    """The sample collection is there: its folder, what is in it, and the file with its sentences."""

    folder: bytes
    display: str
    captions: bytes
    n_images: int
    n_clips: int
