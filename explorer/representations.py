"""What encoders produce and indexes store: binary codes and real embeddings."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

_SMALLEST_LENGTH = 1e-6


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

    def __getitem__(self, rows: slice | np.ndarray) -> "Embeddings":
        """Some of the embeddings."""
        return Embeddings(self.values[rows])

    @property
    def dim(self) -> int:
        """Width of one embedding."""
        return int(self.values.shape[1])


@dataclass(frozen=True, slots=True)
class BinaryCodes:
    """Binary codes, eight bits to a byte.

    Attributes:
        packed: bits in most-significant-first order, uint8 of shape (n, n_bits / 8).
        activations: what the bits were rounded from, float32 (n, n_bits) in [-1, 1]: a bit is set where its activation
            is not negative, and the further that is from 0 the further the bit is from flipping. None where only the
            bits are known.
    """

    packed: np.ndarray
    activations: np.ndarray | None = None

    def __post_init__(self) -> None:
        if self.packed.dtype != np.uint8 or self.packed.ndim != 2:
            raise ValueError(
                f"packed codes must be uint8 of shape (n, bytes), got {self.packed.dtype} of shape {self.packed.shape}"
            )
        given = self.activations
        if given is not None and (given.dtype != np.float32 or given.shape != (len(self.packed), self.n_bits)):
            raise ValueError(
                f"activations must be float32 of shape {(len(self.packed), self.n_bits)}, "
                f"got {given.dtype} of shape {given.shape}"
            )

    def __len__(self) -> int:
        return int(self.packed.shape[0])

    def __getitem__(self, rows: slice | np.ndarray) -> "BinaryCodes":
        """Some of the codes."""
        return BinaryCodes(self.packed[rows], None if self.activations is None else self.activations[rows])

    @property
    def n_bits(self) -> int:
        """Width of one code in bits."""
        return int(self.packed.shape[1]) * 8

    @property
    def signs(self) -> np.ndarray:
        """The bits as -1 and +1, int8 (n, n_bits)."""
        return np.unpackbits(self.packed, axis=1).astype(np.int8) * np.int8(2) - np.int8(1)

    @classmethod
    def from_activations(cls, activations: np.ndarray) -> "BinaryCodes":
        """Round real activations (n, n_bits) to bits; 0 counts as positive everywhere (papers: sign(0) = +1).

        Raises
        ------
        ValueError
            not a number is among them, or ``n_bits`` is no multiple of 8.
        """
        values = np.clip(np.asarray(activations, np.float32), -1.0, 1.0)
        if values.ndim != 2 or values.shape[1] % 8 or np.isnan(values).any():
            raise ValueError(
                f"activations must be numbers of shape (n, a multiple of 8), got shape {values.shape}"
            )
        return cls(np.packbits(values >= 0, axis=1), np.ascontiguousarray(values))


def concatenate(parts: Sequence[Embeddings | BinaryCodes]) -> Embeddings | BinaryCodes:
    """All rows of several parts of one kind and width, at least one part.

    Raises
    ------
    ValueError
        there are none, or they are not of one kind.
    """
    embeddings = [part for part in parts if isinstance(part, Embeddings)]
    codes = [part for part in parts if isinstance(part, BinaryCodes)]
    if not parts or (embeddings and codes):
        raise ValueError(f"expected parts of one kind, got {len(embeddings)} of embeddings and {len(codes)} of codes")
    if embeddings:
        return Embeddings(np.concatenate([part.values for part in embeddings]))
    activations = [part.activations for part in codes if part.activations is not None]
    return BinaryCodes(
        np.concatenate([part.packed for part in codes]),
        np.concatenate(activations) if len(activations) == len(codes) else None,
    )


def average(parts: Embeddings | BinaryCodes) -> Embeddings | BinaryCodes:
    """One row (1, dim) for several views of the same thing, at least one: frames of a shot.

    The mean of embeddings, scaled back to unit length; of codes the mean of the activations (of the bits, where only
    those are known), rounded. A single row comes back as it is. Embeddings that cancel out leave the first.

    Raises
    ------
    ValueError
        there are no rows.
    """
    if not len(parts):
        raise ValueError("nothing to average")
    if len(parts) == 1:
        return parts
    if isinstance(parts, BinaryCodes):
        values = parts.signs if parts.activations is None else parts.activations
        return BinaryCodes.from_activations(values.mean(axis=0, dtype=np.float64)[None])
    mean = parts.values.mean(axis=0, dtype=np.float64)
    length = float(np.linalg.norm(mean))
    if length < _SMALLEST_LENGTH:
        return parts[:1]
    return Embeddings((mean / length).astype(np.float32)[None])
