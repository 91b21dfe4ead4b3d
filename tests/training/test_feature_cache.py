"""Cached features belong to the photos that they were computed from, and survive what happens to files."""

import errno
import os
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch

from explorer.cancellation import CancellationToken
from explorer.errors import DatasetError
from explorer.media.image import encode_jpeg
from explorer.training import feature_cache
from explorer.training.feature_cache import ViewRequest, cache_view, open_view, repair
from explorer.training.views import View
from explorer.vision.features import Regions, VisualFeatures


def reader(squares: np.ndarray) -> VisualFeatures:
    """Features that tell the photo by its grey, with regions."""
    values = torch.from_numpy(squares[:, 0, 0, 0].astype(np.float32))
    n = len(values)
    regions = Regions(torch.zeros(n, 36, 4), torch.zeros(n, 36), torch.zeros(n, 36), torch.ones(n))
    return VisualFeatures(values[:, None, None, None].expand(n, 2, 4, 4), torch.zeros(n, 3, 2, 2),
                          torch.zeros(n, 3), regions=regions)


def write_greys(folder: Path, greys: list[int]) -> list[Path]:
    folder.mkdir(parents=True, exist_ok=True)
    for number, grey in enumerate(greys):
        (folder / f"IMG_{number:04}.jpg").write_bytes(encode_jpeg(np.full((32, 32, 3), grey, np.uint8)))
    return sorted(folder.glob("*.jpg"))


def request_of(tmp_path: Path, photos: list[Path], regions_id: str = "") -> ViewRequest:
    return ViewRequest(tmp_path / "features", "eyes", photos, View("photo"), 32, regions_id)


def cached(request: ViewRequest) -> list[int]:
    repair(request)
    if request.begin < len(request.photos):
        list(cache_view(request, reader, token=CancellationToken()))
    return [round(float(value)) for value in open_view(request).trunk[:, 0, 0, 0]]


def test_photos_of_one_name_in_two_folders_have_features_of_their_own(tmp_path: Path) -> None:
    ours, theirs = write_greys(tmp_path / "a", [10, 20]), write_greys(tmp_path / "b", [30, 40])
    for path in (*ours, *theirs):  # of one second, as a camera's card is copied
        os.utime(path, ns=(10**18, 10**18 + (path.parent.name == "b")))
    assert cached(request_of(tmp_path, ours)) == [10, 20]
    assert cached(request_of(tmp_path, theirs)) == [30, 40]
    assert cached(request_of(tmp_path, [ours[0], theirs[1]])) == [10, 40]


def test_a_folder_that_is_moved_keeps_its_features_and_a_changed_photo_does_not(tmp_path: Path) -> None:
    photos = write_greys(tmp_path / "a", [10, 20])
    before = request_of(tmp_path, photos).place
    shutil.move(tmp_path / "a", tmp_path / "elsewhere")
    moved = sorted((tmp_path / "elsewhere").glob("*.jpg"))
    assert request_of(tmp_path, moved).place == before
    moved[1].write_bytes(encode_jpeg(np.full((32, 32, 3), 99, np.uint8)))
    assert cached(request_of(tmp_path, moved)) == [10, 99]
    assert request_of(tmp_path, moved).place != before


@pytest.mark.parametrize("regions_id", ["", "first"])
@pytest.mark.parametrize("name", ["trunk", "region_labels"])
def test_features_that_were_cut_off_or_deleted_are_computed_anew(tmp_path: Path, regions_id: str, name: str) -> None:
    photos = write_greys(tmp_path / "a", [10, 20, 30])
    request = request_of(tmp_path, photos, "first")
    assert cached(request) == [10, 20, 30]
    path = request.place / f"{name}.npy"
    again = request_of(tmp_path, photos, regions_id)
    with path.open("r+b") as file:
        file.truncate(path.stat().st_size - 4)
    assert cached(again) == [10, 20, 30]
    path.unlink()
    assert cached(again) == [10, 20, 30]
    if regions_id:
        regions = open_view(again).regions
        assert regions is not None
        assert regions.labels.shape == (3, 36)


def test_whole_features_are_left_alone(tmp_path: Path) -> None:
    request = request_of(tmp_path, write_greys(tmp_path / "a", [10, 20, 30]), "first")
    cached(request)
    marks = (request.n_done, request.n_regions)
    repair(request)
    assert (request.n_done, request.n_regions) == marks == (3, 3)


def test_a_full_disk_is_met_before_anything_is_written_into_a_map(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    photos = write_greys(tmp_path / "a", [10, 20, 30])
    request = request_of(tmp_path, photos)

    def full(*_arguments: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        patch.setattr(feature_cache.os, "posix_fallocate", full)
        with pytest.raises(OSError, match="No space left"):
            list(cache_view(request, reader, token=CancellationToken()))
    assert request.n_done == 0
    assert cached(request_of(tmp_path, photos)) == [10, 20, 30]


def test_a_photo_that_vanishes_on_the_way_is_named_and_what_was_done_is_kept(tmp_path: Path) -> None:
    photos = write_greys(tmp_path / "a", [number % 250 for number in range(300)])
    request = request_of(tmp_path, photos)
    assert request.place  # as it was when the run began
    photos[290].rename(tmp_path / "held")
    with pytest.raises(DatasetError, match=r"IMG_0290\.jpg cannot be read: The file is no longer there") as caught:
        list(cache_view(request, reader, token=CancellationToken()))
    assert "go on with the run" in caught.value.remedy
    assert request.n_done == 256
    (tmp_path / "held").rename(photos[290])
    assert request_of(tmp_path, photos).n_done == 256
    assert cached(request_of(tmp_path, photos))[290] == 290 % 250


def test_a_stop_keeps_all_batches_that_are_done(tmp_path: Path) -> None:
    token = CancellationToken()

    def stopping(squares: np.ndarray) -> VisualFeatures:
        token.cancel()
        return reader(squares)

    request = request_of(tmp_path, write_greys(tmp_path / "a", [10] * 40))
    list(cache_view(request, stopping, token=token))
    assert request.n_done == 16
    assert cached(request) == [10] * 40
