"""Training DSMHN's three streams together on rendered clips, pictures and sentences (networks/dsmhn/README.md 2.3).

Kind, colour and motion have bits of their own (reconstructed), and the paper's losses are taken in each of the three
parts: there, what is alike has the same kind, or colour, or motion. So codes agree the more the more of the three are
the same, and in all bits where all are. "Share a label" over the whole code would call every fourth pair alike, and
would not care whether clips that go left are told from those that go right. A picture stands still, which is a motion
of its own: it is as far from clips that go left as from those that go right.
"""
# N rows of all modalities in a batch, K bits, n items, A attributes (kind, colour, motion)

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
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
from explorer.training.code_measures import mean_average_precision, n_label_sets, owners_of
from explorer.training.code_phase import CodePhase, device_of
from explorer.training.code_queries import Shown
from explorer.training.compute import Compute
from explorer.training.scenes_config import ScenesTrainingSection
from explorer.training.scenes_views import changed_clips

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
        texts: the sentences in words; empty where none are shown.
    """

    sentences: Sentences
    first: Tensor
    texts: Sequence[str] = ()

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
        frames: a picture of each clip, to be shown to a person; empty where none are.
    """

    clips: np.ndarray
    clip_classes: Tensor
    clip_texts: Said
    pictures: Tensor
    picture_classes: Tensor
    picture_texts: Said
    frames: Sequence[Path] = ()

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


class ScenesModel(nn.Module):
    """The streams, and the classifiers that only training needs.

    Attributes:
        streams: of pictures, clips and sentences; all three are there.
        classifiers: one for each attribute, on the bits of it.
    """

    def __init__(
        self, configs: StreamConfigs, n_bits: Sequence[int], n_classes: Sequence[int], pictures: Tensor
    ) -> None:
        """pictures: features of the training pictures, by which they are standardised."""
        super().__init__()
        streams: Any = Streams(configs)
        streams.image.standardise(pictures)
        self.streams = streams
        self.classifiers = nn.ModuleList(
            Classifier(n, n_own, _MODALITIES, shared=True) for n, n_own in zip(n_bits, n_classes, strict=True)
        )
        # Convolutions of clips take half the time with channels kept last.
        streams.video.network.to(memory_format=torch.channels_last_3d)


class _Encoders(nn.Module):
    """One call of all streams.

    Attributes:
        in_half: whether clips are multiplied in bfloat16 on a processor.
    """

    def __init__(self, streams: Any, *, in_half: bool) -> None:
        super().__init__()
        self.streams, self.in_half = streams, in_half

    def forward(
        self, frames: Tensor, pictures: Tensor, say: Callable[[], Sequence[Sentences]]
    ) -> tuple[Tensor, ...]:
        """Activations (n, K) of pictures, of clips, and of each part of the sentences that ``say`` gives."""
        streams = self.streams
        with clips_multiplied(in_half=self.in_half):
            video = streams.video(frames).float()
        return streams.image(pictures).float(), video, *(streams.text(part).float() for part in say())


class ScenesPhase(CodePhase[ScenesModel, ScenesTrainingSection]):
    """The phase ``network``; see :class:`~explorer.training.code_phase.CodePhase`.

    Attributes:
        train: what is trained on.
        val: what is measured on.
    """

    def __init__(
        self,
        configs: StreamConfigs,
        training: ScenesTrainingSection,
        n_classes: tuple[int, int, int],
        train: SceneSplit,
        val: SceneSplit,
        compute: Compute | None = None,
    ) -> None:
        """n_classes: how many kinds, colours and motions there are."""
        torch.manual_seed(training.seed)
        self._n_classes = n_classes
        self._n_bits = bits_of_attributes(configs.n_bits, (training.kind, training.colour, training.motion))
        model = ScenesModel(configs, self._n_bits, n_classes, train.pictures)
        self._in_half = training.precision == "bfloat16"
        rates = [(model, training.learning_rate)]
        encoders = _Encoders(model.streams, in_half=self._in_half)
        super().__init__(model, training, len(train), compute or Compute(), rates, encoders)
        self.train, self.val = train, val
        self._n_frames = model.streams.video.network.config.n_frames

    def step(self, epoch: int, step: int) -> dict[str, float]:
        """One step on a batch of clips, as many pictures, and a sentence of each."""
        compute, train = self.compute, self.train
        clips = self._items(epoch, step).sort().values
        pictures = torch.randint(len(train.pictures), (self.batch_size,))
        part = compute.part(self.batch_size)
        frames = changed_clips(torch.from_numpy(train.clips[clips.numpy()]).to(compute.device), self._n_frames)
        seen = train.pictures[pictures[part]].to(compute.device)

        def say() -> list[Sentences]:
            drawn = train.clip_texts.draw(clips), train.picture_texts.draw(pictures)
            return [sentences[part].to(compute.device) for sentences in drawn]

        if compute.n_ranks > 1:
            # The streams of pictures and clips draw before sentences are drawn, and each rank draws its own there.
            said = say()
            compute.part_ways()
            with compute.autocast():
                found = self._shared(frames[part], seen, lambda: said)
        else:
            with compute.autocast():
                found = self._shared(frames[part], seen, say)
        image, video, *texts = (compute.gather(rows) for rows in found)
        return self._descend(epoch, step, self._losses(image, video, torch.cat(texts), self._classes(clips, pictures)))

    def _classes(self, clips: Tensor, pictures: Tensor) -> Tensor:
        """Classes (N, A) of the rows of pictures, clips, and the sentences of clips and of pictures."""
        moving, still = self.train.clip_classes[clips], self.train.picture_classes[pictures]
        return torch.cat([still, moving, moving, still]).to(self.compute.device)

    def _losses(self, image: Tensor, video: Tensor, text: Tensor, classes: Tensor) -> dict[str, Tensor]:
        """The weighted terms of the whole batch; ``classes`` as :meth:`_classes` gives them."""
        training = self._training
        rows = torch.cat([image, video, text])
        terms = {"quantisation": training.quantisation * quantisation_loss(rows)}
        parts = rows.split(list(self._n_bits), dim=1)
        similar, told = [], []
        for part, wanted, n, classifier in zip(
            parts, classes.T, self._n_classes, self.model.classifiers, strict=True
        ):
            similar.append(similarity_loss(training.similarity, part, part, pairs_alike(wanted)))
            told.append(classification_loss(classifier(part, "shared"), F.one_hot(wanted, n).bool(), "single"))
        terms[training.similarity] = torch.stack(similar).mean()
        terms["classification"] = training.classification * torch.stack(told).mean()
        if training.balance:
            uneven = torch.stack([balance_loss(part) for part in (image, video, text)]).sum()
            terms["balance"] = training.balance * uneven
        # What has no weight is no term; the similarity always counts.
        return {name: term for name, term in terms.items() if getattr(training, name, 1.0)}

    def finished_streams(self) -> Streams:
        """A copy of the streams with the weights that are measured and shipped, on the CPU."""
        streams = self.finished_model().streams
        assert isinstance(streams, Streams)
        return streams

    def _look(self, model: ScenesModel) -> tuple[dict[str, float], dict[str, float], Shown]:
        """Among the validation clips by motion and by all labels, and between pictures and clips.

        The bits that are looked at are those of the validation clips: the training clips would have to be read again.
        """
        val = self.val
        found = self.encode(model.streams, val)
        classes, spoken = val.clip_classes, val.clip_classes[val.clip_texts.owners]
        maps = {}
        for name, first in (("motion", 2), ("full", 0)):
            ours, theirs = (one_hot(part[:, first:], self._n_classes[first:]) for part in (classes, spoken))
            maps[f"t2v_{name}"] = mean_average_precision(found.clip_texts, found.clips, theirs, ours)
            maps[f"v2t_{name}"] = mean_average_precision(found.clips, found.clip_texts, ours, theirs)
            half = len(ours) // 2
            maps[f"v2v_{name}"] = mean_average_precision(
                found.clips[:half], found.clips[half:], ours[:half], ours[half:]
            )
        pictures, clips = (one_hot(part[:, :2], self._n_classes[:2]) for part in (val.picture_classes, classes))
        maps["i2v_look"] = mean_average_precision(found.pictures, found.clips, pictures, clips)
        maps["v2i_look"] = mean_average_precision(found.clips, found.pictures, clips, pictures)
        statistics = self._watch.look(found.clips, found.clip_texts, n_label_sets(classes), _ADVICE)
        # Scenes that differ in what no label says are told in the same words: any of them is what was asked for.
        groups = torch.unique(classes, dim=0, return_inverse=True)[1]
        said = val.clip_texts
        return maps, statistics, Shown(said.texts, val.frames, found.clip_texts, found.clips, said.owners, groups)

    @torch.inference_mode()
    def encode(self, streams: Streams, split: SceneSplit) -> Encoded:
        """Activations of a split as it is, on the CPU; its clips must have as many frames as the network reads."""
        assert streams.video is not None
        assert streams.text is not None
        assert streams.image is not None
        device = device_of(streams)
        with clips_multiplied(in_half=self._in_half):
            clips = [streams.video(torch.tensor(split.clips[start : start + _ENCODED])).float().cpu()
                     for start in range(0, len(split), _ENCODED)]
        texts = [streams.text(said.sentences.to(device)).cpu() for said in (split.clip_texts, split.picture_texts)]
        return Encoded(torch.cat(clips), texts[0], streams.image(split.pictures.to(device)).cpu(), texts[1])


def clips_multiplied(*, in_half: bool) -> torch.autocast:
    """Context of the 3-D CNN: convolutions take half the time in bfloat16 on a processor that has products of it."""
    return torch.autocast("cpu", dtype=torch.bfloat16, enabled=in_half)


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
    return Pairs(torch.arange(n, device=classes.device), relevance, 1.0 - torch.eye(n, device=classes.device))


def one_hot(classes: Tensor, n_classes: tuple[int, ...]) -> Tensor:
    """A column for each combination that there can be of attributes (n, A), bool (n, product of ``n_classes``)."""
    rows, n_columns = torch.zeros(len(classes), dtype=torch.int64), 1
    for column, n in zip(classes.T, n_classes, strict=True):
        rows, n_columns = rows * n + column, n_columns * n
    return F.one_hot(rows, n_columns).bool()
