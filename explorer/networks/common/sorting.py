"""Sorting tokens dimension by dimension, the costly part of GPO.

``torch.sort`` takes ten times as long as numpy's vectorised sort on a CPU (measured: 148 tokens of 1024 dimensions, 86
against 8 ms a picture), so the CPU path goes through numpy. With gradients, each value's position is packed into the
low bits of its sortable bit pattern and recovered afterwards: values closer than about 2^-15 of their size (fewer than
257 tokens) may then swap places, which moves nothing but the gradient between two equal values.
"""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import torch
from torch import Tensor

_SIGN_CLEARED = 0x7FFFFFFF


def sort_descending(values: Tensor) -> Tensor:
    """Sort float (..., N) along its last dimension, largest first; differentiable."""
    if values.device.type != "cpu" or values.dtype != torch.float32:
        return values.sort(dim=-1, descending=True).values
    if torch.is_grad_enabled() and values.requires_grad:
        result: Tensor = _PackedSort.apply(values)
        return result
    negated = np.negative(values.detach().numpy(), order="C")
    _sort_rows(negated)
    return torch.from_numpy(np.negative(negated, out=negated))


class _PackedSort(torch.autograd.Function):
    """Sort with positions in the low bits."""

    @staticmethod
    def forward(ctx: Any, values: Tensor) -> Tensor:
        """Sorted values; remembers where each came from."""
        values = values.contiguous()
        n = values.shape[-1]
        mask = (1 << max(n - 1, 1).bit_length()) - 1
        bits = values.view(torch.int32)
        # Order-preserving integers: flip all but the sign of negative numbers; the complement turns the order round.
        keys = (bits ^ ((bits >> 31) & _SIGN_CLEARED)).bitwise_not_()
        keys.bitwise_and_(~mask).bitwise_or_(torch.arange(n, dtype=torch.int32))
        _sort_rows(keys.numpy())
        order = keys.bitwise_and_(mask).long()
        ctx.save_for_backward(order)
        return values.gather(-1, order)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Tensor:
        """Send each gradient back to where its value came from."""
        (order,) = ctx.saved_tensors
        return torch.empty_like(gradients[0], memory_format=torch.contiguous_format).scatter_(
            -1, order, gradients[0]
        )


def _sort_rows(array: np.ndarray) -> None:
    """Sort the last axis in place, on as many threads as torch may use (numpy lets go of the interpreter)."""
    n_threads = torch.get_num_threads()
    flat = array.reshape(-1, array.shape[-1])
    if n_threads == 1 or len(flat) < 4096:
        flat.sort(axis=-1)
        return
    with ThreadPoolExecutor(n_threads) as pool:
        list(pool.map(lambda part: part.sort(axis=-1), np.array_split(flat, n_threads)))
