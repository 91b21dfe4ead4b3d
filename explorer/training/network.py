"""Training 3SHNet's two encoders on cached features (three_shnet/README.md 3.7, 3.8)."""

from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from explorer.networks.common.language import WordStates
from explorer.networks.three_shnet.config import ImageEncoderConfig, TextConfig
from explorer.networks.three_shnet.losses import info_nce_loss, triplet_loss
from explorer.networks.three_shnet.model import EncodedImages, ImageEncoder, TextEncoder
from explorer.networks.three_shnet.preprocess import normalise_class_map
from explorer.networks.three_shnet.reading import RecurrentText, build_text
from explorer.networks.three_shnet.tokens import (
    TokenConfig,
    VisualTokens,
    standardised,
    token_statistics,
    visual_tokens,
)
from explorer.training.compute import Compute
from explorer.training.config import TrainingSection
from explorer.training.feature_cache import CachedView
from explorer.training.phases import QueryAnswer, epoch_order
from explorer.training.photos import Split, draw_views, gather, gather_regions, recall_metrics, val_ranks
from explorer.training.precision import products_in
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

_BATCH = 50


@dataclass(frozen=True, slots=True)
class TokenSource:
    """Visual tokens of a split's views.

    Attributes:
        grids: float16 (n, G, g, g) for each view, from the tuned tail.
        mean: float32 (V,), mean of each channel over the training photos' tokens.
        scale: float32 (V,), their spread.
        config: what a token is made of.
    """

    grids: list[Tensor]
    mean: Tensor
    scale: Tensor
    config: TokenConfig


@dataclass(frozen=True, slots=True)
class Batch:
    """Inputs of the image encoder for some photos."""

    tokens: VisualTokens
    scores: Tensor
    class_map: Tensor
    presence: Tensor

    def encode(self, image: ImageEncoder) -> EncodedImages:
        """One pass of the image encoder."""
        tokens = self.tokens
        encoded: EncodedImages = image(tokens.values, self.scores, self.class_map, self.presence, tokens.lengths)
        return encoded


class MatchingModel(nn.Module):
    """Both encoders and the temperature."""

    def __init__(self, image: ImageEncoder, text: TextEncoder | RecurrentText) -> None:
        super().__init__()
        self.image = image
        self.text = text
        self.log_scale = LogScale()

    def forward(self, batch: Batch, words: WordStates, *, scaled: bool) -> tuple[EncodedImages, Tensor, Tensor | None]:
        """All that a step reads: the pictures, the sentences (S, D), and the logarithm of the scale if it is wanted."""
        return batch.encode(self.image), self.text(words.states, words.lengths), self.log_scale() if scaled else None


@dataclass(frozen=True, slots=True)
class Draw:
    """What a step learns from, this rank's part on its device.

    Attributes:
        batch: this rank's photos, each in a random view.
        words: of this rank's sentences.
        owners: int64, of every sentence of all ranks the row of its photo.
        own: int64, of this rank's sentences the row in ``batch``.
    """

    batch: Batch
    words: WordStates
    owners: Tensor
    own: Tensor


class NetworkPhase:
    """The phase ``network``; see :class:`~explorer.training.phases.Phase`."""

    name = "network"
    watched = "rsum"

    def __init__(
        self,
        configs: tuple[ImageEncoderConfig, TextConfig],
        training: TrainingSection,
        train: tuple[Split, TokenSource],
        val: tuple[Split, TokenSource],
        compute: Compute | None = None,
    ) -> None:
        torch.manual_seed(training.seed)
        self._training, self.compute = training, compute or Compute()
        self._train, self._train_source = train
        self._val, self._val_source = val
        self.seed, self.n_epochs, self.learning_rate = training.seed, training.epochs, 0.0
        self.batch_size = min(training.batch_size, len(self._train))
        self.n_steps = len(self._train) // self.batch_size
        self.model = MatchingModel(ImageEncoder(configs[0]), build_text(configs[1])).train()
        self._shared = self.compute.shared(self.model)
        # 3SHNet's authors step with AdamW at one rate for all but the language model, which is frozen here.
        self._optimizer = torch.optim.AdamW(decay_groups([(self.model, training.learning_rate)], training.weight_decay))
        self._average = RunningAverage(self.model, training.averaging) if training.averaging else None
        self._embedded: tuple[Tensor, Tensor] | None = None

    def step(self, epoch: int, step: int) -> dict[str, float]:
        """One step on a random view and a few sentences of each photo."""
        training = self._training
        n_done = epoch * self.n_steps + step
        share = rate_at(n_done, self.n_epochs * self.n_steps, training.warmup_steps)
        self.learning_rate = set_rate(self._optimizer, share)
        draw = self._draw(epoch, step)
        with self._multiplying():
            encoded, sentences, log_scale = self._encode(draw)
        terms: dict[str, Tensor] = {training.loss: self._loss(encoded, sentences, log_scale, draw.owners, epoch)}
        if encoded.vsem_gates is not None and epoch >= self.n_epochs - training.gate_cost_epochs:
            gates = encoded.vsem_gates
            terms["gate cost"] = training.gate_cost * self.compute.mean(gate_cost(gates), gates.numel())
        return self._descend(terms)

    def _draw(self, epoch: int, step: int) -> Draw:
        """The photos of a step in random views and some sentences of each."""
        compute = self.compute
        order = epoch_order(len(self._train), self.seed, epoch)
        photos = order[step * self.batch_size : (step + 1) * self.batch_size].sort().values
        which = draw_views(len(photos), len(self._train.views))
        sentences, owners = self._train.bank.draw(photos, self._training.sentences)
        part = compute.part(len(photos))
        here = (owners >= part.start) & (owners < part.stop)
        batch = self._batch(self._train, self._train_source, which[part], photos[part])
        words = self._train.bank.words(sentences[here], compute.device)
        own = owners[here] - part.start
        return Draw(batch, words, owners.to(compute.device), own.to(compute.device))

    def _encode(self, draw: Draw) -> tuple[EncodedImages, Tensor, Tensor | None]:
        self.compute.part_ways()
        scaled = self._training.loss == "info-nce"
        encoded: tuple[EncodedImages, Tensor, Tensor | None] = self._shared(draw.batch, draw.words, scaled=scaled)
        return encoded

    def _multiplying(self) -> AbstractContextManager[Any]:
        """How products are computed: on an accelerator by autocast, else as the recipe says."""
        compute = self.compute
        return compute.autocast() if compute.amp else products_in(self._training.precision)

    def _loss(
        self, encoded: EncodedImages, sentences: Tensor, log_scale: Tensor | None, owners: Tensor, epoch: int
    ) -> Tensor:
        """The matching loss of the batches of all ranks, in float32."""
        training = self._training
        scores = self.compute.gather(encoded.embedding.float()) @ self.compute.gather(sentences.float()).T
        if log_scale is not None:
            return info_nce_loss(scores, owners, log_scale=log_scale)
        negatives: Any = "all" if epoch < training.warmup_epochs else "hardest"
        return triplet_loss(scores, negatives=negatives, margin=training.margin)

    def _descend(self, terms: dict[str, Tensor]) -> dict[str, float]:
        self._embedded = None
        return descend(terms, self.model, self._optimizer, self._average, clip_norm=self._training.clip_norm)

    def _batch(self, split: Split, source: TokenSource, which: Tensor, photos: Tensor) -> Batch:
        views, device = split.views, self.compute.device
        config = self.model.image.config
        scores = [view.scores for view in views if view.scores is not None]
        presence = [view.presence for view in views if view.presence is not None]
        class_maps = [view.class_map for view in views if view.class_map is not None]
        return Batch(
            draw_tokens(split, source, which, photos, device),
            gather(scores, which, photos, device),
            normalise_class_map(gather(class_maps, which, photos, device), config),
            gather(presence, which, photos, device),
        )

    def finished_model(self) -> MatchingModel:
        """A copy with the weights that are measured and shipped."""
        return averaged_copy(self.model, self._average)

    def measure(self) -> dict[str, float]:
        """Recall on the validation split, by rank 0."""
        return self.compute.told(lambda: recall_metrics(val_ranks(*self.embed_val(), self._val.bank.first)))

    @torch.inference_mode()
    def embed_val(self) -> tuple[Tensor, Tensor]:
        """Embeddings of the validation photos and of their sentences, on the CPU."""
        if self._embedded is None:
            model, bank = self.finished_model(), self._val.bank
            images = []
            for photos in torch.arange(len(self._val)).split(_BATCH):
                batch = self._batch(self._val, self._val_source, torch.zeros_like(photos), photos)
                images.append(batch.encode(model.image).embedding.cpu())
            rows = torch.arange(len(bank.starts) - 1).split(10 * _BATCH)
            words = (bank.words(part, self.compute.device) for part in rows)
            sentences = [model.text(word.states, word.lengths).cpu() for word in words]
            self._embedded = torch.cat(images), torch.cat(sentences)
        return self._embedded

    def answer_queries(self, n_queries: int, n_top: int) -> Sequence[QueryAnswer]:
        """See :class:`~explorer.training.phases.AnswersQueries`."""
        return answer_sentences(self._val, *self.embed_val(), n_queries, n_top)

    def state(self) -> dict[str, Any]:
        """Tensors and plain values."""
        return averaged_state(self.model, self._optimizer, self._average)

    def restore(self, state: dict[str, Any]) -> None:
        """The inverse of :meth:`state`."""
        restore_averaged(state, self.model, self._optimizer, self._average)
        self._embedded = None


def gate_cost(gates: Tensor) -> Tensor:
    """What open gates cost: the mean of ``-log(1 - gate)``, whose slope in a gate's logit is the gate itself.

    gates: (B, N) in [0, 1).
    """
    return -torch.log((1.0 - gates).clamp(min=1e-6)).mean()


def draw_tokens(
    split: Split, source: TokenSource, which: Tensor, photos: Tensor, device: torch.device | None = None
) -> VisualTokens:
    """Standardised tokens of ``photos[i]`` in view ``which[i]``, on a device."""
    views, config = split.views, source.config
    grid = gather(source.grids, which, photos, device)
    regions = gather_regions(views, which, photos, device) if config.kind == "regions" else None
    trunk = gather([view.trunk for view in views], which, photos, device) if config.trunk_cells else grid
    return standardised(visual_tokens(config, grid, trunk, regions), source.mean.to(device), source.scale.to(device))


@torch.inference_mode()
def first_view_statistics(
    config: TokenConfig, view: CachedView, grid: Tensor, *, n_photos: int = 1000
) -> tuple[Tensor, Tensor]:
    """Mean and spread of each channel over the tokens of the first photos as they are, float32 (V,) each.

    Computed on the CPU whatever the device, because a package carries them.
    """
    n = min(n_photos, len(grid))
    regions = gather_regions([view], torch.zeros(n), torch.arange(n)) if config.kind == "regions" else None
    return token_statistics(config, visual_tokens(config, grid[:n], view.trunk[:n], regions))
