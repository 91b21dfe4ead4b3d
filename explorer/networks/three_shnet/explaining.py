"""Where 3SHNet looked in one picture: everything from the tensors of one forward pass (README.md 3.4 to 3.6)."""

# R rows of the query, M tokens that are pooled, N visual tokens, D joint space, m side of the class map

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from explorer.evidence import AttentionMap, Evidence, PlaceShares, PointedAttention, RegionWeights, Segmentation
from explorer.networks.common.gpo import GeneralizedPooling
from explorer.networks.three_shnet.model import EncodedImages, ImageEncoder

_VSEM = "Semantic saliency (VSeM)"
_VSPM = "Spatial attention (VSpM)"


@dataclass(frozen=True, slots=True)
class Cells:
    """The visual tokens are the cells of a square grid, row by row."""

    side: int
    name = "cells"
    noun = "cell"

    def layer(self, name: str, title: str, values: Tensor) -> AttentionMap:
        """Values (N,) as a map."""
        return AttentionMap(name, title, to_numpy(values.view(self.side, self.side)))


@dataclass(frozen=True, slots=True)
class Boxes:
    """The visual tokens are regions.

    Attributes:
        boxes: float32 (N, 4), xyxy normalised.
        scores: float32 (N,), the proposer's.
        labels: N names.
    """

    boxes: np.ndarray
    scores: np.ndarray
    labels: tuple[str, ...]
    name = "regions"
    noun = "region"

    def layer(self, name: str, title: str, values: Tensor) -> RegionWeights:
        """Values (N,) as weights of the boxes."""
        return RegionWeights(name, title, self.boxes, to_numpy(values), self.scores, self.labels)


def evidence_of(
    image: ImageEncoder,
    encoded: EncodedImages,
    places: Cells | Boxes,
    segmentation: Segmentation | None,
    rows: Tensor | None,
) -> Evidence:
    """Evidence of one picture.

    encoded: of a batch of one picture without padding.
    rows: (R, D), the query and the query with something left out; None without one.
    """
    layers: list[AttentionMap | RegionWeights] = []
    shares, scores = None, None
    if rows is not None:
        rows = rows.to(encoded.embedding)
        scores = to_numpy(rows @ encoded.embedding[0])
        shares = visual_shares(image, encoded, rows)
        layers.append(places.layer(places.name, f"What each {places.noun} gave to the score", shares[0]))
    elif isinstance(places, Boxes):
        layers.append(places.layer(places.name, "Regions", torch.from_numpy(places.scores)))
    if encoded.vsem_gates is not None:
        layers.append(places.layer("vsem", _VSEM, encoded.vsem_gates[0]))
    pointed: tuple[PointedAttention, ...] = ()
    if encoded.vspm_attention is not None:
        side = image.config.map_size
        if layers:
            pointed = (_pointed(encoded.vspm_attention[0], layers[0].name, side),)
        layers.append(AttentionMap("vspm", _VSPM, to_numpy(_spatial_map(encoded, side))))
    return Evidence(
        attention=tuple(layer for layer in layers if isinstance(layer, AttentionMap)),
        regions=tuple(layer for layer in layers if isinstance(layer, RegionWeights)),
        segmentation=segmentation,
        pointed=pointed,
        score=None if scores is None else float(scores[0]),
        row_scores=scores,
        shares=() if shares is None else (PlaceShares(places.name, to_numpy(shares)),),
    )


def visual_shares(image: ImageEncoder, encoded: EncodedImages, rows: Tensor) -> Tensor:
    """What each place gave to the score with each row of the query (R, D): (R, N).

    A place has two tokens: the visual one, and what segmentation made of it. Together with the category token and the
    segmentation cells, which belong to no place, the shares add up to the score.
    """
    assert encoded.tokens is not None
    given_RM = token_shares(image, encoded.tokens[0], rows)
    n = encoded.n_visual
    return given_RM[:, -2 * n : -n] + given_RM[:, -n:]


def token_shares(image: ImageEncoder, tokens: Tensor, rows: Tensor) -> Tensor:
    """What each token (M, D) gave to the score with each row (R, D): (R, M), each row adds up to its score.

    Pooling adds up the tokens' values weighted by their ranks (README.md 3.6), so the product with the query splits
    exactly; the scale to unit length is one number.
    """
    m = len(tokens)
    if isinstance(image.pool, GeneralizedPooling):
        theta_M = image.pool.weights(torch.tensor([m], device=tokens.device), m)[0].to(tokens.dtype)
    else:
        theta_M = tokens.new_full((m,), 1.0 / m)
    ranks_MD = tokens.argsort(dim=0, descending=True).argsort(dim=0)
    parts_MD = theta_M[ranks_MD] * tokens
    given_RM: Tensor = rows.to(tokens) @ parts_MD.T / (parts_MD.sum(dim=0).norm() + 1e-8)
    return given_RM


def _pointed(attention: Tensor, places: str, side: int) -> PointedAttention:
    maps = attention.view(len(attention), side, side).half().cpu().numpy()
    return PointedAttention("vspm-of-place", "Where it attends (VSpM)", places, maps)


def _spatial_map(encoded: EncodedImages, side: int) -> Tensor:
    """Attention over the map, averaged over places by their gates, (m, m); sums to 1."""
    assert encoded.vspm_attention is not None
    attention = encoded.vspm_attention[0]
    gates = encoded.vsem_gates[0] if encoded.vsem_gates is not None else attention.new_ones(len(attention))
    spread: Tensor = (gates / gates.sum().clamp(min=1e-8)) @ attention
    return spread.view(side, side)


def to_numpy(values: Tensor) -> np.ndarray:
    """float32 on the CPU."""
    array: np.ndarray = values.float().cpu().numpy()
    return array
