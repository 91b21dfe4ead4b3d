"""A model that is trained again under its name: the old version is searched with until the library has the new one's
vectors, and what is loaded for measuring is not kept."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from explorer import protocol
from explorer.cancellation import CancellationToken
from explorer.engine.engine import Engine
from explorer.engine.models import LoadedModels
from explorer.errors import PackageError
from explorer.library import open_library
from explorer.networks import registry
from explorer.packages.manifest import Manifest, Output, Part, Preprocess
from explorer.packages.package import ModelPackage, write_package
from explorer.protocol import Answer
from explorer.representations import Embeddings, Modality

NAME = "hues"


def write(folder: Path, version: int, name: str = NAME) -> ModelPackage:
    """A package whose weights are its version."""
    manifest = Manifest(
        family="pooled", name=name, title=name, preprocess=Preprocess(side_px=32, mean=(0.5,) * 3, std=(0.5,) * 3),
        output=Output(kind="embedding", dim=3), backbone=Part(name="none", source="none"),
        modalities=(Modality.TEXT, Modality.IMAGE),
    )  # fmt: skip
    return write_package(folder / name, manifest, {"version": np.array([version], np.float32)}, card="Made here.")


@pytest.fixture
def models_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, colour_model: ModuleType) -> Path:
    """Version 1 of a model that knows colours; every later version takes red for green, and the other way round."""

    def load(package: ModelPackage, **_options: object) -> object:
        encoder = colour_model.ColourEncoder()
        encoder.model_id, encoder.name = package.model_id, package.name
        if package.model_id != first.model_id:
            swapped, texts = np.array([1, 0, 2]), encoder.encode_texts
            encoder.encode_texts = lambda said: Embeddings(np.ascontiguousarray(texts(said).values[:, swapped]))
        return encoder

    folder = tmp_path / "models"
    first = write(folder, 1)
    monkeypatch.setattr(registry, "load_encoder", load)
    return folder


@pytest.fixture
def engine(models_folder: Path, photos: Path, tmp_path: Path) -> Iterator[Engine]:
    """With a library of red, green and blue photos, indexed with version 1."""
    engine = Engine((models_folder,))
    last(engine, protocol.OpenLibrary(id=1, path=os.fsencode(tmp_path / "library")))
    last(engine, protocol.IndexFolders(id=1, folders=(os.fsencode(photos),), model=NAME))
    last(engine, protocol.LoadModel(id=1, name=NAME))
    yield engine
    engine.close()


def last(engine: Engine, request: protocol.Request, token: CancellationToken | None = None) -> Answer:
    *_, answer = engine.answer(request, token)
    return answer


def found(engine: Engine, text: str = "red") -> str:
    """The colour that the best result for a colour has, by its file's name."""
    answer = last(engine, protocol.Search(id=2, query=protocol.Query(text=text), model=NAME))
    assert isinstance(answer, protocol.SearchResponse), answer
    best = int(np.frombuffer(answer.item_ids, "<i8")[0])
    return Path(os.fsdecode(engine.opened.path_of(best))).name.split()[0]


def add_sentences(engine: Engine, tmp_path: Path) -> None:
    said = tmp_path / "captions.json"
    said.write_text('{"captions": {"red 0.jpg": ["a red wall"], "blue 0.webp": ["a blue wall"]}}')
    added = last(engine, protocol.AddCaptions(id=1, path=os.fsencode(said), model=NAME))
    assert isinstance(added, protocol.CaptionsAdded)
    assert added.n_encoded == 2


def versions(tmp_path: Path) -> dict[str, int]:
    with open_library(tmp_path / "library") as library:
        return dict(library.counts().n_indexed)


def test_the_old_version_is_searched_with_until_the_new_one_has_read_everything(
    engine: Engine, models_folder: Path, tmp_path: Path
) -> None:
    assert found(engine) == "red"
    new = write(models_folder, 2)
    assert found(engine) == "red"
    answers = engine.answer(protocol.IndexFolders(id=3, folders=(), model=NAME))
    for answer in answers:
        if isinstance(answer, protocol.Progress):
            assert found(engine) == "red"
    assert isinstance(answer, protocol.IndexFinished)
    assert answer.n_encoded == 12
    assert answer.state.n_indexed == {NAME: 12}
    assert found(engine) == "green"
    loaded = last(engine, protocol.LoadModel(id=4, name=NAME))
    assert isinstance(loaded, protocol.ModelLoaded)
    assert loaded.notice == ""
    engine.close()
    assert versions(tmp_path) == {new.model_id: 12}


def test_stopping_half_way_leaves_the_old_version_in_use(
    engine: Engine, models_folder: Path, tmp_path: Path
) -> None:
    add_sentences(engine, tmp_path)
    write(models_folder, 2)
    token = CancellationToken()
    answers = engine.answer(protocol.IndexFolders(id=3, folders=(), model=NAME), token)
    assert any(isinstance(answer, protocol.Progress) and answer.stage == "indexing" for answer in answers)
    token.cancel()  # all photos are read, their sentences are not
    assert list(answers) == [protocol.Cancelled(id=3)]
    assert found(engine) == "red"
    state = last(engine, protocol.DescribeLibrary(id=4))
    assert isinstance(state, protocol.LibraryState)
    assert state.n_indexed == {NAME: 12}


def test_who_picks_the_model_again_is_told_why_the_old_version_answers(engine: Engine, models_folder: Path) -> None:
    write(models_folder, 2)
    answer = last(engine, protocol.LoadModel(id=3, name=NAME))
    assert isinstance(answer, protocol.ModelLoaded)
    assert "trained again" in answer.notice
    assert found(engine) == "red"


def test_a_new_engine_knows_the_new_version_alone_and_says_what_to_do(
    engine: Engine, models_folder: Path, tmp_path: Path
) -> None:
    write(models_folder, 2)
    engine.close()
    after = Engine((models_folder,))
    last(after, protocol.OpenLibrary(id=1, path=os.fsencode(tmp_path / "library")))
    answer = last(after, protocol.Search(id=2, query=protocol.Query(text="red"), model=NAME))
    assert isinstance(answer, protocol.Failed)
    assert answer.kind == "StaleIndexError"
    assert answer.remedy.startswith("Index again")
    assert isinstance(last(after, protocol.IndexFolders(id=3, folders=(), model=NAME)), protocol.IndexFinished)
    assert found(after) == "green"
    after.close()


def test_sentences_of_the_library_are_read_by_the_new_version_before_it_takes_over(
    engine: Engine, models_folder: Path, tmp_path: Path, photos: Path
) -> None:
    add_sentences(engine, tmp_path)
    new = write(models_folder, 2)
    last(engine, protocol.IndexFolders(id=3, folders=(), model=NAME))
    library = engine.opened.library
    assert library.sentences.n_without_vector(new.model_id) == 0
    assert library.sentences.n_without_vector(f"{NAME}@gone") == 2
    ranked = last(
        engine,
        protocol.SearchSentences(id=4, query=protocol.Query(image_path=os.fsencode(photos / "red 1.jpg")), model=NAME),
    )
    assert isinstance(ranked, protocol.SentenceRanking)
    assert ranked.n_sentences == 2


def test_a_model_that_was_trained_before_anything_was_indexed_is_simply_the_new_one(
    models_folder: Path, tmp_path: Path
) -> None:
    engine = Engine((models_folder,))
    last(engine, protocol.LoadModel(id=1, name=NAME))  # before any library is open
    new = write(models_folder, 2)
    answer = last(engine, protocol.LoadModel(id=1, name=NAME))
    assert isinstance(answer, protocol.ModelLoaded)
    assert answer.notice == ""
    assert engine.opened.models.get(NAME).model_id == new.model_id
    engine.close()


# --- what is in memory ----------------------------------------------------------------------------------------------


@pytest.fixture
def loads(monkeypatch: pytest.MonkeyPatch, models_folder: Path) -> list[str]:
    """Which versions were loaded, in order."""
    made: list[str] = []
    load: Callable[..., object] = registry.load_encoder

    def count(package: ModelPackage, **options: object) -> object:
        made.append(package.model_id)
        return load(package, **options)

    monkeypatch.setattr(registry, "load_encoder", count)
    return made


def test_each_version_is_loaded_once(models_folder: Path, loads: list[str]) -> None:
    models = LoadedModels((models_folder,), device="cpu")
    old = models.get(NAME)
    assert models.get(NAME) is models.get_newest(NAME) is models.take_over(NAME) is models.borrow(NAME) is old
    new = write(models_folder, 2)
    newer = models.get_newest(NAME)
    assert models.get(NAME) is old
    assert models.package(NAME).model_id == old.model_id
    assert models.newest_package(NAME).model_id == newer.model_id == new.model_id
    assert models.borrow(NAME) is newer
    assert models.take_over(NAME) is models.get(NAME) is newer
    assert models.package(NAME).model_id == new.model_id
    assert loads == [old.model_id, new.model_id]


def test_a_third_version_takes_the_place_of_one_that_never_was_in_use(models_folder: Path, loads: list[str]) -> None:
    models = LoadedModels((models_folder,), device="cpu")
    models.get(NAME)
    write(models_folder, 2)
    models.get_newest(NAME)
    third = write(models_folder, 3)
    assert models.take_over(NAME).model_id == third.model_id
    assert models.get(NAME).model_id == third.model_id
    assert len(loads) == 3


def test_what_is_borrowed_is_not_kept_and_takes_nobodys_place(models_folder: Path, loads: list[str]) -> None:
    write(models_folder, 1, "other")
    models = LoadedModels((models_folder,), device="cpu")
    used = models.get(NAME)
    assert models.borrow("other") is not models.borrow("other")
    assert models.get(NAME) is used
    assert len(loads) == 3


def test_a_package_that_went_away_is_still_searched_with(models_folder: Path, loads: list[str]) -> None:
    models = LoadedModels((models_folder,), device="cpu")
    used = models.get(NAME)
    (models_folder / NAME / "model.toml").unlink()
    assert models.get(NAME) is used
    with pytest.raises(PackageError):
        models.get_newest(NAME)
