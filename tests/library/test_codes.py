"""Binary codes in the catalogue and in the search arrays: the bits exactly, their strengths to a byte."""

import json
import os
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from photo_library import CODE_MODEL, MODEL, N_BITS, WEIGHTS, code_of, codes_of, index_all, indexed, scan

from explorer.errors import StaleIndexError
from explorer.library import VectorForm, VectorKind, open_library, to_activations, to_rows
from explorer.representations import BinaryCodes, Embeddings

_ACTIVATIONS = arrays.arrays(
    np.float32,
    st.tuples(st.integers(0, 4), st.sampled_from([8, 16, 64])),
    elements=st.floats(-1, 1, width=32) | st.sampled_from([-0.0, -1e-30, 1e-30, -0.0039, 0.0039]),
)


@given(_ACTIVATIONS)
def test_a_row_keeps_the_bits_and_nearly_the_activations(activations):
    codes = BinaryCodes.from_activations(activations)
    rows = to_rows(codes)
    n_bytes = codes.n_bits // 8
    assert rows.shape == (len(codes), n_bytes + codes.n_bits)
    np.testing.assert_array_equal(rows[:, :n_bytes], codes.packed)
    strengths = rows[:, n_bytes:].view(np.int8)
    np.testing.assert_array_equal(np.packbits(strengths >= 0, axis=1), codes.packed)
    np.testing.assert_allclose(to_activations(strengths), activations, atol=1.001 / 127)
    firm = np.abs(activations) >= 0.5 / 127
    np.testing.assert_allclose(to_activations(strengths)[firm], activations[firm], atol=0.501 / 127)
    assert np.abs(to_activations(strengths)).max(initial=0) <= 1
    assert VectorForm.of(rows) == (VectorKind.CODE, codes.n_bits)


@given(_ACTIVATIONS, st.integers(0, 2**32 - 1))
def test_the_sign_is_that_of_the_bit_whatever_the_activation_says(activations, seed):
    packed = np.random.default_rng(seed).integers(0, 256, (len(activations), activations.shape[1] // 8), np.uint8)
    rows = to_rows(BinaryCodes(packed, activations))
    np.testing.assert_array_equal(np.packbits(rows[:, packed.shape[1] :].view(np.int8) >= 0, axis=1), packed)


def test_bits_alone_are_as_firm_as_can_be():
    rows = to_rows(BinaryCodes(np.array([[0b10100000]], np.uint8)))
    assert rows[0, 1:].view(np.int8).tolist() == [127, -127, 127, -127, -127, -127, -127, -127]


def test_embeddings_are_kept_as_they_are():
    values = np.float32([[1, -2, 3]])
    assert to_rows(Embeddings(values)) is values
    assert VectorForm.of(values) == (VectorKind.EMBEDDING, 3)


@pytest.mark.parametrize("width", [1, 8, 10, 71])
def test_bytes_that_are_no_code_are_refused(width):
    with pytest.raises(ValueError, match=f"nine bytes for every eight bits, got {width}"):
        VectorForm.of(np.zeros((2, width), np.uint8))


# --- items ----------------------------------------------------------------------------------------------------------


def _contents(library, item_ids):
    return [Path(os.fsdecode(row.path)).read_bytes() for row in library.describe(item_ids)]


def assert_right(library, n_items):
    """Every row of the table is the code of its own file."""
    table = library.vector_table(CODE_MODEL, WEIGHTS)
    assert len(table.item_ids) == n_items
    own = codes_of(_contents(library, table.item_ids.tolist()))
    assert (table.vectors.dtype, table.strengths.dtype) == (np.uint8, np.int8)
    np.testing.assert_array_equal(table.vectors, own.packed)
    np.testing.assert_array_equal(table.strengths, to_rows(own)[:, N_BITS // 8 :].view(np.int8))
    assert table.form == (VectorKind.CODE, N_BITS)
    return table


@pytest.fixture
def indexed_library(library, photos):
    library.add_source(photos)
    index_all(library, CODE_MODEL)
    return library


def test_codes_and_strengths_are_two_maps_on_the_disk(indexed_library):
    table = assert_right(indexed_library, 5)
    assert isinstance(table.vectors, np.memmap)
    assert isinstance(table.strengths, np.memmap)
    manifest = json.loads((indexed_library.folder / "search-bits@fedcba9876543210.json").read_text())
    names = {manifest[key] for key in ("item_ids", "codes", "strengths")}
    assert {path.name for path in indexed_library.folder.glob("search-*.npy")} == names
    assert (indexed_library.folder / manifest["codes"]).stat().st_size < 128 + 5 * N_BITS


def test_both_kinds_live_beside_each_other(indexed_library):
    index_all(indexed_library)
    assert_right(indexed_library, 5)
    assert indexed_library.vector_table(MODEL).form == (VectorKind.EMBEDDING, 8)
    assert indexed_library.vector_table(MODEL).strengths is None
    assert indexed_library.counts().n_indexed == {MODEL: 5, CODE_MODEL: 5}
    indexed_library.drop_model(CODE_MODEL)
    assert len(indexed_library.vector_table(CODE_MODEL).item_ids) == 0
    assert len(indexed_library.vector_table(MODEL).item_ids) == 5
    assert list(indexed_library.folder.glob("search-bits*")) == []


def test_arrays_follow_the_library(indexed_library, photos):
    before = assert_right(indexed_library, 5)
    assert indexed_library.vector_table(CODE_MODEL).version == before.version
    (photos / "a.jpg").rename(photos / "sub" / "moved.jpg")
    assert index_all(indexed_library, CODE_MODEL) == 0, "a moved file keeps its vector"
    assert_right(indexed_library, 5)
    (photos / "b.png").write_bytes(b"another picture")
    (photos / "e.jpeg").unlink()
    assert index_all(indexed_library, CODE_MODEL) == 1
    assert_right(indexed_library, 4)
    assert indexed_library.vector_table(CODE_MODEL).version != before.version


def test_nothing_left_has_a_form(indexed_library, photos):
    for path in list(photos.rglob("[a-e].*")):
        path.unlink()
    scan(indexed_library)
    table = indexed_library.vector_table(CODE_MODEL)
    assert table.form == (VectorKind.CODE, N_BITS)
    assert (table.vectors.shape, table.strengths.shape) == ((0, N_BITS // 8), (0, N_BITS))


@pytest.mark.parametrize("damage", ["missing", "cut", "swapped", "older"])
def test_damaged_arrays_are_made_again(indexed_library, damage):
    indexed_library.vector_table(CODE_MODEL)
    path = indexed_library.folder / "search-bits@fedcba9876543210.json"
    manifest = json.loads(path.read_text())
    strengths = indexed_library.folder / manifest["strengths"]
    if damage == "missing":
        strengths.unlink()
    elif damage == "cut":
        os.truncate(strengths, 130)
    elif damage == "swapped":
        path.write_text(json.dumps({**manifest, "codes": manifest["strengths"], "strengths": manifest["codes"]}))
    else:  # as a program that knows embeddings only would have left it
        del manifest["state"]["kind"]
        path.write_text(json.dumps(manifest))
    assert_right(indexed_library, 5)
    assert len(list(indexed_library.folder.glob("search-*.npy"))) == 3


def test_another_kind_or_width_under_the_same_id_is_refused(indexed_library, photos):
    (photos / "new.jpg").write_bytes(b"new")
    scan(indexed_library)
    (item,) = indexed_library.pending(CODE_MODEL)
    longer = to_rows(BinaryCodes.from_activations(np.zeros((1, 32), np.float32)))[0]
    for vector, made in ((longer, "codes of 32 bits"), (np.zeros(16, np.float32), "embeddings of 16 numbers")):
        with pytest.raises(StaleIndexError, match=f"codes of 16 bits of bits@.* the loaded model makes {made}"):
            indexed_library.commit_items(CODE_MODEL, WEIGHTS, indexed=[indexed(item, vector=vector)])
    with pytest.raises(StaleIndexError, match="made with the weights"):
        indexed_library.commit_items(CODE_MODEL, "f" * 64, indexed=[indexed(item, vector=code_of(item))])
    assert_right(indexed_library, 5)


def test_codes_of_another_version_are_refused(indexed_library):
    with pytest.raises(StaleIndexError, match="indexed with bits@fedcba9876543210, but bits@0 is loaded"):
        indexed_library.vector_table("bits@0")


def test_a_library_is_the_same_after_it_was_closed(indexed_library):
    assert_right(indexed_library, 5)
    folder = indexed_library.folder
    indexed_library.close()
    with open_library(folder) as again:
        assert_right(again, 5)


# --- sentences ------------------------------------------------------------------------------------------------------


def test_sentences_have_codes_too(indexed_library):
    first, second, *_ = indexed_library.item_ids().tolist()
    sentences = indexed_library.sentences
    sentences.replace({first: ["a dog", "red"], second: ["red"]})
    texts = sentences.without_vector(CODE_MODEL, limit=9)
    codes = codes_of([text.encode() for text in texts])
    sentences.commit(CODE_MODEL, WEIGHTS, texts, to_rows(codes))
    table = sentences.table(CODE_MODEL)
    said = sentences.texts(table.item_ids.tolist())
    own = codes_of([said[sentence_id].encode() for sentence_id in table.item_ids.tolist()])
    assert len(said) == 3
    np.testing.assert_array_equal(table.vectors, own.packed)
    np.testing.assert_array_equal(np.packbits(table.strengths >= 0, axis=1), own.packed)
    sentences.replace({second: ["new"]})
    for vectors in (np.zeros((1, 16), np.float32), to_rows(codes_of([b"new"]))[:, :9]):
        with pytest.raises(StaleIndexError, match="holds codes of 16 bits"):
            sentences.commit(CODE_MODEL, WEIGHTS, ["new"], vectors)
    assert sentences.n_without_vector(CODE_MODEL) == 1
