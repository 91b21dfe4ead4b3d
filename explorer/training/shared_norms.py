"""Batch normalisation over the batches of all ranks, on any device.

PyTorch's own ``SyncBatchNorm`` refuses a CPU.
"""
# B rows, C channels, R ranks

from typing import Any

import torch
import torch.distributed
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm


class SharedBatchNorm(_BatchNorm):
    """A batch normalisation whose mean and spread are those of the rows of all ranks together.

    Ranks may have unlike numbers of rows. In evaluation mode it is what it stands for.
    """

    def forward(self, values: Tensor) -> Tensor:
        """(B, C, ...) to the same shape."""
        if not self.training:
            return super().forward(values)
        others = [0, *range(2, values.ndim)]
        shape = [1, -1, *([1] * (values.ndim - 2))]
        rows = values.float()
        own_C = rows.mean(dim=others)
        squares_C = (rows - own_C.view(shape)).square().sum(dim=others)
        everyone = _gathered(torch.cat([own_C, squares_C, own_C.new_tensor([values.numel() / len(own_C)])]))
        means_RC, squares_RC, counts_R1 = everyone.split([len(own_C), len(own_C), 1], dim=1)
        # Spreads around each rank's own mean, put together (Chan et al. 1979): no large numbers are subtracted.
        n = counts_R1.sum()
        mean_C = (counts_R1 * means_RC).sum(dim=0) / n
        variance_C = (squares_RC + counts_R1 * (means_RC - mean_C).square()).sum(dim=0) / n
        self._remember(mean_C.detach(), variance_C.detach() * n / (n - 1).clamp(min=1))
        centred = rows - mean_C.view(shape)
        normed: Tensor = centred * torch.rsqrt(variance_C + self.eps).view(shape)
        if self.affine:
            normed = normed * self.weight.view(shape) + self.bias.view(shape)
        return normed.to(values.dtype)

    def _remember(self, mean: Tensor, variance: Tensor) -> None:
        if self.running_mean is None or self.running_var is None or self.num_batches_tracked is None:
            return
        with torch.no_grad():
            self.num_batches_tracked.add_(1)
            share = 1 / float(self.num_batches_tracked) if self.momentum is None else self.momentum
            self.running_mean.lerp_(mean, share)
            self.running_var.lerp_(variance, share)

    def _check_input_dim(self, input: Tensor) -> None:
        """Any number of dimensions: it stands for all of PyTorch's three."""


def share_norms(module: nn.Module) -> None:
    """Put :class:`SharedBatchNorm` in the place of all batch normalisations within a module.

    They keep their parameters and buffers, and their names. Kinds of batch normalisation that are not PyTorch's own
    stay; ours only come with backbones, whose statistics are frozen.
    """
    for name, child in module.named_children():
        if type(child) in (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d):
            setattr(module, name, _shared(child))
        else:
            share_norms(child)


def _shared(norm: Any) -> SharedBatchNorm:
    shared = SharedBatchNorm(norm.num_features, norm.eps, norm.momentum, norm.affine, norm.track_running_stats)
    shared.training = norm.training
    shared._parameters, shared._buffers = norm._parameters, norm._buffers
    return shared


class _Everyone(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, values: Tensor) -> Tensor:
        everyone = [torch.empty_like(values) for _ in range(torch.distributed.get_world_size())]
        torch.distributed.all_gather(everyone, values.contiguous())
        return torch.stack(everyone)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Any:
        total = gradients[0].clone(memory_format=torch.contiguous_format)
        torch.distributed.all_reduce(total)
        return total[torch.distributed.get_rank()]


def _gathered(values: Tensor) -> Tensor:
    """What every rank has, (K,) to (R, K); gradients flow back to each."""
    everyone: Tensor = _Everyone.apply(values)
    return everyone
