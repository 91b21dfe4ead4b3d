"""``explain``: why a result was chosen, as a figure for a paper, and the recipe that makes the figure again."""

import os
from array import array
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from explorer import protocol
from explorer.cli.shared import (
    DEFAULT_MODEL,
    DeviceOption,
    LibraryOption,
    ModelOption,
    engine_with_library,
    last_answer,
    places_of,
    say,
    stoppable,
)
from explorer.errors import ConfigError, QueryError

if TYPE_CHECKING:
    from explorer.cancellation import CancellationToken
    from explorer.engine.engine import Engine

# The rooms that draw are imported inside the functions that need them, as everywhere in the command line.

_ENDINGS = (".png", ".svg", ".pdf")


class Kind(StrEnum):
    """Kinds of figures."""

    PANELS = "panels"
    SHOWN = "shown"
    GRID = "grid"


class Style(StrEnum):
    """How layers are drawn."""

    HEAT = "heat"
    COVER = "cover"


ItemOption = Annotated[
    list[int] | None,
    typer.Option(help="A result's number, as `search` prints it; more than one for a grid. None: the best results."),
]
OutputOption = Annotated[
    Path | None, typer.Option("-o", "--output", help="Where the figure goes: .png, .svg or .pdf.")
]
RecipeOption = Annotated[Path | None, typer.Option(help="Make the figure of this recipe (.toml) again.")]
QueryOption = Annotated[str, typer.Option(help="The sentence to compare with.")]
ImageOption = Annotated[Path | None, typer.Option(help="The picture to compare with, alone or beside a sentence.")]
NotOption = Annotated[str, typer.Option("--not", help="A sentence to stay away from.")]
KindOption = Annotated[
    Kind, typer.Option(help="panels: a panel for each layer; shown: layers over each other; grid: many results.")
]
LayerOption = Annotated[
    list[str] | None,
    typer.Option(help="A layer, the lowest first. None: panels draws all; shown and grid draw none."),
]
StyleOption = Annotated[
    Style, typer.Option(help="heat: colours; cover: what is salient shows through a dark cover.")
]
NumberOption = Annotated[int, typer.Option("-k", min=1, max=400, help="Results in a grid.")]
ColumnsOption = Annotated[int, typer.Option(min=1, max=20, help="Pictures in a row of a grid.")]
WidthOption = Annotated[float, typer.Option(min=20, max=2000, help="Width of the figure in mm.")]
DpiOption = Annotated[int, typer.Option(min=36, max=1200, help="Pixels an inch.")]
WithoutOption = Annotated[list[str] | None, typer.Option(help="A part of the network to leave out: vsem or vspm.")]
WordsOption = Annotated[
    bool | None, typer.Option("--words/--no-words", help="The words' weights; in a grid only if asked for.")
]
ScoresOption = Annotated[bool, typer.Option("--scores/--no-scores", help="Scores and ranks.")]
FramesOption = Annotated[bool, typer.Option("--frames/--no-frames", help="Frames around correct results.")]
KeepOption = Annotated[bool, typer.Option("--keep-recipe/--no-recipe", help="Write the recipe beside the figure.")]


def explain(  # noqa: PLR0913 - a command's options
    context: typer.Context,
    item: ItemOption = None,
    output: OutputOption = None,
    recipe: RecipeOption = None,
    query: QueryOption = "",
    image: ImageOption = None,
    not_text: NotOption = "",
    kind: KindOption = Kind.PANELS,
    layer: LayerOption = None,
    style: StyleOption = Style.HEAT,
    k: NumberOption = 10,
    columns: ColumnsOption = 5,
    width: WidthOption = 170.0,
    dpi: DpiOption = 300,
    without: WithoutOption = None,
    words: WordsOption = None,
    scores: ScoresOption = True,
    frames: FramesOption = True,
    keep_recipe: KeepOption = True,
    library: LibraryOption = None,
    model: ModelOption = DEFAULT_MODEL,
    device: DeviceOption = "auto",
) -> None:
    """Draw results for a paper: pictures, where the model looked, what it saw there, and which words counted."""
    if recipe is not None:
        _check_alone(context)
        _make_again(context, recipe, output, library, device, keep_recipe=keep_recipe)
        return
    if output is None:
        raise typer.BadParameter("Say where the figure goes with -o, or name a --recipe.")
    wanted = protocol.Query(
        text=_as_text(query), not_text=_as_text(not_text),
        image_path=os.fsencode(image.absolute()) if image is not None else None,
    )  # fmt: skip
    spec = protocol.FigureSpec(
        item_ids=tuple(item or ()), model=model, kind=kind.value, columns=columns, width_mm=width, dpi=dpi,
        query=wanted if query.strip() or image is not None else None,
        layers=tuple(protocol.FigureLayer(name=name, style=style.value) for name in layer or ()),
        without=tuple(without or ()), format=_format_of(output),
        scores=scores, words=kind is not Kind.GRID if words is None else words, frames=frames,
    )  # fmt: skip
    beside = _place_for_recipe(output) if keep_recipe else None
    with _engine(context, library, device) as (running, token):
        if not spec.item_ids:
            spec = _with_best(running, spec, k if kind is Kind.GRID else 1, token)
        _write(running, spec, output, token, recipe=beside)


def _place_for_recipe(output: Path) -> Path:
    """Where the recipe of a figure goes; what is there must not be something else."""
    beside = output.with_suffix(".toml")
    if beside.exists():
        from explorer.figures.recipe import read_recipe

        try:
            read_recipe(beside)
        except ConfigError as error:
            raise ConfigError(
                f"The recipe would replace {beside}, which is something else.", "Choose another name, or --no-recipe."
            ) from error
    return beside


def _format_of(output: Path) -> Literal["png", "svg", "pdf"]:
    match output.suffix.lower():
        case ".png":
            return "png"
        case ".svg":
            return "svg"
        case ".pdf":
            return "pdf"
    raise ConfigError(
        f"A figure cannot be written as {output.suffix or 'a file without an ending'}.",
        f"End the name in one of {', '.join(_ENDINGS)}.",
    )


def _as_text(given: str) -> str:
    """What was typed; bytes that are no text in the terminal's encoding become the sign for that."""
    return given.encode("utf-8", "replace").decode("utf-8")


@contextmanager
def _engine(
    context: typer.Context, library: Path | None, device: str
) -> "Iterator[tuple[Engine, CancellationToken]]":
    running = engine_with_library(places_of(context), library, device)
    try:
        with stoppable() as token:
            yield running, token
    finally:
        running.close()


def _with_best(
    running: "Engine", spec: protocol.FigureSpec, k: int, token: "CancellationToken"
) -> protocol.FigureSpec:
    """The same with the best results for its query."""
    import msgspec

    if spec.query is None:
        raise QueryError("There is nothing to draw.", "Name a result with --item, or search with --query or --image.")
    request = protocol.Search(id=1, query=spec.query, model=spec.model, k=k)
    found = last_answer(running.answer(request, token), protocol.SearchResponse)
    item_ids = tuple(array("q", found.item_ids).tolist())
    if not item_ids:
        raise QueryError(
            "The library has no indexed photos for this model.", "Run `retrieval-explorer index FOLDER` first."
        )
    return msgspec.structs.replace(spec, item_ids=item_ids)


def _write(
    running: "Engine", spec: protocol.FigureSpec, output: Path, token: "CancellationToken", *, recipe: Path | None
) -> None:
    """Draw, and write the figure and - if it has a place - its recipe."""
    from explorer.figures import write_whole

    request = protocol.MakeFigure(id=2, spec=spec)
    figure = last_answer(running.answer(request, token), protocol.Figure, title="drawing")
    write_whole(output, figure.content)
    if recipe is not None:
        write_whole(recipe, figure.recipe.encode("utf-8"))
    say(f"Wrote {output}." if recipe is None else f"Wrote {output}, and {recipe} to make it again.")


# --- again -----------------------------------------------------------------------------------------------------------

_GO_WITH_A_RECIPE = {"recipe", "output", "library", "device", "keep_recipe"}


def _check_alone(context: typer.Context) -> None:
    """A recipe says everything: what is asked beside it would not be done."""
    for name in context.params:
        source = context.get_parameter_source(name)
        if name not in _GO_WITH_A_RECIPE and source is not None and source.name == "COMMANDLINE":
            option = {"not_text": "--not", "k": "-k"}.get(name, f"--{name}")
            raise typer.BadParameter(f"{option} is said by the recipe; change it there.")


def _make_again(
    context: typer.Context, recipe: Path, output: Path | None, library: Path | None, device: str, *, keep_recipe: bool
) -> None:
    import msgspec

    from explorer.engine.figure_recipes import library_of, spec_of
    from explorer.figures.recipe import read_recipe

    read = read_recipe(recipe)
    target = output if output is not None else recipe.with_suffix(f".{read.figure.format}")
    wanted_format = _format_of(target)
    is_other = target.with_suffix(".toml").absolute() != recipe.absolute()
    beside = _place_for_recipe(target) if keep_recipe and is_other else None
    folder = library_of(read, library.expanduser().absolute() if library is not None else None)
    with _engine(context, folder, device) as (running, token):
        spec, notices = spec_of(running.opened, read)
        for notice in notices:
            say(notice)
        _write(running, msgspec.structs.replace(spec, format=wanted_format), target, token, recipe=beside)
