"""What each region gave to a picture's code: everything by leaving it out (README.md, "What a region gives")."""
# R rows of the query, n regions, K bits, L steps, F + P width of a step

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from explorer.evidence import Evidence, PlaceShares, RegionWeights, Segmentation
from explorer.networks.common.leaving_out import leave_out
from explorer.networks.tvdb.model import ImageEncoder
from explorer.representations import BinaryCodes

LAYER = "regions"


@dataclass(frozen=True, slots=True)
class ReadRegions:
    """The regions of one picture that were read, in the order of reading, without the whole picture.

    Attributes:
        boxes: float32 (n, 4), xyxy normalised.
        scores: float32 (n,), the proposer's.
        labels: n names.
    """

    boxes: np.ndarray
    scores: np.ndarray
    labels: tuple[str, ...]

    def layer(self, name: str, title: str, values: np.ndarray) -> RegionWeights:
        """Values (n,) as weights of the boxes."""
        return RegionWeights(name, title, self.boxes, values, self.scores, self.labels)


@torch.inference_mode()
def activations_without(image: ImageEncoder, steps: Tensor, orders: Tensor) -> np.ndarray:
    """Activations of one picture, then without each of its regions: float32 (1 + n, K), from one batch.

    steps: (1, L, F + P).   orders: (n, L), as ``RegionSequence.orders_without`` gives them.
    """
    activations: np.ndarray = image(torch.cat([steps, steps[0][orders]])).float().cpu().numpy()
    return activations


def evidence_of(
    activations: np.ndarray, regions: ReadRegions, segmentation: Segmentation | None, query: BinaryCodes | None
) -> Evidence:
    """Evidence of one picture.

    activations: (1 + n, K), see :func:`activations_without`; without a query the first row is enough.
    query: the query and the query with something left out (R, K).
    """
    if query is None:
        layers = (regions.layer(LAYER, "Regions", regions.scores),)
        return Evidence(regions=layers, segmentation=segmentation)
    found = leave_out(activations, query)
    return Evidence(
        regions=(
            regions.layer(LAYER, "What each region gives (before rounding)", found.shares[0]),
            regions.layer("region-bits", "What each region gives (rounded to bits)", found.code_shares),
        ),
        segmentation=segmentation,
        score=found.score,
        row_scores=found.row_scores,
        shares=(PlaceShares(LAYER, found.shares),),
        bits=found.bits,
    )
