"""From a picture and a query to evidence."""

from dataclasses import replace

import numpy as np

from explorer.evidence import Evidence, PlaceShares, WordWeights
from explorer.media.image import squash
from explorer.networks.encoder import Encoder
from explorer.pipeline.querying import encode_query, encode_without_words, query_words
from explorer.protocol import Query


def explain(
    encoder: Encoder,
    pixels: np.ndarray,
    query: Query | None = None,
    query_image: np.ndarray | None = None,
    *,
    words: bool = True,
    without: frozenset[str] = frozenset(),
) -> Evidence:
    """Why a picture has the score it has for a query: one pass over the picture, one sentence more for each word.

    Parameters
    ----------
    encoder
        the model.
    pixels
        the picture, uint8 RGB (h, w, 3).
    query
        what it is compared with; None: only what the model sees.
    query_image
        pixels of the query's picture, if it has one.
    words
        whether the words of the query's sentence are weighed.
    without
        parts of the network that are left out.

    Raises
    ------
    QueryError
        as :func:`~explorer.pipeline.querying.encode_query` does.
    """
    square = squash(pixels, encoder.side_px)
    if query is None:
        return encoder.explain(square, without=without)
    if not words or not query.text.strip():
        return encoder.explain(square, encode_query(encoder, query, query_image), without=without)
    rows = encode_without_words(encoder, query, query_image)
    evidence = encoder.explain(square, rows, without=without)
    return replace(evidence, words=weigh_words(query_words(query.text), evidence))


def weigh_words(words: tuple[str, ...], evidence: Evidence) -> WordWeights | None:
    """Weights of words from the scores with and without each of them; None where the model gives no scores.

    What a place gave to a word's weight is what it gave to the score less what it gives without that word: where the
    shares of all tokens add up to the score, so do these to the weight.
    """
    scores = evidence.row_scores
    if scores is None:
        return None
    links = tuple(PlaceShares(share.places, share.values[:1] - share.values[1:]) for share in evidence.shares)
    return WordWeights(words, scores[:1] - scores[1:], links)
