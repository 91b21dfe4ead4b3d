"""A frame of a video file that need not be in the library, to show what is searched with."""

from collections.abc import Iterator

from explorer import protocol
from explorer.cancellation import CancellationToken
from explorer.engine.opened import Opened
from explorer.media.image import encode_jpeg
from explorer.media.sampling import read_frame
from explorer.media.video import read_facts
from explorer.protocol import Answer

NO_ITEM = -1


def get_poster(_opened: Opened, request: protocol.GetPoster, token: CancellationToken) -> Iterator[Answer]:
    """The frame in the middle of the video, as thumbnails of shots are."""
    facts = read_facts(request.path)
    token.check()
    frame = read_frame(request.path, facts.duration_s / 2, request.max_edge_px)
    yield protocol.Picture(
        id=request.id,
        item_id=NO_ITEM,
        jpeg=encode_jpeg(frame, 85),
        full_width_px=facts.width_px,
        full_height_px=facts.height_px,
    )
