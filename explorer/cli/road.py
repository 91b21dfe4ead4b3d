"""The road from the command line: index, search."""

import json
import os
from array import array
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from explorer import protocol
from explorer.cli.sentences import add_captions, check_captions, print_sentences
from explorer.cli.shared import (
    DEFAULT_MODEL,
    DeviceOption,
    JsonOption,
    LibraryOption,
    ModelOption,
    engine_with_library,
    last_answer,
    places_of,
    print_out,
    say,
    stoppable,
)
from explorer.cli.showing import likeness, place_of, said_likeness, said_place, said_query, width

if TYPE_CHECKING:
    from explorer.engine.engine import Engine


def index(
    context: typer.Context,
    folders: Annotated[
        list[Path] | None,
        typer.Argument(help="Folders of photos and videos; none: look again at all known ones (not with --captions)."),
    ] = None,
    captions: Annotated[
        Path | None,
        typer.Option(
            help="Sentences about photos or videos: a Karpathy json, COCO captions, MSR-VTT's json, or a captions.json."
        ),
    ] = None,
    library: LibraryOption = None,
    model: Annotated[list[str] | None, typer.Option("--model", "-m", help="May be given more than once.")] = None,
    device: DeviceOption = "auto",
    as_json: JsonOption = False,
) -> None:
    """Index folders of photos and videos, and what data sets say about them.

    Only what changed is encoded; Ctrl-C is safe, the same command goes on.
    """
    running = engine_with_library(places_of(context), library, device)
    named = tuple(os.fsencode(folder.expanduser().absolute()) for folder in folders or ())
    models = model or [DEFAULT_MODEL]
    done: dict[str, Any] = {"indexed": []}
    try:
        if captions is not None:
            check_captions(captions)
        if named or captions is None:
            done["indexed"] = _index(running, named, models)
        if captions is not None:
            done["captions"] = [add_captions(running, captions, name) for name in models]
    finally:
        running.close()
    if as_json:
        print_out(json.dumps(done, indent=2))


def _index(running: "Engine", named: tuple[bytes, ...], models: Sequence[str]) -> list[dict[str, Any]]:
    finished: list[dict[str, Any]] = []
    for name in models:
        request = protocol.IndexFolders(id=1, folders=named, model=name)
        with stoppable() as token:
            done = last_answer(running.answer(request, token), protocol.IndexFinished, title="indexing")
        n_videos = done.state.n_videos
        counts = {key: getattr(done, key) for key in _INDEX_COUNTS}
        finished.append({"model": name, **counts, "n_items": done.state.n_items, "n_videos": n_videos})
        videos = f" {n_videos} of {done.state.n_items} items are videos." if n_videos else ""
        did = (
            f"{name}: {done.n_encoded} encoded, {done.n_unchanged} unchanged, {done.n_moved} moved, "
            f"{done.n_removed} removed, {done.n_failed} unreadable; {done.elapsed_s:.1f} s."
        )
        say(f"{did}{videos} {done.notice}".strip())
    if done.state.n_errors:
        say(f"{done.state.n_errors} files cannot be read; the window lists them.")
    return finished


_INDEX_COUNTS = (
    "n_added", "n_changed", "n_moved", "n_removed", "n_unchanged", "n_failed", "n_encoded", "elapsed_s", "notice",
)


def search(  # noqa: PLR0913 - a command's options
    context: typer.Context,
    text: Annotated[str, typer.Argument(help="A sentence.")] = "",
    image: Annotated[Path | None, typer.Option(help="A picture to search with, alone or beside the sentence.")] = None,
    video: Annotated[Path | None, typer.Option(help="A video to search with, alone or beside the sentence.")] = None,
    start: Annotated[float | None, typer.Option(min=0, help="Search with the video from this second on.")] = None,
    end: Annotated[float | None, typer.Option(min=0, help="Search with the video up to this second.")] = None,
    not_text: Annotated[str, typer.Option("--not", help="A sentence to stay away from.")] = "",
    library: LibraryOption = None,
    model: ModelOption = DEFAULT_MODEL,
    k: Annotated[int, typer.Option("-k", min=1, help="How many results.")] = 20,
    every_moment: Annotated[
        bool, typer.Option("--every-moment", help="All shots of a video, not only its best.")
    ] = False,
    sentences: Annotated[bool, typer.Option("--sentences", help="Rank the library's sentences instead.")] = False,
    device: DeviceOption = "auto",
    as_json: JsonOption = False,
) -> None:
    """Rank the library's photos and videos for a sentence, a picture or a video; or its sentences, with --sentences."""
    query = protocol.Query(
        text=text, not_text=not_text, image_path=_as_bytes(image), video_path=_as_bytes(video),
        video_span_s=_span(video, start, end),
    )  # fmt: skip
    running = engine_with_library(places_of(context), library, device)
    try:
        if sentences:
            print_sentences(running, query, model=model, k=k, as_json=as_json)
            return
        request = protocol.Search(id=1, query=query, model=model, k=k, every_moment=every_moment)
        found = last_answer(running.answer(request), protocol.SearchResponse)
        item_ids = array("q", found.item_ids).tolist()
        scores = array("f", found.scores).tolist()
        described = last_answer(
            running.answer(protocol.DescribeItems(id=2, item_ids=tuple(item_ids))), protocol.ItemDescriptions
        )
    finally:
        running.close()
    by_id = {item.item_id: item for item in described.items}
    hits = [
        {"rank": rank, **likeness(score, found.n_bits), **place_of(by_id[item_id])}
        for rank, (item_id, score) in enumerate(zip(item_ids, scores, strict=True), start=1)
        if item_id in by_id
    ]
    if not hits:
        say("The library has nothing indexed for this model: run `retrieval-explorer index FOLDER` first.")
    if as_json:
        times = {"encode_ms": found.encode_ms, "score_ms": found.score_ms, "sort_ms": found.sort_ms}
        asked = said_query(query)
        document = {"model": model, **width(found.n_bits), "query": asked, "hits": hits, **times}
        print_out(json.dumps(document, indent=2))
    else:
        for hit in hits:
            print_out(f"{hit['rank']:4d}  {said_likeness(hit, found.n_bits)}  {hit['item_id']:>8}  {said_place(hit)}")


def _as_bytes(path: Path | None) -> bytes | None:
    return None if path is None else os.fsencode(path.expanduser().absolute())


def _span(video: Path | None, start: float | None, end: float | None) -> tuple[float, float] | None:
    """The part of a video that is meant; None for all of it."""
    if start is None and end is None:
        return None
    if video is None:
        raise typer.BadParameter("--start and --end say which part of a --video is meant.")
    if end is not None and end <= (start or 0.0):
        raise typer.BadParameter("--end must lie behind --start.")
    return start or 0.0, float("inf") if end is None else end
