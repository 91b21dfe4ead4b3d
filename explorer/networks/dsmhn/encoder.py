"""A DSMHN package that is loaded, makes codes of what it has streams for, and shows what made them."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from explorer.errors import PackageError
from explorer.evidence import Evidence
from explorer.networks.common.minilm import MiniLM
from explorer.networks.common.seeing import follow, load_vision_of, segmentation_of
from explorer.networks.dsmhn.config import ImageStreamConfig
from explorer.networks.dsmhn.explaining import evidence_of, features_without
from explorer.networks.dsmhn.model import ImageStream
from explorer.networks.dsmhn.preprocess import picture_columns, read_sentences
from explorer.networks.dsmhn.state_dict import Parts, modalities_of, read_parts
from explorer.networks.dsmhn.still import explain_still, still_clips
from explorer.networks.dsmhn.video_explaining import explain_clip
from explorer.networks.dsmhn.video_stream import VideoStream
from explorer.packages.package import ModelPackage
from explorer.representations import BinaryCodes, Embeddings, Modality
from explorer.vision import Vision, VisualFeatures
from explorer.vision.crops import CropNetwork, load_crop_network
from explorer.vision.device import choose_device, device_title

_TEXT_BATCH = 256


class PictureReader:
    """What sees pictures, and the stream that reads what it sees.

    Attributes:
        vision: what it sees with.
        stream: from features to activations.
    """

    def __init__(self, stream: ImageStream, vision: Vision, n_things: int, alexnet: CropNetwork | None) -> None:
        self.stream, self.vision = stream.to(vision.device), vision
        self._n_things, self._alexnet = n_things, alexnet

    @property
    def _config(self) -> ImageStreamConfig:
        return self.stream.config

    def see(self, squares: np.ndarray, *, segment: bool = False) -> tuple[VisualFeatures, list[Tensor]]:
        """What vision gives for squares, and the columns of their features."""
        parts = self._config.parts
        seen = self.vision(squares, segment=segment or "presence" in parts, propose="detections" in parts)
        follow(self.stream, seen.grid)
        alexnet = None if self._alexnet is None else (self._alexnet, squares)
        return seen, picture_columns(seen, parts, self._n_things, alexnet)

    def activations(self, features: Tensor) -> np.ndarray:
        """Activations, float32 (B, K), of features (B, F)."""
        rows: np.ndarray = self.stream(features).float().cpu().numpy()
        return rows


class DSMHNEncoder:
    """DSMHN on the shared backbone; see :class:`~explorer.networks.encoder.Encoder`.

    A package without an image stream takes a picture for a clip in which nothing moves.
    """

    def __init__(
        self, package: ModelPackage, parts: Parts, pictures: PictureReader | None, minilm: MiniLM | None, device: str
    ) -> None:
        streams = parts.streams.eval().requires_grad_(False)
        self.model_id, self.name = package.model_id, package.name
        self.modalities = frozenset(modalities_of(streams.configs))
        self.overlays = package.manifest.overlays
        self.dim = streams.configs.n_bits
        self._pictures, self._minilm, self._vocabulary = pictures, minilm, parts.vocabulary
        # Pictures and sentences go together: vision leaves a graphics card whose memory is full.
        self._device = choose_device(device) if pictures is None else pictures.vision.device
        self._text = None if streams.text is None else streams.text.to(self._device)
        self._video = None if streams.video is None else streams.video.to(self._device).only_answers()
        self.side_px = package.manifest.preprocess.side_px if pictures is None else pictures.vision.side_px

    @property
    def device(self) -> str:
        """Where it runs, for people."""
        return device_title(self._device) if self._pictures is None else self._pictures.vision.device_title

    @property
    def notice(self) -> str:
        """A sentence for the person once it had to move to another device."""
        return "" if self._pictures is None else self._pictures.vision.notice

    @torch.inference_mode()
    def encode_texts(self, texts: Sequence[str]) -> BinaryCodes:
        """Codes of sentences with their activations (n, dim); ``ValueError`` where there is no text stream."""
        if self._text is None:
            raise ValueError(f"{self.name} reads no sentences")
        sentences = read_sentences(texts, self._vocabulary, self._text.config, self._minilm)
        device = next(self._text.parameters()).device
        batches = [slice(begin, begin + _TEXT_BATCH) for begin in range(0, len(texts), _TEXT_BATCH)]
        return self._codes([self._text(sentences[rows].to(device)).float().cpu().numpy() for rows in batches])

    @torch.inference_mode()
    def encode_images(self, squares: np.ndarray) -> BinaryCodes:
        """Codes of squares, uint8 (n, side_px, side_px, 3), with their activations (n, dim)."""
        if not len(squares):
            return self._codes([])
        if self._pictures is None:
            stream = self._seen_clips()
            return self._codes([stream.encode(still_clips(squares, stream.network.config))])
        _, columns = self._pictures.see(squares)
        return self._codes([self._pictures.activations(torch.cat(columns, dim=1))])

    def explain(
        self,
        square: np.ndarray,
        query: Embeddings | BinaryCodes | None = None,
        *,
        without: frozenset[str] = frozenset(),
    ) -> Evidence:
        """What each place gives to the similarity, by leaving it out, and both codes; there are no parts to leave out.

        The score is that of the codes; rows' scores and shares are of the similarity before rounding, the mean over
        bits of the product of activations. Without a query: what makes the picture's code as firm as it is.
        """
        codes = query if isinstance(query, BinaryCodes) else None
        if self._pictures is None:
            return explain_still(self._seen_clips(), square, codes)
        with torch.inference_mode():
            seen, columns = self._pictures.see(square[None], segment=True)
            left_out = features_without(seen, columns, self._pictures.stream.config.parts)
            activations = self._pictures.activations(torch.cat([torch.cat(columns, dim=1), left_out]))
        return evidence_of(activations, seen.grid.shape[-1], segmentation_of(self._pictures.vision, seen), codes)

    def _seen_clips(self) -> VideoStream:
        if self._video is None:
            raise ValueError(f"{self.name} sees neither pictures nor clips")
        return self._video

    def _codes(self, batches: Sequence[np.ndarray]) -> BinaryCodes:
        return BinaryCodes.from_activations(np.concatenate([*batches, np.zeros((0, self.dim), np.float32)]))


class DSMHNVideoEncoder(DSMHNEncoder):
    """DSMHN with a video stream; see :class:`~explorer.networks.encoder.VideoEncoder`."""

    @property
    def clip_frames(self) -> int:
        """Frames of a clip."""
        return self._seen_clips().network.config.n_frames

    @property
    def clip_side_px(self) -> int:
        """Side of a clip's frames."""
        return self._seen_clips().network.config.side_px

    def encode_videos(self, clips: np.ndarray) -> BinaryCodes:
        """Codes of clips, uint8 (n, clip_frames, clip_side_px, clip_side_px, 3), with their activations (n, dim)."""
        return self._codes([self._seen_clips().encode(clips)])

    def explain_video(
        self, clip: np.ndarray, times_s: np.ndarray, query: Embeddings | BinaryCodes | None = None
    ) -> Evidence:
        """Where and when in a clip, uint8 (clip_frames, clip_side_px, clip_side_px, 3), the similarity comes from."""
        return explain_clip(self._seen_clips(), clip, times_s, query if isinstance(query, BinaryCodes) else None)


def load(package: ModelPackage, *, search_folders: Sequence[Path], device: str) -> DSMHNEncoder:
    """Load a DSMHN package.

    Raises
    ------
    PackageError
        its tensors or settings do not fit, or the vision package it was trained on is not there.
    ConfigError
        it reads AlexNet's features, and the weights of that network are not here.
    """
    parts = read_parts(package)
    configs = parts.streams.configs
    pictures = None
    if parts.streams.image is not None:
        vision = load_vision_of(package, search_folders=search_folders, device=device)
        pictures = _read_pictures(package, parts.streams.image, vision, parts.n_things)
    minilm = None
    if configs.text is not None and "minilm" in configs.text.readers:
        minilm = MiniLM(device=choose_device(device) if pictures is None else pictures.vision.device)
    sees_clips = Modality.VIDEO in package.manifest.modalities
    return (DSMHNVideoEncoder if sees_clips else DSMHNEncoder)(package, parts, pictures, minilm, device)


def _read_pictures(package: ModelPackage, stream: ImageStream, vision: Vision, n_things: int) -> PictureReader:
    parts = stream.config.parts
    if "presence" in parts and vision.segmenter is None:
        raise PackageError(
            f"{package.name} reads what the segmenter sees, but its vision package has none.",
            "Install the vision package and this one from the same release.",
        )
    alexnet = load_crop_network(device=vision.device) if "alexnet" in parts else None
    reader = PictureReader(stream, vision, n_things, alexnet)
    side = vision.side_px
    with torch.inference_mode():
        width = sum(column.shape[1] for column in reader.see(np.zeros((1, side, side, 3), np.uint8))[1])
    if width != stream.config.feature_dim:
        raise PackageError(
            f"{package.name} reads {stream.config.feature_dim} features of a picture, but its vision package gives "
            f"{width}.",
            "Install the vision package and this one from the same release.",
        )
    return reader
