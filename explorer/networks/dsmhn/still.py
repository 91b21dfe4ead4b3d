"""Pictures for a model that has a video stream and no image stream: clips in which nothing moves."""

import dataclasses

import numpy as np

from explorer.evidence import AttentionMap, Evidence
from explorer.networks.dsmhn.explaining import LAYER
from explorer.networks.dsmhn.video_explaining import explain_clip
from explorer.networks.dsmhn.video_network import VideoNetworkConfig
from explorer.networks.dsmhn.video_stream import VideoStream, to_clip
from explorer.representations import BinaryCodes


def still_clips(squares: np.ndarray, config: VideoNetworkConfig) -> np.ndarray:
    """Each picture as all frames of a clip: uint8 (n, side, side, 3) to (n, n_frames, side_px, side_px, 3)."""
    return np.stack([to_clip([square], config.n_frames, config.side_px) for square in squares])


def explain_still(stream: VideoStream, square: np.ndarray, query: BinaryCodes | None) -> Evidence:
    """Where in a picture (side, side, 3) the video stream looked: the mean over all frames of the still clip."""
    config = stream.network.config
    clip = still_clips(square[None], config)[0]
    evidence = explain_clip(stream, clip, np.zeros(config.n_frames, np.float32), query)
    assert evidence.clip is not None
    maps = tuple(
        AttentionMap(LAYER, moving.title, moving.values.mean(axis=0)) for moving in evidence.clip.attention[:1]
    )
    return dataclasses.replace(evidence, attention=maps, clip=None)
