"""What the fake engine says of words, sentences and figures; pure functions of the request."""

import hashlib
import io

import numpy as np
from PIL import Image, ImageDraw

from explorer import protocol as p

N_CELLS, N_BOXES = 49, 5
SENTENCES = (
    "a brown dog jumps over a fallen log in the forest",
    "two children in red jackets are running along the beach",
    "a man with a hat rides a bicycle through a busy street",
    "كلب يقفز فوق جذع شجرة في الغابة",
    "an extraordinarily long sentence about Donaudampfschifffahrtsgesellschaftskapitäne who wave from the deck of "
    "a boat while birds circle over the harbour and nobody on land takes notice of it 🐦",
    "犬が丸太を飛び越える",
)
LONGEST = 120


def seeded(*what: object) -> np.random.Generator:
    return np.random.default_rng(int.from_bytes(hashlib.sha256(repr(what).encode()).digest()[:4], "big"))


def words_of(sentence: str) -> tuple[str, ...]:
    """The words; of very long sentences runs of several."""
    words = sentence.split()
    step = 1 + len(words) // LONGEST
    return tuple(" ".join(words[i : i + step]) for i in range(0, len(words), step))


def words(sentence: str, item_id: int) -> p.Words | None:
    found = words_of(sentence)
    if not found:
        return None
    weights = np.array([seeded(word, item_id).normal(0.04, 0.05) for word in found])
    shares = [(w, seeded(word, item_id, "cells").dirichlet(np.full(N_CELLS, 0.2))) for w, word in
              zip(weights, found, strict=True)]
    cells = np.stack([w * share for w, share in shares]).astype("<f4")
    boxes = cells[:, : N_BOXES * 9].reshape(len(found), N_BOXES, 9).sum(-1).astype("<f4")
    return p.Words(
        words=found, weights=tuple(map(float, weights)),
        links=(
            p.WordLinks(places="vsem", values=cells.tobytes()), p.WordLinks(places="regions", values=boxes.tobytes()),
        ),
    )


def boxes(item_id: int) -> p.Boxes:
    corners = np.sort(seeded("boxes", item_id).random((N_BOXES, 2, 2)), axis=1).reshape(N_BOXES, 4).astype("<f4")
    values = np.linspace(0.9, 0.1, N_BOXES).astype("<f4")
    return p.Boxes(
        name="regions", title="Regions", boxes=corners.tobytes(), values=values.tobytes(),
        scores=values.tobytes(), labels=("dog", "person", "", "boat", "bicycle"),
    )


def ranked(request: p.SearchSentences, n_sentences: int, n_items: int) -> p.SentenceRanking:
    n = min(request.k, n_sentences)
    order = seeded(request.query).permutation(max(n, len(SENTENCES)))[:n]
    return p.SentenceRanking(
        id=request.id, n_sentences=n_sentences, query=request.query, model=request.model, elapsed_ms=4.0,
        sentences=tuple(
            p.RankedSentence(text=SENTENCES[i % len(SENTENCES)] + ("" if i < len(SENTENCES) else f" ({i})"),
                             item_id=1 + int(i) % max(1, n_items), score=0.8 * 0.93**rank)
            for rank, i in enumerate(map(int, order))
        ),
    )


def figure(request: p.MakeFigure, error: str) -> p.Message:
    spec = request.spec
    if error:
        return p.Failed(id=request.id, message=error, remedy="Choose another format.", kind="UserFacingError")
    width = max(1, round(spec.width_mm / 25.4 * spec.dpi))
    rows = -(-len(spec.item_ids) // spec.columns) if spec.kind == "grid" else 1
    image = Image.new("RGB", (width, max(1, width * rows // (spec.columns if spec.kind == "grid" else 2))), "white")
    draw = ImageDraw.Draw(image)
    draw.rectangle((2, 2, width - 3, image.height - 3), outline="black")
    draw.text((8, 8), f"{spec.kind}: {len(spec.layers)} layers, {len(spec.item_ids)} items", fill="black")
    stream = io.BytesIO()
    if spec.format == "svg":
        stream.write(b"<svg xmlns='http://www.w3.org/2000/svg' width='10' height='10'/>")
    else:
        image.save(stream, spec.format.upper())
    recipe = "# How this figure was made.\n"
    recipe += f'schema_version = 1\nkind = "{spec.kind}"\nmodel = "{spec.model}"\nitem_ids = {list(spec.item_ids)}\n'
    return p.Figure(id=request.id, content=stream.getvalue(), recipe=recipe)
