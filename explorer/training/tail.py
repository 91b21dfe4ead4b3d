"""Tuning the last backbone stages under a pooled head, before 3SHNet is trained on what they give (reconstructed).

VSE-infinity tunes its whole backbone at a tenth of the rate, with frozen normalisation statistics (3SHNet 3.8);
here only the stages behind the cached trunk move, which costs a twentieth.
"""

import copy
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from explorer.networks.common.gpo import GeneralizedPooling
from explorer.networks.common.minilm import WORD_DIM
from explorer.networks.common.pooling import pool_features
from explorer.networks.three_shnet.losses import info_nce_loss
from explorer.training.config import TailSection
from explorer.training.phases import epoch_order
from explorer.training.photos import Split, draw_views, gather, recall_metrics, val_ranks
from explorer.training.schedule import (
    LogScale,
    RunningAverage,
    averaged_copy,
    averaged_state,
    decay_groups,
    rate_at,
    restore_averaged,
    set_rate,
    take_step,
)

_HIDDEN = 1024
_WORD_DROPOUT = 0.1
_CLIP_NORM = 5.0
_AVERAGING = 0.995
_WARMUP_STEPS = 60
_BATCH = 64


class PooledHead(nn.Module):
    """Pooled features and word states into one space; thrown away after tuning."""

    def __init__(self, n_features: int, config: TailSection) -> None:
        super().__init__()
        drop = config.dropout
        self.norm = nn.BatchNorm1d(n_features, affine=False)
        self.image = nn.Sequential(
            nn.Dropout(drop),
            nn.Linear(n_features, _HIDDEN),
            nn.BatchNorm1d(_HIDDEN),
            nn.ReLU(),
            nn.Dropout(drop),
            nn.Linear(_HIDDEN, config.embed_dim),
        )
        self.word = nn.Linear(WORD_DIM, config.embed_dim)
        self.pool = GeneralizedPooling()
        self.log_scale = LogScale()

    def encode_images(self, trunk: Tensor, grid: Tensor) -> Tensor:
        """Unit vectors (B, D)."""
        return F.normalize(self.image(self.norm(pool_features(trunk, grid))), dim=1)

    def encode_words(self, states: Tensor, lengths: Tensor) -> Tensor:
        """Unit vectors (B, D) of padded word states (B, L, 384)."""
        states = F.dropout(states, _WORD_DROPOUT, self.training)
        return F.normalize(self.pool(self.word(states), lengths), dim=1)


class TailModel(nn.Module):
    """Tail and head together. The tail stays in evaluation mode: its normalisation statistics are frozen."""

    def __init__(self, tail: nn.Module, head: PooledHead) -> None:
        super().__init__()
        self.tail = tail
        self.head = head

    def train(self, mode: bool = True) -> "TailModel":
        """As usual for the head; never for the tail."""
        super().train(mode)
        self.tail.train(False)
        return self


class TailPhase:
    """The phase ``tail``; see :class:`~explorer.training.phases.Phase`."""

    name = "tail"

    def __init__(self, tail: nn.Module, config: TailSection, train: Split, val: Split, *, seed: int) -> None:
        torch.manual_seed(seed)
        self._config, self._train, self._val = config, train, val
        self.seed, self.n_epochs, self.batch_size = seed, config.epochs, min(config.batch_size, len(train))
        self.n_steps = len(train) // self.batch_size
        with torch.no_grad():
            trunk = train.views[0].trunk[:1].float()
            n_features = pool_features(trunk, tail(trunk)).shape[1]
        tail = copy.deepcopy(tail).requires_grad_(True)
        self.model = TailModel(tail, PooledHead(n_features, config)).train()
        groups = decay_groups(
            [(self.model.head, config.learning_rate), (self.model.tail, config.tail_learning_rate)], config.weight_decay
        )
        self._optimizer = torch.optim.AdamW(groups)
        self._average = RunningAverage(self.model, _AVERAGING)

    def step(self, epoch: int, step: int) -> dict[str, float]:
        """One step on a random view and a few sentences of each photo."""
        set_rate(self._optimizer, rate_at(epoch * self.n_steps + step, self.n_epochs * self.n_steps, _WARMUP_STEPS))
        order = epoch_order(len(self._train), self.seed, epoch)
        photos = order[step * self.batch_size : (step + 1) * self.batch_size].sort().values
        which = draw_views(len(photos), len(self._train.views))
        trunk = gather([view.trunk for view in self._train.views], which, photos)
        trunk = trunk.contiguous(memory_format=torch.channels_last)
        sentences, owners = self._train.bank.draw(photos, self._config.sentences)
        words = self._train.bank.words(sentences)
        head = self.model.head
        images = head.encode_images(trunk, self.model.tail(trunk))
        scores = images @ head.encode_words(words.states, words.lengths).T
        loss = info_nce_loss(scores, owners, log_scale=head.log_scale())
        return {"loss": take_step(loss, self.model, self._optimizer, self._average, clip_norm=_CLIP_NORM)}

    def tuned_tail(self) -> nn.Module:
        """The tail with the running average of its weights, frozen."""
        model = averaged_copy(self.model, self._average)
        return model.tail.requires_grad_(False)

    @torch.inference_mode()
    def measure(self) -> dict[str, float]:
        """Recall of the pooled head on the validation split."""
        model = averaged_copy(self.model, self._average)
        images = [
            model.head.encode_images(trunk.float(), model.tail(trunk.float()))
            for trunk in self._val.views[0].trunk.split(_BATCH)
        ]
        bank = self._val.bank
        rows = torch.arange(len(bank.starts) - 1).split(8 * _BATCH)
        words = [bank.words(row) for row in rows]
        sentences = [model.head.encode_words(word.states, word.lengths) for word in words]
        return recall_metrics(val_ranks(torch.cat(images), torch.cat(sentences), bank.first))

    def state(self) -> dict[str, Any]:
        """Tensors and plain values."""
        return averaged_state(self.model, self._optimizer, self._average)

    def restore(self, state: dict[str, Any]) -> None:
        """The inverse of :meth:`state`."""
        restore_averaged(state, self.model, self._optimizer, self._average)
