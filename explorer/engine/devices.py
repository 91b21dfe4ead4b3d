"""What can be trained on: the processor and accelerators of the engine's machine, with the memory that is free."""

import ctypes
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar

from explorer import protocol
from explorer.cancellation import CancellationToken
from explorer.engine.opened import Opened
from explorer.protocol import Answer, Device

_MB = 1e6
_MEMORY_FILE = Path("/proc/meminfo")


def list_devices(_opened: Opened, request: protocol.ListDevices, _token: CancellationToken) -> Iterator[Answer]:
    """The devices, the one that ``auto`` takes first."""
    yield protocol.Devices(id=request.id, devices=(*_accelerators(), _processor()))


def _accelerators() -> Iterator[Device]:
    # Imported here, not at the top: torch takes seconds.
    import torch

    from explorer.vision.device import device_title

    n_cards = torch.cuda.device_count() if torch.cuda.is_available() else 0
    for number in range(n_cards):
        device = torch.device("cuda", number)
        try:
            free, total = torch.cuda.mem_get_info(device)
        except RuntimeError:  # another program has all of it, or has it to itself
            free, total = 0, torch.cuda.get_device_properties(device).total_memory
        name = "cuda" if n_cards == 1 else f"cuda:{number}"
        yield Device(name=name, title=device_title(device), free_mb=free / _MB, total_mb=total / _MB)
    if torch.backends.mps.is_available():
        total = torch.mps.recommended_max_memory()
        free = max(0, total - torch.mps.driver_allocated_memory())
        yield Device(name="mps", title=device_title(torch.device("mps")), free_mb=free / _MB, total_mb=total / _MB)


def _processor() -> Device:
    from explorer.vision.device import n_threads

    free, total = memory_mb()
    n = n_threads()
    return Device(name="cpu", title=f"CPU ({n} thread{'s' if n > 1 else ''})", free_mb=free, total_mb=total)


def memory_mb() -> tuple[float, float]:
    """Free and all memory of this machine in MB; 0 where that cannot be told."""
    if sys.platform == "win32":
        return _windows_memory_mb()
    try:
        lines = _MEMORY_FILE.read_text(encoding="ascii").splitlines()
        parts = {line.partition(":")[0]: int(line.split()[1]) * 1024 / _MB for line in lines if len(line.split()) > 1}
        return parts.get("MemAvailable", 0.0), parts["MemTotal"]
    except (OSError, ValueError, KeyError):
        pass  # a system without that file
    try:
        total = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / _MB
    except (OSError, ValueError):
        return 0.0, 0.0
    return 0.0, total


class _MemoryStatus(ctypes.Structure):
    """Windows' MEMORYSTATUSEX."""

    _fields_: ClassVar = [
        ("length", ctypes.c_ulong), ("load", ctypes.c_ulong), ("total", ctypes.c_ulonglong),
        ("free", ctypes.c_ulonglong), *[(f"other{n}", ctypes.c_ulonglong) for n in range(5)],
    ]  # fmt: skip


def _windows_memory_mb() -> tuple[float, float]:
    status = _MemoryStatus(length=ctypes.sizeof(_MemoryStatus))
    kernel = getattr(ctypes, "windll").kernel32  # noqa: B009 - only there on Windows
    if not kernel.GlobalMemoryStatusEx(ctypes.byref(status)):
        return 0.0, 0.0
    return status.free / _MB, status.total / _MB
