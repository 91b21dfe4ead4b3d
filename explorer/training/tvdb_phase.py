"""Training TVDB's two encoders on cached regions: alternating discrete steps (networks/tvdb/README.md 1.4 to 1.8)."""
# n photos, m sentences, N pairs of a batch, K bits

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

from explorer.networks.common.codes import pairs_of
from explorer.networks.tvdb.config import ImageEncoderConfig, TextEncoderConfig
from explorer.networks.tvdb.losses import (
    decorrelated,
    discrete_codes,
    pairwise_loss,
    regression_terms,
    similarity_matrix,
)
from explorer.networks.tvdb.model import ImageEncoder, TextEncoder
from explorer.networks.tvdb.preprocess import steps_of
from explorer.training.code_measures import mean_average_precision, n_label_sets, owners_of
from explorer.training.code_phase import CodePhase, device_of
from explorer.training.code_queries import Shown
from explorer.training.compute import Compute
from explorer.training.hashing_config import TVDBTrainingSection
from explorer.training.region_features import RegionFeatures

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
        photos: their files; empty where none are shown.
        texts: all sentences; empty where none are shown.
    """

    views: list[RegionFeatures]
    rows: Tensor
    first: Tensor
    labels: Tensor
    photos: Sequence[Path] = ()
    texts: Sequence[str] = ()

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

    def forward(self, steps: Tensor, rows: Tensor) -> tuple[Tensor, Tensor]:
        """Activations (B, K) of pictures and (m, K) of sentences, in one call."""
        return self.image(steps), self.text(rows)


class TVDBPhase(CodePhase[TVDBModel, TVDBTrainingSection]):
    """The phase ``network``; see :class:`~explorer.training.code_phase.CodePhase`.

    Attributes:
        train: training photos.
        val: validation photos.
    """

    def __init__(
        self,
        configs: tuple[ImageEncoderConfig, TextEncoderConfig],
        training: TVDBTrainingSection,
        statistics: tuple[Tensor, Tensor],
        train: HashingSplit,
        val: HashingSplit,
        compute: Compute | None = None,
    ) -> None:
        compute = compute or Compute()
        torch.manual_seed(training.seed)
        model = TVDBModel(ImageEncoder(configs[0]), TextEncoder(configs[1]))
        super().__init__(model, training, len(train), compute, [(model, training.learning_rate)])
        self._statistics = statistics[0].to(compute.device), statistics[1].to(compute.device)
        self.train, self.val = train, val

    def step(self, epoch: int, step: int) -> dict[str, float]:
        """Codes of a batch, then one step of both encoders towards them."""
        compute, device = self.compute, self.compute.device
        photos = self._items(epoch, step).sort().values
        view = self.train.views[int(torch.randint(len(self.train.views), ()))]
        sentences, owners = self.train.draw(photos, self._training.sentences)
        compute.part_ways()
        steps = self._steps(view, photos[compute.part(len(photos))], device)
        rows = self.train.rows[sentences[compute.part(len(sentences))]].to(device)
        with self._multiplying(), compute.autocast():
            image, text = self._shared(steps, rows)
        # A photo is seen once, however many of its sentences are in the batch: each is a pair with the same photo.
        image, text = compute.gather(image.float())[owners.to(device)], compute.gather(text.float())
        return self._descend(epoch, step, self._losses(image, text, photos[owners]))

    def _losses(self, image: Tensor, text: Tensor, photos: Tensor) -> dict[str, Tensor]:
        """image, text: activations (N, K) of the whole batch's pairs.   photos: (N,), the photo of each.

        Every rank has all of them and makes the same codes.
        """
        training = self._training
        pairs = pairs_of(self.train.labels[photos].to(image.device), photos.to(image.device))
        if training.objective == "pairwise":
            return {"pairwise": pairwise_loss(image, text, pairs)}
        similarity = similarity_matrix(training.similarity, pairs, (image, text))
        near = decorrelated(image, text, training.decorrelation) if training.decorrelation else (image, text)
        codes = discrete_codes(*near, similarity, eta=training.eta, n_rounds=training.rounds)
        return regression_terms(image, text, *codes)

    def _steps(self, view: RegionFeatures, photos: Tensor, device: torch.device) -> Tensor:
        values, boxes = view.values[photos].to(device), view.boxes[photos].to(device)
        statistics = self._statistics[0].to(device), self._statistics[1].to(device)
        return steps_of(values, boxes, statistics, self.model.image.config)

    def _multiplying(self) -> torch.autocast:
        # The LSTM's products of a step take a third of the time in bfloat16 on a processor that has it.
        half = self._training.precision == "bfloat16"
        return torch.autocast("cpu", dtype=torch.bfloat16, enabled=half)

    def _look(self, model: TVDBModel) -> tuple[dict[str, float], dict[str, float], Shown]:
        """Some validation queries against the training split."""
        train, val = self.train, self.val
        gallery = self.encode(model, train)
        found = self._watch.look(*gallery, n_label_sets(train.labels), advice_on(self._training))
        images, texts = self.encode(model, val)
        maps = {
            "i2t_map": mean_average_precision(images, gallery[1], val.labels, train.labels[train.owners]),
            "t2i_map": mean_average_precision(texts, gallery[0], val.labels[val.owners], train.labels),
        }
        return maps, found, Shown(val.texts, val.photos, texts, images, val.owners, torch.arange(len(val)))

    @torch.inference_mode()
    def encode(self, model: TVDBModel, split: HashingSplit) -> tuple[Tensor, Tensor]:
        """Activations of a split's photos as they are (n, K) and of all their sentences, on the CPU."""
        device = device_of(model)
        with self._multiplying():
            rows = torch.arange(len(split)).split(_BATCH)
            images = [model.image(self._steps(split.views[0], photos, device)).float().cpu() for photos in rows]
            texts = [model.text(part.to(device)).float().cpu() for part in split.rows.split(_TEXT_BATCH)]
        return torch.cat(images), torch.cat(texts)


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
