"""The seam between model families and everything above them."""

from collections.abc import Sequence
from typing import Protocol, TypeGuard

import numpy as np

from explorer.evidence import Evidence
from explorer.representations import BinaryCodes, Embeddings, Modality


class Encoder(Protocol):
    """A loaded model package that turns sentences and pictures into comparable representations.

    Attributes:
        model_id: the package's name and the first 16 digits of its weights' hash, ``name@0123456789abcdef``; vectors
            made under one id are never compared with vectors of another.
        name: the package's name.
        modalities: what can be encoded.
        side_px: pictures come in as squares of this side, squashed (both axes resized independently), never cropped.
        dim: width of an embedding, or number of bits of a code.
        overlays: names of the attention maps and ``"segmentation"`` that :meth:`explain` gives.
        device: where it runs, for people ("CPU", "NVIDIA H200").
    """

    model_id: str
    name: str
    modalities: frozenset[Modality]
    side_px: int
    dim: int
    overlays: tuple[str, ...]
    device: str

    def encode_texts(self, texts: Sequence[str]) -> Embeddings | BinaryCodes:
        """Encode sentences; an empty sequence gives an empty (0, dim) result."""
        ...

    def encode_images(self, squares: np.ndarray) -> Embeddings | BinaryCodes:
        """Encode pictures: uint8 RGB of shape (n, side_px, side_px, 3)."""
        ...

    def explain(
        self,
        square: np.ndarray,
        query: Embeddings | BinaryCodes | None = None,
        *,
        without: frozenset[str] = frozenset(),
    ) -> Evidence:
        """Where the model looked in one picture (side_px, side_px, 3) and what it saw there.

        With a query (n_rows, dim) the evidence carries the score of its first row, from the same pass, and a model may
        add a map of what each place gave to it, before its own attention; further rows are the query with something
        left out, and their scores and shares come along.
        The attention is the very tensor that made the embedding, not a second computation beside it.

        without: names among :attr:`overlays` of parts of the network that are left out, for comparison; names that the
        model does not have change nothing.
        """
        ...


class VideoEncoder(Encoder, Protocol):
    """An encoder that sees the frames of a shot together, in the same space as its pictures and sentences.

    Attributes:
        clip_frames: how many frames it takes of a shot, evenly spread.
        clip_side_px: side of the squares these frames are squashed to.
    """

    clip_frames: int
    clip_side_px: int

    def encode_videos(self, clips: np.ndarray) -> Embeddings | BinaryCodes:
        """Encode clips: uint8 RGB (n, clip_frames, clip_side_px, clip_side_px, 3)."""
        ...

    def explain_video(
        self, clip: np.ndarray, times_s: np.ndarray, query: Embeddings | BinaryCodes | None = None
    ) -> Evidence:
        """Where and when in one clip (clip_frames, clip_side_px, clip_side_px, 3) the model looked.

        times_s: float32 (clip_frames,), where in the video each frame is; :attr:`Evidence.clip` repeats them.
        query: as in :meth:`~Encoder.explain`.
        """
        ...


def sees_motion(encoder: Encoder) -> TypeGuard[VideoEncoder]:
    """Whether the encoder takes the frames of a shot together; the others see them one by one."""
    return Modality.VIDEO in encoder.modalities
