"""Sentences about photos and videos in four forms, and files that are none of them."""

import json
from pathlib import Path

import pytest

from explorer.datasets.captions import MOST_SENTENCES, PhotoSentences, read_captions
from explorer.errors import DatasetError


def written(folder: Path, content: object) -> Path:
    path = folder / "said.json"
    path.write_text(json.dumps(content, ensure_ascii=False), "utf-8")
    return path


def karpathy(filename: str, *sentences: str, **more: object) -> dict[str, object]:
    return {"filename": filename, "sentences": [{"raw": text} for text in sentences], **more}


def test_karpathys_form_of_all_splits(tmp_path: Path) -> None:
    images = [
        karpathy("a.jpg", "one", "two", split="train"),
        karpathy("b.jpg", "three", split="val", filepath="val2014"),
    ]
    assert read_captions(written(tmp_path, {"images": images, "dataset": "x"})) == [
        PhotoSentences("a.jpg", ("one", "two")),
        PhotoSentences("val2014/b.jpg", ("three",)),
    ]


def test_cocos_form(tmp_path: Path) -> None:
    content = {
        "info": {},
        "images": [{"id": 7, "file_name": "7.jpg"}, {"id": 3, "file_name": "3.jpg"}, {"id": 4, "file_name": "4.jpg"}],
        "annotations": [
            {"id": 1, "image_id": 3, "caption": "a cat\n"},
            {"id": 2, "image_id": 7, "caption": "a dog"},
            {"id": 3, "image_id": 3, "caption": "another cat"},
        ],
    }
    assert read_captions(written(tmp_path, content)) == [
        PhotoSentences("7.jpg", ("a dog",)),
        PhotoSentences("3.jpg", ("a cat", "another cat")),
    ]


def test_sentences_by_path(tmp_path: Path) -> None:
    content = {"captions": {"sub/Füße 红.jpg": ["Grüße, 红", "🐕"], "b.jpg": "alone"}, "note": 1}
    assert read_captions(written(tmp_path, content)) == [
        PhotoSentences("sub/Füße 红.jpg", ("Grüße, 红", "🐕")),
        PhotoSentences("b.jpg", ("alone",)),
    ]


def test_msr_vtts_form_by_published_file_names(tmp_path: Path) -> None:
    content = {
        "videos": [{"video_id": "video7010", "category": 9, "split": "test", "start time": 1.5, "end time": 9}],
        "sentences": [
            {"video_id": "video7010", "caption": "a red car", "sen_id": 1},
            {"video_id": "video7010", "caption": "ein rotes Auto, 红", "sen_id": 0},
        ],
    }
    said = ("a red car", "ein rotes Auto, 红")
    assert read_captions(written(tmp_path, content)) == [PhotoSentences("video7010.mp4", said)]
    (tmp_path / "videos").mkdir()
    (tmp_path / "videos" / "video7010.AVI").touch()  # written anew in another container
    assert read_captions(written(tmp_path, content)) == [PhotoSentences("video7010.AVI", said)]


def test_what_is_said_of_a_part_is_said_of_the_video(tmp_path: Path) -> None:
    content = {"captions": {"f.mkv#t=1,2": "a", "f.mkv#t=9": ["b", "a"], "g.mkv#t=2,1": "c", "photo.jpg#t=1,2": "d"}}
    assert read_captions(written(tmp_path, content)) == [
        PhotoSentences("f.mkv", ("a", "b")),
        PhotoSentences("g.mkv#t=2,1", ("c",)),  # no time, so it may be a name
        PhotoSentences("photo.jpg#t=1,2", ("d",)),
    ]


def test_sentences_are_tidied(tmp_path: Path) -> None:
    content = {"captions": {"a": ["  a \n b\0c ", "", " \t", "a b c", "d"], "nothing left": ["", "\n"], "empty": []}}
    assert read_captions(written(tmp_path, content)) == [PhotoSentences("a", ("a b c", "d"))]


def test_a_photo_that_is_named_twice_has_all_its_sentences(tmp_path: Path) -> None:
    images = [karpathy("a.jpg", "one"), karpathy("b.jpg", "two"), karpathy("a.jpg", "three", "one")]
    assert read_captions(written(tmp_path, {"images": images}))[0] == PhotoSentences("a.jpg", ("one", "three"))


def test_a_byte_order_mark_is_no_obstacle(tmp_path: Path) -> None:
    path = tmp_path / "said.json"
    path.write_bytes(b"\xef\xbb\xbf" + b'{"captions": {"a": "b"}}')
    assert len(read_captions(path)) == 1


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "not valid JSON"),
        (b"a dog on a beach", "not valid JSON"),
        (b"\xff\xfe\x00", "not valid JSON"),
        (b'{"captions": {"a": ["b"]', "not valid JSON"),
        ('{"captions": {"a": ["é"]}}'.encode("latin-1"), "not valid JSON"),
        (b'{"captions": {"a": ["\\ud800"]}}', "not valid JSON"),
        (b'{"captions": ' + b'{"a":' * 50_000 + b"1" + b"}" * 50_001, "not valid JSON"),
        (b"[]", "Expected `object`, got `array`"),
        (b"3", "Expected `object`, got `int`"),
        (b"{}", "no sentences about photos or videos in a form that is known"),
        (b'{"sentences": ["a"]}', "no sentences about photos or videos in a form that is known"),
        (b'{"captions": ["a"]}', "Expected `object`, got `array`"),
        (b'{"captions": {"a": 5}}', "got `int`"),
        (b'{"captions": {"a": ["b", null]}}', "got `null`"),
        (b'{"images": [{"file_name": "a.jpg", "id": 1}]}', "missing required field `filename`"),
        (b'{"images": [{"filename": "a.jpg"}]}', "missing required field `sentences`"),
        (b'{"images": [], "annotations": [{"image_id": 1, "bbox": []}]}', "missing required field `caption`"),
        (b'{"images": [], "annotations": [{"image_id": 9, "caption": "a"}]}', "image 9, which it does not list"),
        (b'{"images": [{"id": 1.5, "file_name": "a"}], "annotations": []}', "Expected `int`"),
        (b'{"images": []}', "holds no sentence"),
        (b'{"videos": [], "sentences": []}', "holds no sentence"),
        (b'{"videos": [], "sentences": [{"video_id": "a", "caption": "b"}]}', "belongs to the clip 'a'"),
        (b'{"captions": {"a": ["", "  "]}}', "holds no sentence"),
    ],
)
def test_other_files_are_refused_with_a_sentence(tmp_path: Path, content: bytes, says: str) -> None:
    path = tmp_path / "said.json"
    path.write_bytes(content)
    with pytest.raises(DatasetError) as caught:
        read_captions(path)
    assert says in caught.value.message
    assert "said.json" in caught.value.message
    assert caught.value.remedy


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=r"no\.json cannot be read: No such file"):
        read_captions(tmp_path / "no.json")
    with pytest.raises(DatasetError, match="cannot be read: Is a directory"):
        read_captions(tmp_path)


def test_no_photo_has_as_many_sentences_as_that(tmp_path: Path) -> None:
    content = {"captions": {"a": [f"sentence {number}" for number in range(MOST_SENTENCES + 1)]}}
    with pytest.raises(DatasetError, match=r"has 10001 sentences for a\. A photo or video can have 10000 at most"):
        read_captions(written(tmp_path, content))


def test_real_files(shared_data: Path) -> None:
    photos = read_captions(shared_data / "flickr8k" / "dataset_flickr8k.json")
    assert len(photos) == 7000
    assert photos[0].name == "1000268201_693b08cb0e.jpg"
    clips = read_captions(shared_data / "videos" / "captions.json")
    assert len(clips) == 35
    with pytest.raises(DatasetError, match="missing required field `caption`"):
        read_captions(shared_data / "coco" / "instances_val2017.json")
