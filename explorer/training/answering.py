"""What a phase finds for its fixed queries, as the run's journal says it, with small pictures beside it."""

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from explorer.errors import MediaError
from explorer.media.image import decode_image, make_thumbnail
from explorer.media.item import read_content
from explorer.protocol.runs import AnsweredQuery, QueriesAnswered, TopPicture
from explorer.runs.failures import written

if TYPE_CHECKING:
    from explorer.training.phases import QueryAnswer

_EDGE_PX = 128


def queries_answered(phase: str, epoch: int, answers: Sequence["QueryAnswer"], folder: Path) -> QueriesAnswered:
    """The answers of a phase after an epoch, from 1; pictures that ``folder`` lacks are written there.

    Raises
    ------
    StorageFullError, ConfigError
        a picture cannot be written.
    """
    queries = []
    for answer in answers:
        found = zip(answer.pictures, answer.own, answer.scores, strict=True)
        top = tuple(TopPicture(picture=_small(path, folder), own=own, score=score) for path, own, score in found)
        queries.append(AnsweredQuery(text=answer.text, rank=answer.rank, n_ranked=answer.n_ranked, top=top))
    return QueriesAnswered(phase=phase, epoch=epoch, queries=tuple(queries))


def _small(photo: Path, folder: Path) -> str:
    """Name of the small picture of a photo; empty if the photo cannot be read: a run does not end for that."""
    name = f"{hashlib.sha256(bytes(photo)).hexdigest()[:16]}.jpg"
    path = folder / name
    if path.is_file():
        return name
    try:
        image = decode_image(read_content(bytes(photo)), min_edge_px=_EDGE_PX)
    except MediaError:
        return ""
    partial = path.with_suffix(".partial")
    with written(path):
        folder.mkdir(exist_ok=True)
        partial.write_bytes(make_thumbnail(image.pixels, _EDGE_PX))
        partial.replace(path)
    return name
