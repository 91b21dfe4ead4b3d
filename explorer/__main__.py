"""``python -m explorer`` and the ``retrieval-explorer`` command.

No command, or a folder where a command should be, opens the window. That call is read here, without the command line's
library: importing it takes as long as Qt's first paint, and the window is what people start most.
"""

import os
import sys
from collections.abc import Sequence
from pathlib import Path

from explorer.errors import UserFacingError

COMMANDS = frozenset(
    {"engine", "index", "search", "explain", "train", "evaluate", "labels", "convert", "models", "sample", "doctor"}
)
DATA_DIR_VARIABLE = "RETRIEVAL_EXPLORER_DATA"


def main() -> None:
    """Run what was called; what a user can cause ends in one sentence and exit status 1."""
    try:
        raise SystemExit(_run(sys.argv[1:]))
    except UserFacingError as error:
        sys.stderr.write(f"{error}\n")
        raise SystemExit(1) from None


def _run(arguments: Sequence[str]) -> int:
    call = window_call(arguments)
    if call is None:
        from explorer.cli import run_command

        return run_command(arguments)
    from explorer import paths
    from explorer.engine.client import engine_command
    from explorer.gui.app import run_window

    data_dir, library = call
    data_dir = paths.places(data_dir).data_dir
    return run_window(library, data_dir=data_dir, engine_command=engine_command(data_dir))


def window_call(arguments: Sequence[str]) -> tuple[Path | None, Path | None] | None:
    """Data folder and library of a call that opens the window, either None if not given; None for other calls."""
    waiting = [part for word in arguments for part in _split_option(word)]
    data_dir = os.environ.get(DATA_DIR_VARIABLE) or None
    library = None
    if waiting[:1] == ["window"]:
        waiting = waiting[1:]
    while waiting:
        word = waiting.pop(0)
        if word == "--data-dir" and waiting:
            data_dir = waiting.pop(0)
            if waiting[:1] == ["window"]:
                waiting = waiting[1:]
        elif word.startswith("-") or word in COMMANDS or library is not None:
            return None
        else:
            library = word
    return Path(data_dir) if data_dir else None, Path(library).expanduser().absolute() if library else None


def _split_option(word: str) -> list[str]:
    name, equals, value = word.partition("=")
    return [name, value] if name == "--data-dir" and equals else [word]


if __name__ == "__main__":
    main()
