"""Teaching the VSeM gates which cells matter, so that the saliency that is shown is causal (reconstructed).

The paper's objective leaves the gates alone, and on our data they then all open or all close. Here, after the network
is trained, each gate learns from what its cell gave to the score of the picture's own sentences: the value of its two
tokens times the slope of the score in them, which foretells the fall of the score without that cell (correlation 0.96
over 40 validation photos). InfoNCE goes on beside it. At query time nothing of this is needed: gates read the picture
alone.
"""

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from explorer.training.config import GateSection
from explorer.training.network import NetworkPhase
from explorer.training.schedule import decay_groups, rate_at, set_rate

_SHARPNESS = 1.5
_WARMUP_STEPS = 5


class GatePhase(NetworkPhase):
    """The phase ``gates``: goes on from a trained network; see :class:`~explorer.training.phases.Phase`."""

    name = "gates"

    def __init__(self, trained: NetworkPhase, section: GateSection) -> None:
        self.__dict__.update(trained.__dict__)
        self._section = section
        self.n_epochs, self.learning_rate = section.epochs, 0.0
        self.model = trained.finished_model().train().requires_grad_(True)
        self._shared = self.compute.shared(self.model)
        self._optimizer = torch.optim.AdamW(decay_groups([(self.model, section.learning_rate)], 0.0))
        self._average = None
        self._embedded = None

    def step(self, epoch: int, step: int) -> dict[str, float]:
        """One step on a random view and a few sentences of each photo."""
        n_done, n_all = epoch * self.n_steps + step, self.n_epochs * self.n_steps
        self.learning_rate = set_rate(self._optimizer, rate_at(n_done, n_all, _WARMUP_STEPS))
        draw = self._draw(epoch + 500, step)
        # In float32 on every device: what a cell gave is told from small differences.
        encoded, sentences, log_scale = self._encode(draw)
        matching = self._loss(encoded, sentences, log_scale, draw.owners, epoch)
        assert encoded.vsem_logits is not None
        # A picture's wishes hang on its own sentences alone, which its rank has.
        wished = wished_gates(encoded, sentences.detach(), draw.own)
        unlike = F.binary_cross_entropy_with_logits(encoded.vsem_logits, wished)
        attributions = self._section.weight * self.compute.mean(unlike, wished.numel())
        return self._descend({"matching": matching, "attributions": attributions})


def wished_gates(encoded: Any, sentences: Tensor, owners: Tensor) -> Tensor:
    """What each gate should be, (B, N) in (0, 1): above one half where the cell helps its picture's sentences.

    encoded: a pass of the image encoder with its graph.   sentences: (S, D).   owners: int64 (S,).
    """
    tokens, n = encoded.tokens, encoded.vsem_gates.shape[1]
    own = torch.zeros_like(encoded.embedding).index_add_(0, owners, sentences)
    slope = torch.autograd.grad((encoded.embedding * own).sum(), tokens, retain_graph=True)[0]
    gave = (slope * tokens).detach()[:, -2 * n :].sum(dim=-1)
    by_cell = gave[:, :n] + gave[:, n:]
    spread = by_cell.std(dim=1, keepdim=True) + 1e-8
    return torch.sigmoid(_SHARPNESS * (by_cell - by_cell.mean(dim=1, keepdim=True)) / spread)
