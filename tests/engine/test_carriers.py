"""Which items carry a bit: against the strengths that the library holds, whoever put them there."""

import os
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from explorer import protocol
from explorer.cancellation import CancellationToken
from explorer.engine.engine import Engine
from explorer.library import IndexedItem, Library, open_library, to_rows
from explorer.protocol import Answer
from explorer.representations import BinaryCodes

BITS = "colour-bits"
MODEL_ID = f"{BITS}@fedcba9876543210"


def ask(engine: Engine, request: protocol.Request) -> Answer:
    return list(engine.answer(request))[-1]


def carriers(engine: Engine, bit: int, *, positive: bool = True, k: int = 0) -> dict[int, float]:
    """Item id to strength, in the order of the answer."""
    answer = ask(engine, protocol.CarriersOfBit(id=9, model=BITS, bit=bit, positive=positive, k=k))
    assert isinstance(answer, protocol.BitCarriers), answer
    assert (answer.model, answer.bit, answer.positive) == (BITS, bit, positive)
    ids, strengths = np.frombuffer(answer.item_ids, "<i8"), np.frombuffer(answer.strengths, "<f4")
    return dict(zip(ids.tolist(), strengths.tolist(), strict=True))


def fill(library: Library, activations: np.ndarray) -> np.ndarray:
    """Items with these codes; their ids."""
    folder = library.folder.parent / "photos"
    folder.mkdir(exist_ok=True)
    for number in range(len(activations)):
        (folder / f"{number:03d}.jpg").write_bytes(b"%d" % number)
    library.add_source(folder)
    list(library.scan(token=CancellationToken()))
    rows = to_rows(BinaryCodes.from_activations(activations))
    library.commit_items(
        MODEL_ID, MODEL_ID.partition("@")[2], indexed=[
            IndexedItem(item_id=item.item_id, content_hash=bytes(16), full_width_px=1, full_height_px=1, vector=row)
            for item, row in zip(library.pending(MODEL_ID), rows, strict=True)
        ],
    )  # fmt: skip
    return library.vector_table(MODEL_ID).item_ids


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory, colour_model: ModuleType) -> Iterator[Engine]:
    """Sixty items, many of equal strength."""
    folder = tmp_path_factory.mktemp("carriers")
    activations = np.random.default_rng(3).integers(-4, 5, (60, 16)).astype(np.float32) / 4
    with open_library(folder / "library") as library:
        fill(library, activations)
    engine: Engine = colour_model.colour_engine()
    ask(engine, protocol.OpenLibrary(id=1, path=os.fsencode(folder / "library")))
    yield engine
    engine.close()


@pytest.mark.parametrize("positive", [True, False])
@given(bit=st.integers(0, 15), k=st.integers(0, 70))
def test_the_strongest_first_and_equal_ones_by_id(filled: Engine, positive: bool, bit: int, k: int) -> None:
    table = filled.opened.library.vector_table(MODEL_ID)
    assert table.strengths is not None
    values = {int(item): int(row[bit]) for item, row in zip(table.item_ids, table.strengths, strict=True)}
    wanted = sorted((-abs(value), item) for item, value in values.items() if (value >= 0) is positive)
    found = carriers(filled, bit, positive=positive, k=k)
    assert list(found) == [item for _, item in wanted][: k or None]
    assert list(found.values()) == pytest.approx([-negative / 127 for negative, _ in wanted][: k or None])


def test_every_item_is_on_one_side_of_every_bit(filled: Engine) -> None:
    for bit in range(16):
        sides = [set(carriers(filled, bit, positive=positive)) for positive in (True, False)]
        assert sides[0] | sides[1] == set(filled.opened.library.item_ids().tolist())
        assert not sides[0] & sides[1]


def test_no_model_is_loaded_for_it(filled: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(type(filled.opened.models), "get")
    assert carriers(filled, 0)


@pytest.mark.parametrize(
    ("request_", "says"),
    [
        (protocol.CarriersOfBit(id=1, model="colours", bit=0), "colours makes embeddings"),
        (protocol.CarriersOfBit(id=1, model=BITS, bit=16), "no bit 16. Ask for one from 0 to 15."),
        (protocol.CarriersOfBit(id=1, model=BITS, bit=-1), "no bit -1"),
        (protocol.CarriersOfBit(id=1, model=BITS, bit=0, k=-3), "-3 items cannot be listed"),
        (protocol.CarriersOfBit(id=1, model="nothing", bit=0), "no model called nothing"),
    ],
)
def test_what_cannot_be_asked_ends_in_a_sentence(filled: Engine, request_: protocol.CarriersOfBit, says: str) -> None:
    answer = ask(filled, request_)
    assert isinstance(answer, protocol.Failed)
    assert answer.kind != "Bug", answer.details
    assert says in f"{answer.message} {answer.remedy}"


def test_nothing_indexed_is_said(engine: Engine, tmp_path: Path) -> None:
    ask(engine, protocol.OpenLibrary(id=1, path=os.fsencode(tmp_path / "library")))
    answer = ask(engine, protocol.CarriersOfBit(id=2, model=BITS, bit=0))
    assert isinstance(answer, protocol.Failed)
    assert answer.message == "The library has no items indexed with colour-bits."
    assert "Index a folder" in answer.remedy


def test_codes_of_another_version_are_refused(engine: Engine, tmp_path: Path) -> None:
    with open_library(tmp_path / "library") as library:
        fill(library, np.ones((3, 16), np.float32))
    ask(engine, protocol.OpenLibrary(id=1, path=os.fsencode(tmp_path / "library")))
    engine.opened.models.encoders[BITS].model_id = f"{BITS}@0000000000000000"  # type: ignore[attr-defined]
    answer = ask(engine, protocol.CarriersOfBit(id=2, model=BITS, bit=0))
    assert isinstance(answer, protocol.Failed)
    assert answer.kind == "StaleIndexError"
    assert answer.message.endswith(f"was indexed with {MODEL_ID}, but {BITS}@0000000000000000 is loaded.")
