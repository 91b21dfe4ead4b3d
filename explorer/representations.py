"""What encoders produce and indexes store: binary codes and real embeddings."""

from dataclasses import dataclass
from enum import StrEnum

import numpy as np


class Modality(StrEnum):
    """What a model can read."""

    TEXT = "text"
    IMAGE = "image"
    VIDEO = "video"


@dataclass(frozen=True, slots=True)
class Embeddings:
    """Real embeddings; rows have unit length unless the model's package says otherwise.

    Attributes:
        values: float32 of shape (n, dim), C-contiguous.
    """

    values: np.ndarray

    def __post_init__(self) -> None:
        if self.values.dtype != np.float32 or self.values.ndim != 2:
            raise ValueError(
                f"embeddings must be float32 of shape (n, dim), got {self.values.dtype} of shape {self.values.shape}"
            )

    def __len__(self) -> int:
        return int(self.values.shape[0])

    @property
    def dim(self) -> int:
        """Width of one embedding."""
        return int(self.values.shape[1])


@dataclass(frozen=True, slots=True)
class BinaryCodes:
    """Binary codes, eight bits to a byte.

    Attributes:
        packed: bits in most-significant-first order, uint8 of shape (n, n_bits / 8).
    """

    packed: np.ndarray

    def __post_init__(self) -> None:
        if self.packed.dtype != np.uint8 or self.packed.ndim != 2:
            raise ValueError(
                f"packed codes must be uint8 of shape (n, bytes), got {self.packed.dtype} of shape {self.packed.shape}"
            )

    def __len__(self) -> int:
        return int(self.packed.shape[0])

    @property
    def n_bits(self) -> int:
        """Width of one code in bits."""
        return int(self.packed.shape[1]) * 8
