"""``explain``: one result as a figure, from the same evidence that the window shows."""

from pathlib import Path

from explorer import pipeline
from explorer.engine.engine import Engine
from explorer.errors import ConfigError
from explorer.figures.explanation import draw_explanation, save_figure
from explorer.media.image import decode_image, fit_within, squash
from explorer.media.item import read_content
from explorer.protocol import Query

PICTURE_EDGE_PX = 1024
FORMATS = (".png", ".svg", ".pdf")


def write_explanation(engine: Engine, item_id: int, output: Path, *, query: str, model: str) -> None:
    """Draw the photo, where the model looked and what it saw there, side by side.

    Raises:
        LibraryError: there is no such item.
        ConfigError: the file's ending names no format, or it cannot be written.
    """
    if output.suffix.lower() not in FORMATS:
        raise ConfigError(f"A figure cannot be written as {output.suffix or 'a file without an ending'}.",
                          f"End the name in one of {', '.join(FORMATS)}.")
    path = engine.opened.path_of(item_id)
    image = decode_image(read_content(path), min_edge_px=PICTURE_EDGE_PX)
    encoder = engine.opened.models.get(model)
    square = squash(image.pixels, encoder.side_px)
    title = f"{Path(path.decode('utf-8', 'replace')).name} · {model}"
    wanted = pipeline.encode_query(encoder, Query(text=query), None) if query.strip() else None
    evidence = encoder.explain(square, wanted)
    picture = fit_within(image.pixels, PICTURE_EDGE_PX)
    figure = draw_explanation(picture, evidence, query=query.strip(), title=title, dpi=150)
    try:
        output.parent.mkdir(parents=True, exist_ok=True)
        save_figure(figure, output)
    except OSError as error:
        raise ConfigError(f"{output} cannot be written ({error.strerror}).", "Choose another folder.") from error
