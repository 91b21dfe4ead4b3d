"""Every index answers the same questions, and refuses what another kind of model made."""

import numpy as np
import pytest

from explorer.representations import BinaryCodes, Embeddings
from explorer.retrieval import GalleryIndex, HammingIndex, InnerProductIndex

CODES = BinaryCodes(np.array([[0b1111_0000], [0b1111_1111], [0b1111_1110]], np.uint8))
VECTORS = Embeddings(CODES.signs.astype(np.float32) / np.float32(8**0.5))
IDS = np.array([7, 3, 5])


def galleries() -> list[tuple[GalleryIndex, Embeddings | BinaryCodes]]:
    return [
        (InnerProductIndex(IDS, VECTORS.values, version="v"), VECTORS),
        (HammingIndex(IDS, CODES.packed, version="v"), CODES),
    ]


@pytest.mark.parametrize(("index", "queries"), galleries(), ids=lambda value: type(value).__name__)
def test_codes_and_their_signs_rank_alike(index: GalleryIndex, queries: Embeddings | BinaryCodes) -> None:
    assert (len(index), index.dim, index.version) == (3, 8, "v")
    assert index.item_ids.tolist() == [7, 3, 5]
    ranking = index.search(queries, 2)
    assert ranking.item_ids.tolist() == [[7, 5], [3, 5], [5, 3]]
    np.testing.assert_allclose(ranking.scores, [[1, 0.25], [1, 0.75], [1, 0.75]], atol=1e-6)
    assert index.rank(index.score_all(queries), 2).item_ids.tolist() == ranking.item_ids.tolist()
    assert index.search(queries, allowed=np.array([True, False, False])).item_ids.tolist() == [[7], [7], [7]]


def test_each_refuses_what_the_other_searches_with() -> None:
    inner_product, hamming = (index for index, _ in galleries())
    with pytest.raises(ValueError, match="expected queries that are embeddings 8 wide, got codes of 8 bits"):
        inner_product.search(CODES)
    with pytest.raises(ValueError, match="expected queries that are codes of 8 bits, got embeddings"):
        hamming.search(VECTORS)
