"""Sentences of the library from the command line: bringing them in, and the best ones for a picture."""

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from explorer import protocol
from explorer.cli.shared import last_answer, print_out, say, stoppable
from explorer.cli.showing import likeness, place_of, said_likeness, said_query, width

if TYPE_CHECKING:
    from explorer.engine.engine import Engine


def check_captions(path: Path) -> None:
    """Raise DatasetError for a file of sentences that cannot be read, before hours of indexing."""
    from explorer.datasets.captions import read_captions

    read_captions(path)


def add_captions(running: "Engine", path: Path, model: str) -> dict[str, Any]:
    """Give a file's sentences to the photos it names, and encode them; what was done, as JSON has it."""
    request = protocol.AddCaptions(id=1, path=os.fsencode(path.expanduser().absolute()), model=model)
    with stoppable() as token:
        added = last_answer(running.answer(request, token), protocol.CaptionsAdded, title="sentences")
    say(
        f"{model}: {added.n_sentences} sentences for {added.n_items} photos, {added.n_encoded} encoded."
        + (
            f" {added.n_unmatched} photos of {path.name} are not in the library, or share their name with others there."
            if added.n_unmatched
            else ""
        )
    )
    counts = ("n_sentences", "n_items", "n_unmatched", "n_encoded")
    return {"model": model, **{count: getattr(added, count) for count in counts}}


def print_sentences(running: "Engine", query: protocol.Query, *, model: str, k: int, as_json: bool) -> None:
    """Print the library's best sentences for a query, best first."""
    request = protocol.SearchSentences(id=1, query=query, model=model, k=k)
    with stoppable() as token:
        found = last_answer(running.answer(request, token), protocol.SentenceRanking, title="sentences")
    item_ids = tuple(dict.fromkeys(sentence.item_id for sentence in found.sentences))
    described = last_answer(
        running.answer(protocol.DescribeItems(id=2, item_ids=item_ids)), protocol.ItemDescriptions
    )
    places = {item.item_id: place_of(item) for item in described.items}
    rows = [
        {
            "rank": rank, **likeness(sentence.score, found.n_bits), "text": sentence.text,
            **places.get(sentence.item_id, {}),
        }
        for rank, sentence in enumerate(found.sentences, start=1)
    ]
    if not found.n_sentences:
        say("The library has no sentences: run `retrieval-explorer index --captions FILE` first.")
    if as_json:
        document = {"model": model, **width(found.n_bits), "query": said_query(query), "n_sentences": found.n_sentences}
        print_out(json.dumps({**document, "sentences": rows, "elapsed_ms": found.elapsed_ms}, indent=2))
        return
    for row in rows:
        print_out(f"{row['rank']:4d}  {said_likeness(row, found.n_bits)}  {row.get('item_id', ''):>8}  {row['text']}")
