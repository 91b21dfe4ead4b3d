"""How much memory a training process takes."""

import sys
from pathlib import Path

import torch

_STATM = Path("/proc/self/statm")
_MB = 1e6


def resident_mb() -> float:
    """Resident memory of this process now; where the system does not say, the most that it ever was, or 0."""
    try:
        import resource

        return int(_STATM.read_text().split()[1]) * resource.getpagesize() / _MB
    except (ImportError, OSError, ValueError, IndexError):
        return peak_mb()


def peak_mb() -> float:
    """The most memory that was resident in this process; 0 where the system does not say."""
    try:
        import resource  # not on Windows
    except ImportError:
        return 0.0
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / _MB


def device_mb(device: torch.device) -> float:
    """Memory that this process has reserved on an accelerator; 0 on a CPU."""
    if device.type == "cuda":
        return torch.cuda.memory_reserved(device) / _MB
    if device.type == "mps":
        return torch.mps.driver_allocated_memory() / _MB
    return 0.0
