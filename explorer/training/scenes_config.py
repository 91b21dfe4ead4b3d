"""Recipes of the task ``scenes``: DSMHN's three streams on rendered clips, pictures and sentences."""

from typing import Annotated

import msgspec

from explorer.networks.common.codes import check_bits
from explorer.networks.dsmhn.config import TextReader
from explorer.networks.dsmhn.losses import SimilarityLoss
from explorer.networks.dsmhn.video_network import CLIP_FRAMES
from explorer.packages.manifest import PackageName
from explorer.training.precision import Precision
from explorer.training.sections import Count, Positive, Rate, Share
from explorer.training.stopping import StoppingSection

Weight = Annotated[float, msgspec.Meta(ge=0.0)]


class ScenesSection(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is rendered (``datasets/scenes``); nothing has to be there before.

    Attributes:
        n_clips: moving scenes to train on.
        n_images: still scenes to train on.
        n_stills: clips of which a frame is a picture, too.
        n_val: moving scenes, and as many still ones, to measure on after every epoch.
        n_rendered: frames that are rendered of a clip to train on; more than are read, so that times can vary.
        seed: of the scenes.
    """

    n_clips: Annotated[int, msgspec.Meta(ge=2)] = 3600
    n_images: Annotated[int, msgspec.Meta(ge=2)] = 2400
    n_stills: Count = 1200
    n_val: Annotated[int, msgspec.Meta(ge=2)] = 360
    n_rendered: Annotated[int, msgspec.Meta(ge=CLIP_FRAMES)] = 20
    seed: int = 1

    def __post_init__(self) -> None:
        if self.n_stills > self.n_clips:
            raise ValueError(f"n_stills can be n_clips = {self.n_clips} at most, got {self.n_stills}")


class ScenesNetworkSection(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The three streams (networks/dsmhn; all sizes reconstructed).

    Attributes:
        n_bits: width of the code.
        side_px: of the frames of a clip.
        channels: of the 3-D CNN's stem and blocks.
        sees_time: whether its kernels reach over time; without, it is a 2-D CNN whose features are averaged.
        differences: whether it is shown how frames differ, where it sees time.
        readers: what reads the sentences.
        text_dim: width of the text stream's hidden layer.
        image_dim: of the image stream's.
        dropout: before their linear layers.
        min_word_count: how often a word must be in the training sentences to be known to a bag of words.
    """

    n_bits: int = 64
    side_px: Positive = 64
    channels: tuple[int, ...] = (16, 32, 64, 128)
    sees_time: bool = True
    differences: bool = True
    readers: tuple[TextReader, ...] = ("minilm",)
    text_dim: Positive = 256
    image_dim: Positive = 128
    dropout: Share = 0.2
    min_word_count: Positive = 2

    def __post_init__(self) -> None:
        check_bits(self.n_bits)


class ScenesTrainingSection(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Objective and schedule (networks/dsmhn/README.md 2.3; all weights reconstructed).

    Attributes:
        kind: share of the bits that say the kind of thing.
        colour: share that says its colour.
        motion: share that says its motion. The three add up to 1.
        similarity: which of the paper's losses brings codes together; taken in the bits of each of the three.
        classification: weight of telling kind, colour and motion from these bits.
        quantisation: weight of numbers that are -1 or +1.
        balance: weight of bits that are as often -1 as +1.
        epochs: passes over the clips.
        batch_size: clips a step, and as many pictures.
        learning_rate: highest rate; falls as a cosine after ``warmup_steps``.
        warmup_steps: steps over which the rate rises.
        weight_decay: AdamW's.
        clip_norm: longest gradient.
        averaging: decay of the running average of the weights that is measured and shipped; 0 for none.
        precision: in which the 3-D CNN multiplies while training.
        seed: of everything random but the scenes.
    """

    kind: Share = 0.2
    colour: Share = 0.2
    motion: Share = 0.6
    similarity: SimilarityLoss = "inner_product"
    classification: Weight = 0.5
    quantisation: Weight = 0.01
    balance: Weight = 0.0
    epochs: Positive = 30
    batch_size: Annotated[int, msgspec.Meta(ge=2)] = 32
    learning_rate: Rate = 3e-3
    warmup_steps: Count = 50
    weight_decay: Weight = 0.01
    clip_norm: Annotated[float, msgspec.Meta(gt=0.0)] = 5.0
    averaging: Share = 0.99
    precision: Precision = "float32"
    seed: int = 0

    def __post_init__(self) -> None:
        if abs(self.kind + self.colour + self.motion - 1.0) > 1e-6:
            raise ValueError("kind, colour and motion must add up to 1")


class ScenesRecipe(
    msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="task", tag="scenes"
):
    """DSMHN on rendered scenes.

    Attributes:
        vision: the vision package whose backbone sees the pictures.
    """

    name: PackageName
    title: str = "DSMHN (rendered scenes)"
    vision: str = "vision-lite0"
    scenes: ScenesSection = ScenesSection()
    network: ScenesNetworkSection = ScenesNetworkSection()
    training: ScenesTrainingSection = ScenesTrainingSection()
    stopping: StoppingSection = StoppingSection()
