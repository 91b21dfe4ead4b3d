"""Every key of the window, as one table: actions are made from it, and F1 shows it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum

from PySide6.QtGui import QAction, QKeySequence
from PySide6.QtWidgets import QWidget


class Command(Enum):
    """What a person can do from anywhere in the window."""

    FIND = "Go to the query"
    SEARCH_WITH_PHOTO = "Search with a photo or a video…"
    PASTE = "Search with what is in the clipboard"
    SHOW_EVERYTHING = "Clear the search"
    ADD_FOLDER = "Add a folder…"
    RESCAN = "Look for changes"
    ADD_SENTENCES = "Add sentences…"
    OPEN_LIBRARY = "Open another library…"
    TRAIN = "Train a model…"
    FOLD_LIBRARY = "Show or hide the library"
    FOLD_VIEWER = "Show or hide the viewer"
    EVERY_MOMENT = "Every moment of the videos, or the best of each"
    LARGER = "Larger thumbnails"
    SMALLER = "Smaller thumbnails"
    COPY_PICTURE = "Copy picture"
    COPY_PATH = "Copy path"
    SEARCH_WITH_RESULT = "Search with this result"
    OPEN_FILE = "Open file"
    SHOW_IN_FOLDER = "Show in folder"
    EXPORT_FIGURE = "Export figure…"
    KEYS = "All keys"
    QUIT = "Quit"


@dataclass(frozen=True, slots=True)
class Key:
    """One line of the list: a section, the keys, what they do; without a command if a widget hears the key itself."""

    section: str
    keys: tuple[str, ...]
    command: Command | None = None
    text: str = ""


KEYS = (
    Key("Searching", ("/", "Ctrl+F"), Command.FIND),
    Key("Searching", ("Enter",), text="Search at once; a pause in typing does it too"),
    Key("Searching", ("Ctrl+O",), Command.SEARCH_WITH_PHOTO),
    Key("Searching", ("Ctrl+V",), Command.PASTE),
    Key("Searching", ("Ctrl+Backspace",), Command.SHOW_EVERYTHING),
    Key("Searching", ("Esc",), text="Back: from the query or the viewer to the results, then to everything"),
    Key("Results", ("Arrows", "Page Up", "Page Down", "Home", "End"), text="Move through the results"),
    Key("Results", ("Enter",), text="Open in the viewer"),
    Key("Results", ("Ctrl+K",), Command.SEARCH_WITH_RESULT),
    Key("Results", ("Ctrl+C",), Command.COPY_PICTURE),
    Key("Results", ("Ctrl+Shift+C",), Command.COPY_PATH),
    Key("Results", ("Ctrl+Return",), Command.OPEN_FILE),
    Key("Results", ("Ctrl+Shift+Return",), Command.SHOW_IN_FOLDER),
    Key("Results", ("Ctrl+E",), Command.EXPORT_FIGURE),
    Key("Results", ("Drag",), text="Onto the query: search with it. To another program: give it the file"),
    Key("Results", ("Ctrl+M",), Command.EVERY_MOMENT),
    Key("Results", ("Ctrl++", "Ctrl+="), Command.LARGER),
    Key("Results", ("Ctrl+-",), Command.SMALLER),
    Key("Viewer", ("1 … 9",), text="Show or hide an overlay"),
    Key("Viewer", ("[", "]"), text="Overlays fainter, stronger"),
    Key("Viewer", ("C",), text="Compare side by side, or one picture again"),
    Key("Viewer", ("Space",), text="Hold to see the bare picture"),
    Key("Viewer", ("Enter",), text="Hold a cell or a region of the picture; the arrows go to others, Esc lets go"),
    Key("Viewer", ("+", "-", "0"), text="Zoom in, zoom out, see the whole picture"),
    Key("Viewer", ("Shift+Arrows",), text="Move a zoomed picture"),
    Key("Viewer", ("Left", "Right"), text="Previous and next result"),
    Key("Videos", ("K", "P"), text="Play, or stand still"),
    Key("Videos", (",", "."), text="One frame back, one frame on"),
    Key("Videos", ("L",), text="Play the shot over and over, or play on"),
    Key("Videos", ("<", ">"), text="Slower, faster"),
    Key("Videos", ("M",), text="Sound on or off"),
    Key("Videos", ("Left", "Right", "Home", "End"), text="In the timeline: move within the shot"),
    Key("Videos", ("Page Up", "Page Down"), text="In the timeline: previous and next shot"),
    Key("Words", ("Arrows",), text="From word to word; its places light up"),
    Key("Words", ("Enter", "Space"), text="Hold a word, or let it go; Esc lets it go"),
    Key("Bits", ("Arrows",), text="From bit to bit"),
    Key("Bits", ("Enter", "Space"), text="See what carries a bit, or let it go; Esc lets it go"),
    Key("Sentences", ("Up", "Down"), text="Explain the result with another sentence; Esc with the query again"),
    Key("Sentences", ("Enter",), text="Search with the sentence"),
    Key("Sentences", ("Ctrl+C",), text="Copy the sentence"),
    Key("Library", ("Ctrl+N",), Command.ADD_FOLDER),
    Key("Library", ("F5",), Command.RESCAN),
    Key("Library", ("Ctrl+Shift+N",), Command.ADD_SENTENCES),
    Key("Library", ("Ctrl+L",), Command.OPEN_LIBRARY),
    Key("Library", ("Delete",), text="Remove the selected folder"),
    Key("Training", ("Ctrl+T",), Command.TRAIN),
    Key("Training", ("Ctrl+N",), text="In its window: a new run"),
    Key("Training", ("Delete",), text="Delete the selected run"),
    Key("Training", ("Left", "Right"), text="In curves: the values at a step"),
    Key("Training", ("Ctrl+W",), text="Close its window; runs go on"),
    Key("Window", ("Ctrl+B",), Command.FOLD_LIBRARY),
    Key("Window", ("Ctrl+I",), Command.FOLD_VIEWER),
    Key("Window", ("F1",), Command.KEYS),
    Key("Window", ("Ctrl+Q",), Command.QUIT),
)


def make_actions(window: QWidget, slots: Mapping[Command, Callable[[], object]]) -> dict[Command, QAction]:
    """One action for every command, heard everywhere in the window.

    Raises:
        KeyError: a command of the table has no slot.
    """
    actions = {}
    for key in KEYS:
        if key.command is None:
            continue
        action = QAction(key.command.value, window)
        action.setShortcuts([QKeySequence(sequence) for sequence in key.keys])
        action.triggered.connect(slots[key.command])
        window.addAction(action)
        actions[key.command] = action
    return actions
