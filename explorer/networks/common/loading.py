"""Tensors of a package: by part, and into a module, strictly."""

from collections.abc import Mapping

import numpy as np
import torch
from torch import nn

from explorer.errors import PackageError
from explorer.packages.package import require_keys


def load_strictly(module: nn.Module, tensors: Mapping[str, np.ndarray], *, package_name: str) -> None:
    """Fill a module from a package's tensors, in the module's own precision.

    Raises
    ------
    PackageError
        a tensor is missing, unexpected or of another shape.
    """
    expected = {key: value for key, value in module.state_dict().items() if not key.endswith("num_batches_tracked")}
    require_keys(tensors, expected)
    for key, tensor in tensors.items():
        if tensor.shape != tuple(expected[key].shape):
            raise PackageError(
                f"The tensor {key} of {package_name} has shape {tensor.shape}, expected {tuple(expected[key].shape)}.",
                "The package is damaged; install it again.",
            )
    state = {key: torch.from_numpy(np.asarray(tensor)).to(expected[key].dtype) for key, tensor in tensors.items()}
    module.load_state_dict(state, strict=False)


def packed(module: nn.Module) -> dict[str, np.ndarray]:
    """A module's tensors as a package keeps them: matrices in half precision, statistics and biases in full."""
    tensors = {}
    for key, value in module.state_dict().items():
        if not key.endswith("num_batches_tracked"):
            array = value.detach().cpu().contiguous().numpy()
            tensors[key] = array.astype(np.float16) if array.ndim > 1 else array.astype(np.float32)
    return tensors


def split_parts(tensors: Mapping[str, np.ndarray]) -> dict[str, dict[str, np.ndarray]]:
    """A package's tensors by part: the word before the first dot."""
    parts: dict[str, dict[str, np.ndarray]] = {}
    for key, tensor in tensors.items():
        part, _, name = key.partition(".")
        parts.setdefault(part, {})[name] = tensor
    return parts


def join_parts(parts: Mapping[str, Mapping[str, np.ndarray]]) -> dict[str, np.ndarray]:
    """The inverse of :func:`split_parts`."""
    return {f"{part}.{name}": tensor for part, tensors in parts.items() for name, tensor in tensors.items()}
