"""What the library keeps of a vector: the numbers of an embedding, or the bits of a code and how firm each of them is.

A code is kept as its packed bits followed by a signed byte a bit, its strength: round(127 a) of the activation a that
the bit was rounded from. Searching needs the bits alone; the strengths tell which items carry a bit most strongly.
"""

from enum import StrEnum
from typing import NamedTuple, Self

import numpy as np

from explorer.representations import BinaryCodes, Embeddings

_FULL_STRENGTH = 127
_BITS_PER_BYTE = 8


class VectorKind(StrEnum):
    """What a model's vectors are."""

    EMBEDDING = "embedding"
    CODE = "code"


class Column(NamedTuple):
    """A part of every vector of a model that search arrays keep apart.

    Attributes:
        name: in the names of files.
        dtype: of one number.
        width: numbers a vector.
    """

    name: str
    dtype: np.dtype[np.generic]
    width: int


class VectorForm(NamedTuple):
    """Kind and width of a model's vectors.

    Attributes:
        dim: numbers of an embedding, or bits of a code.
    """

    kind: VectorKind
    dim: int

    @classmethod
    def of(cls, vectors: np.ndarray) -> Self:
        """Of vectors (..., width) as they come into the library: real, or uint8 rows that :func:`to_rows` made.

        Raises
        ------
        ValueError
            bytes that no code of whole bytes could have.
        """
        width = int(vectors.shape[-1])
        if vectors.dtype != np.uint8:
            return cls(VectorKind.EMBEDDING, width)
        n_bytes, rest = divmod(width, 1 + _BITS_PER_BYTE)
        if rest:
            raise ValueError(f"a code and its strengths take nine bytes for every eight bits, got {width} bytes")
        return cls(VectorKind.CODE, _BITS_PER_BYTE * n_bytes)

    @property
    def columns(self) -> tuple[Column, ...]:
        """The parts of a vector, in the order of its bytes."""
        if self.kind is VectorKind.EMBEDDING:
            return (Column("vectors", np.dtype("<f4"), self.dim),)
        return (
            Column("codes", np.dtype("u1"), self.dim // _BITS_PER_BYTE),
            Column("strengths", np.dtype("i1"), self.dim),
        )

    def __str__(self) -> str:
        return f"codes of {self.dim} bits" if self.kind is VectorKind.CODE else f"embeddings of {self.dim} numbers"


def to_rows(vectors: Embeddings | BinaryCodes) -> np.ndarray:
    """What the library keeps of each: float32 (n, dim), or uint8 (n, n_bits / 8 + n_bits).

    The sign of a strength is always that of its bit, however small the activation: a set bit has 0 to 127, another one
    -127 to -1. Where only the bits are known all of them are as firm as can be.
    """
    if isinstance(vectors, Embeddings):
        return vectors.values
    signs = vectors.signs
    activations = signs if vectors.activations is None else vectors.activations
    strengths = np.rint(_FULL_STRENGTH * np.asarray(activations, np.float32))
    lowest, highest = np.where(signs > 0, 0, -_FULL_STRENGTH), np.where(signs > 0, _FULL_STRENGTH, -1)
    kept = np.clip(strengths, lowest, highest).astype(np.int8)
    return np.concatenate([vectors.packed, kept.view(np.uint8)], axis=1)


def to_activations(strengths: np.ndarray) -> np.ndarray:
    """Strengths int8 as activations, float32 in [-1, 1] of the same shape, as near to the model's as a byte can be."""
    return np.asarray(strengths, np.float32) / np.float32(_FULL_STRENGTH)


def to_bytes(row: np.ndarray) -> bytes:
    """One of :func:`to_rows` as the catalogue has it: little-endian, whatever the machine."""
    return np.ascontiguousarray(row, np.uint8 if row.dtype == np.uint8 else "<f4").tobytes()
