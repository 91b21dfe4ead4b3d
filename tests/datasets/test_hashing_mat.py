"""MATLAB files of hashing papers, old and new, written here in the layouts that public code reads."""

import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
import scipy.io
import scipy.sparse
from hypothesis import given, settings
from hypothesis import strategies as st

from explorer.datasets.hashing_mat import open_mat_photos, read_dcmh, read_mat_lists
from explorer.errors import DatasetError

N, N_TAGS, N_LABELS = 4, 5, 3
PIXELS = np.random.default_rng(0).integers(0, 256, (N, 6, 7, 3), dtype=np.uint8)  # (n, height, width, RGB)
TAGS = np.random.default_rng(1).integers(0, 2, (N, N_TAGS)).astype(np.float64)
LABELS = np.array([[1, 0, 1], [0, 0, 0], [0, 1, 0], [1, 1, 1]], np.float64)
NAMES = ["im 10.jpg", "im2.jpg", "été 🐕.jpg", "im1.jpg"]


def write_dcmh(path: Path, **changed: Any) -> Path:
    """Version 7.3: a user block of 512 bytes with MATLAB's header, and every axis the other way round."""
    parts = {"images": PIXELS.transpose(1, 2, 3, 0), "YAll": TAGS, "LAll": LABELS} | changed
    with h5py.File(path, "w", userblock_size=512) as file:
        for name, array in parts.items():
            if array is not None:
                file.create_dataset(name, data=array.T).attrs["MATLAB_class"] = np.bytes_("double")
    with path.open("r+b") as raw:
        raw.write(b"MATLAB 7.3 MAT-file, Platform: GLNXA64".ljust(124) + b"\x00\x02IM")
    return path


def write_cells(file: h5py.File, name: str, texts: list[str]) -> None:
    """An n x 1 cell array: references to char arrays; an empty one is stored as its sizes."""
    references = []
    for number, text in enumerate(texts):
        units = np.frombuffer(text.encode("utf-16-le"), "<u2").reshape(-1, 1)
        cell = file.create_dataset(f"#refs#/{name}{number}", data=units if text else np.zeros(2, np.uint64))
        cell.attrs["MATLAB_class"] = np.bytes_("char")
        if not text:
            cell.attrs["MATLAB_empty"] = np.uint8(1)
        references.append(cell.ref)
    stored = file.create_dataset(name, data=np.array([references], h5py.ref_dtype), dtype=h5py.ref_dtype)
    stored.attrs["MATLAB_class"] = np.bytes_("cell")


def cells(names: list[str]) -> np.ndarray:
    array = np.empty((len(names), 1), object)
    array[:, 0] = names
    return array


def write_lists(folder: Path, suffix: str = "", **changed: Any) -> Path:
    parts: dict[str, Any] = {"imgs": np.array(NAMES), "tags": TAGS, "labels": LABELS} | changed
    folder.mkdir(exist_ok=True)
    for prefix, name in (("imgList", "imgs"), ("tagList", "tags"), ("labelList", "labels")):
        if parts[name] is not None:
            scipy.io.savemat(folder / f"{prefix}{suffix}.mat", {name: parts[name]}, do_compression=name == "tags")
    return folder


def test_dcmh_rows_stay_in_order(tmp_path: Path) -> None:
    path = write_dcmh(tmp_path / "FLICKR-25K.mat")
    items = read_dcmh(path)
    assert (items.name, items.filenames) == ("flickr-25k", ("0", "1", "2", "3"))
    assert items.label_names == ("label 1", "label 2", "label 3")
    assert items.image_paths is None
    assert items.texts is None
    np.testing.assert_array_equal(items.tags, TAGS)
    assert items.tags.dtype == np.uint8
    np.testing.assert_array_equal(items.labels, LABELS == 1)
    with open_mat_photos(path) as photos:
        assert (len(photos), photos.height_px, photos.width_px) == (N, 6, 7)
        np.testing.assert_array_equal(photos.read([3, 0, 0]), PIXELS[[3, 0, 0]])
        np.testing.assert_array_equal(photos.read(np.arange(N)), PIXELS)


def test_pixels_may_be_stored_as_floats_but_not_normalised(tmp_path: Path) -> None:
    path = write_dcmh(tmp_path / "a.mat", images=PIXELS.transpose(1, 2, 3, 0).astype(np.float32))
    with open_mat_photos(path) as photos:
        np.testing.assert_array_equal(photos.read([1]), PIXELS[[1]])
    spoilt = PIXELS.transpose(1, 2, 3, 0) - 128.0
    spoilt[:, :, :, 2] = np.nan
    with open_mat_photos(write_dcmh(tmp_path / "b.mat", images=spoilt)) as photos:
        for row in (0, 2):
            with pytest.raises(DatasetError, match=f"Photo {row} of b.mat has values that are not between 0 and 255"):
                photos.read([row])


def test_one_photo_is_read_at_a_time(tmp_path: Path) -> None:
    # 200 GB of pixels that were never written take no room in a chunked file.
    path = tmp_path / "large.mat"
    with h5py.File(path, "w") as file:
        file.create_dataset("images", (1_400_000, 3, 224, 224), np.uint8, chunks=(1, 3, 224, 224), fillvalue=7)
    with open_mat_photos(path) as photos:
        assert len(photos) == 1_400_000
        assert (photos.read([1_399_999]) == 7).all()


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"LAll": None}, "has no variable LAll or labels"),
        ({"YAll": TAGS[:3]}, "4 labels, 3 tags"),
        ({"YAll": TAGS.T}, "4 labels, 5 tags"),
        ({"LAll": LABELS * 2}, "other numbers than 0 and 1"),
        ({"LAll": LABELS * np.nan}, "Row 0 of LAll in .* not finite"),
        ({"YAll": TAGS[None]}, "no matrix of numbers: 3 axes"),
        ({"LAll": np.zeros((0, 3))}, "0 labels, 4 tags"),
    ],
)
def test_dcmh_files_that_do_not_fit(tmp_path: Path, changed: dict[str, Any], says: str) -> None:
    with pytest.raises(DatasetError, match=says):
        read_dcmh(write_dcmh(tmp_path / "x.mat", **changed))


def test_photos_that_are_none(tmp_path: Path) -> None:
    for number, (images, says) in enumerate(
        [(None, "has no variable images"), (TAGS, "expected pixels"), (PIXELS, "expected pixels")]
    ):
        path = write_dcmh(tmp_path / f"{number}.mat", images=images)
        with pytest.raises(DatasetError, match=says), open_mat_photos(path):
            pass
    scipy.io.savemat(tmp_path / "old.mat", {"images": PIXELS})
    with pytest.raises(DatasetError, match=r"old\.mat is not of MATLAB's version 7\.3"):
        open_mat_photos(tmp_path / "old.mat").__enter__()


def test_tags_that_are_no_counts_stay_exact(tmp_path: Path) -> None:
    weights = TAGS.copy()
    weights[2, 4] = -0.125  # in the last column, after others have been taken for small whole numbers
    items = read_dcmh(write_dcmh(tmp_path / "x.mat", YAll=weights))
    assert items.tags.dtype == np.float32
    np.testing.assert_array_equal(items.tags, weights)


@pytest.mark.parametrize("folder_given", [True, False])
def test_three_lists_with_padded_names(tmp_path: Path, folder_given: bool) -> None:
    folder = write_lists(tmp_path / "iapr tc-12")  # an array of str is saved as chars, padded with blanks
    photos = tmp_path / "photos"
    photos.mkdir()
    for name in NAMES:
        (photos / name).touch()
    items = read_mat_lists(folder, images_folder=photos if folder_given else None)
    assert (items.name, items.filenames) == ("iapr tc-12", tuple(NAMES))
    assert items.image_paths == (tuple(photos / name for name in NAMES) if folder_given else None)
    np.testing.assert_array_equal(items.tags, TAGS)
    np.testing.assert_array_equal(items.labels, LABELS == 1)


def test_mirflickr_names_stand_in_cells(tmp_path: Path) -> None:
    padded = [f"{name}  " for name in NAMES]
    for prefix, variables in (
        ("imgList", {"FAll": cells(padded)}),
        ("tagList", {"YAll": TAGS}),
        ("labelList", {"LAll": LABELS.astype(np.uint8)}),
    ):
        scipy.io.savemat(tmp_path / f"{prefix}.mat", variables)
    items = read_mat_lists(tmp_path)
    assert items.filenames == tuple(NAMES)
    np.testing.assert_array_equal(items.tags, TAGS)


def test_nus_wide_names_stand_in_two_columns(tmp_path: Path) -> None:
    pairs = np.array([["actor", "1 a.jpg"], ["actor", "2.jpg"], ["zebra é", "3.jpg"], ["sky\\x", "4.jpg"]])
    items = read_mat_lists(write_lists(tmp_path / "a", "21", imgs=pairs))
    assert items.filenames == ("1 a.jpg", "2.jpg", "3.jpg", "4.jpg")
    # Where names alone do not tell items apart, the folders stay.
    pairs[3, 1] = "3.jpg"
    items = read_mat_lists(write_lists(tmp_path / "b", "21", imgs=pairs))
    assert items.filenames == ("actor/1 a.jpg", "actor/2.jpg", "zebra é/3.jpg", "sky/x/3.jpg")


def test_lists_of_version_7_3(tmp_path: Path) -> None:
    write_lists(tmp_path, imgs=None)
    write_dcmh(tmp_path / "labelList.mat", images=None, YAll=None)
    with h5py.File(tmp_path / "imgList.mat", "w") as file:
        write_cells(file, "FAll", [f"{name} " for name in NAMES])
    assert read_mat_lists(tmp_path).filenames == tuple(NAMES)
    with h5py.File(tmp_path / "imgList.mat", "w") as file:
        units = np.array([list(name.ljust(12)) for name in ("a é.jpg", "b.jpg", "c.jpg", "dd.jpg")])
        stored = file.create_dataset("imgs", data=np.vectorize(ord)(units).astype(np.uint16).T)
        stored.attrs["MATLAB_class"] = np.bytes_("char")
    assert read_mat_lists(tmp_path).filenames == ("a é.jpg", "b.jpg", "c.jpg", "dd.jpg")


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"imgs": None}, r"has no file imgList\*\.mat"),
        ({"imgs": np.array(NAMES[:3])}, "3 file names, 4 labels, 4 tags"),
        ({"imgs": np.array(["a.jpg", "b.jpg", "a.jpg", "c.jpg"])}, r"names a\.jpg 2 times"),
        ({"imgs": np.array(["a.jpg", "../b.jpg", "c.jpg", "d.jpg"])}, "Row 1 of imgList.mat names no file"),
        ({"imgs": np.array(["a.jpg", "b.jpg", "/etc/x", "d.jpg"])}, "Row 2 of imgList.mat names no file"),
        ({"imgs": cells(["a.jpg", "", "c.jpg", "d.jpg"])}, "Row 1 of imgList.mat names no file"),
        ({"imgs": TAGS}, "imgs of imgList.mat is no list of texts"),
        ({"imgs": cells([{"a": 1}, "b", "c", "d"])}, "no list of texts"),  # type: ignore[list-item]
        ({"tags": scipy.sparse.csc_matrix(TAGS)}, "tags of tagList.mat is no matrix of numbers.*sparse"),
        ({"tags": TAGS * 1j}, "tags of tagList.mat is no matrix of numbers"),
        ({"tags": TAGS[None]}, "no matrix of numbers: 3 axes"),
        ({"tags": np.array(NAMES)}, "tags of tagList.mat is no matrix of numbers"),
        ({"labels": {"a": LABELS}}, "labels of labelList.mat is no matrix of numbers"),
        ({"labels": LABELS - 1}, "other numbers than 0 and 1"),
    ],
)
def test_lists_that_do_not_fit(tmp_path: Path, changed: dict[str, Any], says: str) -> None:
    with pytest.raises(DatasetError, match=says):
        read_mat_lists(write_lists(tmp_path / "set", **changed))


def test_missing_photos_and_doubled_lists(tmp_path: Path) -> None:
    folder = write_lists(tmp_path / "set")
    with pytest.raises(DatasetError, match="4 of 4 photos"):
        read_mat_lists(folder, images_folder=tmp_path)
    write_lists(folder, "21")
    with pytest.raises(DatasetError, match=r"2 files imgList\*\.mat"):
        read_mat_lists(folder)


def test_files_that_are_not_there_or_something_else(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=r"The file .*none\.mat is missing"):
        read_dcmh(tmp_path / "none.mat")
    with pytest.raises(DatasetError, match="is a folder"):
        read_dcmh(tmp_path)
    for content in (b"", b"x", b"MATLAB 5.0", bytes(200), b"\x89HDF\r\n\x1a\n", b"GIF89a" * 99):
        (tmp_path / "x.mat").write_bytes(content)
        with pytest.raises(DatasetError, match=r"x\.mat"):
            read_dcmh(tmp_path / "x.mat")


def old_file(path: Path) -> None:
    scipy.io.savemat(path, {"YAll": TAGS, "LAll": LABELS}, do_compression=True)


def new_file(path: Path) -> None:
    write_dcmh(path)


@pytest.mark.parametrize("write", [old_file, new_file])
@settings(max_examples=30, deadline=None)
@given(fraction=st.floats(0, 1, exclude_max=True))
def test_a_file_that_was_cut_off(
    tmp_path_factory: pytest.TempPathFactory, write: Callable[[Path], None], fraction: float
) -> None:
    path = tmp_path_factory.getbasetemp() / "cut.mat"
    write(path)
    whole = path.read_bytes()
    path.write_bytes(whole[: int(fraction * len(whole))])
    with pytest.raises(DatasetError, match=r"cut\.mat"):
        read_dcmh(path)


def test_an_array_that_lives_in_another_file_is_refused(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_bytes(bytes(N * N_LABELS))
    write_dcmh(tmp_path / "other.mat")
    for kind in ("raw", "link", "virtual", "soft", "group"):
        path = write_dcmh(tmp_path / f"{kind}.mat", LAll=None)
        with h5py.File(path, "r+") as file:
            if kind == "raw":
                external = [(str(secret), 0, N * N_LABELS)]
                file.create_dataset("LAll", (N_LABELS, N), np.uint8, external=external)
            elif kind == "link":
                file["LAll"] = h5py.ExternalLink(str(tmp_path / "other.mat"), "/LAll")
            elif kind == "virtual":
                layout = h5py.VirtualLayout((N_LABELS, N), np.float64)
                layout[:] = h5py.VirtualSource(str(tmp_path / "other.mat"), "LAll", (N_LABELS, N))
                file.create_virtual_dataset("LAll", layout)
            elif kind == "soft":
                file["LAll"] = h5py.SoftLink("/YAll")
            else:
                file.create_group("LAll").create_dataset("data", data=LABELS)
        with pytest.raises(DatasetError, match="is not an array of its own"):
            read_dcmh(path)


class Trap:
    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (self.path,)


def test_nothing_is_unpickled(tmp_path: Path) -> None:
    sprung = tmp_path / "sprung"
    trap = pickle.dumps(Trap(sprung))
    path = write_dcmh(tmp_path / "new.mat", LAll=None)
    with h5py.File(path, "r+") as file:
        file.create_dataset("LAll", data=np.array([[np.void(trap)]]))
    with pytest.raises(DatasetError, match=r"LAll of new\.mat is no matrix of numbers"):
        read_dcmh(path)
    struct = {"pickled": np.frombuffer(trap, np.uint8), "function": "delete"}
    scipy.io.savemat(tmp_path / "old.mat", {"LAll": LABELS, "YAll": struct})
    with pytest.raises(DatasetError, match=r"YAll of old\.mat is no matrix of numbers"):
        read_dcmh(tmp_path / "old.mat")
    assert not sprung.exists()
    pickle.loads(trap)
    assert sprung.exists()
