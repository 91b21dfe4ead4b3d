"""Recipes of TVDB: the sections that other families do not have, and the recipe."""

from typing import Annotated, Literal

import msgspec

from explorer.networks.common.codes import check_bits
from explorer.networks.tvdb.extractors import FeatureKind
from explorer.networks.tvdb.losses import SimilarityKind
from explorer.packages.manifest import PackageName
from explorer.training.precision import Precision
from explorer.training.sections import Count, DatasetSection, FeatureSection, Positive, Rate, Share
from explorer.training.stopping import StoppingSection


class LabelSection(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which photos are alike: they share a label. Exactly one of ``file`` and ``source``.

    Attributes:
        file: as `retrieval-explorer labels` writes it; ``$NAMES`` are taken from the environment, relative paths start
            at the recipe.
        source: "sentences": which of COCO's 80 things a photo's sentences name (``datasets/naming.py``); "data": what
            the data set itself says, where it says something.
        without: names of classes that are left out, such as one that most photos share.
    """

    file: str = ""
    source: Literal["", "sentences", "data"] = ""
    without: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if bool(self.file) == bool(self.source):
            raise ValueError("exactly one of file and source must be given")


class TVDBNetworkSection(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Both encoders; names and defaults as in ``networks/tvdb/config.py``, whose README says where each comes from.

    Attributes:
        features: of a region: what the shared backbone's last map holds within its box, or AlexNet's fc7 of the crop
            as in the paper.
        position_dim: width of the position block; 280 beside 1280 features, 904 beside 4096 in the paper.
        min_word_count: how often a word must be in the training sentences to be known (reconstructed: 5).
    """

    n_bits: int = 64
    features: FeatureKind = "roi-align"
    position_dim: Count = 280
    n_regions: Count = 20
    order: Literal["dominant", "shuffled"] = "dominant"
    hidden_dim: Positive = 512
    fc_dim: Positive = 1024
    dropout: Share = 0.5
    input_dropout: Share = 0.0
    normalised: bool = False
    n_tokens: Positive = 12
    word_dim: Positive = 128
    n_filters: Positive = 256
    word_dropout: Share = 0.0
    min_word_count: Positive = 5

    def __post_init__(self) -> None:
        check_bits(self.n_bits)
        if self.position_dim % 4:
            raise ValueError(f"position_dim must be a multiple of 4, got {self.position_dim}")
        if self.n_tokens < 5:
            raise ValueError(f"n_tokens must be at least 5, the widest filter, got {self.n_tokens}")


class TVDBTrainingSection(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Objective and schedule (networks/tvdb/README.md 1.4 to 1.8; all reconstructed but the alternation).

    Attributes:
        objective: alternating discrete steps, or the pairwise network that TVDB is compared with.
        similarity: the batch's similarity matrix.
        eta: weight of the distance between codes and networks.
        decorrelation: how far the correlation of bits is taken off the activations before codes are made from them,
            0 to 1 (reconstructed; on in what we ship).
        rounds: how often both blocks of codes are updated in a batch.
        epochs: passes over the photos.
        batch_size: photos a step.
        sentences: sentences of each photo in a step, each a pair with its photo (1: as many pairs as photos).
        learning_rate: highest rate; falls as a cosine after ``warmup_steps``.
        warmup_steps: steps over which the rate rises.
        weight_decay: AdamW's.
        clip_norm: longest gradient.
        averaging: decay of the running average of the weights that is measured and shipped; 0 for none.
        precision: in which the networks multiply while training.
        seed: of everything random.
    """

    objective: Literal["alternating", "pairwise"] = "alternating"
    similarity: SimilarityKind = "centred"
    eta: Annotated[float, msgspec.Meta(gt=0.0)] = 1.0
    decorrelation: Annotated[float, msgspec.Meta(ge=0.0, le=1.0)] = 0.0
    rounds: Positive = 1
    epochs: Positive = 30
    batch_size: Annotated[int, msgspec.Meta(ge=2)] = 128
    sentences: Annotated[int, msgspec.Meta(ge=1, le=5)] = 1
    learning_rate: Rate = 1e-4
    warmup_steps: Count = 50
    weight_decay: Annotated[float, msgspec.Meta(ge=0.0)] = 1e-4
    clip_norm: Annotated[float, msgspec.Meta(gt=0.0)] = 5.0
    averaging: Share = 0.0
    precision: Precision = "float32"
    seed: int = 0


class TVDBRecipe(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="task", tag="tvdb"):
    """TVDB on captioned photos with labels.

    Attributes:
        labels: which photos are alike; must be there.
    """

    name: PackageName
    dataset: DatasetSection
    labels: LabelSection | None = None
    title: str = "TVDB"
    features: FeatureSection = FeatureSection()
    network: TVDBNetworkSection = TVDBNetworkSection()
    training: TVDBTrainingSection = TVDBTrainingSection()
    stopping: StoppingSection = StoppingSection()

    def __post_init__(self) -> None:
        if self.labels is None:
            raise ValueError(
                'TVDB learns from labels: name a file in [labels], or say source = "sentences" there, which takes them '
                "from the sentences"
            )
