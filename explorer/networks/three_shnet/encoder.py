"""A 3SHNet package that is loaded, answers, and shows where it looked."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from explorer.errors import PackageError
from explorer.evidence import Evidence
from explorer.networks.common.seeing import follow, load_vision_of, segmentation_of
from explorer.networks.three_shnet.explaining import Boxes, Cells, evidence_of, to_numpy
from explorer.networks.three_shnet.feature_encoder import ThreeSHNetFeatureEncoder
from explorer.networks.three_shnet.feature_encoder import load as load_published_package
from explorer.networks.three_shnet.model import EncodedImages
from explorer.networks.three_shnet.parts import Parts, read_parts
from explorer.networks.three_shnet.preprocess import normalise_class_map
from explorer.networks.three_shnet.tokens import VisualTokens
from explorer.packages.package import ModelPackage
from explorer.representations import BinaryCodes, Embeddings, Modality
from explorer.vision import Vision, VisualFeatures
from explorer.vision.features import Regions


class ThreeSHNetEncoder:
    """3SHNet on the shared backbone and segmenter; see :class:`~explorer.networks.encoder.Encoder`.

    One pass of the backbone gives the embedding, the gates, the spatial attention and the segmentation.

    Attributes:
        vision: what it sees with.
        vision_key: equal where the same vision package sees on the same device.
        proposes: whether its visual tokens are regions, so that vision must propose some.
    """

    modalities = frozenset({Modality.TEXT, Modality.IMAGE})

    def __init__(self, package: ModelPackage, parts: Parts, vision: Vision) -> None:
        self.model_id, self.name = package.model_id, package.name
        self.overlays = package.manifest.overlays
        self.dim = parts.image.config.embed_dim
        self.side_px = vision.side_px
        self._networks = nn.ModuleList([parts.eyes, parts.image]).to(vision.device).eval().requires_grad_(False)
        self._eyes, self._image = parts.eyes, parts.image
        self._text = parts.text.to(vision.device).eval().requires_grad_(False)
        self.vision = vision
        self.vision_key = f"{package.manifest.vision}@{vision.device}@{vision.detector and vision.detector.name}"
        self.proposes = parts.eyes.config.kind == "regions"

    @property
    def device(self) -> str:
        """Where it runs, for people."""
        return self.vision.device_title

    @property
    def notice(self) -> str:
        """A sentence for the person once it had to move to another device."""
        return self.vision.notice

    @torch.inference_mode()
    def encode_texts(self, texts: Sequence[str]) -> Embeddings:
        """Embeddings (n, dim) of sentences."""
        if not texts:
            return Embeddings(np.zeros((0, self.dim), dtype=np.float32))
        return _embeddings(self._text.read(texts))

    def encode_images(self, squares: np.ndarray) -> Embeddings:
        """Embeddings (n, dim) of squares, uint8 (n, side_px, side_px, 3)."""
        if not len(squares):
            return Embeddings(np.zeros((0, self.dim), dtype=np.float32))
        return self.encode_seen(self._see(squares))

    @torch.inference_mode()
    def encode_seen(self, seen: VisualFeatures) -> Embeddings:
        """Embeddings (n, dim) of what vision saw, with regions where :attr:`proposes`."""
        return _embeddings(self._encode(seen, self._look(seen)).embedding)

    @torch.inference_mode()
    def encode_without_place(self, square: np.ndarray, places: Sequence[int | None]) -> Embeddings:
        """Embeddings (n, dim) of one picture, each without one of its visual tokens (None: with all of them).

        square: uint8 (side_px, side_px, 3).   places: numbers of cells, row by row of the saliency grid, or of regions.
        The token is masked: neither its own value nor what segmentation made of it reaches the embedding.
        """
        seen = self._see(square[None])
        tokens, n = _own(self._look(seen))[0], len(places)
        every = list(range(len(tokens)))
        orders = [every if place is None else every[:place] + every[place + 1 :] + [place] for place in places]
        lengths = torch.tensor([len(tokens) - (place is not None) for place in places], device=tokens.device)
        scores, class_map, presence = self._context(seen)
        encoded = self._image(
            torch.stack([tokens[order] for order in orders]),
            scores.expand(n, -1, -1, -1),
            class_map.expand(n, -1, -1),
            presence.expand(n, -1),
            lengths,
        )
        return _embeddings(encoded.embedding)

    def explain(
        self,
        square: np.ndarray,
        query: Embeddings | BinaryCodes | None = None,
        *,
        without: frozenset[str] = frozenset(),
    ) -> Evidence:
        """Gates and spatial attention of the pass that gives the embedding, and the segmentation it was given.

        With a query (n_rows, dim) the first layer is what each place gave to the score.
        """
        seen = self._see(square[None])
        return self.explain_seen(seen, query if isinstance(query, Embeddings) else None, without=without)

    @torch.inference_mode()
    def explain_seen(
        self, seen: VisualFeatures, query: Embeddings | None, *, without: frozenset[str] = frozenset()
    ) -> Evidence:
        """The same from what vision saw of one picture."""
        tokens = self._look(seen)
        own = VisualTokens(_own(tokens), None, tokens.regions)
        encoded = self._encode(seen, own, without)
        rows = None if query is None else torch.from_numpy(query.values)
        places = Cells(seen.grid.shape[-1]) if tokens.regions is None else self._boxes(tokens.regions)
        return evidence_of(self._image, encoded, places, segmentation_of(self.vision, seen), rows)

    def _see(self, squares: np.ndarray) -> VisualFeatures:
        return self.vision(squares, propose=True) if self.proposes else self.vision(squares)

    def _look(self, seen: VisualFeatures) -> VisualTokens:
        follow(self._networks, seen.grid)
        return self._eyes.look(seen)

    def _context(self, seen: VisualFeatures) -> tuple[Tensor, Tensor, Tensor]:
        """Scores, normalised class map and presence."""
        assert seen.semantic_scores is not None
        assert seen.presence is not None
        assert seen.class_map is not None
        return seen.semantic_scores, normalise_class_map(seen.class_map, self._image.config), seen.presence

    def _encode(
        self, seen: VisualFeatures, tokens: VisualTokens, without: frozenset[str] = frozenset()
    ) -> EncodedImages:
        encoded: EncodedImages = self._image(tokens.values, *self._context(seen), tokens.lengths, without=without)
        return encoded

    def _boxes(self, regions: Regions) -> Boxes:
        """The regions of one picture, without the padding."""
        n = int(regions.lengths[0])
        names = self.vision.region_names
        labels = regions.labels[0, :n].tolist()
        return Boxes(
            to_numpy(regions.boxes[0, :n]),
            to_numpy(regions.scores[0, :n]),
            tuple(names[label] if 0 <= label < len(names) else "whole picture" for label in labels),
        )


def load(
    package: ModelPackage, *, search_folders: Sequence[Path], device: str
) -> ThreeSHNetEncoder | ThreeSHNetFeatureEncoder:
    """Load a 3SHNet package; an imported one reads features and no pictures.

    Raises
    ------
    PackageError
        its tensors or settings do not fit, or the vision package it was trained on is not there.
    """
    if package.manifest.config.get("inputs") == "published":
        return load_published_package(package, device=device)
    if package.manifest.vision is None:
        raise PackageError(f"{package.name} names no vision package, and 3SHNet cannot do without a segmentation.")
    vision = load_vision_of(package, search_folders=search_folders, device=device)
    parts = read_parts(package, vision.device)
    if parts.image.config.n_classes != len(vision.class_names):
        raise PackageError(
            f"{package.name} expects {parts.image.config.n_classes} classes, but its vision package has "
            f"{len(vision.class_names)}.",
            "Install both from the same release.",
        )
    return ThreeSHNetEncoder(package, parts, vision)


def _own(tokens: VisualTokens) -> Tensor:
    """Tokens of the one picture without its padding, (1, n, V)."""
    return tokens.values if tokens.lengths is None else tokens.values[:, : int(tokens.lengths[0])]


def _embeddings(values: Tensor) -> Embeddings:
    return Embeddings(np.ascontiguousarray(to_numpy(values)))
