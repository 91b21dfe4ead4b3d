"""From a query to what searches the library: the whole query, and the query with each of its words left out.

What a query shows comes as ``image``: the pixels of a picture, uint8 RGB (h, w, 3), or the frames of a video as
:func:`~explorer.pipeline.indexing.sampling_of` wants them, (n_frames, side, side, 3); None where it shows nothing.
"""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from explorer.errors import QueryError
from explorer.media.image import squash
from explorer.networks.encoder import Encoder, sees_motion
from explorer.protocol import Query
from explorer.representations import BinaryCodes, Embeddings, Modality, average, concatenate
from explorer.retrieval import combine, combine_codes

MAX_WORDS = 64
"""Longer sentences are weighed in runs of words: each costs one more sentence to encode, and those are long then."""

_MIN_RUNS = 16


def check_query(query: Query) -> None:
    """Refuse a query with neither a sentence nor anything to see, before anything is loaded for it.

    Raises:
        QueryError: there is nothing to search for; there is more than one thing to see; the span is none.
    """
    shown = [part for part in (query.image_path, query.image_bytes, query.image_item_id, query.video_path)
             if part is not None]
    if not query.text.strip() and not shown:
        raise QueryError("There is nothing to search for.", "Type a sentence, or drop a picture or a video.")
    if len(shown) > 1:
        raise QueryError("A query shows one picture or one video.", "Search with one of them after the other.")
    if query.video_span_s is not None:
        start_s, end_s = query.video_span_s
        if query.video_path is None or not 0 <= start_s < end_s:
            raise QueryError(
                f"From {start_s:g} to {end_s:g} seconds is no part of a video.",
                "Name a video, a start from 0 and an end behind it.",
            )


def encode_query(encoder: Encoder, query: Query, image: np.ndarray | None) -> Embeddings | BinaryCodes:
    """The query as one row of what the model makes: sentence, picture or video, their sum, minus what to avoid.

    An embedding is of unit length; parts of a code are added up before they are rounded.

    Raises:
        QueryError: there is nothing to search for, the model cannot read it, or the parts cancel out.
    """
    return _encode(encoder, query, image, [query.text.strip()])


def query_words(text: str) -> tuple[str, ...]:
    """The words of a sentence as written; runs of several words where there are more than :data:`MAX_WORDS`.

    The longer the sentence the fewer runs, so that the work stays that of ``MAX_WORDS`` sentences of as many words.
    """
    words = text.split()
    if len(words) <= MAX_WORDS:
        return tuple(words)
    n_runs = max(_MIN_RUNS, MAX_WORDS**2 // len(words))
    ends = np.linspace(0, len(words), n_runs + 1).round().astype(int).tolist()
    return tuple(" ".join(words[start:end]) for start, end in pairwise(ends))


def encode_without_words(encoder: Encoder, query: Query, image: np.ndarray | None) -> Embeddings | BinaryCodes:
    """The query, then the query without each of its words: (1 + n_words, dim), rows as :func:`query_words` cuts them.

    Raises as :func:`encode_query` does.
    """
    words = query_words(query.text)
    without = [" ".join(words[:i] + words[i + 1 :]) for i in range(len(words))]
    return _encode(encoder, query, image, [query.text.strip(), *without])


def _encode(
    encoder: Encoder, query: Query, image: np.ndarray | None, texts: Sequence[str]
) -> Embeddings | BinaryCodes:
    """One row for each text in the place of the query's own."""
    check_query(query)
    if Modality.TEXT not in encoder.modalities and (query.text.strip() or query.not_text.strip()):
        raise QueryError(f"{encoder.name} reads no sentences.", "Search with a picture or a video, or choose another.")
    fixed: list[Embeddings | BinaryCodes] = []
    weights: list[float] = []
    if image is not None:
        fixed.append(_encode_shown(encoder, image))
        weights.append(1.0)
    if query.not_text.strip():
        fixed.append(encoder.encode_texts([query.not_text.strip()]))
        weights.append(-1.0)
    if not query.text.strip():
        return _combine(fixed, weights)
    # A sentence of one word leaves an empty one behind: what the model makes of saying nothing.
    sentences = encoder.encode_texts(texts)
    rows = [_combine([sentences[row : row + 1], *fixed], [1.0, *weights]) for row in range(len(sentences))]
    return concatenate(rows)


def _encode_shown(encoder: Encoder, image: np.ndarray) -> Embeddings | BinaryCodes:
    if image.ndim == 3:
        if Modality.IMAGE not in encoder.modalities:
            raise QueryError(f"{encoder.name} reads no pictures.", "Search with a sentence, or choose another model.")
        return encoder.encode_images(squash(image, encoder.side_px)[None])
    if sees_motion(encoder):
        return encoder.encode_videos(image[None])
    if Modality.IMAGE not in encoder.modalities:
        raise QueryError(f"{encoder.name} reads no videos.", "Search with a sentence, or choose another model.")
    return average(encoder.encode_images(image))


def _combine(parts: Sequence[Embeddings | BinaryCodes], weights: Sequence[float]) -> Embeddings | BinaryCodes:
    joined = concatenate(parts)
    return combine_codes(joined, weights) if isinstance(joined, BinaryCodes) else combine(joined, weights)
