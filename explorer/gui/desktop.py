"""What the rest of the desktop does for us: opening a file, and showing it in its folder."""

import os
import shutil
import sys
from pathlib import Path

from PySide6.QtCore import QProcess, QUrl
from PySide6.QtGui import QDesktopServices


def url_of(path: bytes) -> QUrl:
    """A file URL, also for a name that is not UTF-8."""
    return QUrl.fromEncoded(Path(os.fsdecode(path)).absolute().as_uri().encode("ascii"))


def is_here(path: bytes) -> bool:
    """Whether the file is on this computer; a remote engine's is not, and a disk may be unplugged."""
    return os.path.exists(path)


def open_file(path: bytes) -> bool:
    """Open with the program the person chose for such files; whether there is one."""
    return QDesktopServices.openUrl(url_of(path))


def show_in_folder(path: bytes) -> bool:
    """Show the file selected in its folder, or else just the folder."""
    name = os.fsdecode(path)
    if sys.platform == "darwin":
        return QProcess.startDetached("open", ["-R", name])[0]
    if sys.platform == "win32":
        return QProcess.startDetached("explorer", [f"/select,{name}"])[0]
    if shutil.which("dbus-send") and os.environ.get("DBUS_SESSION_BUS_ADDRESS"):
        uri = bytes(url_of(path).toEncoded().data()).decode("ascii").replace(",", "%2C")
        return QProcess.startDetached(
            "dbus-send",
            ["--session", "--dest=org.freedesktop.FileManager1", "--type=method_call", "/org/freedesktop/FileManager1",
             "org.freedesktop.FileManager1.ShowItems", f"array:string:{uri}", "string:"],
        )[0]
    return QDesktopServices.openUrl(url_of(os.path.dirname(path)))
