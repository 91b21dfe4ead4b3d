"""Where and when in a clip the video stream found what it was asked for: gradient-weighted maps in three dimensions.

Reconstructed; the papers show nothing of the kind. Each place of a block's map is weighed by the gradient of the
similarity there (Grad-CAM of Selvaraju et al. 2017 with the gradient of every place kept for itself, as in HiResCAM of
Draelos and Carin 2020: averaged over places it would point at any place of a strong channel). One forward pass and a
backward pass through what is above the block.
"""
# C channels, T frames of a map, h x w cells of a map, K bits, R rows of the query

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from explorer.evidence import BitAgreement, ClipEvidence, Evidence, MovingAttention, TemporalWeights
from explorer.networks.dsmhn.video_network import VideoNetwork
from explorer.networks.dsmhn.video_stream import VideoStream
from explorer.representations import BinaryCodes

LAYER = "clip"
"""Machine name of the map."""

_FEWEST_TIMES = 4
_FEWEST_CELLS = 7
"""On a side: coarser maps do not say where."""

_SHOWN_CELLS = 16
"""Rows and columns of the maps that are given."""


@dataclass(frozen=True, slots=True)
class SeenClip:
    """One clip as the stream saw it.

    Attributes:
        activations: float32 (K,).
        map: float32 (n_frames, 16, 16), at least 0: what each place of each frame gives.
    """

    activations: np.ndarray
    map: np.ndarray


def explain_clip(
    stream: VideoStream, clip: np.ndarray, times_s: np.ndarray, query: BinaryCodes | None = None
) -> Evidence:
    """Evidence of a clip, uint8 RGB (n_frames, side_px, side_px, 3).

    times_s: float32 (n_frames,), where in the video each frame is.
    query: the query and the query with something left out (R, K); None: the map then says what made the clip's own
        code as firm as it is.

    The score is that of the codes; the rows' scores are of the similarity before rounding, the mean over bits of the
    product of activations.
    """
    rows = None if query is None else _rows(query)
    seen = see_clip(stream, clip, None if rows is None else rows[0])
    title = "What made the code" if rows is None else "What each place gives to the similarity"
    curve_title = "When the code was made" if rows is None else "When it was found"
    evidence = ClipEvidence(
        times_s=times_s.astype(np.float32),
        attention=(MovingAttention(LAYER, title, seen.map),),
        temporal=TemporalWeights(curve_title, seen.map.mean(axis=(1, 2))),
    )
    if query is None or rows is None:
        return Evidence(clip=evidence)
    code = BinaryCodes.from_activations(seen.activations[None]).signs[0].astype(np.float32)
    return Evidence(
        clip=evidence,
        score=float(query.signs[0].astype(np.float32) @ code) / query.n_bits,
        row_scores=rows @ seen.activations / np.float32(query.n_bits),
        bits=BitAgreement(rows[0], seen.activations),
    )


def see_clip(stream: VideoStream, clip: np.ndarray, query: np.ndarray | None = None) -> SeenClip:
    """The activations of a clip, and where and when they come nearest to a query's (K,), or, without, are firmest."""
    network = stream.network
    # Whoever asks may have gradients off; slopes need them all the same.
    with torch.inference_mode(False), torch.enable_grad():
        with torch.no_grad():
            maps = network.maps(network.normalised(torch.tensor(clip)[None]))
        block = explained_block(maps)
        values = maps[block].float().requires_grad_()
        activations = stream.activations(network.from_map(values, block))[0]
        wanted = activations.detach() if query is None else torch.from_numpy(query).to(activations)
        (slopes,) = torch.autograd.grad((activations * wanted).mean(), values)
    given = (values.detach() * slopes)[0].sum(dim=0)
    if block < len(maps) - 1:
        given = _evened(given)
    return SeenClip(activations.detach().float().cpu().numpy(), _shown(given.clamp(min=0.0), network))


def explained_block(maps: list[Tensor]) -> int:
    """The last block whose map (B, C, T, h, w) still says when and where; the first, if none does."""
    fine = [number for number, values in enumerate(maps)
            if values.shape[2] >= _FEWEST_TIMES and min(values.shape[3:]) >= _FEWEST_CELLS]
    return fine[-1] if fine else 0


def _evened(values: Tensor) -> Tensor:
    """A map (T, h, w) averaged along the time with its neighbours, 1 : 2 : 1; the sum stays.

    The block above steps by two times and its shortcut looks at every second one only: slopes are larger there, which
    would show as teeth in the curve. These weights take out exactly what alternates.
    """
    before, after = torch.cat([values[:1], values[:-1]]), torch.cat([values[1:], values[-1:]])
    return (before + 2 * values + after) / 4


def _rows(query: BinaryCodes) -> np.ndarray:
    return query.signs.astype(np.float32) if query.activations is None else query.activations


def _shown(values: Tensor, network: VideoNetwork) -> np.ndarray:
    """A block's map (T, h, w) at every frame and over 16 x 16 cells, float32.

    A convolution with a stride looks around the first pixel of its cell, not around the middle: read as if cells lay
    side by side, maps would lie half a cell to the right, below and late.
    """
    config = network.config
    found = values.cpu().numpy()
    middles = (np.arange(_SHOWN_CELLS) + 0.5) * config.side_px / _SHOWN_CELLS - 0.5
    for axis, (length, places) in enumerate(
        [(config.n_frames, np.arange(config.n_frames)), (config.side_px, middles), (config.side_px, middles)]
    ):
        found = _read(found, places * found.shape[axis] / length, axis)
    return np.ascontiguousarray(found, dtype=np.float32)


def _read(values: np.ndarray, places: np.ndarray, axis: int) -> np.ndarray:
    """Values along an axis at places between its entries, linearly; beyond the ends as at the ends."""
    places = np.clip(places, 0, values.shape[axis] - 1)
    low = np.floor(places).astype(int)
    high = np.minimum(low + 1, values.shape[axis] - 1)
    share = (places - low).reshape([-1 if number == axis else 1 for number in range(values.ndim)])
    result: np.ndarray = values.take(low, axis) * (1 - share) + values.take(high, axis) * share
    return result
