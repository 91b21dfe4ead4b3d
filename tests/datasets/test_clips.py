"""captions.json above a folder of clips: splits, parts of videos, labels, and files that say something else."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from explorer.datasets import json_file
from explorer.datasets.captioned import is_captioned_folder, read_all_captioned, read_captioned, usual_split
from explorer.datasets.clips import MOST_SENTENCES, CaptionedClips, Span, clip_splits, parse_name, read_clips
from explorer.datasets.labels import LabelFile, write_labels
from explorer.errors import DatasetError

NAMES = ("cooking/rice in a pot.mp4", "red.AVI", "Füße 红.mkv", "photo.jpg")


def written(folder: Path, content: Any, *, files: tuple[str, ...] = NAMES) -> Path:
    for name in files:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()
    path = folder / "captions.json"
    path.write_text(json.dumps(content, ensure_ascii=False), "utf-8")
    return path


def captions(*names: str) -> dict[str, list[str]]:
    return {name: [f"first of  {name}\n", "", f"second of {name}"] for name in names}


def test_clips_and_photos_with_all_their_sentences(tmp_path: Path) -> None:
    read = read_clips(written(tmp_path, {"captions": captions(*NAMES) | {"red.AVI": "alone"}, "note": 1}))
    assert (read.name, read.split, read.names) == (tmp_path.name, "all", NAMES)
    assert read.image_paths == tuple(tmp_path / name for name in NAMES)
    assert read.are_videos == (True, True, True, False)
    assert read.sentences[0] == ("first of cooking/rice in a pot.mp4", "second of cooking/rice in a pot.mp4")
    assert read.sentences[1] == ("alone",)
    assert read.sent_ids == ((0, 1), (2,), (3, 4), (5, 6))
    assert read.spans == (Span(),) * 4
    assert read.labels is None
    photos = read.of_kind("image")
    assert (photos.names, len(read.of_kind("video"))) == (("photo.jpg",), 3)
    with pytest.raises(DatasetError, match="has no clips"):
        photos.of_kind("video")


@pytest.mark.parametrize("turned", [False, True])
def test_splits_in_either_form(tmp_path: Path, turned: bool) -> None:
    splits: Any = {"val": [NAMES[2], NAMES[0]], "test": [NAMES[1]], "none": []}
    if turned:
        splits = {name: split for split, names in splits.items() for name in names} | {NAMES[3]: "train"}
    path = written(tmp_path, {"captions": captions(*NAMES), "splits": splits, "dataset": "kitchen"})
    val = read_clips(path, split="val")
    assert (val.name, val.split, val.names) == ("kitchen", "val", (NAMES[0], NAMES[2]))  # in the order of the file
    assert read_clips(path, split="test+val").names == NAMES[:3]
    assert read_clips(path).names == read_clips(path, split="all").names == NAMES
    assert set(clip_splits(path)) == ({"val", "test", "train"} if turned else {"val", "test", "none"})
    with pytest.raises(DatasetError, match=r"no split called 'dev'\. It has "):
        read_clips(path, split="dev")
    if not turned:
        with pytest.raises(DatasetError, match=r"The split none of captions\.json is empty"):
            read_clips(path, split="none")


def test_parts_of_a_video(tmp_path: Path) -> None:
    names = ("film.mkv#t=0,1.5", "film.mkv#t=1.5", "film.mkv", "odd#t=1,2.mp4")
    path = written(tmp_path, {"captions": captions(*names)}, files=("film.mkv", "odd#t=1,2.mp4"))
    read = read_clips(path)
    assert read.spans == (Span(0, 1.5), Span(1.5, None), Span(), Span())
    assert {path.name for path in read.image_paths[:3]} == {"film.mkv"}
    assert read.at([2, 0], split="some").spans == (Span(), Span(0, 1.5))


@given(st.floats(0, 1e6), st.floats(0.001, 1e6))
def test_a_fragment_says_what_it_was_written_for(start_s: float, length_s: float) -> None:
    start_s, end_s = round(start_s, 3), round(start_s, 3) + round(length_s, 3)
    assert parse_name(f"a b/ü.mp4#t={start_s:f},{end_s:f}") == (
        "a b/ü.mp4",
        Span(float(f"{start_s:f}"), float(f"{end_s:f}")),
    )


@given(st.text(max_size=30))
def test_any_name_is_a_name_or_no_time(text: str) -> None:
    for name in (text, f"{text}.mp4#t={text}", f"a.mp4#t={text}"):
        try:
            found, span = parse_name(name)
        except ValueError:
            continue
        assert name.startswith(found)
        assert span.end_s is None or span.start_s < span.end_s


def test_labels_beside_it(tmp_path: Path) -> None:
    path = written(tmp_path, {"captions": captions(*NAMES)})
    labels = LabelFile(("motion:left", "kind:ball"), dict.fromkeys(NAMES, (0,)))
    write_labels(tmp_path / "labels.json", labels)
    assert read_clips(path).labels == labels
    (tmp_path / "labels.json").write_text("{}")
    with pytest.raises(DatasetError, match=r"labels\.json is no label file"):
        read_clips(path)


def test_found_by_form_and_by_folder(tmp_path: Path) -> None:
    path = written(tmp_path, {"captions": captions(*NAMES)})
    assert is_captioned_folder(tmp_path)
    assert not is_captioned_folder(path)
    assert usual_split(tmp_path, "val") is None  # no splits: everything
    for place in (path, tmp_path):
        read = read_captioned(place, split=None)
        assert isinstance(read, CaptionedClips)
        assert read == read_all_captioned(place) == read_clips(path)
    one_split = {"captions": captions(*NAMES), "splits": {"test": list(NAMES)}}
    assert usual_split(written(tmp_path, one_split), "val") == "test"
    path.unlink()
    with pytest.raises(DatasetError, match=r"holds no sentences: neither captions\.json nor MSR-VTT's files"):
        read_captioned(tmp_path, split="val")


def test_files_elsewhere(tmp_path: Path) -> None:
    (tmp_path / "notes").mkdir()
    path = written(tmp_path / "notes", {"captions": captions(*NAMES)}, files=())
    with pytest.raises(DatasetError, match=r"4 of 4 clips of the split all are missing in .*\(cooking/rice in a pot"):
        read_clips(path)
    written(tmp_path / "files", {}, files=NAMES[:3])
    with pytest.raises(DatasetError, match=r"1 of 4 clips .* are missing in .*\(photo\.jpg\)") as caught:
        read_clips(path, folder=tmp_path / "files")
    assert "--images" in caught.value.remedy


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ({"captions": {}}, "speaks of no clips"),
        ({"captions": {"red.AVI": []}}, r"no sentence for red\.AVI"),
        ({"captions": {"red.AVI": ["", " \n"]}}, r"no sentence for red\.AVI"),
        ({"captions": {"red.AVI": ["x"] * (MOST_SENTENCES + 1)}}, r"has 10,001 sentences for red\.AVI"),
        ({"captions": {"red.AVI": 3}}, "does not say what it should"),
        ({"captions": ["red.AVI"]}, "does not say what it should"),
        ({"captions": captions("red.AVI"), "splits": {"val": 3}}, "does not say what it should"),
        ({"captions": captions("red.AVI"), "splits": {"val": ["other.mp4"]}}, r"name other\.mp4 without sentences"),
        ({"captions": captions("red.AVI"), "splits": {"a": ["red.AVI"], "b": ["red.AVI"]}}, r"name red\.AVI twice"),
        ({"captions": {"../secret.mp4": ["x"]}}, "which is no file below its folder"),
        ({"captions": {"/etc/hosts": ["x"]}}, "which is no file below its folder"),
        ({"captions": {"": ["x"]}}, "which is no file below its folder"),
        ({"captions": {"a\0b.mp4": ["x"]}}, "which is no file below its folder"),
        ({"captions": {"x" * 5000 + ".mp4": ["x"]}}, "1 of 1 clips"),
        ({"captions": {"red.AVI#t=2,1": ["x"]}}, "no time from 2.0 to 1.0 seconds"),
        ({"captions": {"red.AVI#t=1,2.3.4": ["x"]}}, "its ending says"),
        ({"captions": {"red.AVI#t=1," + "9" * 400: ["x"]}}, "no time from 1.0 to inf"),
    ],
)
def test_other_files_are_refused_with_a_sentence(tmp_path: Path, content: Any, says: str) -> None:
    path = written(tmp_path, content)
    with pytest.raises(DatasetError, match=says) as caught:
        read_clips(path)
    assert caught.value.remedy


@pytest.mark.parametrize("content", [b"", b"{", b"\xff\xfe", b'{"captions": {"a": ["\\ud800"]}}', b"[" * 100_000])
def test_no_json(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "captions.json"
    path.write_bytes(content)
    with pytest.raises(DatasetError, match=r"captions\.json"):
        read_clips(path)


def test_unreadable_and_absurdly_large(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(DatasetError, match="cannot be read: No such file"):
        read_clips(tmp_path / "captions.json")
    (tmp_path / "captions.json").mkdir()
    with pytest.raises(DatasetError, match="cannot be read: Is a directory"):
        read_clips(tmp_path / "captions.json")
    monkeypatch.setattr(json_file, "MAX_JSON_BYTES", 10)
    (tmp_path / "large").mkdir()
    with pytest.raises(DatasetError, match=r"captions\.json has 0\.0 GB, which no data set's json has"):
        read_clips(written(tmp_path / "large", {"captions": captions(*NAMES)}))


def test_real_clips(shared_data: Path) -> None:
    read = read_captioned(shared_data / "videos", split=None)
    assert isinstance(read, CaptionedClips)
    assert (len(read), all(read.are_videos), read.name) == (35, True, "videos")
