"""Starts the window and ends it."""

import gc
import os
import signal
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from explorer.errors import ConfigError
from explorer.settings import LibrarySettings, Settings, read_settings, write_settings

if TYPE_CHECKING:  # Qt is imported once a display is known to be there
    from PySide6.QtGui import QIcon, QPalette
    from PySide6.QtWidgets import QApplication

    from explorer.gui.controller import Controller
    from explorer.gui.main_window import MainWindow

SETTINGS_FILE = "settings.toml"
SAMPLE_FOLDER = "Sample collection"
"""In the data folder; its name is what the list of folders shows."""

_X11_PORT = 6000
_HEADLESS_PLATFORMS = ("offscreen", "minimal", "vnc", "eglfs", "linuxfb")


def run_window(library: Path | None, *, data_dir: Path, engine_command: Sequence[str]) -> int:
    """Show the window until it is closed; the exit status.

    ``library``: the folder to open; ``None``: the one open last, else ``data_dir / "library"``. Settings are kept in
    ``data_dir``. ``engine_command`` starts an engine that speaks the protocol on its standard input and output.
    """
    problem = display_problem()
    if problem:
        sys.stderr.write(problem + "\n")
        return 1
    gc.disable()  # nothing made while starting is garbage; looking for it took a tenth of the time to the first paint
    from PySide6.QtWidgets import QApplication

    app = QApplication.instance() or QApplication([sys.argv[0] or "retrieval-explorer"])
    assert isinstance(app, QApplication)
    prepare_application(app)
    window, controller = build_window(library, data_dir=data_dir, engine_command=engine_command, complete=False)
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # Ctrl-C in the terminal ends the window; Python hears it too late
    window.show()
    complete_after_paint(window, controller)
    status = app.exec()
    leave_window(window, controller, data_dir)
    return status


def prepare_application(app: "QApplication") -> None:
    """Names and manners that hold for the whole process."""
    from PySide6.QtCore import QLoggingCategory

    QLoggingCategory.setFilterRules("qt.gui.imageio*=false")  # a damaged picture is told in a sentence, not on stderr
    app.setApplicationName("retrieval-explorer")
    app.setApplicationDisplayName("Retrieval Explorer")
    app.setDesktopFileName("retrieval-explorer")
    app.setWindowIcon(program_icon(app.palette()))


def program_icon(palette: "QPalette") -> "QIcon":
    """A picture under a glass, in the accent colour."""
    from PySide6.QtCore import QRectF, Qt
    from PySide6.QtGui import QIcon, QPainter, QPalette, QPixmap

    from explorer.gui.icons import paint_glyph

    pixmap = QPixmap(64, 64)
    pixmap.fill(Qt.GlobalColor.transparent)
    painter = QPainter(pixmap)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(palette.color(QPalette.ColorRole.Highlight))
    painter.drawRoundedRect(QRectF(2, 2, 60, 60), 14, 14)
    paint_glyph(painter, "search", QRectF(12, 12, 40, 40), palette.color(QPalette.ColorRole.HighlightedText))
    painter.end()
    return QIcon(pixmap)


def complete_after_paint(window: "MainWindow", controller: "Controller") -> None:
    """Once the window is seen, start the engine, and import in a thread what grid and viewer need."""
    from explorer.gui.first_paint import FirstPaint
    from explorer.gui.worker import Job

    imports = Job(_import_the_rest)
    imports.finished.connect(window.complete)  # if the import failed, it is tried there again, and fails aloud
    imports.finished.connect(_collect_garbage_again)

    def go_on() -> None:
        controller.start()
        imports.start()

    FirstPaint(window, go_on)


def _collect_garbage_again() -> None:
    gc.freeze()
    gc.enable()


def _import_the_rest() -> None:
    import explorer.gui.results_grid
    import explorer.gui.shown_ranking
    import explorer.gui.training.part
    import explorer.gui.viewer
    import explorer.gui.viewing  # noqa: F401


def build_window(
    library: Path | None, *, data_dir: Path, engine_command: Sequence[str], complete: bool = True
) -> "tuple[MainWindow, Controller]":
    """The window, not shown yet, and its controller, not started yet; ``complete``: with grid and viewer."""
    from explorer.gui.controller import Controller
    from explorer.gui.main_window import MainWindow
    from explorer.gui.notices import Notice, Topic
    from explorer.session import Session

    settings, problem = _settings_or_defaults(data_dir / SETTINGS_FILE)
    folder = library or (Path(settings.library.last) if settings.library.last else data_dir / "library")
    session = Session(os.fsencode(folder.absolute()), preferred_model=settings.search.model)
    session.sample.folder = os.fsencode(data_dir.absolute() / SAMPLE_FOLDER)
    session.every_moment = settings.search.every_moment
    controller = Controller(session, engine_command)
    window = MainWindow(controller, settings, data_dir)
    if complete:
        window.complete()
    if problem:
        controller.notify(Notice(topic=Topic.SETTINGS, text=problem))
    return window, controller


def leave_window(window: "MainWindow", controller: "Controller", data_dir: Path) -> None:
    """Remember how the window was left, and end the engine; the window is hidden by now."""
    settings = window.settings()
    try:
        last = os.fsdecode(controller.session.library_path)
        last.encode("utf-8")
        settings = replace(settings, library=LibrarySettings(last=last))
    except UnicodeEncodeError:
        pass  # TOML cannot hold the name; the next start asks for it on the command line again
    try:
        write_settings(data_dir / SETTINGS_FILE, settings)
    except ConfigError as error:
        sys.stderr.write(f"{error}\n")
    if window.training is not None:
        window.training.close()
    controller.close()


def _settings_or_defaults(path: Path) -> tuple[Settings, str]:
    """The settings; where they cannot be read, the defaults and a sentence, the file kept under another name."""
    try:
        return read_settings(path), ""
    except ConfigError as error:
        kept = path.with_name(path.name + ".unread")
        try:
            path.replace(kept)
        except OSError:
            return Settings(), str(error)
        return Settings(), f"{error} The file was kept as {kept.name}."


def display_problem() -> str:
    """Why no window can be shown here, in a sentence; empty if one can. Qt itself would abort the process."""
    if not sys.platform.startswith("linux"):
        return ""
    platform = os.environ.get("QT_QPA_PLATFORM", "").split(":")[0].split(";")[0]
    if platform in _HEADLESS_PLATFORMS:
        return ""
    advice = "Use the commands instead (retrieval-explorer --help), or set DISPLAY."
    x11, wayland = os.environ.get("DISPLAY", ""), os.environ.get("WAYLAND_DISPLAY", "")
    if not x11 and not wayland:
        return f"There is no display to show a window on. {advice}"
    if wayland and platform != "xcb" and _answers(Path(os.environ.get("XDG_RUNTIME_DIR", "/run")) / wayland):
        return ""
    if not x11 or not _x11_answers(x11):
        return f"The display {x11 or wayland} does not answer. {advice}"
    missing = [name for name in ("libEGL.so.1", "libxcb-cursor.so.0") if not _loads(name)]
    if missing:
        return f"Qt needs {' and '.join(missing)} to show a window: apt install libegl1 libxcb-cursor0."
    return ""


def _x11_answers(display: str) -> bool:
    host, _, rest = display.rpartition(":")
    number = rest.split(".")[0]
    if not number.isdigit():
        return False
    if host in ("", "unix"):
        path = f"/tmp/.X11-unix/X{number}"
        return _answers(Path(path)) or _answers(f"\0{path}")
    import socket  # here for the start-up time

    try:
        socket.create_connection((host, _X11_PORT + int(number)), timeout=2).close()
    except OSError:
        return False
    return True


def _answers(address: "Path | str") -> bool:
    import socket

    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.settimeout(2)
        return probe.connect_ex(str(address)) == 0


def _loads(library: str) -> bool:
    import ctypes  # here for the start-up time: only X11 asks

    try:
        ctypes.CDLL(library)
    except OSError:
        return False
    return True
