"""Where networks run: choosing a device, naming it for people, and telling when its memory ran out."""

import os

import torch

from explorer.errors import DeviceError

DEVICE_NAMES = ("auto", "cuda", "mps", "cpu")
OUT_OF_MEMORY_SENTENCE = "The graphics card ran out of memory; the model now runs on the CPU, which is slower."

# PyTorch reports a full device as RuntimeError with these texts where it has no type of its own for it.
_OUT_OF_MEMORY_TEXTS = ("out of memory", "cudnn_status_alloc_failed", "cublas_status_alloc_failed",
                        "mps backend out of memory", "not enough memory", "can't allocate memory")


def choose_device(name: str = "auto") -> torch.device:
    """The device of this name; ``auto`` takes CUDA, else MPS, else the CPU.

    Raises
    ------
    DeviceError
        no such device on this computer, or no such name.
    """
    if name not in DEVICE_NAMES:
        raise DeviceError(f'There is no device "{name}".', f"Choose one of {', '.join(DEVICE_NAMES)}.")
    available = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available(), "cpu": True}
    if name == "auto":
        return torch.device(next(kind for kind, there in available.items() if there))
    if not available[name]:
        title = {"cuda": "NVIDIA graphics card that PyTorch can use", "mps": "Apple graphics processor"}[name]
        raise DeviceError(f"There is no {title} in this computer.", 'Choose "auto" or "cpu".')
    return torch.device(name)


def device_title(device: torch.device) -> str:
    """What people read: "CPU", "Apple GPU", or the graphics card's name."""
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    return {"cpu": "CPU", "mps": "Apple GPU"}.get(device.type, device.type)


def describe_devices() -> list[str]:
    """A line for each device that is here, the one that ``auto`` takes first."""
    titles = [device_title(choose_device("auto"))]
    if titles != ["CPU"]:
        titles.append("CPU")
    return [f"{title} ({n_threads()} threads)" if title == "CPU" else title for title in titles]


def n_threads() -> int:
    """Threads for networks: one core less than there are, so that window and decoding stay alive, and at least one.

    More threads than free cores can collapse: 2.5 against 68 photos a second.
    """
    return max(1, (os.cpu_count() or 1) - 1)


def use_threads() -> None:
    """Let PyTorch use :func:`n_threads` in this process."""
    torch.set_num_threads(n_threads())


def ran_out_of_memory(error: BaseException) -> bool:
    """Whether this error says that a device's memory is full; PyTorch uses plain ``RuntimeError`` for it too."""
    if isinstance(error, torch.OutOfMemoryError | MemoryError):
        return True
    return isinstance(error, RuntimeError) and any(text in str(error).lower() for text in _OUT_OF_MEMORY_TEXTS)


def memory_error() -> DeviceError:
    """The sentence for a device whose memory is full and that has nothing to fall back to."""
    return DeviceError("There is not enough memory to run the model.", "Close other programs and try again.")
