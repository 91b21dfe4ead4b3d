"""What every gradient phase shares: the learning rate over time, and the running average of the weights."""

import copy
import functools
import math
import operator
from collections.abc import Iterable, Mapping
from typing import Any, TypeVar

import torch
from torch import nn

_MAX_LOG_SCALE = math.log(100.0)


def rate_at(step: int, n_steps: int, warmup_steps: int) -> float:
    """Share of the highest learning rate in a step: a linear rise, then a cosine down to 0."""
    rise = min(1.0, (step + 1) / (warmup_steps + 1))
    return rise * 0.5 * (1.0 + math.cos(math.pi * step / n_steps))


def decay_groups(modules: Iterable[tuple[nn.Module, float]], weight_decay: float) -> list[dict[str, object]]:
    """Parameter groups for AdamW: matrices decay, biases, norms and scalars do not. Each carries its ``top_rate``."""
    groups: list[dict[str, object]] = []
    for module, rate in modules:
        parameters = [p for p in module.parameters() if p.requires_grad]
        for decays in (True, False):
            chosen = [p for p in parameters if (p.ndim > 1) is decays]
            if chosen:
                groups.append(
                    {"params": chosen, "lr": rate, "top_rate": rate, "weight_decay": weight_decay if decays else 0.0}
                )
    return groups


def set_rate(optimizer: torch.optim.Optimizer, share: float) -> float:
    """Scale every group's rate to a share of its top; the highest of them."""
    for group in optimizer.param_groups:
        group["lr"] = group["top_rate"] * share
    return float(max(group["lr"] for group in optimizer.param_groups))


class RunningAverage:
    """Exponential average of a module's tensors; young averages follow faster."""

    def __init__(self, module: nn.Module, decay: float) -> None:
        self.decay = decay
        self.n_updates = 0
        self.tensors = {name: tensor.detach().clone() for name, tensor in module.state_dict().items()}

    @torch.no_grad()
    def update(self, module: nn.Module) -> None:
        """Take the module's present tensors in."""
        self.n_updates += 1
        decay = min(self.decay, self.n_updates / (self.n_updates + 9))
        for name, tensor in module.state_dict().items():
            if tensor.is_floating_point():
                self.tensors[name].lerp_(tensor, 1.0 - decay)
            else:
                self.tensors[name].copy_(tensor)


ModuleT = TypeVar("ModuleT", bound=nn.Module)


def take_step(
    loss: torch.Tensor,
    model: nn.Module,
    optimizer: torch.optim.Optimizer,
    average: RunningAverage | None = None,
    *,
    clip_norm: float,
) -> float:
    """One optimizer step down the loss, with gradients no longer than ``clip_norm``; the loss as a number."""
    optimizer.zero_grad()
    loss.backward()
    nn.utils.clip_grad_norm_(model.parameters(), clip_norm)
    optimizer.step()
    if average is not None:
        average.update(model)
    return float(loss.detach())


def descend(
    terms: Mapping[str, torch.Tensor],
    model: nn.Module,
    optimizer: torch.optim.Optimizer,
    average: RunningAverage | None = None,
    *,
    clip_norm: float,
) -> dict[str, float]:
    """One step down the sum of weighted terms, see :func:`take_step`; the sum as ``"loss"``, and the terms."""
    loss = functools.reduce(operator.add, terms.values())
    numbers = {name: float(term.detach()) for name, term in terms.items()}
    return {"loss": take_step(loss, model, optimizer, average, clip_norm=clip_norm)} | numbers


def averaged_copy(model: ModuleT, average: RunningAverage | None) -> ModuleT:
    """A copy that only answers, with the averaged tensors where there are any: what is measured and shipped."""
    copied = copy.deepcopy(model).eval()
    if average is not None:
        copied.load_state_dict(average.tensors)
    for part in copied.modules():
        if isinstance(part, nn.RNNBase):
            part.flatten_parameters()  # a copy's weights lie apart, which slows a graphics card down
    return copied


def averaged_state(
    model: nn.Module, optimizer: torch.optim.Optimizer, average: RunningAverage | None
) -> dict[str, Any]:
    """What a phase's checkpoint holds of these: tensors and plain values."""
    return {
        "model": model.state_dict(),
        "optimizer": optimizer.state_dict(),
        "average": average.tensors if average else {},
        "n_updates": average.n_updates if average else 0,
    }


def restore_averaged(
    state: dict[str, Any], model: nn.Module, optimizer: torch.optim.Optimizer, average: RunningAverage | None
) -> None:
    """The inverse of :func:`averaged_state`, onto whatever device the model is on."""
    model.load_state_dict(state["model"])
    optimizer.load_state_dict(state["optimizer"])
    if average is not None:
        for name, tensor in average.tensors.items():
            tensor.copy_(state["average"][name])
        average.n_updates = int(state["n_updates"])


class LogScale(nn.Module):
    """The learned logarithm of the inverse temperature, at most ln 100."""

    def __init__(self, start: float = 20.0) -> None:
        super().__init__()
        self.value = nn.Parameter(torch.tensor(math.log(start)))

    def forward(self) -> torch.Tensor:
        """The scalar."""
        return self.value.clamp(max=_MAX_LOG_SCALE)
