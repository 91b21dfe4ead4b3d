"""Tensors of a pooled package: ``linear.weight`` (D, F) and ``linear.bias`` (D,)."""

from collections.abc import Mapping

import numpy as np

from explorer.networks.common.loading import load_strictly, packed
from explorer.networks.pooled.model import PooledProjection


def from_package(model: PooledProjection, tensors: Mapping[str, np.ndarray], *, package_name: str) -> None:
    """Fill the model; :class:`~explorer.errors.PackageError` where the tensors do not fit."""
    load_strictly(model, tensors, package_name=package_name)


def to_package(model: PooledProjection) -> dict[str, np.ndarray]:
    """What the package keeps."""
    return packed(model)
