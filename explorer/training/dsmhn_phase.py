"""Training DSMHN's streams for pictures and sentences on cached features (networks/dsmhn/README.md 2.3)."""
# n photos, m sentences, F features, K bits, C classes

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from explorer.networks.common.codes import sign
from explorer.networks.dsmhn.config import StreamConfigs
from explorer.networks.dsmhn.model import Classifier, ImageStream, Streams, TextStream
from explorer.networks.dsmhn.objective import Batch, total_loss
from explorer.networks.dsmhn.preprocess import Sentences
from explorer.training.code_measures import CollapseWatch, mean_average_precision, n_label_sets, owners_of
from explorer.training.dsmhn_config import DSMHNRecipe, DSMHNTrainingSection
from explorer.training.phases import epoch_order
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

_ENCODED = 1000
"""Photos or sentences that are encoded at once while measuring."""

_ADVICE = (
    "Say normalised = true in [network] and balanced = true in [loss], lower classification in [loss], or the learning "
    "rates; and see that not nearly all photos share a label ([labels] without)."
)


@dataclass(frozen=True, slots=True)
class PictureSplit:
    """Photos of one split with all that is frozen.

    Attributes:
        views: float16 (n, F), features of each view, the photos as they are first.
        sentences: of all photos, one photo's after the other's.
        first: int64 (n + 1,), the first sentence of each photo.
        labels: bool (n, C); C = 0 where there are none.
    """

    views: list[Tensor]
    sentences: Sentences
    first: Tensor
    labels: Tensor

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def owners(self) -> Tensor:
        """The photo of every sentence, int64 (m,)."""
        return owners_of(self.first)

    def draw(self, photos: Tensor, n_each: int) -> tuple[Tensor, Tensor]:
        """Different sentences of each photo (all, if it has fewer), and the row of each one's photo in ``photos``."""
        counts = self.first[photos + 1] - self.first[photos]
        # Numbers drawn for every sentence a photo may have; those that it lacks come last.
        draws = torch.rand(len(photos), int(counts.max()))
        lacking = torch.arange(draws.shape[1]) >= counts[:, None]
        order = draws.masked_fill(lacking, 2.0).argsort(dim=1)[:, :n_each]
        there = order < counts[:, None]
        rows = torch.arange(len(photos))[:, None].expand_as(order)
        return (self.first[photos][:, None] + order)[there], rows[there]


class DSMHNModel(nn.Module):
    """The streams, and the classifier that only training needs.

    Attributes:
        image: pictures to activations.
        text: sentences to activations.
        classifier: activations to classes; None without classes.
    """

    def __init__(self, configs: StreamConfigs, n_classes: int, *, shared: bool) -> None:
        super().__init__()
        streams = Streams(configs)
        if streams.image is None or streams.text is None:
            raise ValueError("photos and sentences need a stream each")
        self.configs = configs
        self.image: ImageStream = streams.image
        self.text: TextStream = streams.text
        modalities = ("image", "text")
        self.classifier = Classifier(configs.n_bits, n_classes, modalities, shared=shared) if n_classes else None

    def streams(self) -> Streams:
        """Both streams, as packages hold them."""
        streams = Streams(self.configs)
        streams.image, streams.text = self.image, self.text
        return streams


class DSMHNPhase:
    """The phase ``network``; see :class:`~explorer.training.phases.Phase`.

    Attributes:
        model: streams and classifier as they are trained.
        train: training photos.
        val: validation photos.
    """

    name = "network"

    def __init__(self, configs: StreamConfigs, recipe: DSMHNRecipe, train: PictureSplit, val: PictureSplit) -> None:
        training = recipe.training
        torch.manual_seed(training.seed)
        self._training = training
        self._weights, self._settings = recipe.loss.weights(), recipe.loss.settings()
        self.train, self.val = train, val
        self.seed, self.n_epochs = training.seed, training.epochs
        self.batch_size = min(training.batch_size, len(train))
        self.n_steps = len(train) // self.batch_size
        n_classes = train.labels.shape[1] if recipe.loss.classification else 0
        self.model = DSMHNModel(configs, n_classes, shared=recipe.network.shared_classifier).train()
        self.model.image.standardise(train.views[0])
        rates = [(self.model.image, recipe.image.learning_rate), (self.model.text, recipe.text.learning_rate)]
        classifier = [] if self.model.classifier is None else [(self.model.classifier, training.learning_rate)]
        self._optimizer = optimizer_of(decay_groups([*rates, *classifier], training.weight_decay), training)
        self._average = RunningAverage(self.model, training.averaging) if training.averaging else None
        self._watch = CollapseWatch()

    def step(self, epoch: int, step: int) -> dict[str, float]:
        """One step on a random view of each photo and some of its sentences."""
        training = self._training
        n_done = epoch * self.n_steps + step
        set_rate(self._optimizer, rate_at(n_done, self.n_epochs * self.n_steps, training.warmup_steps))
        order = epoch_order(len(self.train), self.seed, epoch)
        photos = order[step * self.batch_size : (step + 1) * self.batch_size]
        view = self.train.views[int(torch.randint(len(self.train.views), ()))]
        sentences, owners = self.train.draw(photos, training.sentences)
        model = self.model
        items, texts = model.image(view[photos]), model.text(self.train.sentences[sentences])
        classify = model.classifier
        logits = None if classify is None else (classify(items, "image"), classify(texts, "text"))
        batch = Batch(items, texts, owners, photos, self.train.labels[photos], logits)
        loss = total_loss(batch, self._weights, self._settings)
        return {"loss": take_step(loss, self.model, self._optimizer, self._average, clip_norm=training.clip_norm)}

    def finished_model(self) -> DSMHNModel:
        """A copy with the weights that are measured and shipped."""
        return averaged_copy(self.model, self._average)

    def measure(self) -> dict[str, float]:
        """Tie-aware mAP of some validation queries against the training split, and whether the codes say anything.

        Without labels relevant is what belongs to one photo, among the validation photos.

        Raises
        ------
        CodesCollapsedError
            the codes have said nothing for two epochs.
        """
        model = self.finished_model()
        gallery, queries = self.encode(model, self.train), self.encode(model, self.val)
        labelled = self.train.labels.shape[1] > 0
        # Without labels every photo is a class of its own.
        n_sets = n_label_sets(self.train.labels) if labelled else len(self.train)
        metrics = {}
        if labelled:
            spoken, said = self.val.labels[self.val.owners], self.train.labels[self.train.owners]
            metrics["i2t_map"] = mean_average_precision(queries[0], gallery[1], self.val.labels, said)
            metrics["t2i_map"] = mean_average_precision(queries[1], gallery[0], spoken, self.train.labels)
        else:
            own = torch.eye(len(self.val), dtype=torch.bool)
            metrics["i2t_map"] = mean_average_precision(*queries, own, own[self.val.owners])
            metrics["t2i_map"] = mean_average_precision(*queries[::-1], own[self.val.owners], own)
        largest = float(sign(gallery[0]).mean(dim=0).abs().max())
        return metrics | self._watch.look(*gallery, n_sets, _ADVICE) | {"largest_bit_mean": largest}

    def bit_means(self) -> dict[str, list[float]]:
        """Mean activation of every bit over the training photos, and over their sentences."""
        image, text = self.encode(self.finished_model(), self.train)
        return {"image": image.mean(dim=0).tolist(), "text": text.mean(dim=0).tolist()}

    @torch.inference_mode()
    def encode(self, model: DSMHNModel, split: PictureSplit) -> tuple[Tensor, Tensor]:
        """Activations of a split's photos as they are (n, K) and of all their sentences (m, K)."""
        images = [model.image(rows) for rows in split.views[0].split(_ENCODED)]
        texts = [
            model.text(split.sentences[slice(begin, begin + _ENCODED)])
            for begin in range(0, len(split.sentences), _ENCODED)
        ]
        return torch.cat(images), torch.cat(texts)

    def state(self) -> dict[str, Any]:
        """Tensors and plain values."""
        state = averaged_state(self.model, self._optimizer, self._average)
        return state | {"n_collapsed": self._watch.n_collapsed}

    def restore(self, state: dict[str, Any]) -> None:
        """The inverse of :meth:`state`."""
        restore_averaged(state, self.model, self._optimizer, self._average)
        self._watch.n_collapsed = int(state["n_collapsed"])


def optimizer_of(groups: list[dict[str, object]], training: DSMHNTrainingSection) -> torch.optim.Optimizer:
    """AdamW or SGD with momentum on groups that carry their rates."""
    if training.optimizer == "sgd":
        return torch.optim.SGD(groups, lr=training.learning_rate, momentum=training.momentum)
    return torch.optim.AdamW(groups)
