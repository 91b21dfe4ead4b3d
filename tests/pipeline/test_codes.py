"""Queries of both kinds of models, as rows: the whole, and without each of its words."""

import importlib.util
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from explorer import pipeline
from explorer.errors import QueryError
from explorer.protocol import Query
from explorer.representations import BinaryCodes, Embeddings, Modality, concatenate

_HELPER = Path(__file__).resolve().parent.parent / "helpers" / "colour_model.py"


def _load() -> ModuleType:
    spec = importlib.util.spec_from_file_location("colour_model_of_pipeline", _HELPER)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


ENCODERS = {
    name: encoder for name, encoder in _load().ColourModels().encoders.items() if Modality.IMAGE in encoder.modalities
}
_WORDS = st.lists(st.sampled_from(["red", "green", "blue", "a", "thing"]), min_size=1, max_size=5)

_UNSAYABLE = "red green green blue blue blue"
"""A colour that five words cannot name, so that nothing cancels out."""


def numbers(rows: Embeddings | BinaryCodes) -> np.ndarray:
    if isinstance(rows, Embeddings):
        return rows.values
    assert rows.activations is not None
    np.testing.assert_array_equal(rows.packed, np.packbits(rows.activations >= 0, axis=1))
    return rows.activations


@pytest.mark.parametrize("model", ENCODERS)
@given(words=_WORDS, not_text=st.sampled_from(["", _UNSAYABLE]), picture=st.booleans())
def test_every_row_is_the_query_with_that_text(model: str, words: list[str], not_text: str, picture: bool) -> None:
    encoder = ENCODERS[model]
    pixels = np.full((20, 30, 3), (200, 90, 40), np.uint8) if picture else None
    image = b"some picture" if picture else None
    query = Query(text=" ".join(words), not_text=not_text, image_bytes=image)
    rows = numbers(pipeline.encode_without_words(encoder, query, pixels))
    assert rows.shape == (1 + len(words), encoder.dim)
    np.testing.assert_allclose(rows[:1], numbers(pipeline.encode_query(encoder, query, pixels)), atol=1e-6)
    for place in range(len(words)):
        text = " ".join(words[:place] + words[place + 1 :])
        if not text:
            continue  # a query of nothing has no row of its own
        shorter = Query(text=text, not_text=not_text, image_bytes=image)
        own = numbers(pipeline.encode_query(encoder, shorter, pixels))
        np.testing.assert_allclose(rows[1 + place : 2 + place], own, atol=1e-6)


@pytest.mark.parametrize("model", ENCODERS)
def test_what_cancels_out_is_refused(model: str) -> None:
    with pytest.raises(QueryError, match="cancel each other out"):
        pipeline.encode_query(ENCODERS[model], Query(text="red", not_text="red"), None)
    with pytest.raises(QueryError, match="nothing to search for"):
        pipeline.encode_query(ENCODERS[model], Query(not_text="red"), None)


def test_parts_of_one_kind_are_joined() -> None:
    first = BinaryCodes.from_activations(np.float32([[1] * 8]))
    second = BinaryCodes.from_activations(np.float32([[-1] * 8, [0.5] * 8]))
    joined = concatenate([first, second])
    assert isinstance(joined, BinaryCodes)
    assert joined.packed.tolist() == [[255], [0], [255]]
    assert numbers(joined)[:, 0].tolist() == [1, -1, 0.5]
    bare = concatenate([first, BinaryCodes(np.zeros((1, 1), np.uint8))])
    assert isinstance(bare, BinaryCodes)
    assert bare.activations is None
    values = np.float32([[1, 2], [3, 4]])
    halves = [Embeddings(values)[:1], Embeddings(values)[1:]]
    assert numbers(concatenate(halves)).tolist() == values.tolist()
    for parts in ([], [first, Embeddings(values)]):
        with pytest.raises(ValueError, match="parts of one kind"):
            concatenate(parts)
