"""What the phases of all binary codes share: schedule, optimizer, running average, state, and what their codes say."""
# K bits

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Generic, TypeVar

import torch
from torch import Tensor, nn

from explorer.protocol.runs import Finished, RunEvent
from explorer.training.code_measures import CollapseWatch
from explorer.training.code_queries import Shown, answer
from explorer.training.compute import Compute
from explorer.training.dsmhn_config import DSMHNTrainingSection
from explorer.training.hashing_config import TVDBTrainingSection
from explorer.training.phases import PhaseEnd, QueryAnswer, epoch_order
from explorer.training.scenes_config import ScenesTrainingSection
from explorer.training.schedule import (
    RunningAverage,
    averaged_copy,
    averaged_state,
    decay_groups,
    descend,
    rate_at,
    restore_averaged,
    set_rate,
)

CodeTraining = TVDBTrainingSection | DSMHNTrainingSection | ScenesTrainingSection
"""Schedules of what makes codes."""

WATCHED = "mean_map"
"""The mean of all mAPs that a family measures: by this one number epochs are compared."""

ModelT = TypeVar("ModelT", bound=nn.Module)
TrainingT = TypeVar("TrainingT", bound=CodeTraining)


class CodePhase(Generic[ModelT, TrainingT]):
    """A phase ``network`` that makes codes; see :class:`~explorer.training.phases.Phase`.

    A family adds :meth:`step`, which ends in :meth:`_descend`, and :meth:`_look`. Data and caches are on the CPU, and
    so is all that is measured; what is encoded, and the loss, are on the device of ``compute``.

    Attributes:
        model: as it is trained, on the device.
        compute: where steps are computed.
        n_items: photos, or clips, of one pass.
    """

    name = "network"
    watched = WATCHED

    def __init__(
        self,
        model: ModelT,
        training: TrainingT,
        n_items: int,
        compute: Compute,
        rates: Sequence[tuple[nn.Module, float]],
        encoders: nn.Module | None = None,
    ) -> None:
        """rates: the model's parts, each with its highest learning rate.   encoders: what is called once a step with
        this rank's part of a batch, if that is not the model; what is not in it reads gathered rows.
        """
        self._training, self.compute, self.n_items = training, compute, n_items
        self.seed, self.n_epochs = training.seed, training.epochs
        self.batch_size = min(training.batch_size, n_items)
        self.n_steps = n_items // self.batch_size
        self.learning_rate = 0.0
        self.model = model.to(compute.device).train()
        self._shared = compute.shared(encoders or self.model)
        self._optimizer = _optimizer_of(decay_groups(rates, training.weight_decay), training)
        self._average = RunningAverage(self.model, training.averaging) if training.averaging else None
        self._watch = CollapseWatch()
        self._shown: Shown | None = None

    def _items(self, epoch: int, step: int) -> Tensor:
        """Which items the whole batch of a step has, int64 (batch_size,)."""
        order = epoch_order(self.n_items, self.seed, epoch)
        return order[step * self.batch_size : (step + 1) * self.batch_size]

    def _descend(self, epoch: int, step: int, terms: Mapping[str, Tensor]) -> dict[str, float]:
        """One optimizer step down the sum of the weighted terms of the whole batch; the loss and the terms."""
        n_done = epoch * self.n_steps + step
        share = rate_at(n_done, self.n_epochs * self.n_steps, self._training.warmup_steps)
        self.learning_rate = set_rate(self._optimizer, share)
        self._watch.is_new = True
        return descend(terms, self.model, self._optimizer, self._average, clip_norm=self._training.clip_norm)

    def finished_model(self) -> ModelT:
        """A copy with the weights that are measured and shipped, on the CPU."""
        return averaged_copy(self.model, self._average).cpu()

    def measure(self) -> dict[str, float]:
        """Tie-aware mAPs in per cent, their mean as ``mean_map``, and whether the codes say anything.

        Raises
        ------
        CodesCollapsedError
            they have said nothing for two epochs; the sentence says which setting to change.
        """
        return self.compute.told(self._measured)

    def _measured(self) -> dict[str, float]:
        maps, statistics, self._shown = self._look(averaged_copy(self.model, self._average))
        return {**maps, WATCHED: sum(maps.values()) / len(maps), **statistics}

    def _look(self, model: ModelT) -> tuple[dict[str, float], dict[str, float], Shown]:
        """Every mAP by name, what else is measured of a model on the device, and what fixed queries are shown with."""
        raise NotImplementedError

    def answer_queries(self, n_queries: int, n_top: int) -> Sequence[QueryAnswer]:
        """What sentences of the validation split, evenly taken, found when it was last measured."""
        return () if self._shown is None else answer(self._shown, n_queries, n_top)

    def bit_shares(self) -> Sequence[float]:
        """For each bit the share of items that had it set when the codes were last looked at; empty before that."""
        return self._watch.bit_shares

    def state(self) -> dict[str, Any]:
        """Tensors and plain values."""
        return averaged_state(self.model, self._optimizer, self._average) | self._watch.state()

    def restore(self, state: dict[str, Any]) -> None:
        """The inverse of :meth:`state`."""
        restore_averaged(state, self.model, self._optimizer, self._average)
        self._watch.restore(state)
        self._shown = None


def ship(
    phase: CodePhase[Any, Any], end: PhaseEnd, write: Callable[[dict[str, float]], Path]
) -> Iterator[RunEvent]:
    """Measure what a phase ended with, let rank 0 write the package of it, and say so.

    write: takes the metrics; gives the package's folder.
    """
    metrics = phase.measure()
    yield from phase.compute.led(_finished(end, write, metrics))


def _finished(
    end: PhaseEnd, write: Callable[[dict[str, float]], Path], metrics: dict[str, float]
) -> Iterator[RunEvent]:
    yield Finished(path=os.fsencode(write(metrics)), metrics=metrics, epoch=end.epoch, early=end.early)


def device_of(model: nn.Module) -> torch.device:
    """Where a model's parameters are."""
    return next(model.parameters()).device


def _optimizer_of(groups: list[dict[str, object]], training: CodeTraining) -> torch.optim.Optimizer:
    """AdamW, or SGD with momentum where a recipe can ask for it, on groups that carry their rates."""
    if isinstance(training, DSMHNTrainingSection) and training.optimizer == "sgd":
        return torch.optim.SGD(groups, lr=training.learning_rate, momentum=training.momentum)
    return torch.optim.AdamW(groups)
