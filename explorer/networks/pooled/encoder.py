"""A pooled package that is loaded and answers."""

from collections.abc import Sequence
from pathlib import Path

import msgspec
import numpy as np
import torch

from explorer.errors import PackageError
from explorer.evidence import Evidence
from explorer.networks.common.minilm import MiniLM
from explorer.networks.common.pooling import pool_features
from explorer.networks.common.seeing import follow, load_vision_of
from explorer.networks.pooled.config import PooledConfig
from explorer.networks.pooled.model import PooledProjection
from explorer.networks.pooled.state_dict import from_package
from explorer.packages.package import ModelPackage, load_tensors
from explorer.representations import BinaryCodes, Embeddings, Modality
from explorer.vision import Vision


class PooledEncoder:
    """Pictures by pooled features, sentences by MiniLM; see :class:`~explorer.networks.encoder.Encoder`."""

    modalities = frozenset({Modality.TEXT, Modality.IMAGE})
    overlays: tuple[str, ...] = ()

    def __init__(self, package: ModelPackage, model: PooledProjection, vision: Vision, text: MiniLM) -> None:
        self.model_id, self.name = package.model_id, package.name
        self.dim = model.config.embed_dim
        self.side_px = vision.side_px
        self._model, self._vision, self._text = model.eval().requires_grad_(False), vision, text

    @property
    def device(self) -> str:
        """Where it runs, for people."""
        return self._vision.device_title

    @property
    def notice(self) -> str:
        """A sentence for the person once it had to move to another device."""
        return self._vision.notice

    def encode_texts(self, texts: Sequence[str]) -> Embeddings:
        """Sentence embeddings (n, dim)."""
        embedded = self._text.sentence_embeddings(texts)
        return Embeddings(np.ascontiguousarray(embedded.cpu().numpy(), dtype=np.float32))

    @torch.inference_mode()
    def encode_images(self, squares: np.ndarray) -> Embeddings:
        """Embeddings (n, dim) of squares, uint8 (n, side_px, side_px, 3)."""
        seen = self._vision(squares, segment=False)
        follow(self._model, seen.grid)
        embedded = self._model(pool_features(seen.trunk, seen.grid, self._model.config.parts))
        return Embeddings(np.ascontiguousarray(embedded.cpu().numpy(), dtype=np.float32))

    def explain(
        self,
        square: np.ndarray,
        query: Embeddings | BinaryCodes | None = None,
        *,
        without: frozenset[str] = frozenset(),
    ) -> Evidence:
        """The scores alone: a pooled encoder cannot say where it looked, and has no parts to leave out."""
        if not isinstance(query, Embeddings):
            return Evidence()
        scores = query.values @ self.encode_images(square[None]).values[0]
        return Evidence(score=float(scores[0]), row_scores=scores)


def load(package: ModelPackage, *, search_folders: Sequence[Path], device: str) -> PooledEncoder:
    """Load a pooled package; :class:`~explorer.errors.PackageError` where it does not fit."""
    try:
        config = msgspec.convert(package.manifest.config, PooledConfig)
    except (msgspec.ValidationError, ValueError) as error:
        raise PackageError(f"[config] of {package.name} does not describe a pooled encoder: {error}.") from error
    model = PooledProjection(config)
    from_package(model, load_tensors(package), package_name=package.name)
    vision = load_vision_of(package, search_folders=search_folders, device=device)
    return PooledEncoder(package, model, vision, MiniLM(device=vision.device))
