"""What a 3SHNet image encoder is made of. Defaults are the published region variant (README.md 3.2 to 3.6)."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageEncoderConfig:
    """Sizes and switches of :class:`~explorer.networks.three_shnet.model.ImageEncoder`.

    Attributes:
        visual_dim: width of one visual token as it comes in.
        embed_dim: width of the joint space.
        n_classes: classes of the segmenter: channels of the semantic scores and length of the presence vector.
        map_size: side of the square class map.
        score_size: side of the semantic score grid.
        hidden_dim: hidden width of every MLP.
        spatial_dim: width of VSpM's spatial keys.
        dropout: dropout behind the embedded classes; 0.1 as published.
        token_dropout: probability that a visual token is dropped in training; 0.2 for regions as published.
        feature_dropout: dropout on the incoming visual features in training (reconstructed; 0 as published).
        map_mean: mean of ``map / n_classes`` that is taken off before VSpM; 0.3342 as published.
        map_std: spread by which the map is then divided; 0.0621 as published.
        vsem: whether segmentation guides the tokens semantically (README.md 3.4).
        vspm: whether the class map guides the tokens spatially (README.md 3.5).
        category_token: whether the classes that are present form a token.
        segmentation_cells: whether the cells of the semantic scores are tokens.
        gate: activation of the VSeM gates; sigmoid as released, softmax at temperature 4 as commented out there.
        pooling: how tokens become one vector.
    """

    visual_dim: int = 2048
    embed_dim: int = 1024
    n_classes: int = 133
    map_size: int = 64
    score_size: int = 7
    hidden_dim: int = 512
    spatial_dim: int = 128
    dropout: float = 0.1
    token_dropout: float = 0.2
    feature_dropout: float = 0.0
    map_mean: float = 0.3342
    map_std: float = 0.0621
    vsem: bool = True
    vspm: bool = True
    category_token: bool = True
    segmentation_cells: bool = True
    gate: Literal["sigmoid", "softmax"] = "sigmoid"
    pooling: Literal["gpo", "mean"] = "gpo"

    def __post_init__(self) -> None:
        sizes = (self.visual_dim, self.embed_dim, self.n_classes, self.map_size, self.score_size, self.hidden_dim)
        if min(sizes) < 1 or self.spatial_dim < 1:
            raise ValueError(f"every size must be at least 1, got {sizes} and spatial_dim {self.spatial_dim}")
        if self.map_std <= 0:
            raise ValueError(f"map_std must be positive, got {self.map_std}")
        for name in ("dropout", "token_dropout", "feature_dropout"):
            if not 0.0 <= getattr(self, name) < 1.0:
                raise ValueError(f"{name} must be in [0, 1), got {getattr(self, name)}")


@dataclass(frozen=True, slots=True, kw_only=True)
class TextEncoderConfig:
    """Sizes of :class:`~explorer.networks.three_shnet.model.TextEncoder`.

    Attributes:
        word_dim: width of one word state (384 for MiniLM; 768 for the published BERT).
        embed_dim: width of the joint space.
        word_dropout: probability that a word state is dropped in training (reconstructed from the word dropping of
            README.md 3.7, which happens before the language model there).
        feature_dropout: dropout on the word states in training (reconstructed; 0 as published).
        pooling: how word states become one vector.
    """

    word_dim: int = 384
    embed_dim: int = 1024
    word_dropout: float = 0.0
    feature_dropout: float = 0.0
    pooling: Literal["gpo", "mean"] = "gpo"

    def __post_init__(self) -> None:
        if self.word_dim < 1 or self.embed_dim < 1:
            raise ValueError(f"every size must be at least 1, got {self.word_dim} and {self.embed_dim}")
        for name in ("word_dropout", "feature_dropout"):
            if not 0.0 <= getattr(self, name) < 1.0:
                raise ValueError(f"{name} must be in [0, 1), got {getattr(self, name)}")


@dataclass(frozen=True, slots=True, kw_only=True)
class RecurrentTextConfig:
    """Sizes of :class:`~explorer.networks.three_shnet.reading.RecurrentText`; defaults are VSE-infinity's (README 3.7).

    Attributes:
        n_words: rows of the word table.
        word_dim: width of a word vector.
        embed_dim: width of the joint space.
        word_dropout: probability that a word is read as an unknown one in training (reconstructed).
    """

    n_words: int
    word_dim: int = 300
    embed_dim: int = 1024
    word_dropout: float = 0.0

    def __post_init__(self) -> None:
        if min(self.n_words, self.word_dim, self.embed_dim) < 1:
            raise ValueError(f"every size must be at least 1, got {self}")
        if not 0.0 <= self.word_dropout < 1.0:
            raise ValueError(f"word_dropout must be in [0, 1), got {self.word_dropout}")


TextConfig = TextEncoderConfig | RecurrentTextConfig
"""What is trained on the side of the sentences: on states of a frozen language model, or from words on."""
