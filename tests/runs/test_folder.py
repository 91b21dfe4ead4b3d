"""Runs' folders: made, opened, listed, deleted; and what is wrong with those that cannot be."""

import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from explorer import __version__
from explorer.errors import ConfigError, StorageFullError
from explorer.runs.alive import hold
from explorer.runs.folder import RUN_SCHEMA, create_run, delete_run, describe, list_runs, open_run
from explorer.runs.layout import RunFolder
from tests.helpers.full_disk import full_disk


def change(run: RunFolder, **values: object) -> None:
    table = json.loads(run.description_path.read_text())
    run.description_path.write_text(json.dumps(table | values))


def old_run(runs_folder: Path, name: str = "pooled-20250102-030405") -> RunFolder:
    run = RunFolder(runs_folder / name)
    run.path.mkdir(parents=True)
    run.recipe_path.write_text('task = "pooled"\nname = "pooled"\n')
    (run.path / "log.jsonl").write_text('{"phase": "network", "epoch": 0, "recall": 0.5}\n')
    return run


def test_a_run_says_what_it_is(runs_folder: Path, tmp_path: Path) -> None:
    run = create_run(
        runs_folder, "mine", b"recipe", task="pooled", title="Pooled", recipe_folder=tmp_path, device="cuda:1"
    )
    found = describe(open_run(run.path))
    assert (found.name, found.task, found.title, found.device) == ("mine", "pooled", "Pooled", "cuda:1")
    assert found.recipe_folder == tmp_path
    assert found.program_version == __version__
    assert found.made_at > 0
    assert run.recipe_path.read_bytes() == b"recipe"
    assert run.name.startswith("mine-20")
    assert sorted(path.name for path in run.path.iterdir()) == ["recipe.toml", "run.json"]


def test_runs_made_in_the_same_second_have_folders_of_their_own(make_run: Callable[[str], RunFolder]) -> None:
    assert len({make_run("same").path for _ in range(3)}) == 3


@pytest.mark.parametrize("name", ["../up", "a/b", "..", "", "C:\\x", "x" * 300, "Größe 1"])
def test_no_name_leads_out_of_the_runs_folder(runs_folder: Path, name: str) -> None:
    run = create_run(runs_folder, name, b"", task="t", title="t", recipe_folder=runs_folder)
    assert run.path.parent == runs_folder
    assert describe(run).name == name


def test_a_recipe_folder_whose_name_is_not_utf8_comes_back(runs_folder: Path) -> None:
    folder = Path(os.fsdecode(b"/recipes/caf\xe9"))
    run = create_run(runs_folder, "n", b"", task="t", title="t", recipe_folder=folder)
    assert describe(run).recipe_folder == folder


def test_the_newest_run_is_listed_first(runs_folder: Path, make_run: Callable[[str], RunFolder]) -> None:
    first, second, third = (make_run(name) for name in ("b", "a", "c"))
    for run, made_at in ((first, 3e9), (second, 2e9), (third, 4e9)):
        change(run, made_at=made_at)
    old = old_run(runs_folder)
    (runs_folder / "notes").mkdir()  # no run
    (runs_folder / ".hidden").mkdir()
    assert [listed.path for listed in list_runs(runs_folder)] == [third.path, first.path, second.path, old.path]
    assert not any(listed.problem for listed in list_runs(runs_folder))


def test_there_are_no_runs_where_there_is_no_folder(tmp_path: Path) -> None:
    assert list_runs(tmp_path / "none") == ()


def test_a_run_of_before_descriptions_is_told_from_its_recipe_and_its_name(runs_folder: Path) -> None:
    found = describe(open_run(old_run(runs_folder).path))
    assert (found.name, found.task, found.program_version) == ("pooled", "pooled", "")
    assert found.made_at > 1.7e9  # January 2025


def test_a_folder_without_a_recipe_is_no_run(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="is no training run"):
        open_run(tmp_path)
    with pytest.raises(ConfigError, match="is no training run"):
        delete_run(RunFolder(tmp_path))
    assert tmp_path.is_dir()


def test_a_run_of_a_newer_version_is_refused_and_listed_with_the_reason(run: RunFolder) -> None:
    change(run, schema_version=RUN_SCHEMA + 1, task={"no longer": "a string"})
    with pytest.raises(ConfigError, match="made by a newer version"):
        open_run(run.path)
    (listed,) = list_runs(run.path.parent)
    assert listed.description is None
    assert "newer version" in listed.problem


@pytest.mark.parametrize("content", ["", "{", "[]", '{"schema_version": 1}', '{"schema_version": 1, "name": 3}'])
def test_a_damaged_description_is_a_sentence(run: RunFolder, content: str) -> None:
    run.description_path.write_text(content)
    with pytest.raises(ConfigError, match="is damaged"):
        open_run(run.path)
    (listed,) = list_runs(run.path.parent)
    assert "damaged" in listed.problem


def test_an_old_recipe_that_is_no_toml_is_a_sentence(runs_folder: Path) -> None:
    run = old_run(runs_folder)
    run.recipe_path.write_bytes(b"\xff = = ")
    with pytest.raises(ConfigError, match="damaged"):
        open_run(run.path)


def test_deleting_leaves_what_links_lead_to(runs_folder: Path, run: RunFolder, tmp_path: Path) -> None:
    photos = tmp_path / "photos"
    photos.mkdir()
    (photos / "a.jpg").write_bytes(b"a")
    (run.path / "features").symlink_to(photos, target_is_directory=True)
    (run.path / "pictures").mkdir()
    (run.path / "pictures" / "b.jpg").symlink_to(photos / "a.jpg")
    delete_run(run)
    assert list(runs_folder.iterdir()) == []
    assert (photos / "a.jpg").read_bytes() == b"a"


def test_deleting_a_run_that_is_linked_here_removes_the_link_only(run: RunFolder, tmp_path: Path) -> None:
    linked = RunFolder(tmp_path / "elsewhere" / "linked")
    linked.path.parent.mkdir()
    linked.path.symlink_to(run.path, target_is_directory=True)
    delete_run(linked)
    assert not linked.path.exists()
    assert run.recipe_path.is_file()


def test_a_living_run_is_not_deleted(
    run: RunFolder, trainer_elsewhere: Callable[[RunFolder], subprocess.Popen[bytes]]
) -> None:
    child = trainer_elsewhere(run)
    with pytest.raises(ConfigError, match="is being trained"):
        delete_run(run)
    assert describe(run).name == "tiny"
    child.kill()
    child.wait()
    delete_run(run)
    assert not run.path.exists()


def test_a_run_that_this_process_trains_is_not_deleted(run: RunFolder) -> None:
    with hold(run), pytest.raises(ConfigError, match="is being trained"):
        delete_run(run)


def test_a_place_that_cannot_be_written_to_is_a_sentence(tmp_path: Path) -> None:
    blocked = tmp_path / "a file"
    blocked.write_text("")
    with pytest.raises(ConfigError, match="cannot be written"):
        create_run(blocked / "runs", "n", b"", task="t", title="t", recipe_folder=tmp_path)


def test_a_full_disk_leaves_no_half_run(runs_folder: Path) -> None:
    with full_disk(1_000), pytest.raises(StorageFullError, match="disk is full"):
        create_run(runs_folder, "n", b"#" * 5_000, task="t", title="t", recipe_folder=runs_folder)
    assert list(runs_folder.iterdir()) == []
