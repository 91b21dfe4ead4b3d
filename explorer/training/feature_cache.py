"""What the frozen backbone and the segmenter give for every view of every photo: computed once, kept in memory maps.

::

    features/<digest of vision, photos and view>/
      trunk.npy          float16 (n, T, 2g, 2g)
      scores.npy         float16 (n, C, g, g)      only with a vision package
      presence.npy       float16 (n, C)            likewise
      class_map.npy      uint8 (n, h, w)           likewise
      n_done             rows that are finished; a killed run goes on behind them
      region_boxes.npy   float16 (n, 36, 4)        only where regions were asked for
      region_scores.npy  float16 (n, 36)           likewise
      region_labels.npy  uint8 (n, 36)             likewise
      region_lengths.npy uint8 (n,)                likewise
      n_regions          which proposer, and rows that are finished

Features that lie here already are completed by regions, not computed again. Photos are the same where name, size and
time of change are: two of one name in different folders have features of their own, and a folder that is moved as a
whole keeps its features.
"""

import hashlib
import os
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import torch

from explorer.cancellation import CancellationToken
from explorer.errors import DatasetError, MediaError
from explorer.media.image import decode_image, squash
from explorer.media.item import display_path, read_content
from explorer.protocol.runs import Progressed
from explorer.training.row_maps import make_row_map
from explorer.training.views import View
from explorer.vision.features import Regions, VisualFeatures

_BATCH = 16
_ROWS_BETWEEN_MARKS = 256
_SEGMENTED = frozenset({"scores", "presence", "class_map"})
_REGION_COLUMNS = {"boxes": torch.float16, "scores": torch.float16, "labels": torch.uint8, "lengths": torch.uint8}
"""Of :class:`Regions`, in its order, as they are stored."""

Reader = Callable[[np.ndarray], VisualFeatures]
"""Squares, uint8 RGB (B, side, side, 3), to their features in one backbone pass."""


@dataclass(frozen=True, slots=True)
class CachedView:
    """One view of n photos.

    Attributes:
        trunk: float16 (n, T, 2g, 2g).
        scores: float16 (n, C, g, g), or None without a segmenter.
        presence: float16 (n, C), or None.
        class_map: uint8 (n, h, w), or None.
        regions: of every photo, boxes and scores in float16, labels and lengths in uint8; None where nobody asked.
    """

    trunk: torch.Tensor
    scores: torch.Tensor | None
    presence: torch.Tensor | None
    class_map: torch.Tensor | None
    regions: Regions | None = None


@dataclass(frozen=True)
class ViewRequest:
    """Which features are wanted.

    Attributes:
        folder: where all cached features lie.
        vision_id: says which weights made them.
        photos: the photos' files, in order.
        view: how they are looked at.
        side_px: side of the square.
        regions_id: says which region proposer; empty where no regions are wanted. It has no part in ``place``: the
            other features do not depend on it.
    """

    folder: Path
    vision_id: str
    photos: Sequence[Path]
    view: View
    side_px: int
    regions_id: str = ""

    @cached_property
    def place(self) -> Path:
        """The folder of just these features."""
        digest = hashlib.sha256()
        for part in (self.vision_id, self.view.name, str(self.side_px), *map(_identity, self.photos)):
            digest.update(part.encode("utf-8", "surrogateescape") + b"\0")
        return self.folder / digest.hexdigest()[:16]

    @property
    def n_done(self) -> int:
        """Finished rows."""
        try:
            return int((self.place / "n_done").read_text())
        except (OSError, ValueError):
            return 0

    @property
    def n_regions(self) -> int:
        """Photos whose regions by this proposer are finished."""
        try:
            proposer, n = (self.place / "n_regions").read_text().split()
        except (OSError, ValueError):
            return 0
        return int(n) if proposer == self.regions_id else 0

    @property
    def begin(self) -> int:
        """The first photo of which something that is wanted is missing; as many as there are where nothing is."""
        return min(self.n_done, self.n_regions) if self.regions_id else self.n_done


def repair(request: ViewRequest) -> None:
    """Let features be computed anew where a file of theirs is gone, cut off or of another number of photos.

    So a full disk, or a hand that deleted large files, leaves them.
    """
    n = len(request.photos)
    whole = {path.stem for path in request.place.glob("*.npy") if _is_whole(path, n)}
    present = {path.stem for path in request.place.glob("*.npy")}
    segmented = _SEGMENTED if present & _SEGMENTED else frozenset()
    if not whole >= {"trunk", *segmented}:
        (request.place / "n_done").unlink(missing_ok=True)
    if not whole >= {f"region_{name}" for name in _REGION_COLUMNS}:
        (request.place / "n_regions").unlink(missing_ok=True)


def cache_view(request: ViewRequest, reader: Reader, *, token: CancellationToken) -> Iterator[Progressed]:
    """Compute what is still missing; stops between batches once ``token`` is cancelled.

    Where regions are wanted the reader must propose; where all else is there already (``request.n_done``), it need not
    segment.

    Raises
    ------
    DatasetError
        a photo cannot be read; names it.
    OSError
        there is no room for the features, all of which is taken at the beginning.
    """
    n, begin, known = len(request.photos), request.begin, request.n_done
    request.place.mkdir(parents=True, exist_ok=True)
    if request.regions_id and not request.n_regions:
        # Another proposer's regions are about to be overwritten.
        (request.place / "n_regions").unlink(missing_ok=True)
    arrays: dict[str, np.memmap] = {}
    last, last_row = time.monotonic(), begin
    for row, squares in _batches(request, begin):
        if token.cancelled:
            if row > last_row:
                _mark(request, arrays, row)
            break
        with torch.inference_mode():
            seen = reader(squares)
        done = row + len(squares)
        parts = (_parts(seen) if done > known else {}) | (_region_parts(seen) if request.regions_id else {})
        for name, part in parts.items():
            if name not in arrays:
                old = request.n_regions if name.startswith("region_") else known
                arrays[name] = _open(request.place / f"{name}.npy", n, part, old)
            arrays[name][row:done] = part
        if done - last_row >= _ROWS_BETWEEN_MARKS or done == n:
            _mark(request, arrays, done)
            rate, last, last_row = (done - last_row) / max(time.monotonic() - last, 1e-6), time.monotonic(), done
            message = f"features, {request.view.name}"
            yield Progressed(message=message, n_done=done, n_total=n, rate_per_s=rate)


def open_view(request: ViewRequest) -> CachedView:
    """The finished features as memory-mapped tensors, read only by agreement."""

    def tensor(name: str) -> torch.Tensor | None:
        path = request.place / f"{name}.npy"
        # "c": torch wants writable memory; writes would stay in this process.
        return torch.from_numpy(np.load(path, mmap_mode="c")) if path.is_file() else None

    trunk = tensor("trunk")
    if trunk is None or request.begin < len(request.photos):
        raise ValueError(f"the features in {request.place} are not finished")
    columns = [tensor(f"region_{name}") for name in _REGION_COLUMNS] if request.regions_id else []
    regions = Regions(*(column for column in columns if column is not None)) if columns else None
    return CachedView(trunk, tensor("scores"), tensor("presence"), tensor("class_map"), regions)


def read_square(photo: Path, side_px: int) -> np.ndarray:
    """One photo, squashed to the square; :class:`DatasetError` where it cannot be read."""
    try:
        image = decode_image(read_content(bytes(photo)), min_edge_px=side_px)
    except MediaError as error:
        raise DatasetError(
            f"The photo {display_path(bytes(photo))} cannot be read: {error}",
            "Bring it back or repair it, and go on with the run; a new run leaves out a few that cannot be read.",
        ) from error
    return squash(image.pixels, side_px)


def _batches(request: ViewRequest, begin: int) -> Iterator[tuple[int, np.ndarray]]:
    def square(row: int) -> np.ndarray:
        return request.view.of(read_square(request.photos[row], request.side_px), row)

    with ThreadPoolExecutor(1) as pool:
        rows = list(range(begin, len(request.photos), _BATCH))
        ahead = [pool.submit(square, i) for i in range(begin, min(begin + _BATCH, len(request.photos)))]
        for row in rows:
            following = range(row + _BATCH, min(row + 2 * _BATCH, len(request.photos)))
            now, ahead = ahead, [pool.submit(square, i) for i in following]
            try:
                yield row, np.stack([future.result() for future in now])
            except GeneratorExit:
                pool.shutdown(cancel_futures=True)
                raise


def _parts(features: VisualFeatures) -> dict[str, np.ndarray]:
    parts = {"trunk": features.trunk.half()}
    if features.semantic_scores is not None and features.presence is not None and features.class_map is not None:
        parts["scores"] = features.semantic_scores.half()
        parts["presence"] = features.presence.half()
        parts["class_map"] = features.class_map.to(torch.uint8)
    return {name: part.cpu().numpy() for name, part in parts.items()}


def _region_parts(features: VisualFeatures) -> dict[str, np.ndarray]:
    if features.regions is None:
        raise ValueError("regions are wanted, but the reader proposes none")
    return {f"region_{name}": getattr(features.regions, name).to(dtype).cpu().numpy()
            for name, dtype in _REGION_COLUMNS.items()}


def _open(path: Path, n: int, like: np.ndarray, begin: int) -> np.memmap:
    if begin:
        return np.lib.format.open_memmap(path, mode="r+")
    return make_row_map(path, (n, *like.shape[1:]), like.dtype)


def _identity(photo: Path) -> str:
    """Tells photos of one name apart; a photo that is gone is none of those that features were computed from."""
    try:
        status = os.stat(photo)
    except (OSError, ValueError):
        return f"{photo.name}\ngone"
    return f"{photo.name}\n{status.st_size}\n{status.st_mtime_ns}"


def _is_whole(path: Path, n: int) -> bool:
    try:
        array = np.load(path, mmap_mode="r")
    except (OSError, ValueError, EOFError):
        return False
    return len(array) == n


def _mark(request: ViewRequest, arrays: dict[str, np.memmap], done: int) -> None:
    for array in arrays.values():
        array.flush()
    if done > request.n_done:
        _write(request.place / "n_done", str(done))
    if request.regions_id:
        _write(request.place / "n_regions", f"{request.regions_id} {done}")


def _write(path: Path, text: str) -> None:
    partial = path.with_name(f"{path.name}.partial")
    partial.write_text(text)
    partial.replace(path)
