"""``python -m explorer.training CONFIG.toml [--resume RUN] [--device D] [--data-dir DIR]``: the command ``train``.

For ``torchrun --nproc-per-node N -m explorer.training CONFIG.toml``, which starts modules. The command line is above
this room, so it is run, not imported.
"""

import runpy
import sys


def train_arguments(arguments: list[str]) -> list[str]:
    """Arguments of the program: ``--data-dir`` belongs to all of its commands and so comes before ``train``."""
    general: list[str] = []
    own: list[str] = []
    waiting = list(arguments)
    while waiting:
        word = waiting.pop(0)
        if word == "--data-dir" and waiting:
            general += [word, waiting.pop(0)]
        elif word.startswith("--data-dir="):
            general.append(word)
        else:
            own.append(word)
    return [*general, "train", *own]


if __name__ == "__main__":
    sys.argv[1:] = train_arguments(sys.argv[1:])
    runpy.run_module("explorer", run_name="__main__")
