"""Recipes of DSMHN on captioned photos (networks/dsmhn/README.md; every size and weight is reconstructed)."""

from typing import Annotated, Literal

import msgspec

from explorer.networks.common.codes import check_bits
from explorer.networks.dsmhn.config import ImagePart, TextReader
from explorer.networks.dsmhn.losses import LabelKind
from explorer.networks.dsmhn.objective import LossWeights, PairSettings
from explorer.packages.manifest import PackageName
from explorer.training.hashing_config import LabelSection
from explorer.training.sections import Count, DatasetSection, FeatureSection, Positive, Rate, Share
from explorer.training.stopping import StoppingSection

Weight = Annotated[float, msgspec.Meta(ge=0.0)]


class HashingNetworkSection(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What all streams share.

    Attributes:
        n_bits: width of the code, a multiple of 8.
        normalised: whether activations are normalised before the tanh.
        shared_classifier: whether one layer tells classes from the codes of all modalities, or one layer each.
    """

    n_bits: int = 64
    normalised: bool = True
    shared_classifier: bool = False

    def __post_init__(self) -> None:
        check_bits(self.n_bits)


class ImageSection(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The stream of pictures.

    Attributes:
        parts: what is read of a picture (``networks/dsmhn/config.py``).
        hidden_dim: width of the hidden layer; 0 for none.
        dropout: before the layer of bits.
        input_dropout: before the hidden layer.
        learning_rate: highest rate.
    """

    parts: tuple[ImagePart, ...] = ("grid_mean", "grid_max", "trunk_mean")
    hidden_dim: Count = 256
    dropout: Share = 0.3
    input_dropout: Share = 0.0
    learning_rate: Rate = 1e-3


class TextSection(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The stream of sentences.

    Attributes:
        readers: what reads a sentence: "bow", "mean-vectors", "minilm".
        hidden_dim: width of the hidden layer.
        dropout: before the layer of bits.
        input_dropout: before the hidden layer.
        word_dim: width of a word vector, of "mean-vectors".
        word_dropout: share of words that are left out in training.
        n_tokens: a sentence is cut after so many words.
        min_word_count: how often a word must be in the training sentences to be known.
        learning_rate: highest rate.
    """

    readers: tuple[TextReader, ...] = ("bow",)
    hidden_dim: Positive = 256
    dropout: Share = 0.3
    input_dropout: Share = 0.0
    word_dim: Positive = 300
    word_dropout: Share = 0.0
    n_tokens: Positive = 64
    min_word_count: Positive = 5
    learning_rate: Rate = 1e-3


class LossSection(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What each term of the objective counts, and how pairs are judged (README.md 2.3); 0 leaves a term out.

    Attributes:
        nll, contrastive, inner_product, hinge, triplet: the losses between modalities.
        within: of the same losses between two photos and between two sentences, beside those.
        classification: of classes told from codes.
        labels: whether an item may have any number of classes, each told by itself, or they share one softmax.
        quantisation: of the distance to the nearest code.
        balance: of bits that are not set in half of the items.
        independence: of correlated bits.
        balanced: whether relevant and other pairs weigh the same in total.
        steepness: of nll: theta of codes that agree in all bits; 0 for n_bits / 2 as in DCMH.
    """

    nll: Weight = 1.0
    contrastive: Weight = 0.0
    inner_product: Weight = 0.0
    hinge: Weight = 0.0
    triplet: Weight = 0.0
    within: Weight = 0.0
    classification: Weight = 1.0
    labels: LabelKind = "multi"
    quantisation: Weight = 0.1
    balance: Weight = 0.0
    independence: Weight = 0.0
    balanced: bool = True
    steepness: Weight = 0.0

    def __post_init__(self) -> None:
        self.weights()

    def weights(self) -> LossWeights:
        """The weights; ``ValueError`` where none counts."""
        names = LossWeights.__dataclass_fields__
        return LossWeights(**{name: getattr(self, name) for name in names})

    def settings(self) -> PairSettings:
        """How pairs and classes are judged."""
        return PairSettings(balanced=self.balanced, steepness=self.steepness, labels=self.labels)


class DSMHNTrainingSection(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Schedule.

    Attributes:
        optimizer: AdamW, or SGD with ``momentum``.
        momentum: of SGD.
        epochs: passes over the photos.
        batch_size: photos a step.
        sentences: sentences of each photo in a step.
        learning_rate: highest rate of the classifier; rates fall as a cosine after ``warmup_steps``.
        warmup_steps: steps over which rates rise.
        weight_decay: of all matrices.
        clip_norm: longest gradient.
        averaging: decay of the running average of the weights that is measured and shipped; 0 for none.
        seed: of everything random.
    """

    optimizer: Literal["adamw", "sgd"] = "adamw"
    momentum: Share = 0.9
    epochs: Positive = 30
    batch_size: Annotated[int, msgspec.Meta(ge=2)] = 128
    sentences: Annotated[int, msgspec.Meta(ge=1, le=5)] = 2
    learning_rate: Rate = 1e-3
    warmup_steps: Count = 50
    weight_decay: Weight = 0.01
    clip_norm: Annotated[float, msgspec.Meta(gt=0.0)] = 5.0
    averaging: Share = 0.99
    seed: int = 0


class DSMHNRecipe(
    msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="task", tag="dsmhn"
):
    """DSMHN on captioned photos, with labels or without.

    Attributes:
        labels: which photos are alike. Without it only what belongs to one photo is, and no classes are told.
    """

    name: PackageName
    dataset: DatasetSection
    title: str = "DSMHN"
    labels: LabelSection | None = None
    features: FeatureSection = FeatureSection()
    network: HashingNetworkSection = HashingNetworkSection()
    image: ImageSection = ImageSection()
    text: TextSection = TextSection()
    loss: LossSection = LossSection()
    training: DSMHNTrainingSection = DSMHNTrainingSection()
    stopping: StoppingSection = StoppingSection()
