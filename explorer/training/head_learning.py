"""What the training of every head on the shared backbone has in common: dropped channels, checkpoints."""

from pathlib import Path
from typing import Any

import torch
from torch import nn
from torch.nn import functional

from explorer.vision.features import BackboneFeatures


def drop_channels(features: BackboneFeatures, share: float) -> BackboneFeatures:
    """The same features without a random share of the channels of trunk and grid."""
    if not share:
        return features
    return BackboneFeatures(features.stride8, functional.dropout2d(features.trunk, share),
                            functional.dropout2d(features.grid, share))


class HeadCheckpoint:
    """A file that holds all that a resumed training of one head needs.

    Attributes:
        path: of the file.
        name: of the head in it.
    """

    def __init__(
        self,
        path: Path,
        name: str,
        head: nn.Module,
        optimizer: torch.optim.Optimizer,
        schedule: torch.optim.lr_scheduler.OneCycleLR,
    ) -> None:
        self.path, self.name = path, name
        self._parts: dict[str, Any] = {name: head, "optimizer": optimizer, "schedule": schedule}

    def restore(self) -> int:
        """Number of epochs already done; 0 where there is no checkpoint."""
        if not self.path.is_file():
            return 0
        state = torch.load(self.path, weights_only=True)
        for name, part in self._parts.items():
            part.load_state_dict(state[name])
        return int(state["n_done"])

    def save(self, n_done: int) -> None:
        """Write it whole, or leave the old one."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        new = self.path.with_suffix(".new")
        torch.save({**{name: part.state_dict() for name, part in self._parts.items()}, "n_done": n_done}, new)
        new.replace(self.path)
