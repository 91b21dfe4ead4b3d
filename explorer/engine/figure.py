"""Figures of results: from a specification and the open library to a file's content and its recipe."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from explorer import pipeline, protocol
from explorer.cancellation import CancellationToken
from explorer.engine.figure_pictures import SeenItem, see_item
from explorer.engine.figure_recipes import FoundItem, recipe_of
from explorer.engine.opened import Opened
from explorer.errors import ConfigError, LibraryError, StaleIndexError
from explorer.figures import FigureContent, ShownResult, check_number, draw_figure, page_bytes
from explorer.library.rows import ItemRow
from explorer.media.image import fit_within
from explorer.networks.encoder import Encoder
from explorer.protocol import Answer, FigureSpec
from explorer.retrieval import best_segments, n_items_of, rank_scores
from explorer.segment_ids import item_of

QUERY_PICTURE_EDGE_PX = 512

_MOST_CAPTIONED = 1000


@dataclass(frozen=True, slots=True)
class _Standing:
    """Where the items stand among all results.

    Attributes:
        scores: by item id, of the items that were ranked.
        ranks: by item id, from 1.
        n_gallery: how many were ranked.
        correct: ids of the items that the query is a sentence of; None where no item has it.
        correct_ranks: places of these items, or of the best shot of each, from 1.
        ranked: what they all are called.
    """

    scores: dict[int, float]
    ranks: dict[int, int]
    n_gallery: int
    correct: frozenset[int] | None
    correct_ranks: tuple[int, ...] = ()
    ranked: str = "pictures"


def make_figure(opened: Opened, request: protocol.MakeFigure, token: CancellationToken) -> Iterator[Answer]:
    """Draw results as they are in the library now; :class:`~explorer.protocol.Progress` after each of several."""
    spec = request.spec
    check_number(spec)
    rows = _rows_of(opened, spec)
    encoder = opened.models.get(spec.model)
    _check_parts(encoder, spec)
    token.check()
    query_image = None if spec.query is None else opened.query_image(spec.query, encoder, token)
    standing = _standing(opened, encoder, spec, rows, query_image)
    results: list[ShownResult] = []
    found: list[FoundItem] = []
    for row in rows:
        token.check()
        seen = see_item(encoder, spec, row, query_image, token, first=not results)
        found.append(FoundItem(row, seen.content_hash))
        results.append(_shown(row, seen, standing))
        if len(rows) > 1:
            yield protocol.Progress(
                id=request.id, stage="drawing", n_done=len(results), n_total=len(rows), current=row.display
            )
    token.check()
    page = draw_figure(spec, _content(encoder, spec, results, query_image, standing), known=tuple(encoder.overlays))
    token.check()
    yield protocol.Figure(
        id=request.id,
        content=page_bytes(page, spec.format, spec.dpi),
        recipe=recipe_of(opened, encoder.model_id, spec, found).to_toml(),
    )


def _rows_of(opened: Opened, spec: FigureSpec) -> list[ItemRow]:
    """Rows of the items that are drawn: all for a grid, else the first."""
    wanted = spec.item_ids if spec.kind == "grid" else spec.item_ids[:1]
    if not wanted:
        raise ConfigError("There is no result to draw.", "Choose one, or search for something else.")
    rows = {row.item_id: row for row in opened.library.describe(wanted)}
    for item_id in wanted:
        if item_id not in rows:
            raise LibraryError(f"The library has no item {item_id}.", "Search again: it was removed or never there.")
    return [rows[item_id] for item_id in wanted]


def _check_parts(encoder: Encoder, spec: FigureSpec) -> None:
    for part in spec.without:
        if part not in encoder.overlays or part == "segmentation":
            raise ConfigError(
                f"{encoder.name} has no part called {part} that could be left out.",
                "Parts that models have are vsem and vspm.",
            )


def _shown(row: ItemRow, seen: SeenItem, standing: _Standing) -> ShownResult:
    # The score of the very pass that is shown, where there is one: with parts left out it is another.
    score = seen.evidence.score if seen.evidence is not None else standing.scores.get(row.item_id)
    return ShownResult(
        picture=seen.picture,
        name=seen.name,
        evidence=seen.evidence,
        score=score,
        rank=standing.ranks.get(row.item_id),
        correct=standing.correct is not None and item_of(row.item_id) in standing.correct,
    )


def _content(
    encoder: Encoder, spec: FigureSpec, results: Sequence[ShownResult], query_image: np.ndarray | None,
    standing: _Standing,
) -> FigureContent:  # fmt: skip
    return FigureContent(
        results=tuple(results),
        query=spec.query.text.strip() if spec.query is not None else "",
        not_query=spec.query.not_text.strip() if spec.query is not None else "",
        query_picture=None if query_image is None else fit_within(_one_picture(query_image), QUERY_PICTURE_EDGE_PX),
        model=encoder.name,
        n_gallery=standing.n_gallery,
        correct_ranks=None if standing.correct is None else standing.correct_ranks,
        ranked=standing.ranked,
    )


def _one_picture(query_image: np.ndarray) -> np.ndarray:
    """The picture that is searched with; of frames of a video the middle one."""
    return query_image if query_image.ndim == 3 else query_image[len(query_image) // 2]


# --- ranks and relevance ---------------------------------------------------------------------------------------------


def _standing(
    opened: Opened, encoder: Encoder, spec: FigureSpec, rows: Sequence[ItemRow], query_image: np.ndarray | None
) -> _Standing:
    if spec.query is None:
        return _Standing({}, {}, 0, None)
    correct = _correct_items(opened, spec.query.text) if spec.frames else None
    if not spec.scores and correct is None:
        return _Standing({}, {}, 0, None)
    query = pipeline.encode_query(encoder, spec.query, query_image)
    try:
        index = opened.index_of(encoder.model_id, query)
    except StaleIndexError:
        return _Standing({}, {}, 0, correct)  # indexed with other weights: nobody knows its rank
    if not len(index):
        return _Standing({}, {}, 0, correct)
    scores = index.score_all(query)[0]
    alone = spec.every_moment or n_items_of(index.item_ids) == len(index)
    ranking = index.rank(scores) if alone else rank_scores(*best_segments(scores, index.item_ids), 0)
    ids, scores = ranking.item_ids[0], ranking.scores[0]
    asked = np.array([row.item_id for row in rows], np.int64)
    places = np.flatnonzero(np.isin(ids, asked)).tolist()
    right = np.flatnonzero(np.isin(item_of(ids), np.array(sorted(correct or ()), np.int64)))
    firsts = np.unique(item_of(ids[right]), return_index=True)[1]  # of a video its best shot
    return _Standing(
        scores={int(ids[place]): float(scores[place]) for place in places},
        ranks={int(ids[place]): place + 1 for place in places},
        n_gallery=len(ids),
        correct=correct,
        correct_ranks=tuple(sorted(int(place) + 1 for place in right[firsts])),
        ranked=_ranked(opened.library.counts().n_videos, spec),
    )


def _ranked(n_videos: int, spec: FigureSpec) -> str:
    if not n_videos:
        return "pictures"
    return "pictures and shots" if spec.every_moment else "pictures and videos"


def _correct_items(opened: Opened, sentence: str) -> frozenset[int] | None:
    """Items that have this sentence; None where none has, so that nobody knows what would be correct."""
    words = [word for word in sentence.split() if any(letter.isalnum() for letter in word)]
    wanted = _as_compared(sentence)
    if not words or not wanted:
        return None
    candidates = opened.library.search_text(" ".join(words), _MOST_CAPTIONED)
    rows = opened.library.describe(candidates.tolist())
    same = {row.item_id for row in rows if any(_as_compared(caption) == wanted for caption in row.captions)}
    return frozenset(same) or None


def _as_compared(sentence: str) -> str:
    """Case, blanks and the last full stop make no other sentence."""
    return " ".join(sentence.casefold().split()).rstrip(" .")
