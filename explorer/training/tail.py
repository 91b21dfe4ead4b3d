"""Tuning the last backbone stages under a pooled head, before 3SHNet is trained on what they give (reconstructed).

VSE-infinity tunes its whole backbone at a tenth of the rate, with frozen normalisation statistics (3SHNet 3.8);
here only the stages behind the cached trunk move, which costs a twentieth.
"""

import copy
from collections.abc import Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from explorer.networks.common.gpo import GeneralizedPooling
from explorer.networks.common.language import WordStates
from explorer.networks.common.minilm import WORD_DIM
from explorer.networks.common.pooling import pool_features
from explorer.networks.three_shnet.losses import info_nce_loss
from explorer.training.compute import Compute
from explorer.training.config import TailSection
from explorer.training.phases import QueryAnswer, epoch_order
from explorer.training.photos import Split, draw_views, gather, recall_metrics, val_ranks
from explorer.training.query_answers import answer_sentences
from explorer.training.schedule import (
    LogScale,
    RunningAverage,
    averaged_copy,
    averaged_state,
    decay_groups,
    descend,
    rate_at,
    restore_averaged,
    set_rate,
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

    def forward(self, trunk: Tensor, words: WordStates) -> tuple[Tensor, Tensor, Tensor]:
        """Unit vectors of pictures and of sentences, (B, D) and (S, D), and the logarithm of the scale."""
        images = self.head.encode_images(trunk, self.tail(trunk))
        return images, self.head.encode_words(words.states, words.lengths), self.head.log_scale()

    def train(self, mode: bool = True) -> "TailModel":
        """As usual for the head; never for the tail."""
        super().train(mode)
        self.tail.train(False)
        return self


class TailPhase:
    """The phase ``tail``; see :class:`~explorer.training.phases.Phase`."""

    name = "tail"
    watched = "rsum"

    def __init__(
        self, tail: nn.Module, config: TailSection, train: Split, val: Split, *, seed: int,
        compute: Compute | None = None,
    ) -> None:
        """tail: as it came, on the CPU; a copy is tuned."""
        torch.manual_seed(seed)
        self._config, self._train, self._val, self.compute = config, train, val, compute or Compute()
        self.seed, self.n_epochs, self.batch_size = seed, config.epochs, min(config.batch_size, len(train))
        self.n_steps, self.learning_rate = len(train) // self.batch_size, 0.0
        with torch.no_grad():
            trunk = train.views[0].trunk[:1].float()
            n_features = pool_features(trunk, tail(trunk)).shape[1]
        tail = copy.deepcopy(tail).requires_grad_(True)
        self.model = TailModel(tail, PooledHead(n_features, config)).train()
        self._shared = self.compute.shared(self.model)
        groups = decay_groups(
            [(self.model.head, config.learning_rate), (self.model.tail, config.tail_learning_rate)], config.weight_decay
        )
        self._optimizer = torch.optim.AdamW(groups)
        self._average = RunningAverage(self.model, _AVERAGING)
        self._embedded: tuple[Tensor, Tensor] | None = None

    def step(self, epoch: int, step: int) -> dict[str, float]:
        """One step on a random view and a few sentences of each photo."""
        compute = self.compute
        share = rate_at(epoch * self.n_steps + step, self.n_epochs * self.n_steps, _WARMUP_STEPS)
        self.learning_rate = set_rate(self._optimizer, share)
        order = epoch_order(len(self._train), self.seed, epoch)
        photos = order[step * self.batch_size : (step + 1) * self.batch_size].sort().values
        which = draw_views(len(photos), len(self._train.views))
        sentences, owners = self._train.bank.draw(photos, self._config.sentences)
        part = compute.part(len(photos))
        here = (owners >= part.start) & (owners < part.stop)
        trunk = gather([view.trunk for view in self._train.views], which[part], photos[part], compute.device)
        words = self._train.bank.words(sentences[here], compute.device)
        compute.part_ways()
        with compute.autocast():
            images, texts, log_scale = self._shared(trunk.contiguous(memory_format=torch.channels_last), words)
        scores = compute.gather(images.float()) @ compute.gather(texts.float()).T
        terms = {"info-nce": info_nce_loss(scores, owners.to(compute.device), log_scale=log_scale)}
        self._embedded = None
        return descend(terms, self.model, self._optimizer, self._average, clip_norm=_CLIP_NORM)

    def tuned_tail(self) -> nn.Module:
        """The tail with the running average of its weights, frozen, on the device it was tuned on."""
        model = averaged_copy(self.model, self._average)
        return model.tail.requires_grad_(False)

    def measure(self) -> dict[str, float]:
        """Recall of the pooled head on the validation split, by rank 0."""
        return self.compute.told(lambda: recall_metrics(val_ranks(*self._embed_val(), self._val.bank.first)))

    def answer_queries(self, n_queries: int, n_top: int) -> Sequence[QueryAnswer]:
        """See :class:`~explorer.training.phases.AnswersQueries`; by the pooled head."""
        return answer_sentences(self._val, *self._embed_val(), n_queries, n_top)

    @torch.inference_mode()
    def _embed_val(self) -> tuple[Tensor, Tensor]:
        """Embeddings of the validation photos and of their sentences, on the CPU."""
        if self._embedded is None:
            model, device, bank = averaged_copy(self.model, self._average), self.compute.device, self._val.bank
            trunks = (trunk.to(device).float() for trunk in self._val.views[0].trunk.split(_BATCH))
            images = [model.head.encode_images(trunk, model.tail(trunk)).cpu() for trunk in trunks]
            rows = torch.arange(len(bank.starts) - 1).split(8 * _BATCH)
            words = [bank.words(row, device) for row in rows]
            sentences = [model.head.encode_words(word.states, word.lengths).cpu() for word in words]
            self._embedded = torch.cat(images), torch.cat(sentences)
        return self._embedded

    def state(self) -> dict[str, Any]:
        """Tensors and plain values."""
        return averaged_state(self.model, self._optimizer, self._average)

    def restore(self, state: dict[str, Any]) -> None:
        """The inverse of :meth:`state`."""
        restore_averaged(state, self.model, self._optimizer, self._average)
        self._embedded = None
