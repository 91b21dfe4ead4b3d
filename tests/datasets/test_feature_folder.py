"""Folders in the field's layouts are read as they are, or a sentence says what does not fit."""

import base64
import tracemalloc
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from explorer.datasets.feature_folder import (
    FeatureFolder,
    is_feature_folder,
    open_feature_folder,
)
from explorer.errors import DatasetError

D, C, SIDE = 6, 133, 64


def captions(n: int) -> list[str]:
    return [f"ein Hund läuft über die Wiese {i} 🐕" for i in range(n)]


def write_text(path: Path, lines: list[str], *, newline: str = "\n", last: bool = True) -> None:
    path.write_bytes((newline.join(lines) + (newline if last else "")).encode())


def normalised(ids: np.ndarray) -> np.ndarray:
    return ((ids / 133 - 0.3342) / 0.0621).astype(np.float32)


def scan_folder(folder: Path, n_images: int = 2, *, split: str = "test", rows: int = 1, extras: bool = True) -> Path:
    """A data set of SCAN with 3SHNet's files; ``rows`` for each image."""
    folder.mkdir(exist_ok=True)
    random = np.random.default_rng(n_images)
    files = {"ims": random.standard_normal((n_images, 36, D)).astype(np.float32)}
    if extras:
        files["segmentations"] = random.standard_normal((n_images, C, 7, 7)).astype(np.float32)
        files["seg_maps"] = normalised(random.integers(0, C, (n_images, SIDE, SIDE)))
        files["cat_onehots"] = (random.random((n_images, C)) < 0.1).astype(np.float32)
    for name, array in files.items():
        np.save(folder / f"{split}_{name}.npy", np.repeat(array, rows, axis=0))
    write_text(folder / f"{split}_caps.txt", captions(5 * n_images))
    write_text(folder / f"{split}_ids.txt", [str(100 + i) for i in range(n_images)])
    return folder


def array(folder: Path, name: str, split: str = "test") -> np.ndarray:
    return np.load(folder / f"{split}_{name}.npy")


def replace_array(folder: Path, name: str, values: np.ndarray) -> None:
    np.save(folder / f"test_{name}.npy", values)


def test_a_scan_folder_of_two_images_round_trips(tmp_path: Path) -> None:
    folder = scan_folder(tmp_path / "f30k precomp")
    read = open_feature_folder(folder, split="test")
    assert is_feature_folder(folder)
    assert (read.name, read.split, len(read)) == ("f30k precomp", "test", 2)
    assert (read.visual_dim, read.n_classes, read.raw_maps) == (D, C, False)
    assert read.sentences == (tuple(captions(10)[:5]), tuple(captions(10)[5:]))
    assert read.image_ids == ("100", "101")
    batch = read.batch(slice(0, 2))
    assert np.array_equal(batch.regions, array(folder, "ims"))
    assert batch.lengths.tolist() == [36, 36]
    for part, name in zip(batch.parts()[2:], ("segmentations", "seg_maps", "cat_onehots"), strict=True):
        assert part is not None
        assert part.dtype == np.float32
        assert np.array_equal(part, array(folder, name))


def test_any_rows_in_any_order(tmp_path: Path) -> None:
    folder = scan_folder(tmp_path / "x", 4)
    read = open_feature_folder(folder, split="test")
    batch = read.batch([3, 0])
    assert np.array_equal(batch.regions, array(folder, "ims")[[3, 0]])
    assert batch.presence is not None
    assert np.array_equal(batch.presence, array(folder, "cat_onehots")[[3, 0]])
    assert read.batch(slice(2, 99)).regions.shape == (2, 36, D)
    assert read.batch([]).regions.shape == (0, 0, D)


def test_rows_for_each_caption_are_folded(tmp_path: Path) -> None:
    once, five = scan_folder(tmp_path / "once"), scan_folder(tmp_path / "five", rows=5)
    a, b = (open_feature_folder(folder, split="test") for folder in (once, five))
    assert a.sentences == b.sentences
    assert a.image_ids == b.image_ids
    for left, right in zip(a.batch([1, 0]).parts(), b.batch([1, 0]).parts(), strict=True):
        assert left is not None
        assert right is not None
        assert np.array_equal(left, right)


def test_rows_for_each_caption_that_differ_stay_apart(tmp_path: Path) -> None:
    folder = scan_folder(tmp_path / "x", extras=False)
    (folder / "test_ids.txt").unlink()
    replace_array(folder, "ims", np.random.default_rng(0).standard_normal((10, D)).astype(np.float32))
    read = open_feature_folder(folder, split="test")
    assert len(read) == 10
    assert {len(own) for own in read.sentences} == {1}
    assert read.image_ids == tuple(map(str, range(10)))


def test_one_vector_an_image_is_one_region(tmp_path: Path) -> None:
    folder = scan_folder(tmp_path / "x", extras=False)
    vectors = np.random.default_rng(0).standard_normal((2, D)).astype(np.float16)
    replace_array(folder, "ims", vectors)
    batch = open_feature_folder(folder, split="test").batch(slice(0, 2))
    assert batch.regions.shape == (2, 1, D)
    assert np.array_equal(batch.regions[:, 0], vectors.astype(np.float32))
    assert batch.parts()[2:] == (None, None, None)


@settings(deadline=None, max_examples=30)
@given(st.integers(1, 4), st.integers(0, 25))
def test_captions_must_fit_rows(tmp_path_factory: pytest.TempPathFactory, n_rows: int, n_captions: int) -> None:
    folder = scan_folder(tmp_path_factory.mktemp("x") / "x", n_rows, extras=False)
    (folder / "test_ids.txt").unlink()
    write_text(folder / "test_caps.txt", captions(n_captions), last=n_captions > 0)
    if n_captions in (n_rows, 5 * n_rows):
        read = open_feature_folder(folder, split="test")
        assert [len(own) for own in read.sentences] == [n_captions // n_rows] * n_rows
    else:
        says = "empty" if n_captions == 0 else f"{n_rows} rows, which does not fit {n_captions} captions"
        with pytest.raises(DatasetError, match=says):
            open_feature_folder(folder, split="test")


def test_dev_ends_after_five_thousand_captions(tmp_path: Path) -> None:
    folder = scan_folder(tmp_path / "x", 1014, split="dev", extras=False)
    cut, whole = (open_feature_folder(folder, split="dev", truncate_dev=truncate) for truncate in (True, False))
    assert (len(cut), len(whole)) == (1000, 1014)
    assert cut.sentences == whole.sentences[:1000]
    assert cut.image_ids == whole.image_ids[:1000]
    assert cut.batch(slice(990, 2000)).regions.shape[0] == 10


def test_raw_class_ids_are_normalised_and_normalised_maps_are_left_alone(tmp_path: Path) -> None:
    folder = scan_folder(tmp_path / "x", 3)
    ids = np.random.default_rng(1).integers(0, C, (3, SIDE, SIDE))
    for raw in (ids.astype(np.uint8), ids.astype(np.int64), ids.astype(np.float32), ids.astype(np.float64)):
        replace_array(folder, "seg_maps", raw)
        read = open_feature_folder(folder, split="test")
        assert read.raw_maps
        assert np.allclose(read.batch([2, 1]).class_maps, normalised(ids[[2, 1]]), atol=1e-6)
    replace_array(folder, "seg_maps", normalised(ids))
    assert np.array_equal(open_feature_folder(folder, split="test").batch([0]).class_maps, normalised(ids[:1]))


def test_a_raw_map_with_a_class_that_is_none_is_named(tmp_path: Path) -> None:
    folder = scan_folder(tmp_path / "x", 3)
    ids = np.zeros((3, SIDE, SIDE), np.uint8)
    ids[2, 5, 5] = 255
    replace_array(folder, "seg_maps", ids)
    read = open_feature_folder(folder, split="test")
    assert read.batch([0, 1]).class_maps is not None
    with pytest.raises(DatasetError, match=r"Row 2 of test_seg_maps\.npy holds 255, which is none .* 0 to 132"):
        read.batch([1, 2])


def coco_folder(folder: Path, counts: list[int], *, ids_per_caption: bool = False) -> Path:
    scan_folder(folder, len(counts), split="testall")
    (folder / "testall_ims.npy").unlink()
    ids = [str(391895 + i) for i in range(len(counts))]
    write_text(folder / "testall_ids.txt", [i for i in ids for _ in range(5 if ids_per_caption else 1)])
    regions = folder / "coco_region_features"
    regions.mkdir(exist_ok=True)
    random = np.random.default_rng(5)
    for image_id, n in zip(ids, counts, strict=True):
        np.save(regions / f"{image_id}.npy", random.standard_normal((n, D)).astype(np.float32))
    return folder


@pytest.mark.parametrize("ids_per_caption", [False, True])
def test_regions_may_be_one_file_an_image_with_any_number_of_rows(tmp_path: Path, ids_per_caption: bool) -> None:
    folder = coco_folder(tmp_path / "coco", [3, 36, 0], ids_per_caption=ids_per_caption)
    read = open_feature_folder(folder, split="testall")
    assert read.image_ids == ("391895", "391896", "391897")
    batch = read.batch([2, 0])
    assert batch.lengths.tolist() == [0, 3]
    assert batch.regions.shape == (2, 3, D)
    assert not batch.regions[0].any()
    assert np.array_equal(batch.regions[1], np.load(folder / "coco_region_features" / "391895.npy"))
    assert batch.presence is not None
    assert np.array_equal(batch.presence, array(folder, "cat_onehots", "testall")[[2, 0]])


def test_region_files_elsewhere_missing_or_of_another_width(tmp_path: Path) -> None:
    folder = coco_folder(tmp_path / "coco", [3, 2])
    elsewhere = (folder / "coco_region_features").rename(tmp_path / "elsewhere")
    with pytest.raises(DatasetError, match=r"testall_ims\.npy is missing"):
        open_feature_folder(folder, split="testall")
    read = open_feature_folder(folder, split="testall", regions_folder=elsewhere)
    np.save(elsewhere / "391896.npy", np.zeros((2, D + 1), np.float32))
    with pytest.raises(DatasetError, match=r"391896\.npy has features of 7 numbers, 391895\.npy has 6"):
        read.batch([1])
    whole = (elsewhere / "391895.npy").read_bytes()
    (elsewhere / "391895.npy").write_bytes(whole[:-8])
    with pytest.raises(DatasetError, match=r"391895\.npy is shorter than its header says"):
        read.batch([0])
    (elsewhere / "391896.npy").unlink()
    with pytest.raises(DatasetError, match=r"1 of 2 images have no region features in .*\(391896\.npy missing\)"):
        open_feature_folder(folder, split="testall", regions_folder=elsewhere)
    (folder / "testall_ids.txt").unlink()
    with pytest.raises(DatasetError, match=r"testall_ids\.txt is missing"):
        open_feature_folder(folder, split="testall", regions_folder=elsewhere)


def test_regions_may_be_a_table_of_bottom_up_attention(tmp_path: Path) -> None:
    folder = coco_folder(tmp_path / "coco", [0, 36, 3])
    lines = []
    for path in sorted((folder / "coco_region_features").iterdir(), reverse=True):
        features = np.load(path)
        encoded = [base64.b64encode(part.astype("<f4").tobytes()).decode() for part in (features[:, :4], features)]
        lines.append("\t".join([path.stem, "640", "480", str(len(features)), *encoded]))
    table = tmp_path / "karpathy_test_resnet101.tsv"
    write_text(table, lines)
    files, rows = (open_feature_folder(folder, split="testall", regions_folder=place) for place in (None, table))
    assert rows.visual_dim == files.visual_dim == D
    for left, right in zip(files.batch([2, 0, 1]).parts(), rows.batch([2, 0, 1]).parts(), strict=True):
        assert np.array_equal(left, right)
    write_text(table, lines[:2])
    with pytest.raises(DatasetError, match=r"1 of 3 images .*resnet101\.tsv \(391895 missing\)"):
        open_feature_folder(folder, split="testall", regions_folder=table)


def test_empty_lines_count_and_odd_characters_do_not_break_lines(tmp_path: Path) -> None:
    folder = scan_folder(tmp_path / "x", extras=False)
    lines = ["", "naïve café", "one\u2028line\x0bstill\x85one", "  blanks around \t", "日本語", "a", "", "b", "", ""]
    for newline, last in (("\n", True), ("\r\n", True)):
        write_text(folder / "test_caps.txt", lines, newline=newline, last=last)
        read = open_feature_folder(folder, split="test")
        assert [caption for own in read.sentences for caption in own] == [line.strip() for line in lines]
    write_text(folder / "test_caps.txt", [*captions(9), "no line break at the end"], last=False)
    assert open_feature_folder(folder, split="test").sentences[1][4] == "no line break at the end"
    content = "\n".join(captions(10)).encode()
    (folder / "test_caps.txt").write_bytes(b"\xef\xbb\xbf" + content)
    assert open_feature_folder(folder, split="test").sentences[0][0] == captions(1)[0]


def test_captions_that_are_not_utf8_are_named_by_line(tmp_path: Path) -> None:
    folder = scan_folder(tmp_path / "x", extras=False)
    (folder / "test_caps.txt").write_bytes(b"fine\nfine\ncaf\xe9\n")
    with pytest.raises(DatasetError, match=r"Line 3 of test_caps\.txt is not UTF-8"):
        open_feature_folder(folder, split="test")


@pytest.mark.parametrize("name", ["ims", "segmentations", "seg_maps", "cat_onehots"])
@pytest.mark.parametrize("wrong", [np.nan, np.inf])
def test_numbers_that_are_not_finite_are_named_by_row_when_they_are_read(
    tmp_path: Path, name: str, wrong: float
) -> None:
    folder = scan_folder(tmp_path / "x", 4)
    values = array(folder, name)
    values[2].reshape(-1)[7] = wrong
    replace_array(folder, name, values)
    read = open_feature_folder(folder, split="test")
    read.batch([0, 1, 3])
    with pytest.raises(DatasetError, match=rf"Row 2 of test_{name}\.npy holds numbers that are not finite"):
        read.batch([3, 2])


def test_what_single_precision_cannot_hold_is_not_finite(tmp_path: Path) -> None:
    folder = scan_folder(tmp_path / "x", extras=False)
    replace_array(folder, "ims", np.full((2, 36, D), 1e200))
    with pytest.raises(DatasetError, match=r"Row 0 of test_ims\.npy"):
        open_feature_folder(folder, split="test").batch([0])


@pytest.mark.parametrize(
    ("name", "values", "says"),
    [
        ("ims", np.zeros((2, 36, D), np.int32), r"test_ims\.npy holds elements of type int32, expected floating point"),
        ("ims", np.zeros((2, 36, D), np.complex64), "complex64"),
        ("ims", np.zeros((2, 3, 4, D), np.float32), r"shape \(2, 3, 4, 6\), expected 2 or 3 axes"),
        ("ims", np.zeros((0, 36, D), np.float32), "0 rows"),
        ("ims", np.array([{"a": 1}] * 2, dtype=object), "could run code"),
        ("segmentations", np.zeros((3, C, 7, 7), np.float32), r"test_segmentations\.npy has 3 rows"),
        ("segmentations", np.zeros((2, C - 1, 7, 7), np.float32), r"132 classes, test_cat_onehots\.npy 133"),
        ("segmentations", np.zeros((2, C, 7, 7), np.uint8), "uint8"),
        ("seg_maps", np.zeros((2, SIDE), np.float32), "expected 3 axes"),
        ("cat_onehots", np.array([["a"] * C] * 2), "expected numbers"),
    ],
)
def test_wrong_arrays_are_one_sentence_when_the_folder_is_opened(
    tmp_path: Path, name: str, values: np.ndarray, says: str
) -> None:
    folder = scan_folder(tmp_path / "x")
    replace_array(folder, name, values)
    with pytest.raises(DatasetError, match=says):
        open_feature_folder(folder, split="test")


@settings(deadline=None, max_examples=40)
@given(st.data())
def test_damaged_arrays_are_read_or_a_sentence(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    folder = scan_folder(tmp_path_factory.mktemp("x") / "x", extras=False)
    path = folder / "test_ims.npy"
    content = bytearray(path.read_bytes())
    if data.draw(st.booleans()):
        content = content[: data.draw(st.integers(0, len(content) - 1))]
    for place in data.draw(st.lists(st.integers(0, 127), min_size=1, max_size=3)):
        if place < len(content):
            content[place] = data.draw(st.integers(0, 255))
    path.write_bytes(bytes(content))
    with suppress(DatasetError):
        open_feature_folder(folder, split="test").batch([0, 1])


def test_a_cut_off_array_is_named(tmp_path: Path) -> None:
    folder = scan_folder(tmp_path / "x")
    path = folder / "test_segmentations.npy"
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(DatasetError, match=r"test_segmentations\.npy is shorter than its header says; it was cut off"):
        open_feature_folder(folder, split="test")


def test_ids_that_do_not_fit_and_splits_that_are_not_there(tmp_path: Path) -> None:
    folder = scan_folder(tmp_path / "x")
    with pytest.raises(DatasetError, match=r"no split testall: testall_caps\.txt is missing\. Its splits: test\."):
        open_feature_folder(folder, split="testall")
    write_text(folder / "test_ids.txt", ["1", "2", "3"])
    with pytest.raises(DatasetError, match=r"test_ids\.txt has 3 rows"):
        open_feature_folder(folder, split="test")
    with pytest.raises(DatasetError, match="There is no folder"):
        open_feature_folder(folder / "no", split="test")
    assert not is_feature_folder(tmp_path)
    assert not is_feature_folder(folder / "test_caps.txt")


def test_a_file_of_python_2_is_read(tmp_path: Path) -> None:
    folder = scan_folder(tmp_path / "x", extras=False)
    path = folder / "test_ims.npy"
    values = np.load(path)
    path.write_bytes(path.read_bytes().replace(b"(2, 36, 6)", b"(2L,36,6 )"))
    assert np.array_equal(open_feature_folder(folder, split="test").batch([0, 1]).regions, values)


def test_only_what_a_batch_asks_for_is_in_memory(tmp_path: Path) -> None:
    folder = scan_folder(tmp_path / "x", extras=False)
    path, n_rows = folder / "test_ims.npy", 20_000
    big = np.lib.format.open_memmap(path, mode="w+", dtype=np.float32, shape=(n_rows, 36, 64))  # 184 MB, sparse
    big[n_rows - 1] = 1.0
    del big
    write_text(folder / "test_caps.txt", ["x"] * (5 * n_rows))
    (folder / "test_ids.txt").unlink()
    tracemalloc.start()
    try:
        read: FeatureFolder = open_feature_folder(folder, split="test")
        assert read.batch([n_rows - 1]).regions.sum() == 36 * 64
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 40e6
