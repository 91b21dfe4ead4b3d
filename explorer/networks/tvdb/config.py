"""What TVDB's two encoders are made of (README.md 1.2, 1.3); what the sources leave open is reconstructed."""

from dataclasses import dataclass
from typing import Literal

from explorer.networks.common.codes import check_bits

N_POSITIONS = 4
"""Width, height and centre of a box (README.md 1.2, step 3)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageEncoderConfig:
    """Sizes of :class:`~explorer.networks.tvdb.model.ImageEncoder`.

    Attributes:
        n_bits: width of the code.
        feature_dim: width of a region's features: 1280 of the shared backbone, 4096 of AlexNet's fc7.
        position_dim: width of the position block, the box's four numbers repeated; 904 in the paper, beside 4096.
            0 leaves the position out.
        n_regions: how many regions are read at most, beside the whole picture (reconstructed: 20); 0 reads the whole
            picture only.
        order: regions as the paper reads them, dominant to minor, or in an order without meaning, for comparison.
        hidden_dim: of the LSTM, each direction (reconstructed; shipped 512).
        fc_dim: width between the two fully connected layers (reconstructed).
        dropout: before each of them (reconstructed).
        input_dropout: on the LSTM's input (reconstructed).
        normalised: whether activations are normalised before the tanh (reconstructed; on in what we ship).
    """

    n_bits: int = 64
    feature_dim: int = 1280
    position_dim: int = 280
    n_regions: int = 20
    order: Literal["dominant", "shuffled"] = "dominant"
    hidden_dim: int = 512
    fc_dim: int = 1024
    dropout: float = 0.5
    input_dropout: float = 0.0
    normalised: bool = False

    def __post_init__(self) -> None:
        check_bits(self.n_bits)
        if min(self.feature_dim, self.hidden_dim, self.fc_dim) < 1 or self.n_regions < 0:
            raise ValueError(f"every size must be at least 1, and n_regions at least 0, got {self}")
        if self.position_dim < 0 or self.position_dim % N_POSITIONS:
            raise ValueError(f"position_dim must be a multiple of {N_POSITIONS}, got {self.position_dim}")
        for share in (self.dropout, self.input_dropout):
            if not 0.0 <= share < 1.0:
                raise ValueError(f"dropout must be in [0, 1), got {share}")


@dataclass(frozen=True, slots=True, kw_only=True)
class TextEncoderConfig:
    """Sizes of :class:`~explorer.networks.tvdb.model.TextEncoder`.

    Attributes:
        n_bits: width of the code.
        n_words: rows of the word table, the special ones included.
        n_tokens: a sentence is cut or padded to so many words (12 in the paper).
        word_dim: width of the linear word embedding (128 in the paper).
        widths: words that a filter sees; three branches of lengths 10, 9 and 8 in the paper's figure.
        n_filters: of each width (reconstructed).
        fc_dim: width between the two fully connected layers (reconstructed).
        dropout: before each of them (reconstructed).
        word_dropout: share of words that are read as unknown in training (reconstructed; 0 in the sources).
        normalised: as of the pictures.
    """

    n_words: int
    n_bits: int = 64
    n_tokens: int = 12
    word_dim: int = 128
    widths: tuple[int, ...] = (3, 4, 5)
    n_filters: int = 256
    fc_dim: int = 1024
    dropout: float = 0.5
    word_dropout: float = 0.0
    normalised: bool = False

    def __post_init__(self) -> None:
        check_bits(self.n_bits)
        if min(self.n_words, self.n_tokens, self.word_dim, self.n_filters, self.fc_dim) < 1 or not self.widths:
            raise ValueError(f"every size must be at least 1, got {self}")
        if not 1 <= min(self.widths) <= max(self.widths) <= self.n_tokens:
            raise ValueError(f"filters must be 1 to {self.n_tokens} words wide, got {self.widths}")
        for share in (self.dropout, self.word_dropout):
            if not 0.0 <= share < 1.0:
                raise ValueError(f"dropout must be in [0, 1), got {share}")
