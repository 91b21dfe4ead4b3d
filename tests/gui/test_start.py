"""Starting and ending the program's window, each in a process of its own."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).resolve().parents[2]
FAKE_ENGINE = CHECKOUT / "tests" / "helpers" / "fake_engine.py"

_RUN = """
import json, sys, threading
from pathlib import Path
from PySide6.QtCore import QTimer
from explorer.gui import app
from explorer.gui import main_window
complete = app.complete_after_paint
def and_leave(window, controller):
    complete(window, controller)
    def look():
        if controller.session.ranking is None or not window.pane.shows_results:
            QTimer.singleShot(50, look)
            return
        heavy = [m for m in ("torch", "torchvision", "timm", "transformers", "cv2", "faiss", "av", "PIL", "matplotlib")
                 if m in sys.modules]
        print(json.dumps({"heavy": heavy, "text": window.pane.count_label.text()}))
        window.close()
    QTimer.singleShot(50, look)
app.complete_after_paint = and_leave
status = app.run_window(None, data_dir=Path(sys.argv[1]), engine_command=[sys.executable, sys.argv[2]])
assert threading.active_count() == 1, threading.enumerate()
sys.exit(status)
"""


def run(code, *arguments, **environment):
    env = {**os.environ, "PYTHONPATH": str(CHECKOUT), **environment}
    env = {key: value for key, value in env.items() if value is not None}
    return subprocess.run(
        [sys.executable, "-c", code, *map(str, arguments)],
        env=env, capture_output=True, text=True, timeout=60, check=False,
    )


def test_the_window_starts_works_ends_and_stays_light(tmp_path):
    done = run(_RUN, tmp_path, FAKE_ENGINE, QT_QPA_PLATFORM="offscreen")
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == '{"heavy": [], "text": "40 photos"}'
    assert (tmp_path / "settings.toml").is_file()
    assert "Traceback" not in done.stderr


def test_what_is_seen_first_needs_neither_numpy_nor_training():
    """Each takes as long to import as a bare window takes to appear."""
    late = "numpy", "filelock", "explorer.runs", "explorer.gui.training.part", "explorer.gui.training.window"
    done = run(f"import sys, explorer.gui.main_window\nprint([name for name in {late!r} if name in sys.modules])")
    assert done.stdout.strip() == "[]", done.stderr


_JUST_RUN = """
import sys
from pathlib import Path
from explorer.gui.app import run_window
sys.exit(run_window(None, data_dir=Path(sys.argv[1]), engine_command=["false"]))
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="other systems always have a display")
@pytest.mark.parametrize(
    ("environment", "sentence"),
    [
        ({"DISPLAY": None, "WAYLAND_DISPLAY": None}, "There is no display to show a window on."),
        ({"DISPLAY": ":97", "WAYLAND_DISPLAY": None}, "The display :97 does not answer."),
        ({"DISPLAY": "no display at all", "WAYLAND_DISPLAY": None}, "does not answer."),
        ({"DISPLAY": None, "WAYLAND_DISPLAY": "wayland-97"}, "The display wayland-97 does not answer."),
    ],
)
def test_without_a_display_one_sentence(tmp_path, environment, sentence):
    done = run(_JUST_RUN, tmp_path, **{"QT_QPA_PLATFORM": None, **environment})
    assert done.returncode == 1
    assert sentence in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
    assert "retrieval-explorer --help" in done.stderr
