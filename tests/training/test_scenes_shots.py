"""A sample collection shot by shot."""

import json

import pytest

from explorer.datasets.clips import read_clips
from explorer.datasets.scenes.scene import label_names
from explorer.training.scenes_shots import main


@pytest.fixture
def sample(tmp_path):
    """What is read of a collection of two clips, one of them with two shots."""
    folder = tmp_path / "sample"
    (folder / "clips").mkdir(parents=True)
    (folder / "annotations" / "clips").mkdir(parents=True)
    red = {"labels": ["motion:left", "kind:ball", "colour:red"], "captions": ["a red ball goes left", "it goes left"]}
    blue = {"labels": ["kind:cup", "colour:blue", "motion:up"], "captions": ["a blue cup goes up"]}
    clips = {"one.mp4": [{"start_s": 0.0, "end_s": 2.0, **red}],
             "two.mkv": [{"start_s": 0.0, "end_s": 4 / 3, **blue}, {"start_s": 4 / 3, "end_s": 3.0, **red}]}
    for name, shots in clips.items():
        (folder / "clips" / name).write_bytes(b"not read here")
        content = {"file_name": name, "width": 320, "shots": shots}
        (folder / "annotations" / "clips" / f"{name[:3]}.json").write_text(json.dumps(content))
    return folder


def test_every_shot_is_an_item_with_its_own_sentences_and_labels(sample, tmp_path, capsys):
    assert main([str(sample), str(tmp_path / "shots")]) == 0
    assert "3 shots" in capsys.readouterr().out
    found = read_clips(tmp_path / "shots" / "captions.json", folder=sample)
    assert found.names == ("clips/one.mp4", "clips/two.mkv#t=0.000,1.333", "clips/two.mkv#t=1.333,3.000")
    assert [span.start_s for span in found.spans] == [0.0, 0.0, 1.333]
    assert [span.end_s for span in found.spans] == [None, 1.333, 3.0]
    assert found.sentences[1] == ("a blue cup goes up",)
    names = label_names()
    kinds = [{names[place] for place in row.nonzero()[0]} for row in found.labels.matrix(found.names)]
    assert kinds[0] == kinds[2] == {"motion:left", "kind:ball", "colour:red"}
    assert kinds[1] == {"kind:cup", "colour:blue", "motion:up"}


def test_what_is_no_collection_is_refused_in_a_sentence(tmp_path, capsys):
    assert main([str(tmp_path), str(tmp_path / "shots")]) == 1
    assert "has no annotated clips" in capsys.readouterr().err
    assert not (tmp_path / "shots").exists()


def test_a_damaged_annotation_is_refused_in_a_sentence(sample, tmp_path, capsys):
    (sample / "annotations" / "clips" / "one.json").write_text('{"file_name": "one.mp4"}')
    assert main([str(sample), str(tmp_path / "shots")]) == 1
    assert "retrieval-explorer sample" in capsys.readouterr().err
