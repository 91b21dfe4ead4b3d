"""A 3SHNet package that is loaded, answers, and shows where it looked."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import torch
from torch import Tensor, nn

from explorer.errors import PackageError
from explorer.evidence import AttentionMap, Evidence, Segmentation
from explorer.networks.common.gpo import GeneralizedPooling
from explorer.networks.common.loading import load_strictly
from explorer.networks.common.minilm import MiniLM
from explorer.networks.common.seeing import follow, load_vision_of
from explorer.networks.three_shnet.config import ImageEncoderConfig, TextEncoderConfig
from explorer.networks.three_shnet.eyes import Eyes, read_eyes
from explorer.networks.three_shnet.model import EncodedImages, ImageEncoder, TextEncoder
from explorer.networks.three_shnet.preprocess import normalise_class_map
from explorer.networks.three_shnet.state_dict import split_parts
from explorer.packages.package import ModelPackage, load_tensors
from explorer.representations import BinaryCodes, Embeddings, Modality
from explorer.vision import Vision, VisualFeatures


class PackageConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``[config]`` of a package.

    Attributes:
        image: fields of :class:`ImageEncoderConfig`.
        text: fields of :class:`TextEncoderConfig`.
        trunk_cells: whether the trunk's finer cells are part of each visual token.
        tuned_tail: whether the package carries its own last backbone stages.
    """

    image: dict[str, Any]
    text: dict[str, Any]
    trunk_cells: bool = False
    tuned_tail: bool = False


@dataclass(frozen=True, slots=True)
class Parts:
    """The networks of one package, in memory."""

    eyes: Eyes
    image: ImageEncoder
    text: TextEncoder


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
    def explain(self, square: np.ndarray, query: Embeddings | BinaryCodes | None = None) -> Evidence:
        """Gates and spatial attention of the pass that gives the embedding, and the segmentation it was given.

        With a query (1, dim) the first map is what each cell gave to the score.
        """
        seen = self._vision(square[None])
        encoded = self._encode(seen)
        maps, score = [], None
        side = seen.grid.shape[-1]
        if isinstance(query, Embeddings):
            wanted = torch.from_numpy(query.values[0])
            score = float(encoded.embedding[0] @ wanted.to(encoded.embedding))
            given = self._token_shares(encoded, wanted)
            n = side * side
            cells = given[-2 * n : -n] + given[-n:]  # its visual token, and what segmentation made of it
            maps.append(AttentionMap("cells", "What each cell gave to the score", _float32(cells.view(side, side))))
        if encoded.vsem_gates is not None:
            gates = encoded.vsem_gates[0].view(side, side)
            maps.append(AttentionMap("vsem", "Semantic saliency (VSeM)", _float32(gates)))
        if encoded.vspm_attention is not None:
            maps.append(AttentionMap("vspm", "Spatial attention (VSpM)", _float32(self._spatial_map(encoded))))
        return Evidence(attention=tuple(maps), segmentation=self._segmentation(seen), score=score)

    def _encode(self, seen: VisualFeatures) -> EncodedImages:
        assert seen.semantic_scores is not None
        assert seen.presence is not None
        assert seen.class_map is not None
        follow(self._networks, seen.grid)
        class_map = normalise_class_map(seen.class_map, self._image.config)
        encoded: EncodedImages = self._image(self._eyes(seen), seen.semantic_scores, class_map, seen.presence)
        return encoded

    def _token_shares(self, encoded: EncodedImages, query: Tensor) -> Tensor:
        """What each token gave to the score with a query (D,): (M,), adds up to the score.

        Pooling adds up the tokens' values weighted by their ranks, so the product with the query splits exactly.
        """
        assert encoded.tokens is not None
        tokens_MD = encoded.tokens[0]
        m = len(tokens_MD)
        if isinstance(self._image.pool, GeneralizedPooling):
            theta_M = self._image.pool.weights(torch.tensor([m], device=tokens_MD.device), m)[0]
        else:
            theta_M = tokens_MD.new_full((m,), 1.0 / m)
        ranks_MD = tokens_MD.argsort(dim=0, descending=True).argsort(dim=0)
        parts_MD = theta_M[ranks_MD] * tokens_MD
        given_M: Tensor = parts_MD @ query.to(tokens_MD) / (parts_MD.sum(dim=0).norm() + 1e-8)
        return given_M

    def _spatial_map(self, encoded: EncodedImages) -> Tensor:
        """Attention over the map, averaged over cells by their gates, (map_size, map_size); sums to 1."""
        assert encoded.vspm_attention is not None
        attention = encoded.vspm_attention[0]
        gates = encoded.vsem_gates[0] if encoded.vsem_gates is not None else attention.new_ones(len(attention))
        side = self._image.config.map_size
        return ((gates / gates.sum().clamp(min=1e-8)) @ attention).view(side, side)

    def _segmentation(self, seen: VisualFeatures) -> Segmentation:
        assert seen.class_map is not None
        assert seen.confidence is not None
        assert seen.presence is not None
        return Segmentation(
            class_map=seen.class_map[0].cpu().numpy().astype(np.uint8),
            confidence=_float32(seen.confidence[0]),
            names=self._vision.mask_names,
            presence=self._vision.name_presence(_float32(seen.presence[0])),
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


def read_parts(package: ModelPackage, device: torch.device) -> Parts:
    """The networks that the package carries; :class:`~explorer.errors.PackageError` where it is not as it should be."""
    try:
        config = msgspec.convert(package.manifest.config, PackageConfig)
        image = ImageEncoder(msgspec.convert(config.image, ImageEncoderConfig))
        text = TextEncoder(msgspec.convert(config.text, TextEncoderConfig))
    except (msgspec.ValidationError, ValueError) as error:
        raise PackageError(f"[config] of {package.name} does not describe a 3SHNet: {error}.") from error
    tensors = split_parts(load_tensors(package))
    load_strictly(image, tensors.get("image", {}), package_name=package.name)
    load_strictly(text, tensors.get("text", {}), package_name=package.name)
    eyes = read_eyes(
        package, tensors, device, width=image.config.visual_dim, tuned=config.tuned_tail, trunk_cells=config.trunk_cells
    )
    return Parts(eyes, image, text)


def _embeddings(values: Tensor) -> Embeddings:
    return Embeddings(np.ascontiguousarray(_float32(values)))


def _float32(values: Tensor) -> np.ndarray:
    array: np.ndarray = values.float().cpu().numpy()
    return array
