"""Training DSMHN's three streams together on rendered clips, pictures and sentences (networks/dsmhn/README.md 2.3).

Kind, colour and motion have bits of their own (reconstructed), and the paper's losses are taken in each of the three
parts: there, what is alike has the same kind, or colour, or motion. So codes agree the more the more of the three are
the same, and in all bits where all are. "Share a label" over the whole code would call every fourth pair alike, and
would not care whether clips that go left are told from those that go right. A picture stands still, which is a motion
of its own: it is as far from clips that go left as from those that go right.
"""
# N rows of all modalities in a batch, K bits, n items, A attributes (kind, colour, motion)

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from explorer.networks.common.codes import Pairs
from explorer.networks.dsmhn.config import StreamConfigs
from explorer.networks.dsmhn.losses import balance_loss, classification_loss, quantisation_loss, similarity_loss
from explorer.networks.dsmhn.model import Classifier, Streams
from explorer.networks.dsmhn.preprocess import Sentences
from explorer.training.code_measures import CollapseWatch, mean_average_precision, n_label_sets, owners_of
from explorer.training.phases import epoch_order
from explorer.training.scenes_config import ScenesTrainingSection
from explorer.training.scenes_views import changed_clips
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

_MODALITIES = ("image", "video", "text")
_ENCODED = 64
"""Items that are encoded at once while measuring."""

_ADVICE = "Lower learning_rate, or raise classification, in [training]."


@dataclass(frozen=True, slots=True)
class Said:
    """The sentences of n items.

    Attributes:
        sentences: of all items, one item's after the other's.
        first: int64 (n + 1,), the first sentence of each item.
    """

    sentences: Sentences
    first: Tensor

    @property
    def owners(self) -> Tensor:
        """The item of every sentence, int64."""
        return owners_of(self.first)

    def draw(self, items: Tensor) -> Sentences:
        """One sentence of each of these items, by torch's global generator."""
        first, end = self.first[items], self.first[items + 1]
        return self.sentences[first + (torch.rand(len(items)) * (end - first)).long()]


@dataclass(frozen=True, slots=True)
class SceneSplit:
    """Clips and pictures of one split with all that is frozen.

    Attributes:
        clips: uint8 (n_clips, N, S, S, 3), on disk; N as many frames as are read, or more to draw from.
        clip_classes: int64 (n_clips, A).
        clip_texts: what is said of them.
        pictures: float32 (n_pictures, F), what vision gives.
        picture_classes: int64 (n_pictures, A).
        picture_texts: what is said of them.
    """

    clips: np.ndarray
    clip_classes: Tensor
    clip_texts: Said
    pictures: Tensor
    picture_classes: Tensor
    picture_texts: Said

    def __len__(self) -> int:
        return len(self.clip_classes)


@dataclass(frozen=True, slots=True)
class Encoded:
    """Activations of a split.

    Attributes:
        clips, clip_texts, pictures, picture_texts: float32 (n, K) each.
    """

    clips: Tensor
    clip_texts: Tensor
    pictures: Tensor
    picture_texts: Tensor


class ScenesPhase:
    """The phase ``network``; see :class:`~explorer.training.phases.Phase`.

    Attributes:
        model: the streams as they are trained, with the classifier of training.
        train: what is trained on.
        val: what is measured on.
    """

    name = "network"

    def __init__(
        self,
        configs: StreamConfigs,
        training: ScenesTrainingSection,
        n_classes: tuple[int, int, int],
        train: SceneSplit,
        val: SceneSplit,
    ) -> None:
        """n_classes: how many kinds, colours and motions there are."""
        torch.manual_seed(training.seed)
        self._training, self._n_classes = training, n_classes
        self.train, self.val = train, val
        self.seed, self.n_epochs = training.seed, training.epochs
        self.batch_size = min(training.batch_size, len(train))
        self.n_steps = len(train) // self.batch_size
        streams = Streams(configs)
        assert streams.image is not None
        assert streams.video is not None
        streams.image.standardise(train.pictures)
        self._n_frames = streams.video.network.config.n_frames
        self._n_bits = bits_of_attributes(configs.n_bits, (training.kind, training.colour, training.motion))
        classifiers = nn.ModuleList(
            Classifier(n_bits, n, _MODALITIES, shared=True) for n_bits, n in zip(self._n_bits, n_classes, strict=True)
        )
        # Convolutions of clips take half the time with channels kept last.
        self.model = nn.ModuleDict({"streams": streams, "classifiers": classifiers}).train()
        streams.video.network.to(memory_format=torch.channels_last_3d)
        self._optimizer = torch.optim.AdamW(decay_groups([(self.model, training.learning_rate)], training.weight_decay))
        self._average = RunningAverage(self.model, training.averaging) if training.averaging else None
        self._watch = CollapseWatch()

    def step(self, epoch: int, step: int) -> dict[str, float]:
        """One step on a batch of clips, as many pictures, and a sentence of each."""
        training = self._training
        n_done = epoch * self.n_steps + step
        set_rate(self._optimizer, rate_at(n_done, self.n_epochs * self.n_steps, training.warmup_steps))
        order = epoch_order(len(self.train), self.seed, epoch)
        clips = order[step * self.batch_size : (step + 1) * self.batch_size].sort().values
        pictures = torch.randint(len(self.train.pictures), (self.batch_size,))
        loss = self._loss(clips, pictures)
        return {"loss": take_step(loss, self.model, self._optimizer, self._average, clip_norm=training.clip_norm)}

    def _loss(self, clips: Tensor, pictures: Tensor) -> Tensor:
        training, train, streams = self._training, self.train, self._streams(self.model)
        frames = changed_clips(torch.from_numpy(train.clips[clips.numpy()]), self._n_frames)
        with self._multiplying():
            video = streams.video(frames).float()
        image = streams.image(train.pictures[pictures])
        said = [train.clip_texts.draw(clips), train.picture_texts.draw(pictures)]
        text = torch.cat([streams.text(part) for part in said])
        rows = torch.cat([image, video, text])
        classes = torch.cat([train.picture_classes[pictures], train.clip_classes[clips]])
        classes = torch.cat([classes, train.clip_classes[clips], train.picture_classes[pictures]])
        loss = training.quantisation * quantisation_loss(rows)
        parts = rows.split(list(self._n_bits), dim=1)
        for part, wanted, n, classifier in zip(parts, classes.T, self._n_classes, self._classifiers(), strict=True):
            alike = similarity_loss(training.similarity, part, part, pairs_alike(wanted))
            told = classification_loss(classifier(part, "shared"), F.one_hot(wanted, n).bool(), "single")
            loss = loss + (alike + training.classification * told) / len(parts)
        if training.balance:
            loss = loss + training.balance * sum(balance_loss(part) for part in (image, video, text))
        return loss

    def _classifiers(self) -> list[Classifier]:
        chosen = self.model["classifiers"]
        assert isinstance(chosen, nn.ModuleList)
        return [part for part in chosen if isinstance(part, Classifier)]

    def _multiplying(self) -> torch.autocast:
        # Convolutions take half the time in bfloat16 on a processor that has products of it.
        return torch.autocast("cpu", dtype=torch.bfloat16, enabled=self._training.precision == "bfloat16")

    @staticmethod
    def _streams(model: nn.ModuleDict) -> Any:
        return model["streams"]

    def finished_streams(self) -> Streams:
        """A copy of the streams with the weights that are measured and shipped."""
        streams = averaged_copy(self.model, self._average)["streams"]
        assert isinstance(streams, Streams)
        return streams

    def measure(self) -> dict[str, float]:
        """Tie-aware mAP among the validation clips by motion and by all labels, and between pictures and clips.

        Raises
        ------
        CodesCollapsedError
            the codes have said nothing for two epochs.
        """
        found = self.encode(self.finished_streams(), self.val)
        classes, spoken = self.val.clip_classes, self.val.clip_classes[self.val.clip_texts.owners]
        metrics = {}
        for name, first in (("motion", 2), ("full", 0)):
            ours, theirs = (one_hot(part[:, first:], self._n_classes[first:]) for part in (classes, spoken))
            metrics[f"t2v_{name}"] = mean_average_precision(found.clip_texts, found.clips, theirs, ours)
            metrics[f"v2t_{name}"] = mean_average_precision(found.clips, found.clip_texts, ours, theirs)
            half = len(ours) // 2
            metrics[f"v2v_{name}"] = mean_average_precision(
                found.clips[:half], found.clips[half:], ours[:half], ours[half:]
            )
        pictures, clips = (one_hot(part[:, :2], self._n_classes[:2]) for part in (self.val.picture_classes, classes))
        metrics["i2v_look"] = mean_average_precision(found.pictures, found.clips, pictures, clips)
        metrics["v2i_look"] = mean_average_precision(found.clips, found.pictures, clips, pictures)
        return metrics | self._watch.look(found.clips, found.clip_texts, n_label_sets(classes), _ADVICE)

    @torch.inference_mode()
    def encode(self, streams: Streams, split: SceneSplit) -> Encoded:
        """Activations of a split as it is; its clips must have as many frames as the network reads."""
        assert streams.video is not None
        assert streams.text is not None
        assert streams.image is not None
        with self._multiplying():
            clips = [streams.video(torch.tensor(split.clips[start : start + _ENCODED])).float()
                     for start in range(0, len(split), _ENCODED)]
        texts = [streams.text(said.sentences) for said in (split.clip_texts, split.picture_texts)]
        return Encoded(torch.cat(clips), texts[0], streams.image(split.pictures), texts[1])

    def state(self) -> dict[str, Any]:
        """Tensors and plain values."""
        return averaged_state(self.model, self._optimizer, self._average) | {"n_collapsed": self._watch.n_collapsed}

    def restore(self, state: dict[str, Any]) -> None:
        """The inverse of :meth:`state`."""
        restore_averaged(state, self.model, self._optimizer, self._average)
        self._watch.n_collapsed = int(state["n_collapsed"])


def bits_of_attributes(n_bits: int, shares: Sequence[float]) -> tuple[int, ...]:
    """How many bits each attribute has, at least one; shares add up to 1, the last has what is left."""
    counts = [max(1, round(share * n_bits)) for share in shares[:-1]]
    return (*counts, n_bits - sum(counts))


def pairs_alike(classes: Tensor) -> Pairs:
    """Pairs of rows of all modalities with all others, relevant where they are of one class; classes int64 (N,).

    Within a modality too (reconstructed); of a row with itself nothing is asked.
    """
    n = len(classes)
    relevance = (classes[:, None] == classes[None, :]).float()
    return Pairs(torch.arange(n), relevance, 1.0 - torch.eye(n))


def one_hot(classes: Tensor, n_classes: tuple[int, ...]) -> Tensor:
    """A column for each combination that there can be of attributes (n, A), bool (n, product of ``n_classes``)."""
    rows, n_columns = torch.zeros(len(classes), dtype=torch.int64), 1
    for column, n in zip(classes.T, n_classes, strict=True):
        rows, n_columns = rows * n + column, n_columns * n
    return F.one_hot(rows, n_columns).bool()
