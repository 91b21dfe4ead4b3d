"""A 3SHNet package that is loaded, answers, and shows where it looked."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from explorer.errors import PackageError
from explorer.evidence import Evidence, Segmentation
from explorer.networks.common.minilm import MiniLM
from explorer.networks.common.seeing import follow, load_vision_of
from explorer.networks.three_shnet.explaining import Cells, evidence_of, to_numpy
from explorer.networks.three_shnet.model import EncodedImages
from explorer.networks.three_shnet.parts import Parts, read_parts
from explorer.networks.three_shnet.preprocess import normalise_class_map
from explorer.packages.package import ModelPackage
from explorer.representations import BinaryCodes, Embeddings, Modality
from explorer.vision import Vision, VisualFeatures


class ThreeSHNetEncoder:
    """3SHNet on the shared backbone and segmenter; see :class:`~explorer.networks.encoder.Encoder`.

    One pass of the backbone gives the embedding, the gates, the spatial attention and the segmentation.
    """

    modalities = frozenset({Modality.TEXT, Modality.IMAGE})

    def __init__(self, package: ModelPackage, parts: Parts, vision: Vision, language: MiniLM) -> None:
        self.model_id, self.name = package.model_id, package.name
        self.overlays = package.manifest.overlays
        self.dim = parts.image.config.embed_dim
        self.side_px = vision.side_px
        self._networks = nn.ModuleList([parts.eyes, parts.image]).to(vision.device).eval().requires_grad_(False)
        self._eyes, self._image = parts.eyes, parts.image
        self._text = parts.text.to(vision.device).eval().requires_grad_(False)
        self._vision, self._language = vision, language

    @property
    def device(self) -> str:
        """Where it runs, for people."""
        return self._vision.device_title

    @property
    def notice(self) -> str:
        """A sentence for the person once it had to move to another device."""
        return self._vision.notice

    @torch.inference_mode()
    def encode_texts(self, texts: Sequence[str]) -> Embeddings:
        """Embeddings (n, dim) of sentences."""
        if not texts:
            return Embeddings(np.zeros((0, self.dim), dtype=np.float32))
        words = self._language.word_states(texts)
        return _embeddings(self._text(words.states, words.lengths))

    @torch.inference_mode()
    def encode_images(self, squares: np.ndarray) -> Embeddings:
        """Embeddings (n, dim) of squares, uint8 (n, side_px, side_px, 3)."""
        if not len(squares):
            return Embeddings(np.zeros((0, self.dim), dtype=np.float32))
        return _embeddings(self._encode(self._vision(squares)).embedding)

    @torch.inference_mode()
    def encode_without_cell(self, square: np.ndarray, cells: Sequence[int | None]) -> Embeddings:
        """Embeddings (n, dim) of one picture, each without one of its visual tokens (None: with all of them).

        square: uint8 (side_px, side_px, 3).   cells: numbers of cells, row by row of the saliency grid. The token is
        masked: neither its own value nor what segmentation made of it reaches the embedding.
        """
        seen = self._vision(square[None])
        assert seen.semantic_scores is not None
        assert seen.presence is not None
        assert seen.class_map is not None
        follow(self._networks, seen.grid)
        tokens, n = self._eyes(seen)[0], len(cells)
        orders = [[i for i in range(len(tokens)) if i != cell] + ([] if cell is None else [cell]) for cell in cells]
        lengths = torch.tensor([len(tokens) - (cell is not None) for cell in cells], device=tokens.device)
        class_map = normalise_class_map(seen.class_map, self._image.config)
        context = (seen.semantic_scores, class_map, seen.presence)
        encoded = self._image(
            torch.stack([tokens[order] for order in orders]),
            *(part.expand(n, *part.shape[1:]) for part in context),
            lengths,
        )
        return _embeddings(encoded.embedding)

    @torch.inference_mode()
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
        seen = self._vision(square[None])
        encoded = self._encode(seen, without)
        rows = torch.from_numpy(query.values) if isinstance(query, Embeddings) else None
        places = Cells(seen.grid.shape[-1])
        return evidence_of(self._image, encoded, places, self._segmentation(seen), rows)

    def _encode(self, seen: VisualFeatures, without: frozenset[str] = frozenset()) -> EncodedImages:
        assert seen.semantic_scores is not None
        assert seen.presence is not None
        assert seen.class_map is not None
        follow(self._networks, seen.grid)
        class_map = normalise_class_map(seen.class_map, self._image.config)
        encoded: EncodedImages = self._image(
            self._eyes(seen), seen.semantic_scores, class_map, seen.presence, without=without
        )
        return encoded

    def _segmentation(self, seen: VisualFeatures) -> Segmentation:
        assert seen.class_map is not None
        assert seen.confidence is not None
        assert seen.presence is not None
        return Segmentation(
            class_map=seen.class_map[0].cpu().numpy().astype(np.uint8),
            confidence=to_numpy(seen.confidence[0]),
            names=self._vision.mask_names,
            presence=self._vision.name_presence(to_numpy(seen.presence[0])),
        )


def load(package: ModelPackage, *, search_folders: Sequence[Path], device: str) -> ThreeSHNetEncoder:
    """Load a 3SHNet package.

    Raises
    ------
    PackageError
        its tensors or settings do not fit, or the vision package it was trained on is not there.
    """
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
    return ThreeSHNetEncoder(package, parts, vision, MiniLM(device=vision.device))


def _embeddings(values: Tensor) -> Embeddings:
    return Embeddings(np.ascontiguousarray(to_numpy(values)))
