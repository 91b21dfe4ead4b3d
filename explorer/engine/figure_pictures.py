"""What a figure shows of an item: its picture, or of a shot one frame, and what the model says about that."""

from dataclasses import dataclass, field, replace

import numpy as np

from explorer import pipeline
from explorer.cancellation import CancellationToken
from explorer.engine.clock import clock
from explorer.engine.looking import read_shot, span_of
from explorer.errors import MediaError
from explorer.evidence import AttentionMap, ClipEvidence, Evidence
from explorer.figures import picture_edge_px
from explorer.library.contents import hash_content, hash_file
from explorer.library.rows import ItemRow
from explorer.media.image import decode_image, fit_within
from explorer.media.item import read_content
from explorer.media.sampling import read_frame
from explorer.networks.encoder import Encoder
from explorer.protocol import FigureSpec


@dataclass(frozen=True, slots=True)
class SeenItem:
    """An item as a figure shows it.

    Attributes:
        name: of its file; of a shot with the time of the frame.
        picture: uint8 RGB (h, w, 3).
        evidence: of that very picture; None where ranks and scores are all.
        content_hash: of the file.
    """

    name: str
    picture: np.ndarray = field(repr=False)
    evidence: Evidence | None = field(repr=False)
    content_hash: bytes


def see_item(
    encoder: Encoder, spec: FigureSpec, row: ItemRow, query_image: np.ndarray | None, token: CancellationToken,
    *, first: bool,
) -> SeenItem:  # fmt: skip
    """Read an item and ask the model about it; ``first``: it is the first of the figure.

    Raises:
        MediaError: it cannot be read.
    """
    try:
        if row.kind == "video":
            return _see_shot(encoder, spec, row, query_image, token, first=first)
        content = read_content(row.path)
        evidence = None
        if _asks_model(spec, first=first):
            # Decoded as for the library: what is drawn may be larger, and other pixels have a slightly different score.
            evidence = pipeline.explain(
                encoder, decode_image(content, min_edge_px=encoder.side_px).pixels, spec.query, query_image,
                words=_with_words(spec, first=first), without=frozenset(spec.without),
            )
        edge_px = picture_edge_px(spec)
        picture = fit_within(decode_image(content, min_edge_px=edge_px).pixels, edge_px)
        return SeenItem(row.name, picture, evidence, hash_content(content))
    except OSError as error:
        raise MediaError(f"{row.display} cannot be drawn ({error.strerror}).") from error
    except MediaError as error:
        raise MediaError(f"{row.display} cannot be drawn. {error.message}", error.remedy) from error


def _asks_model(spec: FigureSpec, *, first: bool) -> bool:
    """Whether the figure shows anything that the model has to be asked for."""
    return spec.kind != "grid" or bool(spec.layers or spec.without) or _with_words(spec, first=first)


def _with_words(spec: FigureSpec, *, first: bool) -> bool:
    return any(layer.word is not None for layer in spec.layers) or (spec.words and first)


# --- shots -----------------------------------------------------------------------------------------------------------


def _see_shot(
    encoder: Encoder, spec: FigureSpec, row: ItemRow, query_image: np.ndarray | None, token: CancellationToken,
    *, first: bool,
) -> SeenItem:  # fmt: skip
    content_hash = hash_file(row.path, token)
    wanted_s = spec.time_s if first else None
    time_s = sum(span_of(row)) / 2 if wanted_s is None else wanted_s
    evidence = None
    if _asks_model(spec, first=first):
        evidence = pipeline.explain_shot(
            encoder, read_shot(row, encoder, token), spec.query, query_image,
            words=_with_words(spec, first=first), without=frozenset(spec.without), token=token,
        )
        if evidence.clip is not None:
            frame = frame_of(evidence.clip, wanted_s)
            time_s = float(evidence.clip.times_s[frame]) if wanted_s is None else wanted_s
            evidence = still_of(evidence, frame)
    token.check()
    picture = read_frame(row.path, time_s, picture_edge_px(spec))
    return SeenItem(f"{row.name} {clock(time_s)}", picture, evidence, content_hash)


def frame_of(clip: ClipEvidence, time_s: float | None) -> int:
    """Which frame stands for the shot: the nearest to a time, else where its curve peaks, else the middle one."""
    if time_s is not None:
        return int(np.argmin(np.abs(clip.times_s - time_s)))
    if clip.temporal is not None and np.isfinite(clip.temporal.values).any():
        return int(np.nanargmax(clip.temporal.values))
    return len(clip.times_s) // 2


def still_of(evidence: Evidence, frame: int) -> Evidence:
    """What is said of one frame of a shot, in the place of what moves; the rest is about the whole shot."""
    clip = evidence.clip
    if clip is None:
        return evidence
    moving = tuple(
        AttentionMap(layer.name, layer.title, np.ascontiguousarray(layer.values[frame])) for layer in clip.attention
    )
    names = {layer.name for layer in moving}
    return replace(
        evidence,
        attention=moving + tuple(layer for layer in evidence.attention if layer.name not in names),
        segmentation=clip.segmentation[frame] if clip.segmentation else evidence.segmentation,
        clip=None,
    )
