"""A TVDB package that is loaded, makes codes, and shows which regions made them."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from explorer.errors import PackageError
from explorer.evidence import Evidence
from explorer.networks.common.seeing import follow, load_vision_of, segmentation_of
from explorer.networks.common.words import word_rows
from explorer.networks.tvdb.explaining import ReadRegions, activations_without, evidence_of
from explorer.networks.tvdb.extractors import Extractor, load_extractor
from explorer.networks.tvdb.preprocess import RegionSequence, order_regions, steps_of
from explorer.networks.tvdb.state_dict import Parts, read_parts
from explorer.packages.package import ModelPackage
from explorer.representations import BinaryCodes, Embeddings, Modality
from explorer.vision import Vision, VisualFeatures

_TEXT_BATCH = 256


class TVDBEncoder:
    """TVDB on the shared backbone and region proposer; see :class:`~explorer.networks.encoder.Encoder`.

    Attributes:
        vision: what it sees with.
        vision_key: equal where the same vision package sees on the same device.
        proposes: whether it reads regions, so that vision must propose some; else the whole picture only.
    """

    modalities = frozenset({Modality.TEXT, Modality.IMAGE})

    def __init__(self, package: ModelPackage, parts: Parts, vision: Vision, extractor: Extractor) -> None:
        self.model_id, self.name = package.model_id, package.name
        self.overlays = package.manifest.overlays
        self.dim = parts.image.config.n_bits
        self.side_px = vision.side_px
        self._image = parts.image.to(vision.device).eval().requires_grad_(False)
        self._text = parts.text.to(vision.device).eval().requires_grad_(False)
        self._statistics, self._vocabulary, self._extract = parts.statistics, parts.vocabulary, extractor
        self.vision = vision
        self.vision_key = f"{package.manifest.vision}@{vision.device}@{vision.detector and vision.detector.name}"
        self.proposes = parts.image.config.n_regions > 0

    @property
    def device(self) -> str:
        """Where it runs, for people."""
        return self.vision.device_title

    @property
    def notice(self) -> str:
        """A sentence for the person once it had to move to another device."""
        return self.vision.notice

    @torch.inference_mode()
    def encode_texts(self, texts: Sequence[str]) -> BinaryCodes:
        """Codes of sentences with their activations (n, dim)."""
        rows = word_rows(texts, self._vocabulary, self._text.config.n_tokens)
        device = next(self._text.parameters()).device
        return self._codes([self._text(part.to(device)) for part in rows.split(_TEXT_BATCH) if len(part)])

    def encode_images(self, squares: np.ndarray) -> BinaryCodes:
        """Codes of squares, uint8 (n, side_px, side_px, 3), with their activations (n, dim)."""
        if not len(squares):
            return self._codes([])
        return self.encode_seen(self.vision(squares, segment=False, propose=self.proposes), squares)

    @torch.inference_mode()
    def encode_seen(self, seen: VisualFeatures, squares: np.ndarray | None = None) -> BinaryCodes:
        """Codes of what vision saw, with regions where :attr:`proposes`.

        squares: what it saw them in; only a package whose features are crops needs them.

        Raises ``ValueError`` where regions or squares are needed and there are none.
        """
        steps, _ = self._read(seen, squares)
        return self._codes([self._image(steps)])

    @torch.inference_mode()
    def explain(
        self,
        square: np.ndarray,
        query: Embeddings | BinaryCodes | None = None,
        *,
        without: frozenset[str] = frozenset(),
    ) -> Evidence:
        """What each region gives to the similarity, by leaving it out, and both codes; TVDB has no parts to leave out.

        The score is that of the codes; the rows' scores and the regions' shares are of the similarity before rounding,
        the mean over bits of the product of activations, for a word or a region seldom flips a bit.
        """
        squares = square[None]
        seen = self.vision(squares, propose=self.proposes)
        steps, sequence = self._read(seen, squares)
        orders = sequence.orders_without().to(steps.device)
        activations = activations_without(self._image, steps, orders)
        codes = query if isinstance(query, BinaryCodes) else None
        return evidence_of(activations, self._regions(seen, sequence), segmentation_of(self.vision, seen), codes)

    def _regions(self, seen: VisualFeatures, sequence: RegionSequence) -> ReadRegions:
        rows = sequence.which[0, 1 : int(sequence.lengths[0])]
        if seen.regions is None:
            return ReadRegions(np.zeros((0, 4), np.float32), np.zeros(0, np.float32), ())
        names = self.vision.region_names
        labels = tuple(names[label] for label in seen.regions.labels[0, rows].tolist())
        boxes, scores = seen.regions.boxes[0, rows], seen.regions.scores[0, rows]
        return ReadRegions(boxes.float().cpu().numpy(), scores.float().cpu().numpy(), labels)

    def _read(self, seen: VisualFeatures, squares: np.ndarray | None) -> tuple[Tensor, RegionSequence]:
        """The image encoder's input (B, L, F + P), and the regions it is of."""
        if self.proposes and seen.regions is None:
            raise ValueError("this model reads regions, and vision was asked for none")
        follow(self._image, seen.grid)
        config, device = self._image.config, seen.grid.device
        sequence = order_regions(seen.regions, config, len(seen.grid))
        boxes = sequence.boxes.to(device)
        features = self._extract(seen.grid, boxes, squares)
        mean, scale = (value.to(device) for value in self._statistics)
        return steps_of(features, boxes, (mean, scale), config), sequence

    def _codes(self, batches: Sequence[Tensor]) -> BinaryCodes:
        rows = [batch.float().cpu().numpy() for batch in batches]
        return BinaryCodes.from_activations(np.concatenate(rows) if rows else np.zeros((0, self.dim), np.float32))


def load(package: ModelPackage, *, search_folders: Sequence[Path], device: str) -> TVDBEncoder:
    """Load a TVDB package.

    Raises
    ------
    PackageError
        its tensors or settings do not fit, or the vision package it was trained on is not there.
    ConfigError
        it reads crops or a detector's regions, and the weights of those networks are not here.
    """
    parts = read_parts(package)
    vision = load_vision_of(package, search_folders=search_folders, device=device)
    config = parts.image.config
    if config.n_regions and vision.proposer is None and vision.detector is None:
        raise PackageError(
            f"{package.name} reads regions, but nothing proposes any: its vision package has no region proposer.",
            "Install the vision package and this one from the same release.",
        )
    extractor = load_extractor(parts.features, grid_dim=vision.backbone.channels[-1], device=vision.device)
    if extractor.dim != config.feature_dim:
        raise PackageError(
            f"{package.name} reads regions of {config.feature_dim} features, but {parts.features} gives "
            f"{extractor.dim}.",
            "Install the package again.",
        )
    return TVDBEncoder(package, parts, vision, extractor)
