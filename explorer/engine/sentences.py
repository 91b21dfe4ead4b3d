"""The library's sentences: bringing them in, encoding them, ranking them for a query."""

import os
import time
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from explorer import pipeline, protocol
from explorer.cancellation import CancellationToken
from explorer.datasets.captions import PhotoSentences, read_captions
from explorer.engine.opened import Opened, build_index, ms_since, n_bits_of
from explorer.engine.pacing import paced
from explorer.errors import DatasetError, LibraryReadOnlyError, QueryError
from explorer.library import Library, Sentences, item_of, to_rows
from explorer.networks.encoder import Encoder
from explorer.protocol import Answer
from explorer.representations import BinaryCodes, Embeddings, Modality
from explorer.retrieval import Ranking

ITEMS_PER_TRANSACTION = 1000
SENTENCES_PER_PAGE = 1024
SENTENCES_PER_BATCH = 64
BYTES_PER_BATCH = 8192
"""Of the sentences of a batch, each counted as long as the longest: a stop is seen within two seconds on a CPU."""

_LOCK_INTERVAL_S = 0.2


@dataclass(frozen=True, slots=True)
class EncodingStep:
    """Where encoding stands after a batch was committed."""

    n_done: int
    n_total: int
    rate_per_s: float


def add_captions(opened: Opened, request: protocol.AddCaptions, token: CancellationToken) -> Iterator[Answer]:
    """Read a file of sentences, give them to the items it names, and encode them if a model is named."""
    library = opened.library
    path = Path(os.fsdecode(request.path))
    photos = read_captions(path)
    token.check()
    said, n_unmatched = _matched(library, photos, path.parent)
    if not said:
        raise DatasetError(
            f"None of the {len(photos)} photos or videos that {path.name} speaks of is in the library.",
            "Index their folder first.",
        )
    waiting, n_done = iter(said.items()), 0
    while batch := dict(islice(waiting, ITEMS_PER_TRANSACTION)):
        token.check()
        library.sentences.replace(batch)
        n_done += len(batch)
        yield protocol.Progress(id=request.id, stage="captions", n_done=n_done, n_total=len(said))
    n_encoded = 0
    if request.model:
        n_encoded = yield from encode_missing(opened, request.model, request.id, token)
    yield protocol.CaptionsAdded(
        id=request.id,
        n_sentences=sum(map(len, said.values())),
        n_items=len(said),
        n_unmatched=n_unmatched,
        n_encoded=n_encoded,
    )


def search_sentences(
    opened: Opened, request: protocol.SearchSentences, token: CancellationToken
) -> Iterator[Answer]:
    """Rank the library's sentences; those without a vector of this model are encoded first."""
    pipeline.check_query(request.query)
    sentences = opened.library.sentences
    if not sentences.count():
        yield protocol.SentenceRanking(
            id=request.id, sentences=(), n_sentences=0, query=request.query, model=request.model
        )
        return
    encoder = opened.models.get(request.model)
    if Modality.TEXT not in encoder.modalities:
        raise QueryError(f"{encoder.name} reads no sentences.", "Choose another model.")
    token.check()
    image = opened.query_image(request.query, encoder, token)
    started = time.monotonic()  # what is done once, loading and encoding sentences, is no part of a search
    query = pipeline.encode_query(encoder, request.query, image)
    elapsed_ms = ms_since(started)
    yield from encode_missing(opened, request.model, request.id, token)
    started = time.monotonic()
    ranking = _rank(sentences, encoder.model_id, query, request.k)
    yield protocol.SentenceRanking(
        id=request.id,
        sentences=_told(sentences, ranking),
        n_sentences=sentences.count(),
        query=request.query,
        model=request.model,
        elapsed_ms=elapsed_ms + ms_since(started),
        n_bits=n_bits_of(query),
    )


def encode_missing(
    opened: Opened, model: str, request_id: int, token: CancellationToken, *, newest: bool = False
) -> Generator[Answer, None, int]:
    """Encode every sentence that has no vector of this model; returns how many there were.

    The model is loaded only if there are any; one that reads no sentences encodes none. Where two requests want the
    same, the later one waits for the earlier. ``newest``: with the package as it is on disk, beside an older version
    in use, whose vectors stay.

    Raises
    ------
    LibraryReadOnlyError
        There are some, and their vectors cannot be kept.
    """
    library = opened.library
    models = opened.models
    model_id = (models.newest_package(model) if newest else models.package(model)).model_id
    while not opened.encoding_sentences.acquire(timeout=_LOCK_INTERVAL_S):
        token.check()
    try:
        n_missing = library.sentences.n_without_vector(model_id)
        if not n_missing:
            return 0
        if library.read_only:
            raise LibraryReadOnlyError(
                f"{n_missing} sentences of the library in {library.folder} were never read with this model, and it"
                " cannot be written to.",
                "Search for sentences once where it can be written to, or choose another model.",
            )
        encoder = models.get_newest(model) if newest else models.get(model)
        if Modality.TEXT not in encoder.modalities:
            return 0
        n_done = 0
        for step in paced(encode_sentences(library, encoder, n_missing, token=token)):
            n_done = step.n_done
            yield protocol.Progress(
                id=request_id,
                stage="sentences",
                n_done=step.n_done,
                n_total=step.n_total,
                rate_per_s=step.rate_per_s,
                remaining_s=(step.n_total - step.n_done) / max(step.rate_per_s, 1e-6),
            )
        if not newest:
            library.sentences.drop_other_versions(model_id)
        return n_done
    finally:
        opened.encoding_sentences.release()


def encode_sentences(
    library: Library, encoder: Encoder, n_missing: int, *, token: CancellationToken
) -> Iterator[EncodingStep]:
    """Encode the sentences that have no vector of this encoder, each once; every yielded step is committed.

    Stops between batches once ``token`` is cancelled, raising :class:`~explorer.cancellation.Cancelled`. The vectors of
    a page do not depend on where an earlier run stopped.
    """
    weights_hash = encoder.model_id.partition("@")[2]
    started, n_done, after = time.monotonic(), 0, ""
    while page := library.sentences.without_vector(encoder.model_id, after=after, limit=SENTENCES_PER_PAGE):
        after = page[-1]
        for texts in _batches(page):
            token.check()
            vectors = to_rows(encoder.encode_texts(texts))
            library.sentences.commit(encoder.model_id, weights_hash, texts, vectors)
            n_done += len(texts)
            rate = n_done / max(time.monotonic() - started, 1e-6)
            yield EncodingStep(n_done, max(n_done, n_missing), rate)


def _batches(texts: Sequence[str]) -> Iterator[list[str]]:
    """Sentences of like length together, so that little is padded, and few long ones at once."""
    batch: list[str] = []
    for text in sorted(texts, key=_size):
        if batch and (len(batch) == SENTENCES_PER_BATCH or (len(batch) + 1) * _size(text) > BYTES_PER_BATCH):
            yield batch
            batch = []
        batch.append(text)
    if batch:
        yield batch


def _size(text: str) -> int:
    # Bytes tell the number of word pieces better than letters do: where letters take more bytes, words have fewer.
    return len(text.encode())


def _matched(
    library: Library, photos: Sequence[PhotoSentences], beside: Path
) -> tuple[dict[int, tuple[str, ...]], int]:
    """Item id to sentences, each once, and how many photos are no item."""
    said: dict[int, dict[str, None]] = {}
    n_unmatched = 0
    for photo, item_ids in zip(photos, library.sentences.match([p.name for p in photos], beside), strict=True):
        n_unmatched += not item_ids
        for item_id in item_ids:
            said.setdefault(item_id, {}).update(dict.fromkeys(photo.sentences))
    return {item_id: tuple(sentences) for item_id, sentences in said.items()}, n_unmatched


def _rank(sentences: Sentences, model_id: str, query: Embeddings | BinaryCodes, k: int) -> Ranking:
    """The best sentences by their ids; of equal ones the first by item and place comes first."""
    table = sentences.table(model_id)
    return build_index(table, query, model_id).search(query, k)


def _told(sentences: Sentences, ranking: Ranking) -> tuple[protocol.RankedSentence, ...]:
    hits = ranking.hits()
    texts = sentences.texts([hit.item_id for hit in hits])
    return tuple(
        protocol.RankedSentence(text=texts[hit.item_id], item_id=item_of(hit.item_id), score=hit.score)
        for hit in hits
        if hit.item_id in texts  # it may have been replaced just now
    )
