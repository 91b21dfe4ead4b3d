"""Training the region proposer on cached features: which cells answer for a box, the loss, the loop, checkpoints."""
# B pictures, G boxes of the picture that has most, P cells of all strides

import time
from collections.abc import Iterator
from pathlib import Path

import msgspec
import numpy as np
import torch
from torch import nn
from torch.nn import functional
from torchvision.ops import generalized_box_iou_loss

from explorer.cancellation import CancellationToken
from explorer.protocol.runs import EpochFinished, PhaseStarted, RunEvent, Saved, Stepped
from explorer.training.head_learning import HeadCheckpoint, drop_channels
from explorer.training.region_set import RegionExamples
from explorer.vision.proposer import Proposals, Proposer, cell_centres

CHECKPOINT_FILE = "regions-checkpoint.pt"

_CELLS = (28, 14, 7)
_SMALLEST_REACH = 0.75 / _CELLS[0]
"""Cells whose centre is within this of a box's centre may answer for it, however small it is."""


class RegionLearning(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How the proposer learns.

    Attributes:
        n_epochs: passes over the pictures.
        batch_size: pictures a step.
        learning_rate: highest, reached after ``warm_up`` of all steps, falling to zero along a cosine.
        weight_decay: of AdamW.
        warm_up: see there.
        annotated_repeats: how often an epoch shows each annotated picture.
        n_answers: cells that answer for a box, at most.
        fit_power: how much more the fit of a cell's box counts than its objectness where the cells are chosen.
        box_weight, thing_weight: of these losses beside the objectness'.
        dropout: share of trunk and grid channels that are zeroed.
        seed: of everything random.
    """

    n_epochs: int = 5
    batch_size: int = 32
    learning_rate: float = 3e-3
    weight_decay: float = 0.02
    warm_up: float = 0.1
    annotated_repeats: int = 2
    n_answers: int = 9
    fit_power: float = 6.0
    box_weight: float = 2.0
    thing_weight: float = 0.5
    dropout: float = 0.05
    seed: int = 0


def pairwise_overlap(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    """Intersection over union of every box of ``a`` (B, G, 4) with every one of ``b`` (B, P, 4); (B, G, P)."""
    low = torch.maximum(a[:, :, None, :2], b[:, None, :, :2])
    high = torch.minimum(a[:, :, None, 2:], b[:, None, :, 2:])
    shared = (high - low).clamp(min=0).prod(dim=-1)
    areas = [(boxes[..., 2:] - boxes[..., :2]).clamp(min=0).prod(dim=-1) for boxes in (a, b)]
    return shared / (areas[0][:, :, None] + areas[1][:, None] - shared).clamp(min=1e-9)


def assign(
    proposals: Proposals, boxes: torch.Tensor, scores: torch.Tensor, config: RegionLearning
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Which box each cell answers for, int64 (B, P); how much that counts, and how sure it should be, float32 (B, P)
    and 0 for no box.

    Task-aligned assignment (Feng et al. 2021, TOOD, section 3.2): of the cells within a box those answer whose own
    boxes fit best while they are sure of it; the best is to be as sure as its box fits, the others less. Unlike there
    the best counts in full in the losses of boxes and things even where it does not fit yet, or small things would
    learn late. The teacher's score multiplies both. boxes (B, G, 4), scores (B, G), 0 for no box.
    """
    centres = torch.cat([cell_centres(n, n) for n in _CELLS])
    middle = (boxes[..., :2] + boxes[..., 2:])[:, :, None] / 2
    reach = ((boxes[..., 2:] - boxes[..., :2]) / 2).clamp(min=_SMALLEST_REACH)[:, :, None]
    within = ((centres - middle).abs() < reach).all(dim=-1) & (scores > 0)[:, :, None]
    fit = pairwise_overlap(boxes, proposals.boxes) * within
    aligned = proposals.objectness.sigmoid().sqrt()[:, None] * fit**config.fit_power
    n_best = min(config.n_answers, aligned.shape[-1])
    least = aligned.topk(n_best, dim=-1).values[..., -1:]
    chosen = (aligned >= least) & (aligned > 0)
    # A cell within several boxes answers for the one it fits best.
    answers_for = torch.where(chosen, fit, 0.0).argmax(dim=1)
    chosen &= answers_for[:, None] == torch.arange(boxes.shape[1])[:, None]
    aligned = aligned * chosen
    counts = aligned / aligned.amax(dim=-1, keepdim=True).clamp(min=1e-20) * scores[:, :, None]
    sure = counts * (fit * chosen).amax(dim=-1, keepdim=True)
    return answers_for, counts.amax(dim=1), sure.amax(dim=1)


def proposal_loss(
    proposals: Proposals,
    boxes: torch.Tensor,
    scores: torch.Tensor,
    labels: torch.Tensor,
    config: RegionLearning,
) -> torch.Tensor:
    """Quality focal loss of objectness (Li et al. 2020), generalised IoU of boxes, cross-entropy of things."""
    with torch.no_grad():
        answers_for, counts, sure = assign(proposals, boxes, scores, config)
    total = counts.sum().clamp(min=1.0)
    wrong = (proposals.objectness.detach().sigmoid() - sure).square()
    binary = functional.binary_cross_entropy_with_logits(proposals.objectness, sure, reduction="none")
    # Four: what the square makes of a half.
    objectness_loss = 4 * (wrong * binary).sum() / total
    picture, cell = torch.nonzero(counts, as_tuple=True)
    wanted = answers_for[picture, cell]
    weights = counts[picture, cell]
    box_loss = generalized_box_iou_loss(proposals.boxes[picture, cell], boxes[picture, wanted])
    thing_loss = functional.cross_entropy(proposals.things[picture, cell], labels[picture, wanted], reduction="none")
    rest = config.box_weight * box_loss + config.thing_weight * thing_loss
    loss: torch.Tensor = objectness_loss + (weights * rest).sum() / total
    return loss


def train_proposer(
    proposer: Proposer,
    sets: list[tuple[RegionExamples, int]],
    config: RegionLearning,
    *,
    run_dir: Path,
    token: CancellationToken,
) -> Iterator[RunEvent]:
    """Train in place; goes on from its checkpoint in ``run_dir`` if there is one.

    sets: examples, and how often an epoch shows each of them.
    """
    optimizer = torch.optim.AdamW(proposer.parameters(), lr=config.learning_rate, weight_decay=config.weight_decay)
    n_steps = len(_epoch_plan(sets, config, epoch=0))
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, config.learning_rate, total_steps=n_steps * config.n_epochs, pct_start=config.warm_up)
    checkpoint = HeadCheckpoint(run_dir / CHECKPOINT_FILE, "proposer", proposer, optimizer, schedule)
    n_done = checkpoint.restore()
    n_all = n_steps * config.n_epochs
    yield PhaseStarted(phase="regions", n_done=n_done * n_steps, n_steps=n_all, n_epochs=config.n_epochs)
    for epoch in range(n_done, config.n_epochs):
        torch.manual_seed(config.seed * 1000 + epoch)
        proposer.train()
        losses, began = [], time.monotonic()
        for step, (number, rows) in enumerate(_epoch_plan(sets, config, epoch=epoch), 1):
            token.check()
            features, boxes, scores, labels = sets[number][0].batch(rows)
            loss = proposal_loss(proposer(drop_channels(features, config.dropout)), boxes, scores, labels, config)
            if not torch.isfinite(loss):
                raise FloatingPointError(f"the loss became {loss.item()} in epoch {epoch + 1}, step {step}")
            optimizer.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(proposer.parameters(), 10.0)
            optimizer.step()
            schedule.step()
            losses.append(loss.item())
            rate = step * config.batch_size / (time.monotonic() - began)
            yield Stepped(
                phase="regions", epoch=epoch + 1, step=epoch * n_steps + step, n_steps=n_all,
                losses={"loss": losses[-1]}, learning_rate=float(schedule.get_last_lr()[0]), items_per_s=rate,
            )
        checkpoint.save(epoch + 1)
        yield Saved(phase="regions", step=(epoch + 1) * n_steps)
        yield EpochFinished(phase="regions", epoch=epoch + 1, metrics={"loss": float(np.mean(losses))})
    proposer.eval()


def _epoch_plan(
    sets: list[tuple[RegionExamples, int]], config: RegionLearning, *, epoch: int
) -> list[tuple[int, np.ndarray]]:
    """Batches of one epoch, each of one set: its number, and rows."""
    rng = np.random.default_rng([config.seed, epoch])
    plan: list[tuple[int, np.ndarray]] = []
    for number, (examples, repeats) in enumerate(sets):
        for _ in range(repeats):
            n_batches = -(-len(examples) // config.batch_size)
            plan += [(number, batch) for batch in np.array_split(rng.permutation(len(examples)), n_batches)]
    return [plan[index] for index in rng.permutation(len(plan))]
