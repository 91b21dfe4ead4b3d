"""Runs that nobody trains yet, and processes that hold them."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from explorer.runs.folder import create_run
from explorer.runs.layout import RunFolder

RECIPE = b'task = "image-sentence"\nname = "tiny"\n'

_HOLD = """
import sys
from pathlib import Path
from explorer.runs.alive import hold
from explorer.runs.layout import RunFolder
with hold(RunFolder(Path(sys.argv[1]))):
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def runs_folder(tmp_path: Path) -> Path:
    return tmp_path / "runs"


@pytest.fixture
def make_run(runs_folder: Path) -> Callable[[str], RunFolder]:
    def make(name: str = "tiny") -> RunFolder:
        return create_run(
            runs_folder, name, RECIPE, task="image-sentence", title="3SHNet", recipe_folder=runs_folder.parent
        )

    return make


@pytest.fixture
def run(make_run: Callable[[str], RunFolder]) -> RunFolder:
    return make_run("tiny")


@pytest.fixture
def trainer_elsewhere() -> Iterator[Callable[[RunFolder], subprocess.Popen[bytes]]]:
    """Lets another process hold a run."""
    children: list[subprocess.Popen[bytes]] = []

    def hold(run: RunFolder) -> subprocess.Popen[bytes]:
        child = subprocess.Popen(
            [sys.executable, "-c", _HOLD, str(run.path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        children.append(child)
        assert child.stdout is not None
        assert child.stdout.readline().strip() == b"held"
        return child

    yield hold
    for child in children:
        child.kill()
        child.communicate()
