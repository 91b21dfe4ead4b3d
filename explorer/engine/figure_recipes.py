"""Recipes of figures and the open library: writing down what a figure was made from, and finding it again."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import explorer
from explorer.engine.opened import Opened
from explorer.errors import LibraryError
from explorer.figures.recipe import (
    SCHEMA_MAJOR,
    SCHEMA_MINOR,
    FigureRecipe,
    FilePath,
    RecipeItem,
    RecipeQuery,
    figure_part,
)
from explorer.library.catalogue import CATALOGUE_NAME
from explorer.library.contents import hash_file
from explorer.library.rows import ItemRow, ItemStatus
from explorer.protocol import FigureSpec, Query
from explorer.segment_ids import item_of, position_of, segment_id

_ROWS_AT_ONCE = 2000
_SAME_S = 0.01


@dataclass(frozen=True, slots=True)
class FoundItem:
    """An item of the open library, and the hash of its file."""

    row: ItemRow
    content_hash: bytes


def recipe_of(opened: Opened, model_id: str, spec: FigureSpec, items: Sequence[FoundItem]) -> FigureRecipe:
    """Everything that the figure was made of and from."""
    name = model_id.partition("@")[0]
    return FigureRecipe(
        schema_version=f"{SCHEMA_MAJOR}.{SCHEMA_MINOR}",
        program=explorer.__version__,
        model=model_id,
        model_folder=None if spec.model == name else FilePath.of(os.fsencode(os.path.abspath(spec.model))),
        library=FilePath.of(os.fsencode(opened.library.folder)),
        figure=figure_part(spec),
        query=None if spec.query is None else _recipe_query(opened, spec.query),
        layers=spec.layers,
        items=tuple(map(_recipe_item, items)),
    )


def library_of(recipe: FigureRecipe, folder: Path | None) -> Path:
    """The folder of the library to make the figure from: ``folder`` if given, else the recipe's.

    Raises:
        LibraryError: there is no library.
    """
    chosen = folder if folder is not None else Path(os.fsdecode(bytes(recipe.library)))
    if not (chosen / CATALOGUE_NAME).is_file():
        raise LibraryError(f"There is no library in {chosen}.", "Name the folder it is in now with --library.")
    return chosen


def spec_of(opened: Opened, recipe: FigureRecipe) -> tuple[FigureSpec, tuple[str, ...]]:
    """What the recipe asks to draw, and a sentence about each thing that is no longer as it was.

    Items are looked for by path, then by content: a library that was made anew gives them other ids.

    Raises
    ------
    LibraryError
        An item is not in the library.
    ConfigError
        The recipe asks for what no figure can have.
    PackageError
        The model is not here.
    """
    query_item = recipe.query.picture_item if recipe.query is not None else None
    wanted = [*recipe.items, *([query_item] if query_item is not None else [])]
    found = _find(opened, wanted)
    notices = [
        f"{item.path} has changed since the figure was made."
        for item, row in zip(wanted, found, strict=True)
        if row.path == bytes(item) and _content_of(row) != item.content
    ]
    notices += [
        f"Shot {position_of(item.id) + 1} of {item.path} is another part of it than when the figure was made."
        for item, row in zip(wanted, found, strict=True)
        if item.end_s and not _same_part(item, row)
    ]
    ids = [row.item_id for row in found]
    n_items = len(recipe.items)
    spec = recipe.to_spec(tuple(ids[:n_items]), ids[n_items] if query_item is not None else None)
    model_id = opened.models.package(spec.model).model_id
    if model_id != recipe.model:
        notices.append(f"The figure was made with {recipe.model}; {model_id} is used now, and may say something else.")
    return spec, tuple(notices)


def _recipe_item(item: FoundItem) -> RecipeItem:
    path = FilePath.of(item.row.path)
    return RecipeItem(
        path=path.path, path_bytes=path.path_bytes, id=item.row.item_id, size_bytes=item.row.size_bytes,
        content=item.content_hash.hex(), start_s=item.row.start_s, end_s=item.row.end_s,
    )


def _recipe_query(opened: Opened, query: Query) -> RecipeQuery:
    item = None
    if query.image_item_id is not None:
        [row] = opened.library.describe([query.image_item_id])
        item = _recipe_item(FoundItem(row, hash_file(row.path)))
    return RecipeQuery(
        text=query.text,
        not_text=query.not_text,
        picture=None if query.image_path is None else FilePath.of(query.image_path),
        picture_item=item,
        picture_bytes=query.image_bytes or b"",
        video=None if query.video_path is None else FilePath.of(query.video_path),
        video_span_s=query.video_span_s,
    )


def _same_part(item: RecipeItem, row: ItemRow) -> bool:
    return abs(row.start_s - item.start_s) + abs(row.end_s - item.end_s) < _SAME_S


def _find(opened: Opened, wanted: Sequence[RecipeItem]) -> list[ItemRow]:
    """The rows of these items, or of the same shots of them, in their order."""
    files = _find_files(opened, wanted)
    ids = [segment_id(item_of(row.item_id), position_of(item.id)) for item, row in zip(wanted, files, strict=True)]
    rows = {row.item_id: row for row in opened.library.describe(ids)}
    for item, row_id in zip(wanted, ids, strict=True):
        if row_id not in rows:
            raise LibraryError(
                f"{item.path} has no shot {position_of(item.id) + 1} in the library {opened.library.folder}.",
                "Index it again.",
            )
    return [rows[row_id] for row_id in ids]


def _find_files(opened: Opened, wanted: Sequence[RecipeItem]) -> list[ItemRow]:
    by_id = {
        row.item_id: row
        for row in opened.library.describe([item.id for item in wanted])
        if row.status is not ItemStatus.MISSING
    }
    found = {
        bytes(item): by_id[item.id] for item in wanted if item.id in by_id and by_id[item.id].path == bytes(item)
    }
    if any(bytes(item) not in found for item in wanted):
        found |= _search(opened, [item for item in wanted if bytes(item) not in found])
    for item in wanted:
        if bytes(item) not in found:
            raise LibraryError(
                f"{item.path} is not in the library {opened.library.folder}.", "Index the folder that it is in."
            )
    return [found[bytes(item)] for item in wanted]


def _search(opened: Opened, wanted: Sequence[RecipeItem]) -> dict[bytes, ItemRow]:
    """Rows by the path that the recipe says: those of this path, or else of the same content."""
    paths = {bytes(item) for item in wanted}
    sizes = {item.size_bytes for item in wanted}
    by_path: dict[bytes, ItemRow] = {}
    same_size: list[ItemRow] = []
    ids = opened.library.item_ids().tolist()
    for start in range(0, len(ids), _ROWS_AT_ONCE):
        for row in opened.library.describe(ids[start : start + _ROWS_AT_ONCE]):
            if row.path in paths:
                by_path[row.path] = row
            elif row.size_bytes in sizes:
                same_size.append(row)
    by_content: dict[str, ItemRow] = {}
    if len(by_path) < len(paths):
        for row in reversed(same_size):
            by_content[_content_of(row)] = row
    return by_path | {
        bytes(item): by_content[item.content]
        for item in wanted
        if bytes(item) not in by_path and item.content in by_content
    }


def _content_of(row: ItemRow) -> str:
    try:
        return hash_file(row.path).hex()
    except OSError:
        return ""
