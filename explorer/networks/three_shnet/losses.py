"""Matching losses for a batch of pictures and their sentences.

The published objective is the triplet loss (README.md 3.8). InfoNCE is the recipe's alternative; see README.md here.
"""

from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor

MARGIN = 0.2


def triplet_loss(
    scores: Tensor,
    *,
    negatives: Literal["all", "hardest"],
    margin: float = MARGIN,
    image_ids: Tensor | None = None,
) -> Tensor:
    """Bidirectional hinge on score differences, summed over the batch (README.md 3.8).

    scores: (B, B), picture i against sentence j, larger is nearer; pair i belongs together.
    negatives: "all" sums over every negative (warm-up), "hardest" takes the worst of each row and column.
    image_ids: (B,); pairs of the same picture are no negatives of each other. None: only the diagonal is left out.
    """
    right_B = scores.diagonal()
    same_BB = torch.eye(len(scores), dtype=torch.bool, device=scores.device)
    if image_ids is not None:
        same_BB = same_BB | (image_ids.unsqueeze(0) == image_ids.unsqueeze(1))
    of_image_BB = (margin + scores - right_B.unsqueeze(1)).clamp(min=0).masked_fill(same_BB, 0.0)
    of_sentence_BB = (margin + scores - right_B.unsqueeze(0)).clamp(min=0).masked_fill(same_BB, 0.0)
    if negatives == "hardest":
        return of_image_BB.amax(dim=1).sum() + of_sentence_BB.amax(dim=0).sum()
    return of_image_BB.sum() + of_sentence_BB.sum()


def info_nce_loss(scores: Tensor, owners: Tensor, *, log_scale: Tensor) -> Tensor:
    """Symmetric cross-entropy over scaled scores (van den Oord et al. 2018, in the form of CLIP).

    A picture may bring several sentences: each of them is a positive of its own, and its siblings are no negatives.

    scores: (B, S), picture i against sentence j.   owners: int64 (S,), the row of each sentence's picture; every
    picture owns at least one.   log_scale: scalar, logarithm of the inverse temperature.
    """
    logits_BS = scores * log_scale.exp()
    to_image = F.cross_entropy(logits_BS.T, owners)
    own_BS = owners.unsqueeze(0) == torch.arange(len(scores), device=scores.device).unsqueeze(1)
    others_B = torch.logsumexp(logits_BS.masked_fill(own_BS, float("-inf")), dim=1)
    right_S = logits_BS[owners, torch.arange(len(owners), device=scores.device)]
    to_sentence = F.softplus(others_B[owners] - right_S).mean()
    return (to_image + to_sentence) / 2
