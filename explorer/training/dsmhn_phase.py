"""Training DSMHN's streams for pictures and sentences on cached features (networks/dsmhn/README.md 2.3)."""
# n photos, m sentences, F features, K bits, C classes

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

from explorer.errors import ConfigError
from explorer.networks.common.codes import sign
from explorer.networks.dsmhn.config import StreamConfigs
from explorer.networks.dsmhn.model import Classifier, ImageStream, Streams, TextStream
from explorer.networks.dsmhn.objective import Batch, loss_terms
from explorer.networks.dsmhn.preprocess import Sentences
from explorer.training.code_measures import mean_average_precision, n_label_sets, owners_of
from explorer.training.code_phase import CodePhase, device_of
from explorer.training.code_queries import Shown
from explorer.training.compute import Compute
from explorer.training.dsmhn_config import DSMHNRecipe, DSMHNTrainingSection

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
        photos: their files; empty where none are shown.
        texts: all sentences; empty where none are shown.
    """

    views: list[Tensor]
    sentences: Sentences
    first: Tensor
    labels: Tensor
    photos: Sequence[Path] = ()
    texts: Sequence[str] = ()

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

    def forward(self, features: Tensor, sentences: Sentences) -> tuple[Tensor, ...]:
        """Activations (B, K) of pictures and (m, K) of sentences, and the classes told of both where there are any."""
        items, texts = self.image(features), self.text(sentences)
        if self.classifier is None:
            return items, texts
        return items, texts, self.classifier(items, "image"), self.classifier(texts, "text")

    def streams(self) -> Streams:
        """Both streams, as packages hold them."""
        streams = Streams(self.configs)
        streams.image, streams.text = self.image, self.text
        return streams


class DSMHNPhase(CodePhase[DSMHNModel, DSMHNTrainingSection]):
    """The phase ``network``; see :class:`~explorer.training.code_phase.CodePhase`.

    Attributes:
        train: training photos.
        val: validation photos.
    """

    def __init__(
        self,
        configs: StreamConfigs,
        recipe: DSMHNRecipe,
        train: PictureSplit,
        val: PictureSplit,
        compute: Compute | None = None,
    ) -> None:
        """Raise :class:`ConfigError` where only classes count, and there are none."""
        training, self._weights = recipe.training, recipe.loss.weights()
        n_classes = train.labels.shape[1] if recipe.loss.classification else 0
        if not n_classes and not self._weights.count_without_classes:
            raise ConfigError(
                "Of the objective only classification counts, and without labels there are no classes to tell.",
                "Give [labels] a file, or say nll = 1.0 in [loss].",
            )
        torch.manual_seed(training.seed)
        model = DSMHNModel(configs, n_classes, shared=recipe.network.shared_classifier)
        model.image.standardise(train.views[0])
        rates: list[tuple[nn.Module, float]] = [
            (model.image, recipe.image.learning_rate), (model.text, recipe.text.learning_rate)
        ]
        if model.classifier is not None:
            rates.append((model.classifier, training.learning_rate))
        super().__init__(model, training, len(train), compute or Compute(), rates)
        self._settings = recipe.loss.settings()
        self.train, self.val = train, val

    def step(self, epoch: int, step: int) -> dict[str, float]:
        """One step on a random view of each photo and some of its sentences."""
        compute, device, train = self.compute, self.compute.device, self.train
        photos = self._items(epoch, step)
        view = train.views[int(torch.randint(len(train.views), ()))]
        sentences, owners = train.draw(photos, self._training.sentences)
        compute.part_ways()
        features = view[photos[compute.part(len(photos))]].to(device)
        spoken = train.sentences[sentences[compute.part(len(sentences))]].to(device)
        with compute.autocast():
            encoded = self._shared(features, spoken)
        items, texts, *logits = (compute.gather(part.float()) for part in encoded)
        told = (logits[0], logits[1]) if logits else None
        labels = train.labels[photos].to(device)
        batch = Batch(items, texts, owners.to(device), photos.to(device), labels, told)
        return self._descend(epoch, step, loss_terms(batch, self._weights, self._settings))

    def _look(self, model: DSMHNModel) -> tuple[dict[str, float], dict[str, float], Shown]:
        """Some validation queries against the training split.

        Without labels relevant is what belongs to one photo, among the validation photos.
        """
        train, val = self.train, self.val
        gallery, queries = self.encode(model, train), self.encode(model, val)
        labelled = train.labels.shape[1] > 0
        # Without labels every photo is a class of its own.
        n_sets = n_label_sets(train.labels) if labelled else len(train)
        maps = {}
        if labelled:
            spoken, said = val.labels[val.owners], train.labels[train.owners]
            maps["i2t_map"] = mean_average_precision(queries[0], gallery[1], val.labels, said)
            maps["t2i_map"] = mean_average_precision(queries[1], gallery[0], spoken, train.labels)
        else:
            own = torch.eye(len(val), dtype=torch.bool)
            maps["i2t_map"] = mean_average_precision(*queries, own, own[val.owners])
            maps["t2i_map"] = mean_average_precision(*queries[::-1], own[val.owners], own)
        found = self._watch.look(*gallery, n_sets, _ADVICE)
        found["largest_bit_mean"] = float(sign(gallery[0]).mean(dim=0).abs().max())
        shown = Shown(val.texts, val.photos, queries[1], queries[0], val.owners, torch.arange(len(val)))
        return maps, found, shown

    def bit_means(self) -> dict[str, list[float]]:
        """Mean activation of every bit over the training photos, and over their sentences."""
        image, text = self.encode(self.finished_model(), self.train)
        return {"image": image.mean(dim=0).tolist(), "text": text.mean(dim=0).tolist()}

    @torch.inference_mode()
    def encode(self, model: DSMHNModel, split: PictureSplit) -> tuple[Tensor, Tensor]:
        """Activations of a split's photos as they are (n, K) and of all their sentences (m, K), on the CPU."""
        device = device_of(model)
        images = [model.image(rows.to(device)).cpu() for rows in split.views[0].split(_ENCODED)]
        texts = [
            model.text(split.sentences[slice(begin, begin + _ENCODED)].to(device)).cpu()
            for begin in range(0, len(split.sentences), _ENCODED)
        ]
        return torch.cat(images), torch.cat(texts)
