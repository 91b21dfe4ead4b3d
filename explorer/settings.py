"""What the program remembers between two starts: one frozen value, one TOML file, one section per page."""

import os
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import Any, TypeVar

from explorer.errors import ConfigError

SCHEMA_VERSION = 1
"""Raised when the meaning of a key changes; new keys and keys that went away do not need it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WindowSettings:
    """How the window was left.

    Attributes:
        geometry: the toolkit's own description of place and size, base64; empty: never shown yet.
        pane_widths_px: library, results, viewer.
        library_shown, viewer_shown: whether the side panes are unfolded.
        sentences_shown: whether the sentences for a picture are unfolded.
        cell_px: edge of a cell of the results grid.
    """

    geometry: str = ""
    pane_widths_px: tuple[int, ...] = (240, 680, 360)
    library_shown: bool = True
    viewer_shown: bool = True
    sentences_shown: bool = True
    cell_px: int = 176


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchSettings:
    """How searching starts.

    Attributes:
        model: name of the model package used last; empty: the preferred one.
        every_moment: whether all moments of videos are ranked; else the best of each.
        pause_ms: a pause in typing of this length searches.
    """

    model: str = ""
    every_moment: bool = False
    pause_ms: int = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class LibrarySettings:
    """Which library is opened when none is named.

    Attributes:
        last: its folder; empty: the one in the data folder. Names that are not UTF-8 are not remembered.
    """

    last: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class FigureSettings:
    """What the next figure begins with.

    Attributes:
        format: png, svg or pdf.
        width_mm: width of the figure.
        dpi: pixels an inch.
        n_results, columns: of a grid.
        scores, words, frames: what is written and framed.
        folder: where the last one went; empty: the person's pictures.
    """

    format: str = "png"
    width_mm: float = 170.0
    dpi: int = 300
    n_results: int = 10
    columns: int = 5
    scores: bool = True
    words: bool = True
    frames: bool = True
    folder: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingSettings:
    """How the window of training was left.

    Attributes:
        geometry: the toolkit's own description of place and size, base64; empty: never shown yet.
        list_px: width of the list of runs.
        logarithmic: whether losses are drawn on a logarithmic scale.
        smoothing: of curves, in per cent; 0: as they were measured.
    """

    geometry: str = ""
    list_px: int = 264
    logarithmic: bool = False
    smoothing: int = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """All of it."""

    window: WindowSettings = field(default_factory=WindowSettings)
    search: SearchSettings = field(default_factory=SearchSettings)
    library: LibrarySettings = field(default_factory=LibrarySettings)
    figure: FigureSettings = field(default_factory=FigureSettings)
    training: TrainingSettings = field(default_factory=TrainingSettings)


S = TypeVar("S", WindowSettings, SearchSettings, LibrarySettings, FigureSettings, TrainingSettings)


def read_settings(path: Path) -> Settings:
    """Read the file; the defaults where there is none.

    Raises:
        ConfigError: the file is not TOML, a key has the wrong type, or a newer version wrote it.
    """
    if not path.exists():
        return Settings()
    import tomllib  # here for the start-up time

    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigError(f"The settings in {path} cannot be read ({error}).", "The defaults are used.") from error
    version = document.get("schema_version", SCHEMA_VERSION)
    if not isinstance(version, int) or version > SCHEMA_VERSION:
        raise ConfigError(
            f"The settings in {path} have version {version}; this program knows version {SCHEMA_VERSION}.",
            "The defaults are used.",
        )
    defaults = Settings()
    return Settings(
        window=_section(path, document, "window", defaults.window),
        search=_section(path, document, "search", defaults.search),
        library=_section(path, document, "library", defaults.library),
        figure=_section(path, document, "figure", defaults.figure),
        training=_section(path, document, "training", defaults.training),
    )


def write_settings(path: Path, settings: Settings) -> None:
    """Write the file whole or not at all.

    Raises:
        ConfigError: the folder cannot be written to.
    """
    import tomli_w  # here for the start-up time: nothing is written before the end

    text = tomli_w.dumps({"schema_version": SCHEMA_VERSION, **asdict(settings)})
    draft = path.with_name(f"{path.name}.{os.getpid()}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        draft.write_text(text, encoding="utf-8")
        draft.replace(path)
    except (OSError, UnicodeEncodeError) as error:
        draft.unlink(missing_ok=True)
        raise ConfigError(f"The settings cannot be written to {path} ({error}).") from error


def _section(path: Path, document: dict[str, Any], name: str, default: S) -> S:
    """The section with what the file says; keys this version does not know are skipped."""
    found = document.get(name, {})
    if not isinstance(found, dict):
        raise ConfigError(f"[{name}] in {path} must be a table, got {found!r}.", "The defaults are used.")
    known = {f.name: getattr(default, f.name) for f in fields(default)}
    changes: dict[str, Any] = {}
    for key, value in found.items():
        if key not in known:
            continue
        if not _same_type(value, known[key]):
            expected = type(known[key]).__name__
            raise ConfigError(f"{name}.{key} in {path} must be a {expected}, got {value!r}.", "The defaults are used.")
        changes[key] = tuple(value) if isinstance(value, list) else value
    return replace(default, **changes)


def _same_type(value: object, default: object) -> bool:
    if isinstance(default, tuple):
        return isinstance(value, list) and len(value) == len(default) and all(type(v) is int for v in value)
    return type(value) is type(default)
