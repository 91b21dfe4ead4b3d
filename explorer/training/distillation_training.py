"""Training the segmenter's head on cached features: the loop, its loss, and its checkpoints."""
# B photos, M mask classes, C classes of presence and cell scores

import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import msgspec
import numpy as np
import torch
from torch.nn import functional

from explorer.cancellation import CancellationToken
from explorer.protocol.runs import EpochFinished, PhaseStarted, RunEvent, Saved, Stepped
from explorer.training.distillation_targets import Targets
from explorer.training.head_learning import HeadCheckpoint, drop_channels
from explorer.vision.features import BackboneFeatures
from explorer.vision.segmenter import Segmenter, SegmenterOutput

CHECKPOINT_FILE = "checkpoint.pt"


class LearningConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How the head learns.

    Attributes:
        n_epochs: passes over the photos; an epoch draws as many photos as there are, mirrored or not by chance.
        batch_size: photos a step.
        learning_rate: highest, reached after ``warm_up`` of all steps, falling to zero along a cosine.
        weight_decay: of AdamW.
        truth_repeats: how often an epoch shows each annotated photo, on average.
        rare_below: photos with a class that fewer than this share of photos have are drawn more often, by the root of
            how much rarer it is (repeat factors of Gupta et al. 2019, section 4.2); 0 draws all alike.
        weigh_below: mask classes that cover less than this share of all pixels weigh more in the map's loss, by the
            root of how much rarer they are, at most 4 times; 0 weighs all alike.
        cell_weight, presence_weight: of these losses beside the map's.
        dropout: share of trunk and grid channels that are zeroed.
        seed: of everything random.
    """

    n_epochs: int = 8
    batch_size: int = 32
    learning_rate: float = 3e-3
    weight_decay: float = 0.02
    warm_up: float = 0.1
    truth_repeats: int = 6
    rare_below: float = 0.05
    weigh_below: float = 0.01
    cell_weight: float = 5.0
    presence_weight: float = 2.0
    dropout: float = 0.1
    seed: int = 0


@dataclass(frozen=True, slots=True)
class Examples:
    """Cached features and targets of n photos; features may be memory-mapped.

    Attributes:
        upright: stride8 (n, 28, 28, c8), trunk (n, 14, 14, T) and grid (n, 7, 7, G), float16.
        mirrored: the same of the mirrored photos.
        targets: of the upright photos.
    """

    upright: tuple[np.ndarray, np.ndarray, np.ndarray]
    mirrored: tuple[np.ndarray, np.ndarray, np.ndarray]
    targets: Targets

    def __len__(self) -> int:
        return len(self.targets.presence)

    def batch(self, rows: np.ndarray, *, mirror: bool) -> tuple[BackboneFeatures, Targets]:
        """Features, channels last, and targets of some photos, mirrored or not."""
        source = self.mirrored if mirror else self.upright
        # Sorted reads are sequential ones where the features lie on a disk.
        rows = np.sort(rows)
        maps = [torch.from_numpy(array[rows].astype(np.float32)).permute(0, 3, 1, 2) for array in source]
        step = -1 if mirror else 1
        targets = Targets(self.targets.masks[rows][:, :, ::step], self.targets.cells[rows][:, :, ::step],
                          self.targets.presence[rows])
        return BackboneFeatures(*maps), targets


def draw_rates(masks: np.ndarray, rare_below: float) -> np.ndarray:
    """How often to draw each photo, relative to one with common classes only; (n,), at least 1.

    masks: uint8 (n, h, w, M); a photo has a class if that covers half a percent of it.
    """
    has = masks.mean(axis=(1, 2)) > 0.005 * 255
    shares = np.maximum(has.mean(axis=0), 1 / len(masks))
    of_class = np.maximum(np.sqrt(rare_below / shares), 1.0)
    return np.asarray(np.where(has, of_class, 1.0).max(axis=1))


def mask_weights(parts: Iterable[np.ndarray], weigh_below: float, *, largest: float = 4.0) -> torch.Tensor:
    """Weight of each mask class in the map's loss; float32 (M,), from 1 to ``largest``.

    parts: masks, uint8 (n, h, w, M), of each part.
    """
    covered = np.sum([masks.sum(axis=(0, 1, 2), dtype=np.int64) for masks in parts], axis=0)
    shares = np.maximum(covered / covered.sum(), 1e-9)
    return torch.from_numpy(np.clip(np.sqrt(weigh_below / shares), 1.0, largest).astype(np.float32))


def distillation_loss(
    output: SegmenterOutput, targets: Targets, weights_M: torch.Tensor, config: LearningConfig
) -> torch.Tensor:
    """Soft cross-entropy of the map, and binary cross-entropy of cell scores and presence.

    Pixels nobody labelled have masks that sum to less than one and count that much less.
    """
    assert output.map_logits is not None
    masks_BMhw, cells_BCgg = (_probabilities(part).movedim(-1, 1) for part in (targets.masks, targets.cells))
    log_BMhw = torch.log_softmax(output.map_logits, dim=1)
    map_loss = -(weights_M[:, None, None] * masks_BMhw * log_BMhw).sum() / masks_BMhw.sum().clamp(min=1.0)
    cell_loss = functional.binary_cross_entropy_with_logits(output.scores, cells_BCgg)
    presence_loss = functional.binary_cross_entropy_with_logits(output.presence, _probabilities(targets.presence))
    return map_loss + config.cell_weight * cell_loss + config.presence_weight * presence_loss


def train_segmenter(
    segmenter: Segmenter,
    parts: list[tuple[Examples, int]],
    config: LearningConfig,
    *,
    run_dir: Path,
    token: CancellationToken,
) -> Iterator[RunEvent]:
    """Train in place; goes on from ``run_dir/checkpoint.pt`` if there is one.

    parts: examples, and how often an epoch shows each of them.
    """
    optimizer = torch.optim.AdamW(segmenter.parameters(), lr=config.learning_rate, weight_decay=config.weight_decay)
    rates = [draw_rates(examples.targets.masks, config.rare_below) for examples, _ in parts]
    weights_M = mask_weights((examples.targets.masks for examples, _ in parts), config.weigh_below)
    n_steps = len(_epoch_plan(parts, rates, config, epoch=0))
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, config.learning_rate, total_steps=n_steps * config.n_epochs, pct_start=config.warm_up)
    checkpoint = HeadCheckpoint(run_dir / CHECKPOINT_FILE, "segmenter", segmenter, optimizer, schedule)
    n_done = checkpoint.restore()
    n_all = n_steps * config.n_epochs
    yield PhaseStarted(phase="distillation", n_done=n_done * n_steps, n_steps=n_all, n_epochs=config.n_epochs)
    for epoch in range(n_done, config.n_epochs):
        torch.manual_seed(config.seed * 1000 + epoch)
        segmenter.train()
        losses, began = [], time.monotonic()
        plan = _epoch_plan(parts, rates, config, epoch=epoch)
        for step, (part, rows, mirror) in enumerate(plan, 1):
            token.check()
            features, targets = parts[part][0].batch(rows, mirror=mirror)
            loss = distillation_loss(segmenter(drop_channels(features, config.dropout)), targets, weights_M, config)
            if not torch.isfinite(loss):
                raise FloatingPointError(f"the loss became {loss.item()} in epoch {epoch + 1}, step {step}")
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
            losses.append(loss.item())
            rate = step * config.batch_size / (time.monotonic() - began)
            yield Stepped(
                phase="distillation", epoch=epoch + 1, step=epoch * n_steps + step, n_steps=n_all,
                losses={"loss": losses[-1]}, learning_rate=float(schedule.get_last_lr()[0]), items_per_s=rate,
            )
        checkpoint.save(epoch + 1)
        yield Saved(phase="distillation", step=(epoch + 1) * n_steps)
        yield EpochFinished(phase="distillation", epoch=epoch + 1, metrics={"loss": float(np.mean(losses))})
    segmenter.eval()


def _epoch_plan(
    parts: list[tuple[Examples, int]], rates: list[np.ndarray], config: LearningConfig, *, epoch: int
) -> list[tuple[int, np.ndarray, bool]]:
    """Batches of one epoch: part, rows, mirrored. Each batch comes from one part and one orientation."""
    rng = np.random.default_rng([config.seed, epoch])
    plan: list[tuple[int, np.ndarray, bool]] = []
    for part, (examples, repeats) in enumerate(parts):
        chances = rates[part] / rates[part].sum()
        for _ in range(repeats):
            rows = rng.choice(len(examples), size=len(examples), p=chances)
            half = len(rows) // 2
            for mirror, drawn in ((False, rows[:half]), (True, rows[half:])):
                n_batches = -(-len(drawn) // config.batch_size)
                plan += [(part, batch, mirror) for batch in np.array_split(drawn, n_batches)]
    return [plan[index] for index in rng.permutation(len(plan))]


def _probabilities(part: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(part.astype(np.float32)) / 255
