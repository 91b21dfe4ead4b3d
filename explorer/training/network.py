"""Training 3SHNet's two encoders on cached features (three_shnet/README.md 3.7, 3.8)."""

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
from explorer.training.config import TrainingSection
from explorer.training.feature_cache import CachedView
from explorer.training.phases import epoch_order
from explorer.training.photos import Split, draw_views, gather, gather_regions, recall_metrics, val_ranks
from explorer.training.precision import products_in
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


class MatchingModel(nn.Module):
    """Both encoders and the temperature."""

    def __init__(self, image: ImageEncoder, text: TextEncoder | RecurrentText) -> None:
        super().__init__()
        self.image = image
        self.text = text
        self.log_scale = LogScale()


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


class NetworkPhase:
    """The phase ``network``; see :class:`~explorer.training.phases.Phase`."""

    name = "network"

    def __init__(
        self,
        configs: tuple[ImageEncoderConfig, TextConfig],
        training: TrainingSection,
        train: tuple[Split, TokenSource],
        val: tuple[Split, TokenSource],
    ) -> None:
        torch.manual_seed(training.seed)
        self._training = training
        self._train, self._train_source = train
        self._val, self._val_source = val
        self.seed, self.n_epochs = training.seed, training.epochs
        self.batch_size = min(training.batch_size, len(self._train))
        self.n_steps = len(self._train) // self.batch_size
        self.model = MatchingModel(ImageEncoder(configs[0]), build_text(configs[1])).train()
        # 3SHNet's authors step with AdamW at one rate for all but the language model, which is frozen here.
        self._optimizer = torch.optim.AdamW(decay_groups([(self.model, training.learning_rate)], training.weight_decay))
        self._average = RunningAverage(self.model, training.averaging) if training.averaging else None

    def step(self, epoch: int, step: int) -> dict[str, float]:
        """One step on a random view and a few sentences of each photo."""
        training = self._training
        n_done = epoch * self.n_steps + step
        set_rate(self._optimizer, rate_at(n_done, self.n_epochs * self.n_steps, training.warmup_steps))
        batch, words, owners = self._draw(epoch, step)
        with products_in(training.precision):
            encoded = batch.encode(self.model.image)
            sentences = self.model.text(words.states, words.lengths)
        loss = self._loss(encoded.embedding @ sentences.T, owners, epoch)
        if encoded.vsem_gates is not None and epoch >= self.n_epochs - training.gate_cost_epochs:
            loss = loss + training.gate_cost * gate_cost(encoded.vsem_gates)
        return {"loss": take_step(loss, self.model, self._optimizer, self._average, clip_norm=training.clip_norm)}

    def _draw(self, epoch: int, step: int) -> tuple[Batch, WordStates, Tensor]:
        """The photos of a step in random views, some sentences of each, and the row of each sentence's photo."""
        order = epoch_order(len(self._train), self.seed, epoch)
        photos = order[step * self.batch_size : (step + 1) * self.batch_size].sort().values
        which = draw_views(len(photos), len(self._train.views))
        batch = self._batch(self._train, self._train_source, which, photos)
        sentences, owners = self._train.bank.draw(photos, self._training.sentences)
        return batch, self._train.bank.words(sentences), owners

    def _loss(self, scores: Tensor, owners: Tensor, epoch: int) -> Tensor:
        training = self._training
        if training.loss == "info-nce":
            return info_nce_loss(scores, owners, log_scale=self.model.log_scale())
        negatives: Any = "all" if epoch < training.warmup_epochs else "hardest"
        return triplet_loss(scores, negatives=negatives, margin=training.margin)

    def _batch(self, split: Split, source: TokenSource, which: Tensor, photos: Tensor) -> Batch:
        views = split.views
        config = self.model.image.config
        scores = [view.scores for view in views if view.scores is not None]
        presence = [view.presence for view in views if view.presence is not None]
        class_maps = [view.class_map for view in views if view.class_map is not None]
        return Batch(
            draw_tokens(split, source, which, photos),
            gather(scores, which, photos),
            normalise_class_map(gather(class_maps, which, photos), config),
            gather(presence, which, photos),
        )

    def finished_model(self) -> MatchingModel:
        """A copy with the weights that are measured and shipped."""
        return averaged_copy(self.model, self._average)

    def measure(self) -> dict[str, float]:
        """Recall on the validation split."""
        images, sentences = self.embed_val()
        return recall_metrics(val_ranks(images, sentences, self._val.bank.first))

    @torch.inference_mode()
    def embed_val(self) -> tuple[Tensor, Tensor]:
        """Embeddings of the validation photos and of their sentences."""
        model = self.finished_model()
        images = []
        for photos in torch.arange(len(self._val)).split(_BATCH):
            batch = self._batch(self._val, self._val_source, torch.zeros_like(photos), photos)
            images.append(batch.encode(model.image).embedding)
        bank = self._val.bank
        words = (bank.words(rows) for rows in torch.arange(len(bank.starts) - 1).split(10 * _BATCH))
        sentences = [model.text(word.states, word.lengths) for word in words]
        return torch.cat(images), torch.cat(sentences)

    def state(self) -> dict[str, Any]:
        """Tensors and plain values."""
        return averaged_state(self.model, self._optimizer, self._average)

    def restore(self, state: dict[str, Any]) -> None:
        """The inverse of :meth:`state`."""
        restore_averaged(state, self.model, self._optimizer, self._average)


def gate_cost(gates: Tensor) -> Tensor:
    """What open gates cost: the mean of ``-log(1 - gate)``, whose slope in a gate's logit is the gate itself.

    gates: (B, N) in [0, 1).
    """
    return -torch.log((1.0 - gates).clamp(min=1e-6)).mean()


def draw_tokens(split: Split, source: TokenSource, which: Tensor, photos: Tensor) -> VisualTokens:
    """Standardised tokens of ``photos[i]`` in view ``which[i]``."""
    views, config = split.views, source.config
    grid = gather(source.grids, which, photos)
    regions = gather_regions(views, which, photos) if config.kind == "regions" else None
    trunk = gather([view.trunk for view in views], which, photos) if config.trunk_cells else grid
    return standardised(visual_tokens(config, grid, trunk, regions), source.mean, source.scale)


@torch.inference_mode()
def first_view_statistics(
    config: TokenConfig, view: CachedView, grid: Tensor, *, n_photos: int = 1000
) -> tuple[Tensor, Tensor]:
    """Mean and spread of each channel over the tokens of the first photos as they are, float32 (V,) each."""
    n = min(n_photos, len(grid))
    regions = gather_regions([view], torch.zeros(n), torch.arange(n)) if config.kind == "regions" else None
    return token_statistics(config, visual_tokens(config, grid[:n], view.trunk[:n], regions))
