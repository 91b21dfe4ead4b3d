"""Whatever ends a run, as a sentence that says what to change."""

import errno
import traceback
from pathlib import Path

from explorer.errors import ConfigError, UserFacingError
from explorer.protocol.runs import RunFailed
from explorer.runs.failures import written

_NO_MEMORY_WORDS = (
    "out of memory", "can't allocate memory", "cannot allocate memory", "failed to allocate", "bad_alloc",
)  # fmt: skip
_NO_RANK_WORDS = ("connection closed by peer", "connection reset by peer", "remote process exited", "broken pipe")
_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
_KEPT = "what the last checkpoint holds is kept."

OTHER_PROCESS = "OtherProcess"
"""Kind of a failure that is only the echo of another process's."""


def failure_of(error: BaseException, *, phase: str, recipe_path: Path) -> RunFailed:
    """Why the run cannot go on, what to change, and details only where it was a bug.

    phase: at work when it happened; empty before the first.   recipe_path: whose numbers are named.
    """
    known = _as_sentence(error, phase, recipe_path)
    if known is not None:
        return known
    details = "".join(traceback.format_exception(error))
    return RunFailed(
        message=f"Training ended by an error of the program ({type(error).__name__}: {_first_line(error)}).",
        remedy=f"Please report it with these details; {_KEPT}",
        kind="Bug",
        details=details,
    )


def _as_sentence(error: BaseException, phase: str, recipe_path: Path) -> RunFailed | None:
    if isinstance(error, UserFacingError):
        return RunFailed(message=error.message, remedy=error.remedy, kind=type(error).__name__)
    if _is_memory(error):
        return _of_memory(phase, recipe_path, on_device=_is_device(error))
    if isinstance(error, RuntimeError) and _says(error, _NO_RANK_WORDS):
        return RunFailed(
            message="Another process of this training ended.",
            remedy=f"What it printed says why; {_KEPT}",
            kind=OTHER_PROCESS,
        )
    if isinstance(error, FloatingPointError):
        return RunFailed(
            message=f"Training ended: {_first_line(error)}.",
            remedy="Lower the learning rate in the recipe, to a tenth say, and begin again.",
            kind="TrainingDivergedError",
        )
    if isinstance(error, OSError):
        return _of_files(error)
    return None


def _of_memory(phase: str, recipe_path: Path, *, on_device: bool) -> RunFailed:
    where = "accelerator's memory" if on_device else "memory"
    found = _batch_size(phase, recipe_path)
    if found is None or found[1] < 4:
        remedy = "Close other programs, or choose another device, then go on with this run."
    else:
        section, size = found
        remedy = (
            f"Set batch_size = {size // 2} in [{section}] (it is {size}) and begin again; features that are computed "
            "are used again. Or close other programs, then go on with this run."
        )
    while_ = f" in the phase {phase}" if phase else ""
    return RunFailed(message=f"The {where} ran out{while_}.", remedy=remedy, kind="OutOfMemory")


def _batch_size(phase: str, recipe_path: Path) -> tuple[str, int] | None:
    """The section and the size of the batches of a phase; None where it has none."""
    from explorer.training.trainer import read_any_recipe  # heavy, as all that knows recipes

    try:
        recipe = read_any_recipe(recipe_path)
    except UserFacingError:
        return None
    section = {"features": "", "tail": "tail", "distillation": "learning", "regions": ""}.get(phase, "training")
    size = getattr(getattr(recipe, section, None), "batch_size", None)
    return (section, size) if isinstance(size, int) else None


def _of_files(error: OSError) -> RunFailed:
    """A full disk, or a file that is gone, wherever it was met."""
    path = Path(str(error.filename)) if error.filename else None
    if error.errno in _FULL or path is None:
        try:
            with written(path or Path("a file of the run")):
                raise error
        except UserFacingError as said:
            return RunFailed(message=said.message, remedy=said.remedy, kind=type(said).__name__)
    return RunFailed(
        message=f"{path} cannot be used ({error.strerror or error}).",
        remedy="Put it back where it was, then go on with this run.",
        kind=ConfigError.__name__,
    )


def _is_memory(error: BaseException) -> bool:
    if isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError":
        return True
    if isinstance(error, OSError):
        return error.errno == errno.ENOMEM
    return isinstance(error, RuntimeError) and _says(error, _NO_MEMORY_WORDS)


def _is_device(error: BaseException) -> bool:
    return type(error).__name__ == "OutOfMemoryError" or _says(error, ("cuda", "mps backend"))


def _says(error: BaseException, words: tuple[str, ...]) -> bool:
    text = str(error).lower()
    return any(word in text for word in words)


def _first_line(error: BaseException) -> str:
    return str(error).strip().partition("\n")[0]
