"""Training TVDB's two encoders on cached regions: alternating discrete steps (networks/tvdb/README.md 1.4 to 1.8)."""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from explorer.networks.common.codes import pairs_of
from explorer.networks.tvdb.config import ImageEncoderConfig, TextEncoderConfig
from explorer.networks.tvdb.losses import (
    decorrelated,
    discrete_codes,
    pairwise_loss,
    regression_loss,
    similarity_matrix,
)
from explorer.networks.tvdb.model import ImageEncoder, TextEncoder
from explorer.networks.tvdb.preprocess import steps_of
from explorer.training.code_measures import CollapseWatch, mean_average_precision, n_label_sets, owners_of
from explorer.training.hashing_config import TVDBTrainingSection
from explorer.training.phases import epoch_order
from explorer.training.region_features import RegionFeatures
from explorer.training.schedule import (
    RunningAverage,
    averaged_copy,
    averaged_state,
    decay_groups,
    rate_at,
    restore_averaged,
    set_rate,
    take_step,
)

_BATCH = 100
_TEXT_BATCH = 1000


@dataclass(frozen=True, slots=True)
class HashingSplit:
    """Photos of one split with all that is frozen.

    Attributes:
        views: regions of each view, the photos as they are first.
        rows: int64 (n_sentences, T), rows of words.
        first: int64 (n_photos + 1,), the first sentence of each photo.
        labels: bool (n_photos, C).
    """

    views: list[RegionFeatures]
    rows: Tensor
    first: Tensor
    labels: Tensor

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def owners(self) -> Tensor:
        """The photo of every sentence, int64 (n_sentences,)."""
        return owners_of(self.first)

    def draw(self, photos: Tensor, n_each: int) -> tuple[Tensor, Tensor]:
        """Different sentences of each photo (all, if it has fewer), and the row of each one's photo in ``photos``."""
        chosen, owners = [], []
        for row, photo in enumerate(photos.tolist()):
            first, end = int(self.first[photo]), int(self.first[photo + 1])
            mine = first + torch.randperm(end - first)[:n_each]
            chosen.append(mine)
            owners.append(torch.full_like(mine, row))
        return torch.cat(chosen), torch.cat(owners)


class TVDBModel(nn.Module):
    """Both encoders."""

    def __init__(self, image: ImageEncoder, text: TextEncoder) -> None:
        super().__init__()
        self.image = image
        self.text = text


class TVDBPhase:
    """The phase ``network``; see :class:`~explorer.training.phases.Phase`.

    Attributes:
        model: both encoders as they are trained.
        train: training photos.
        val: validation photos.
    """

    name = "network"

    def __init__(
        self,
        configs: tuple[ImageEncoderConfig, TextEncoderConfig],
        training: TVDBTrainingSection,
        statistics: tuple[Tensor, Tensor],
        train: HashingSplit,
        val: HashingSplit,
    ) -> None:
        torch.manual_seed(training.seed)
        self._training, self._statistics = training, statistics
        self.train, self.val = train, val
        self.seed, self.n_epochs = training.seed, training.epochs
        self.batch_size = min(training.batch_size, len(train))
        self.n_steps = len(train) // self.batch_size
        self.model = TVDBModel(ImageEncoder(configs[0]), TextEncoder(configs[1])).train()
        self._optimizer = torch.optim.AdamW(decay_groups([(self.model, training.learning_rate)], training.weight_decay))
        self._average = RunningAverage(self.model, training.averaging) if training.averaging else None
        self._watch = CollapseWatch()

    def step(self, epoch: int, step: int) -> dict[str, float]:
        """Codes of a batch, then one step of both encoders towards them."""
        training = self._training
        n_done = epoch * self.n_steps + step
        set_rate(self._optimizer, rate_at(n_done, self.n_epochs * self.n_steps, training.warmup_steps))
        order = epoch_order(len(self.train), self.seed, epoch)
        photos = order[step * self.batch_size : (step + 1) * self.batch_size].sort().values
        view = self.train.views[int(torch.randint(len(self.train.views), ()))]
        sentences, owners = self.train.draw(photos, training.sentences)
        with self._multiplying():
            # A photo is seen once, however many of its sentences are in the batch: each is a pair with the same photo.
            image = self.model.image(self._steps(view, photos)).float()[owners]
            text = self.model.text(self.train.rows[sentences]).float()
        loss = self._loss(image, text, photos[owners])
        return {"loss": take_step(loss, self.model, self._optimizer, self._average, clip_norm=training.clip_norm)}

    def _loss(self, image: Tensor, text: Tensor, photos: Tensor) -> Tensor:
        """image, text: activations (N, K) of the batch's pairs.   photos: (N,), the photo of each."""
        training = self._training
        pairs = pairs_of(self.train.labels[photos], photos)
        if training.objective == "pairwise":
            return pairwise_loss(image, text, pairs)
        similarity = similarity_matrix(training.similarity, pairs, (image, text))
        near = decorrelated(image, text, training.decorrelation) if training.decorrelation else (image, text)
        codes = discrete_codes(*near, similarity, eta=training.eta, n_rounds=training.rounds)
        return regression_loss(image, text, *codes)

    def _steps(self, view: RegionFeatures, photos: Tensor) -> Tensor:
        return steps_of(view.values[photos], view.boxes[photos], self._statistics, self.model.image.config)

    def _multiplying(self) -> torch.autocast:
        # The LSTM's products of a step take a third of the time in bfloat16 on a processor that has it.
        half = self._training.precision == "bfloat16"
        return torch.autocast("cpu", dtype=torch.bfloat16, enabled=half)

    def finished_model(self) -> TVDBModel:
        """A copy with the weights that are measured and shipped."""
        return averaged_copy(self.model, self._average)

    def measure(self) -> dict[str, float]:
        """Tie-aware mAP of some validation queries against the training split, and whether the codes say anything.

        Raises
        ------
        CodesCollapsedError
            they have said nothing for two epochs; the sentence says which setting to change.
        """
        model = self.finished_model()
        gallery = self.encode(model, self.train)
        found = self._watch.look(*gallery, n_label_sets(self.train.labels), advice_on(self._training))
        queries = self.encode(model, self.val)
        metrics = {
            "i2t_map": mean_average_precision(
                queries[0], gallery[1], self.val.labels, self.train.labels[self.train.owners]
            ),
            "t2i_map": mean_average_precision(
                queries[1], gallery[0], self.val.labels[self.val.owners], self.train.labels
            ),
        }
        return metrics | found

    @torch.inference_mode()
    def encode(self, model: TVDBModel, split: HashingSplit) -> tuple[Tensor, Tensor]:
        """Activations of a split's photos as they are (n, K) and of all their sentences."""
        with self._multiplying():
            rows = torch.arange(len(split)).split(_BATCH)
            images = [model.image(self._steps(split.views[0], photos)).float() for photos in rows]
            texts = [model.text(part).float() for part in split.rows.split(_TEXT_BATCH)]
        return torch.cat(images), torch.cat(texts)

    def state(self) -> dict[str, Any]:
        """Tensors and plain values."""
        state = averaged_state(self.model, self._optimizer, self._average)
        return state | {"n_collapsed": self._watch.n_collapsed}

    def restore(self, state: dict[str, Any]) -> None:
        """The inverse of :meth:`state`."""
        restore_averaged(state, self.model, self._optimizer, self._average)
        self._watch.n_collapsed = int(state.get("n_collapsed", 0))


def advice_on(training: TVDBTrainingSection) -> str:
    """Which setting of a run whose codes collapsed is the first to change."""
    if training.objective == "alternating" and training.similarity in ("signed", "binary"):
        return (
            f'similarity = "{training.similarity}" leads there where few pairs are alike: say similarity = "residual" '
            "in [training], with normalised = true in [network] and decorrelation = 0.5."
        )
    if training.objective == "alternating" and not training.decorrelation:
        return "Say decorrelation = 0.5 in [training] and normalised = true in [network]."
    return (
        f"Change eta (it is {training.eta:g}) or lower learning_rate in [training]; and see that not nearly all photos "
        "share a label ([labels] without)."
    )
