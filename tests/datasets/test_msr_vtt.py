"""MSR-VTT as it was published: two json files or one, clips beside them, the csv of 1K-A."""

import json
from pathlib import Path
from typing import Any

import pytest

from explorer.datasets.captioned import read_all_captioned, read_captioned, usual_split
from explorer.datasets.clips import CaptionedClips
from explorer.datasets.msr_vtt import CATEGORIES, read_msr_vtt, read_one_k_a
from explorer.errors import DatasetError

SPLITS = {"train": (0, 1, 2), "validate": (6513,), "test": (7010, 7011)}


def video(number: int, split: str, **more: Any) -> dict[str, Any]:
    return {
        "category": number % 20, "url": f"https://example.org/watch?v={number}", "video_id": f"video{number}",
        "start time": 137.72, "end time": 149.44, "split": split, "id": number, **more,
    }  # fmt: skip


def sentence(number: int, owner: int, text: str) -> dict[str, Any]:
    return {"caption": text, "video_id": f"video{owner}", "sen_id": number}


def content(*splits: str) -> dict[str, Any]:
    numbers = [(number, split) for split in splits for number in SPLITS[split]]
    # As published, sentences are in no order of the clips.
    sentences = [sentence(n, number, f"Grüße {n} an {number} ") for n in range(3) for number, _ in reversed(numbers)]
    return {"info": {"year": "2016"}, "videos": [video(*each) for each in numbers], "sentences": sentences}


@pytest.fixture
def published(tmp_path: Path) -> Path:
    """Both files, with their clips in the two folders of the archives."""
    for name, folder, splits in (
        ("train_val_videodatainfo.json", "TrainValVideo", ("train", "validate")),
        ("test_videodatainfo.json", "TestVideo", ("test",)),
    ):
        (tmp_path / name).write_text(json.dumps(content(*splits)), "utf-8")
        (tmp_path / folder).mkdir()
        for split in splits:
            for number in SPLITS[split]:
                (tmp_path / folder / f"video{number}.mp4").touch()
    return tmp_path


def test_one_split_of_a_file(published: Path) -> None:
    path = published / "train_val_videodatainfo.json"
    read = read_captioned(path, split="train")
    assert isinstance(read, CaptionedClips)
    assert (read.name, read.split, read.names) == ("msr-vtt", "train", ("video0", "video1", "video2"))
    assert read.image_paths[2] == published / "TrainValVideo" / "video2.mp4"
    assert read.sentences[1] == ("Grüße 0 an 1", "Grüße 1 an 1", "Grüße 2 an 1")
    assert {span.end_s for span in read.spans} == {None}  # clips are cut already
    assert read.labels is not None
    assert read.labels.names == CATEGORIES
    assert read.labels.matrix(read.names).argmax(axis=1).tolist() == [0, 1, 2]
    assert read_captioned(path, split="val").names == read_captioned(path, split="validate").names == ("video6513",)
    assert usual_split(path, "val") == "val"
    assert usual_split(published / "test_videodatainfo.json", "val") == "test"


def test_the_folder_is_all_files_together(published: Path) -> None:
    assert len(read_all_captioned(published)) == 6
    read = read_captioned(published, split="test+train")
    assert [path.parent.name for path in read.image_paths] == ["TestVideo"] * 2 + ["TrainValVideo"] * 3
    (published / "MSRVTT_data.json").write_text(json.dumps(content("test")))
    assert len(read_all_captioned(published)) == 2  # the combined file has everything, and is read alone
    (published / "MSRVTT_data.json").unlink()
    (published / "other_videodatainfo.json").write_text(json.dumps(content("test")))
    with pytest.raises(DatasetError, match=r"lists the clip video7010 a second time"):
        read_all_captioned(published)


def test_clips_in_another_folder_and_container(published: Path, tmp_path: Path) -> None:
    path = published / "test_videodatainfo.json"
    with pytest.raises(DatasetError, match=r"2 of 2 clips of the split test are missing in .*\(video7010\.mp4, video7"):
        read_captioned(path, split="test", images_folder=tmp_path / "nowhere")
    other = tmp_path / "other"
    other.mkdir()
    for name in ("video7010.webm", "video7010.mp4", "video7011.mkv", "video7011.txt"):
        (other / name).touch()
    read = read_captioned(path, split="test", images_folder=other)
    assert [path.name for path in read.image_paths] == ["video7010.mp4", "video7011.mkv"]


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"videos": []}, "speaks of no clips"),
        ({"videos": [video(7010, "test"), video(7010, "test")]}, "lists the clip video7010 a second time"),
        ({"videos": [video(7010, "test", category=20)], "sentences": [sentence(0, 7010, "a")]}, "into category 20"),
        ({"videos": [video(7010, "test", category=-1)], "sentences": [sentence(0, 7010, "a")]}, "into category -1"),
        ({"videos": [video(7010, "test", category="music")]}, "does not say what it should"),
        ({"videos": [video(7010, "test", video_id="../7010")]}, "no file name"),
        ({"videos": [video(7010, "test", video_id="")]}, "no file name"),
        ({"videos": [video(7010, "test", video_id=7010)]}, "does not say what it should"),
        ({"videos": {"7010": {}}}, "does not say what it should"),
        ({"sentences": [sentence(0, 9999, "a")]}, "belongs to the clip 'video9999', which is not there"),
        ({"sentences": [{"video_id": "video7010"}]}, "missing required field `caption`"),
        ({"sentences": []}, "no sentence for video7010"),
        ({"sentences": [sentence(0, 7010, " "), sentence(1, 7011, "a")]}, "no sentence for video7010"),
    ],
)
def test_other_content_is_refused_with_a_sentence(published: Path, change: dict[str, Any], says: str) -> None:
    path = published / "test_videodatainfo.json"
    changed = {**content("test"), **change}
    if "videos" in change:
        changed["sentences"] = change.get("sentences", [])
    path.write_text(json.dumps(changed))
    with pytest.raises(DatasetError, match=says) as caught:
        read_msr_vtt(path)
    assert caught.value.remedy


def test_splits_that_are_not_there(published: Path) -> None:
    with pytest.raises(DatasetError, match=r"no split called 'test'\. It has train, validate"):
        read_captioned(published / "train_val_videodatainfo.json", split="test")
    for name in ("train_val_videodatainfo.json", "test_videodatainfo.json"):
        (published / name).unlink()
    with pytest.raises(DatasetError, match="holds no json of MSR-VTT"):
        read_msr_vtt(published)


def test_labels_only_where_every_clip_has_a_category(published: Path) -> None:
    path = published / "test_videodatainfo.json"
    changed = content("test")
    del changed["videos"][0]["category"]
    path.write_text(json.dumps(changed))
    assert read_msr_vtt(path).labels is None


def csv(folder: Path, *rows: str, header: str = "key,vid_key,video_id,sentence") -> Path:
    path = folder / "MSRVTT_JSFUSION_test.csv"
    path.write_text("\n".join([header, *rows, ""]), "utf-8")
    return path


def test_one_k_a(published: Path) -> None:
    path = csv(published, 'ret0,msr7011,video7011,"a man, ""ünlü"", sings"', "ret1,msr0,video0,a cat")
    read = read_captioned(path, split="ignored")
    assert isinstance(read, CaptionedClips)
    assert (read.split, read.names) == ("1k-a", ("video7011", "video0"))
    assert read.sentences == (('a man, "ünlü", sings',), ("a cat",))
    assert read.labels is not None
    assert read.labels.matrix(read.names).argmax(axis=1).tolist() == [11, 0]
    assert usual_split(path, "val") == "1k-a"


@pytest.mark.parametrize(
    ("rows", "header", "says"),
    [
        ((), "key,vid_key,video_id,sentence", "speaks of no clips"),
        (("ret0,msr1,video1",), "key,vid_key,video_id,sentence", "Row 2 of MSRVTT_JSFUSION_test.csv lacks"),
        (("a,b",), "key,sentence", "lacks video_id or sentence"),
        (("r,m,../x,a",), "key,vid_key,video_id,sentence", "no file name"),
        (("r,m,video1, ",), "key,vid_key,video_id,sentence", "no sentence for video1"),
        (("r,m,video5,a",), "key,vid_key,video_id,sentence", "1 of 1 clips of the split 1k-a are missing"),
        (("r,m,video1," + "a" * 200_000,), "key,vid_key,video_id,sentence", "no csv in UTF-8: field larger"),
    ],
)
def test_other_csvs_are_refused_with_a_sentence(
    published: Path, rows: tuple[str, ...], header: str, says: str
) -> None:
    with pytest.raises(DatasetError, match=says):
        read_one_k_a(csv(published, *rows, header=header))


def test_a_csv_that_cannot_be_read(tmp_path: Path) -> None:
    path = csv(tmp_path)
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(DatasetError, match="is no csv in UTF-8"):
        read_captioned(path, split=None)
    with pytest.raises(DatasetError, match="cannot be read"):
        read_captioned(tmp_path / "none.csv", split=None)
