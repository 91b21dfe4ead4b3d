"""What decoders say on standard error about every damaged frame, which a person has no use for: kept silent.

A file that cannot be played is told in a sentence (see ``player.py``).
"""

import ctypes
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import PySide6
from PySide6.QtCore import QLoggingCategory, QMessageLogContext, QtMsgType, qFormatLogMessage, qInstallMessageHandler

_RULES = "qt.gui.imageio*=false\nqt.multimedia*=false"
_PHRASES = ("QFFmpeg::", "No RHI backend", "PulseAudioService")
_QUIET = -8
"""FFmpeg's AV_LOG_QUIET."""

_Handler = Callable[[QtMsgType, QMessageLogContext, str], Any]
_before: _Handler | None = None


def silence() -> None:
    """Keep Qt's multimedia part silent; everything else is said as before.

    Called before it is imported, for its first words come then, and for each player: whoever installed another way to
    say things meanwhile keeps it.
    """
    global _before
    QLoggingCategory.setFilterRules(_RULES)
    before = qInstallMessageHandler(_say)
    if before is not _say:
        _before = before


def _say(kind: QtMsgType, context: QMessageLogContext, text: str) -> None:
    if any(phrase in text for phrase in _PHRASES):
        return
    if _before is not None:
        _before(kind, context, text)
    elif sys.stderr is not None:
        sys.stderr.write(qFormatLogMessage(kind, context, text) + "\n")


def silence_ffmpeg() -> None:
    """Keep silent what writes to standard error by itself; called once a player has set it up.

    Qt has no switch for that, the library that comes with Qt has one.
    """
    folder = Path(PySide6.__file__).parent
    for pattern in ("Qt/lib/libavutil*.so.*", "Qt/lib/libavutil*.dylib", "avutil-*.dll"):
        for library in sorted(folder.glob(pattern))[:1]:
            try:
                ctypes.CDLL(str(library)).av_log_set_level(_QUIET)
            except (OSError, AttributeError):
                return  # it talks on, and plays all the same
