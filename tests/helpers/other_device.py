"""A device that is not the CPU, for machines that have none: what is on it cannot be mixed with what is on the CPU.

Within :func:`other_device`, tensors that are moved to :data:`DEVICE` (it borrows the name ``lazy``) keep their values,
which live on the CPU, but PyTorch and our code take them for tensors of another device. An operation that a graphics
card would refuse, because its tensors are on two devices, fails here, too.
"""

from contextlib import contextmanager
from unittest import mock

import torch
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode, return_and_correct_aliasing
from torch.utils._pytree import tree_flatten, tree_map

DEVICE = torch.device("lazy")

_aten = torch.ops.aten
_PACKING = {_aten._pack_padded_sequence.default, _aten._pad_packed_sequence.default}
"""Take and give sizes or lengths on the CPU as their second tensor, on every device."""

_BETWEEN = {_aten._to_copy.default, _aten.copy_.default, *_PACKING}
"""May see tensors of both devices, as on a graphics card."""


class Elsewhere(torch.Tensor):
    """A tensor on the other device; ``inner`` has its values."""

    @staticmethod
    def __new__(cls, inner):
        return torch.Tensor._make_wrapper_subclass(
            cls, inner.size(), strides=inner.stride(), storage_offset=inner.storage_offset(), dtype=inner.dtype,
            device=DEVICE,
        )

    def __init__(self, inner):
        self.inner = inner

    def __repr__(self):
        return f"Elsewhere({self.inner})"

    @classmethod
    def __torch_dispatch__(cls, func, types, args=(), kwargs=None):
        return _compute(func, args, kwargs or {})


class _Watch(TorchDispatchMode):
    """Sees the operations that have no tensor of the other device yet: moving there, and making some there."""

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        if func._can_decompose():  # in inference mode operations come whole that are made of others
            with self:
                return func.decompose(*args, **kwargs or {})
        return _compute(func, args, kwargs or {})


class _Made(TorchFunctionMode):
    """Tensors made of numbers for the other device are made here and moved, where the watch sees it."""

    def __torch_function__(self, func, types, args=(), kwargs=None):
        kwargs = kwargs or {}
        if func is torch.tensor and "device" in kwargs:
            device = kwargs.pop("device")
            return torch.tensor(*args, **kwargs).to(device)
        if func is torch.Tensor.new_tensor:
            like, numbers = args
            return torch.tensor(numbers, dtype=kwargs.get("dtype", like.dtype)).to(kwargs.get("device", like.device))
        return func(*args, **kwargs)


def _compute(func, args, kwargs):
    flat = tree_flatten((args, kwargs))[0]
    tensors = [value for value in flat if isinstance(value, torch.Tensor)]
    there = [isinstance(tensor, Elsewhere) for tensor in tensors]
    here = [tensor for tensor in tensors if not isinstance(tensor, Elsewhere) and tensor.ndim]
    if any(there) and here and func not in _BETWEEN:
        raise RuntimeError(f"{func} was given tensors on two devices: {[tuple(tensor.shape) for tensor in tensors]}")
    wanted = next((value for value in flat if isinstance(value, torch.device)), None)
    found = func(*tree_map(_within, args), **tree_map(_within, kwargs))
    goes_there = any(there[:1] if func in _BETWEEN else there) if wanted is None else wanted == DEVICE
    if not goes_there:
        return found
    if func in _PACKING:
        return Elsewhere(found[0]), found[1]
    wrapped = tree_map(lambda value: Elsewhere(value) if isinstance(value, torch.Tensor) else value, found)
    return return_and_correct_aliasing(func, args, kwargs, wrapped) if any(there) else wrapped


def _within(value):
    """What stands for a value where it is really computed."""
    if isinstance(value, torch.device):
        return torch.device("cpu")
    return value.inner if isinstance(value, Elsewhere) else value


@contextmanager
def other_device():
    """While :data:`DEVICE` is there."""
    with _Made(), _Watch(), mock.patch.object(torch, "is_autocast_enabled", return_value=False):
        yield DEVICE
