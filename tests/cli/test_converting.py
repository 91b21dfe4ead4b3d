"""``convert`` from the command line: what it writes, the other commands read."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from explorer.__main__ import window_call
from explorer.cli import run_command
from explorer.datasets.captioned import read_captioned
from explorer.datasets.labels import read_labels
from explorer.errors import ConfigError, DatasetError


@pytest.fixture
def coco(tmp_path: Path) -> Path:
    photos = [{"id": n, "file_name": f"{n}.jpg"} for n in (4, 2, 9)]
    (tmp_path / "val2014").mkdir()
    for photo in photos:
        Image.fromarray(np.zeros((4, 4, 3), np.uint8)).save(tmp_path / "val2014" / str(photo["file_name"]))
    captions = [{"image_id": n, "caption": f"ein Café {n}"} for n in (4, 2, 9)]
    things = [{"image_id": 4, "category_id": 1}, {"image_id": 2, "category_id": 1}, {"image_id": 9, "category_id": 18}]
    classes = [{"id": 1, "name": "person"}, {"id": 18, "name": "dog"}]
    (tmp_path / "captions_val2014.json").write_text(json.dumps({"images": photos, "annotations": captions}))
    (tmp_path / "instances_val2014.json").write_text(
        json.dumps({"images": photos, "annotations": things, "categories": classes})
    )
    return tmp_path


def call(folder: Path, *more: str) -> int:
    source = ["convert", "coco", str(folder / "captions_val2014.json")]
    return run_command([*source, "-o", str(folder / "d.json"), "--labels", str(folder / "l.json"), *more])


def test_coco_and_back(coco: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert call(coco, "--annotations", str(coco / "instances_val2014.json")) == 0
    said = capsys.readouterr()
    assert said.out == ""
    assert "3 items of 2 labels." in said.err
    assert f"--images {coco / 'val2014'}" in said.err
    read = read_captioned(coco / "d.json", split="all", images_folder=coco / "val2014")
    assert read.sentences == (("ein Café 4",), ("ein Café 2",), ("ein Café 9",))
    assert read_labels(coco / "l.json").items == {"2.jpg": (0,), "4.jpg": (0,), "9.jpg": (1,)}


def test_it_is_a_command_and_no_library(coco: Path) -> None:
    assert window_call(["convert", "coco", str(coco)]) is None


def test_only_the_most_frequent_labels(coco: Path) -> None:
    assert call(coco, "--annotations", str(coco / "instances_val2014.json"), "--most-frequent", "1") == 0
    assert read_labels(coco / "l.json").items == {"2.jpg": (0,), "4.jpg": (0,)}


def test_what_is_missing_is_said(coco: Path) -> None:
    with pytest.raises(ConfigError, match="--annotations"):
        call(coco)
    with pytest.raises(DatasetError, match="cannot be read"):
        call(coco, "--annotations", str(coco / "none.json"))
    for form in ("iapr", "web-queries"):
        written = ["-o", str(coco / "d.json"), "--labels", str(coco / "l.json"), "--annotations", str(coco)]
        with pytest.raises(DatasetError, match="is missing"):
            run_command(["convert", form, str(coco / "nowhere"), *written])
    assert run_command(["convert", "nus-wide", str(coco), "-o", "d", "--labels", "l"]) == 2
    assert not (coco / "d.json").exists()
