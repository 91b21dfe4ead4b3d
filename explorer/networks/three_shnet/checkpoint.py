"""Reading a checkpoint that somebody else wrote, without running anything that is in it."""

import argparse
import pickle
import re
import struct
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from explorer.errors import PackageError

_PREFIX = "module."
_REFUSED_NAME = re.compile(r"(?:GLOBAL|global|class|function) [`'\"]?([\w.]+)")
_ANOTHER = "Only checkpoints of 3SHNet as its authors wrote them can be imported."
# What torch raises for a damaged file depends on where it is damaged.
_DAMAGE = (
    RuntimeError, EOFError, ValueError, LookupError, AttributeError, TypeError, AssertionError, ArithmeticError,
    struct.error,
)

Option = str | int | float | bool | None


@dataclass(frozen=True, slots=True)
class PublishedCheckpoint:
    """What the authors' training wrote, as plain tensors; keys are without their ``module.``.

    Attributes:
        image: the image encoder's tensors.
        text: the sentence encoder's tensors.
        epoch: epochs of training, where it says so.
        best_rsum: best rSum on dev, where it says so.
        options: the plain values of the authors' command line.
    """

    image: Mapping[str, Tensor]
    text: Mapping[str, Tensor]
    epoch: int | None = None
    best_rsum: float | None = None
    options: Mapping[str, Option] = field(default_factory=dict)


def read_published_checkpoint(path: Path) -> PublishedCheckpoint:
    """Read ``model_best.pth``: a dict whose ``model`` is the list of the two encoders' state dicts.

    Tensors, containers and an ``argparse.Namespace`` are all that is unpickled (README.md 3.13).

    Raises
    ------
    PackageError
        no such file; truncated or no checkpoint at all; something in it would run code; it is not of this form; a
        tensor is not finite.
    """
    content = _load(path)
    model = content.get("model") if isinstance(content, dict) else None
    if not isinstance(model, list | tuple) or len(model) != 2 or not all(map(_is_state_dict, model)):
        raise PackageError(f"{path.name} does not hold an image and a text encoder as a list of two.", _ANOTHER)
    image, text = (_plain(path, part) for part in model)
    epoch, best = content.get("epoch"), content.get("best_rsum")
    return PublishedCheckpoint(
        image=image,
        text=text,
        epoch=int(epoch) if isinstance(epoch, int) else None,
        best_rsum=float(best) if isinstance(best, int | float | Tensor) else None,
        options=_options(content.get("opt")),
    )


def _load(path: Path) -> Any:
    try:
        with torch.serialization.safe_globals([argparse.Namespace]), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about pickles of another kind; what cannot be read is told below
            return torch.load(path, map_location="cpu", weights_only=True)
    except (FileNotFoundError, IsADirectoryError) as error:
        raise PackageError(f"There is no checkpoint {path}.", "Check the path of the .pth file.") from error
    except pickle.UnpicklingError as error:
        raise _refused(path, str(error)) from error
    except OSError as error:
        raise PackageError(f"{path} cannot be read: {error.strerror or error}.", "Check its permissions.") from error
    except _DAMAGE as error:
        raise _damaged(path) from error


def _refused(path: Path, reason: str) -> PackageError:
    found = _REFUSED_NAME.search(reason.partition("Please file an issue")[0].split("WeightsUnpickler error:")[-1])
    what = f"{found.group(1)}, which is no tensor and could run code" if found else (
        "something other than plain tensors, which could run code, or is damaged"
    )
    return PackageError(
        f"{path.name} holds {what}; nothing of it was run.",
        "Do not use this file; get the checkpoint from its authors.",
    )


def _damaged(path: Path) -> PackageError:
    return PackageError(f"{path.name} is damaged, cut off, or no checkpoint of PyTorch.", "Download it again.")


def _is_state_dict(part: object) -> bool:
    return (
        isinstance(part, dict)
        and bool(part)
        and all(isinstance(key, str) and isinstance(value, Tensor) for key, value in part.items())
    )


def _plain(path: Path, part: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Without ``module.``, floating point numbers in single precision."""
    tensors = {}
    for key, value in part.items():
        if value.is_floating_point():
            if not bool(torch.isfinite(value).all()):
                raise PackageError(f"{key} of {path.name} holds numbers that are not finite.", "Download it again.")
            value = value.float()
        tensors[key.removeprefix(_PREFIX)] = value
    return tensors


def _options(namespace: object) -> dict[str, Option]:
    if not isinstance(namespace, argparse.Namespace):
        return {}
    return {
        key: value for key, value in vars(namespace).items() if value is None or isinstance(value, str | int | float)
    }
