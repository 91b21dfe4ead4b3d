"""Every form of data set as what models are trained on: photos, sentences, splits, labels, and what is left out."""

import base64
import json
import os
from pathlib import Path

import h5py
import numpy as np
import pytest
import scipy.io

from explorer.cancellation import CancellationToken, Cancelled
from explorer.datasets.karpathy import read_karpathy
from explorer.datasets.photo_sets import photo_name, read_photo_set
from explorer.errors import DatasetError

INSTANCES = {"images": [{"id": 7, "file_name": "a.jpg"}, {"id": 8, "file_name": "b.jpg"}],
             "annotations": [{"image_id": 7, "category_id": 18}],
             "categories": [{"id": 1, "name": "person"}, {"id": 18, "name": "dog"}]}


def write(path: Path, content: object) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content))
    return path


def coco(first: int, names: list[str]) -> dict[str, object]:
    images = [{"id": first + row, "file_name": name} for row, name in enumerate(names)]
    return {"images": images, "annotations": [{"image_id": image["id"], "caption": f" {image['file_name']} seen "}
                                              for image in images for _ in range(6)]}


def karpathy(**splits: list[str]) -> dict[str, object]:
    return {"dataset": "k", "images": [{"filename": name, "split": split, "sentences": [{"raw": f"{name} is here"}] * 7}
                                       for split, names in splits.items() for name in names]}


def names_of(photos) -> list[str]:
    return [path.name for path in photos.image_paths]


def test_a_karpathy_json_keeps_its_splits_and_needs_no_photos(tmp_path: Path) -> None:
    found = read_photo_set(write(tmp_path / "k.json", karpathy(train=["a", "b"], restval=["c"], val=["d"])))
    assert found.splits == ("train", "restval", "val")
    assert names_of(found.of_split("train+restval")) == ["a", "b", "c"]
    assert found.of_split("val").image_paths == (tmp_path / "images" / "d",)
    assert {len(own) for own in found.photos.sentences} == {5}
    assert found.read_labels is None
    with pytest.raises(DatasetError, match=r"no split called 'test'.*It has restval, train, val"):
        found.of_split("test")


def test_a_folder_stands_for_the_one_json_in_it(tmp_path: Path) -> None:
    write(tmp_path / "dataset_k.json", karpathy(train=["a"]))
    write(tmp_path / "other.json", {})
    assert names_of(read_photo_set(tmp_path).photos) == ["a"]
    write(tmp_path / "dataset_l.json", karpathy(train=["b"]))
    with pytest.raises(DatasetError, match=r"several json files: dataset_k\.json, dataset_l\.json"):
        read_photo_set(tmp_path)


@pytest.mark.parametrize("named", ["annotations/captions_train2014.json", ""])
def test_coco_captions_of_both_splits_with_the_instances_beside_them(tmp_path: Path, named: str) -> None:
    write(tmp_path / "annotations" / "captions_train2014.json", coco(7, ["a.jpg", "b.jpg"]))
    write(tmp_path / "annotations" / "captions_val2014.json", coco(1, ["v.jpg"]))
    (tmp_path / "train2014").mkdir()
    found = read_photo_set(tmp_path / named)
    assert found.splits == ("train", "val")
    assert found.of_split("train").image_paths == (tmp_path / "train2014" / "a.jpg", tmp_path / "train2014" / "b.jpg")
    assert found.photos.sentences[0] == ("a.jpg seen",) * 5
    assert found.read_labels is None
    write(tmp_path / "annotations" / "instances_train2014.json", INSTANCES)
    write(tmp_path / "annotations" / "instances_val2014.json",
          {**INSTANCES, "images": [{"id": 1, "file_name": "v.jpg"}], "annotations": []})
    found = read_photo_set(tmp_path / named)
    assert found.read_labels is not None
    labels = found.read_labels()
    assert labels.names == ("person", "dog")
    assert [labels.items[path.name] for path in found.photos.image_paths] == [(1,), (), ()]


def test_one_coco_file_alone_has_one_split(tmp_path: Path) -> None:
    path = write(tmp_path / "captions_mine.json", coco(1, ["a.jpg"]))
    assert read_photo_set(path).splits == ()
    assert read_photo_set(write(tmp_path / "captions_val2017.json", coco(1, ["a.jpg"]))).splits == ("val",)


def test_of_captions_json_the_photos_stay_and_the_clips_are_counted(tmp_path: Path) -> None:
    said = {"images/a.jpg": ["one", "two"], "clips/c.mp4": ["three"], "images/b.jpg": [str(n) for n in range(9)]}
    path = write(tmp_path / "captions.json", {"captions": said, "splits": {"val": ["images/b.jpg"]}})
    write(tmp_path / "labels.json", {"names": ["x", "y"], "items": {"images/a.jpg": [1], "clips/c.mp4": [0]}})
    for given in (path, tmp_path):
        found = read_photo_set(given)
        assert names_of(found.photos) == ["a.jpg", "b.jpg"]
        assert found.split_of == ("", "val")
        assert found.photos.sentences == (("one", "two"), ("0", "1", "2", "3", "4"))
        assert found.notes == ("Clips are left out, because this trains on photos: 1.",)
        assert found.read_labels is not None
        assert found.read_labels().items == {"images/a.jpg": (1,), "clips/c.mp4": (0,)}
    write(path, {"captions": {"c.mp4": "three"}})
    with pytest.raises(DatasetError, match="speaks of clips only"):
        read_photo_set(path)


def test_forms_without_photos_are_refused_with_what_they_are_good_for(tmp_path: Path) -> None:
    (tmp_path / "scan").mkdir()
    (tmp_path / "scan" / "train_caps.txt").write_text("a dog\n")
    np.save(tmp_path / "scan" / "train_ims.npy", np.zeros((1, 3), np.float32))
    for path in (tmp_path / "scan", tmp_path / "scan" / "train_ims.npy"):
        with pytest.raises(DatasetError, match=r"holds features that somebody computed.*retrieval-explorer evaluate"):
            read_photo_set(path)
    msr = {"videos": [{"video_id": "video1", "split": "train"}], "sentences": []}
    for path in (write(tmp_path / "msr" / "train_val_videodatainfo.json", msr), tmp_path / "msr"):
        with pytest.raises(DatasetError, match="speaks of clips only, and this trains on photos"):
            read_photo_set(path)
    (tmp_path / "nothing").mkdir()
    with pytest.raises(DatasetError, match="holds no data set of photos"):
        read_photo_set(tmp_path / "nothing")
    with pytest.raises(DatasetError, match="cannot be read"):
        read_photo_set(tmp_path / "none.json")


def write_dcmh(path: Path) -> Path:
    pixels = np.random.default_rng(0).integers(0, 256, (3, 6, 7, 3), dtype=np.uint8)
    parts = {"images": pixels.transpose(1, 2, 3, 0), "YAll": np.array([[1, 0, 1], [0, 0, 0], [0, 1, 0]], np.float64),
             "LAll": np.array([[1, 0], [0, 0], [1, 1]], np.float64)}
    with h5py.File(path, "w", userblock_size=512) as file:
        for name, array in parts.items():
            file.create_dataset(name, data=array.T)
    with path.open("r+b") as raw:
        raw.write(b"MATLAB 7.3 MAT-file, Platform: GLNXA64".ljust(124) + b"\x00\x02IM")
    return path


def test_pixels_of_a_mat_file_are_written_out_where_a_folder_is_named(tmp_path: Path) -> None:
    path = write_dcmh(tmp_path / "FLICKR-25K.mat")
    found = read_photo_set(path)
    assert found.packed
    assert found.photos.sentences == (("tag1 tag3",), ("tag2",))
    assert found.notes[0] == "Photos without a sentence are left out: 1."
    assert "convert dcmh --preset" in found.notes[1]
    assert not list(tmp_path.glob("**/*.jpg"))
    written = read_photo_set(path, photos_folder=tmp_path / "out")
    assert not written.packed
    assert written.photos.image_paths == (tmp_path / "out" / "000000.jpg", tmp_path / "out" / "000002.jpg")
    assert all(place.is_file() for place in written.photos.image_paths)
    assert written.read_labels is not None
    assert list(written.read_labels().items.values()) == [(0,), (0, 1)]
    token = CancellationToken()
    token.cancel()
    with pytest.raises(Cancelled):
        read_photo_set(path, photos_folder=tmp_path / "other", token=token)


def test_lists_of_hashing_papers_name_photos_in_a_folder(tmp_path: Path) -> None:
    for prefix, name, array in (
        ("imgList", "imgs", np.array(["a.jpg", "b.jpg"])),
        ("tagList", "tags", np.array([[1.0, 0.0], [1.0, 1.0]])),
        ("labelList", "labels", np.array([[1.0], [0.0]])),
    ):
        scipy.io.savemat(tmp_path / f"{prefix}.mat", {name: array})
    found = read_photo_set(tmp_path, images_folder=tmp_path / "photos")
    assert found.photos.image_paths == (tmp_path / "photos" / "a.jpg", tmp_path / "photos" / "b.jpg")
    assert found.photos.sentences == (("tag1",), ("tag1 tag2",))


def write_iapr(folder: Path) -> None:
    for name, description in {"00/25": "a lake;", "00/112": ";"}.items():
        path = folder / "iaprtc12" / "annotations_complete_eng" / f"{name}.eng"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"<DOC><DESCRIPTION>{description}</DESCRIPTION><IMAGE>images/{name}.jpg</IMAGE></DOC>")
    benchmark = folder / "saiaprtc12ok" / "benchmark"
    (benchmark / "saiapr_tc-12" / "00").mkdir(parents=True)
    (benchmark / "saiapr_tc-12" / "00" / "labels.txt").write_text("25 1 1\n112 1 2\n")
    (benchmark / "wlist.txt").write_text("1\tlake\n2\tsky\n")


@pytest.mark.parametrize("named", ["", "iaprtc12"])
def test_iapr_is_read_with_the_labels_beside_it(tmp_path: Path, named: str) -> None:
    write_iapr(tmp_path)
    found = read_photo_set(tmp_path / named)
    assert found.photos.image_paths == (tmp_path / "iaprtc12" / "images" / "00" / "25.jpg",)
    assert found.photos.sentences == (("a lake",),)
    assert found.notes == ("Photos without a sentence are left out: 1.",)
    assert found.read_labels is not None
    assert found.read_labels().items == {photo_name(found.photos.image_paths[0]): (0,)}
    with pytest.raises(DatasetError, match="are looked for in"):
        read_photo_set(tmp_path / named, images_folder=tmp_path / "elsewhere")
    (tmp_path / "saiaprtc12ok").rename(tmp_path / "gone")
    with pytest.raises(DatasetError, match="labels of IAPR TC-12 are not beside"):
        read_photo_set(tmp_path / named)


def test_web_queries(tmp_path: Path) -> None:
    (tmp_path / "queries_en_trans.txt").write_text("1\teiffel tower\n")
    (tmp_path / "queries_fr_orig.txt").write_text("1\ttour eiffel\n")
    (tmp_path / "labels.txt").write_text("1\t5\t1\n")
    (tmp_path / "metadata").mkdir()
    (tmp_path / "metadata" / "query_1_document_5_textmeta.xml").write_text(
        "<documentmeta><ptitle>A tower</ptitle><alt></alt><before></before><after></after></documentmeta>")
    found = read_photo_set(tmp_path)
    assert found.photos.sentences == (("A tower",),)
    assert names_of(found.photos) == ["query_1_document_5_imagethumb.jpg"]


def test_a_path_that_is_not_utf8_survives_in_karpathys_form(tmp_path: Path) -> None:
    raw = os.fsencode(tmp_path) + b"/caf\xe9.jpg"
    Path(os.fsdecode(raw)).write_bytes(b"x")
    image = {"filename": "caf?.jpg", "split": "val", "sentences": [{"raw": "a"}],
             "path_bytes": base64.b64encode(raw).decode()}
    path = write(tmp_path / "k.json", {"images": [image]})
    assert read_karpathy(path, split="val").image_paths == (Path(os.fsdecode(raw)),)
    assert photo_name(Path(os.fsdecode(raw))).endswith(r"caf\xe9.jpg")
    write(path, {"images": [{**image, "path_bytes": "!"}]})
    with pytest.raises(DatasetError, match="no base64"):
        read_photo_set(path)
