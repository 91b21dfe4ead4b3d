"""How a figure is made again: everything it was made of and from, as a small TOML file beside it."""

import os
import tomllib
from pathlib import Path
from typing import Any, Literal

import msgspec
import tomli_w

from explorer.errors import ConfigError
from explorer.media.item import display_path
from explorer.protocol import FigureLayer, FigureSpec

SCHEMA_MAJOR, SCHEMA_MINOR = 1, 1
SUFFIX = ".toml"

_HEAD = "# How this figure was made. To make it again: retrieval-explorer explain --recipe THIS_FILE\n"
_FROM_SPEC = (
    "kind", "format", "width_mm", "dpi", "columns", "scores", "words", "frames", "without", "every_moment", "time_s",
)  # fmt: skip


class FilePath(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """A path as people read it, and its very bytes where these are no text."""

    path: str
    path_bytes: bytes = b""

    @classmethod
    def of(cls, path: bytes) -> "FilePath":
        """The path of a file or folder."""
        shown = display_path(path)
        return cls(path=shown, path_bytes=b"" if shown.encode() == path else path)

    def __bytes__(self) -> bytes:
        return self.path_bytes or os.fsencode(self.path)


class RecipeItem(FilePath, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """An item of the library, by all that it can be known again by.

    Attributes:
        id: in the library that the figure was made from; another library may give it to another item. Of a shot its
            segment id (:mod:`explorer.segment_ids`), of which any library keeps the position.
        size_bytes: of its file.
        content: the hash of its file (:func:`~explorer.library.contents.hash_content`), hexadecimal.
        start_s, end_s: of a shot within its video.
    """

    id: int
    size_bytes: int
    content: str
    start_s: float = 0.0
    end_s: float = 0.0


class RecipeQuery(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """The query. A picture is a file, an item of the library, or - pasted, and in no file - its bytes; or a video."""

    text: str = ""
    not_text: str = ""
    picture: FilePath | None = None
    picture_item: RecipeItem | None = None
    picture_bytes: bytes = b""
    video: FilePath | None = None
    video_span_s: tuple[float, float] | None = None


class RecipeFigure(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How it is drawn; fields as in :class:`~explorer.protocol.FigureSpec`, and checked there."""

    kind: Literal["panels", "shown", "grid"]
    format: Literal["png", "svg", "pdf"]
    width_mm: float
    dpi: int
    columns: int
    scores: bool
    words: bool
    frames: bool
    without: tuple[str, ...] = ()
    every_moment: bool = False
    time_s: float | None = None


class FigureRecipe(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """A figure, and what it was made from.

    Attributes:
        schema_version: of this file.
        program: version of the program that made it.
        model: name and hash of the weights, ``name@0123456789abcdef``.
        model_folder: where the package was, if it was named by its folder.
        library: the library's folder.
    """

    schema_version: str
    program: str
    model: str
    library: FilePath
    figure: RecipeFigure
    model_folder: FilePath | None = None
    query: RecipeQuery | None = None
    layers: tuple[FigureLayer, ...] = ()
    items: tuple[RecipeItem, ...]

    def to_toml(self) -> str:
        """The file's text."""
        return _HEAD + tomli_w.dumps(_without_none(msgspec.to_builtins(self)))

    def to_spec(self, item_ids: tuple[int, ...], query_item_id: int | None) -> FigureSpec:
        """What is to be drawn, with the ids that the items have where it is drawn.

        Raises:
            ConfigError: a value is not one that a figure can have.
        """
        fields = msgspec.to_builtins(self.figure) | {
            "item_ids": item_ids,
            "model": os.fsdecode(bytes(self.model_folder)) if self.model_folder else self.model.partition("@")[0],
            "layers": [msgspec.to_builtins(layer) for layer in self.layers],
            "query": self._query(query_item_id),
        }
        try:
            return msgspec.convert(fields, FigureSpec)
        except msgspec.ValidationError as error:
            raise ConfigError(f"The recipe asks for what no figure can be: {error}.", "Correct the recipe.") from error

    def _query(self, query_item_id: int | None) -> dict[str, Any] | None:
        if self.query is None:
            return None
        return {
            "text": self.query.text,
            "not_text": self.query.not_text,
            "image_path": bytes(self.query.picture) if self.query.picture is not None else None,
            "image_bytes": self.query.picture_bytes or None,
            "image_item_id": query_item_id,
            "video_path": bytes(self.query.video) if self.query.video is not None else None,
            "video_span_s": self.query.video_span_s,
        }


def figure_part(spec: FigureSpec) -> RecipeFigure:
    """What the recipe says of how the figure is drawn."""
    return RecipeFigure(**{name: getattr(spec, name) for name in _FROM_SPEC})


def read_recipe(path: Path) -> FigureRecipe:
    """Read a recipe.

    Raises
    ------
    ConfigError
        There is none, it is no recipe of a figure, or a newer version of the program wrote it.
    """
    try:
        content = tomllib.loads(path.read_bytes().decode("utf-8"))
    except OSError as error:
        raise ConfigError(f"The recipe {path} cannot be read ({error.strerror}).", "Check the name.") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path} is not TOML: {error}.", "Use a file that was written beside a figure.") from error
    _check_version(path, content)
    try:
        return msgspec.convert(content, FigureRecipe)
    except msgspec.ValidationError as error:
        raise ConfigError(
            f"{path} is no recipe of a figure: {error}.", "Use a file that was written beside a figure."
        ) from error


def _check_version(path: Path, content: dict[str, Any]) -> None:
    major = str(content.get("schema_version", "")).partition(".")[0]
    if major.isdecimal() and int(major) > SCHEMA_MAJOR:
        raise ConfigError(f"{path} was written by a newer version of the program.", "Update Retrieval Explorer.")


def _without_none(value: Any) -> Any:
    """TOML has no None: what is not said has its default."""
    if isinstance(value, dict):
        return {key: _without_none(entry) for key, entry in value.items() if entry is not None}
    return [_without_none(entry) for entry in value] if isinstance(value, list | tuple) else value


__all__ = ["SUFFIX", "FigureRecipe", "FilePath", "RecipeItem", "RecipeQuery", "figure_part", "read_recipe"]
