"""What the frozen backbone and the segmenter give for every view of every photo: computed once, kept in memory maps.

::

    features/<digest of vision, photos and view>/
      trunk.npy          float16 (n, T, 2g, 2g)
      scores.npy         float16 (n, C, g, g)      only with a vision package
      presence.npy       float16 (n, C)            likewise
      class_map.npy      uint8 (n, h, w)           likewise
      n_done             rows that are finished; a killed run goes on behind them
"""

import hashlib
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from explorer.cancellation import CancellationToken
from explorer.errors import DatasetError, MediaError
from explorer.media.image import decode_image, squash
from explorer.media.item import read_content
from explorer.training.events import Progressed
from explorer.training.views import View
from explorer.vision.features import VisualFeatures

_BATCH = 16
_ROWS_BETWEEN_MARKS = 256

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
    """

    trunk: torch.Tensor
    scores: torch.Tensor | None
    presence: torch.Tensor | None
    class_map: torch.Tensor | None


@dataclass(frozen=True, slots=True)
class ViewRequest:
    """Which features are wanted.

    Attributes:
        folder: where all cached features lie.
        vision_id: says which weights made them.
        photos: the photos' files, in order.
        view: how they are looked at.
        side_px: side of the square.
    """

    folder: Path
    vision_id: str
    photos: Sequence[Path]
    view: View
    side_px: int

    @property
    def place(self) -> Path:
        """The folder of just these features."""
        digest = hashlib.sha256()
        for part in (self.vision_id, self.view.name, str(self.side_px), *(photo.name for photo in self.photos)):
            digest.update(part.encode("utf-8", "surrogateescape") + b"\0")
        return self.folder / digest.hexdigest()[:16]

    @property
    def n_done(self) -> int:
        """Finished rows."""
        try:
            return int((self.place / "n_done").read_text())
        except (OSError, ValueError):
            return 0


def cache_view(request: ViewRequest, reader: Reader, *, token: CancellationToken) -> Iterator[Progressed]:
    """Compute what is still missing; stops between batches once ``token`` is cancelled.

    Raises
    ------
    DatasetError
        a photo cannot be read; names it.
    """
    n, begin = len(request.photos), request.n_done
    request.place.mkdir(parents=True, exist_ok=True)
    arrays: dict[str, np.memmap] = {}
    last, last_row = time.monotonic(), begin
    for row, squares in _batches(request, begin):
        if token.cancelled:
            break
        with torch.inference_mode():
            parts = _parts(reader(squares))
        if not arrays:
            arrays = {name: _open(request.place / f"{name}.npy", n, part, begin) for name, part in parts.items()}
        for name, part in parts.items():
            arrays[name][row : row + len(squares)] = part
        done = row + len(squares)
        if done - last_row >= _ROWS_BETWEEN_MARKS or done == n:
            _mark(request, arrays, done)
            rate, last, last_row = (done - last_row) / max(time.monotonic() - last, 1e-6), time.monotonic(), done
            yield Progressed(done, n, float("nan"), rate, f"features, {request.view.name}")


def open_view(request: ViewRequest) -> CachedView:
    """The finished features as memory-mapped tensors, read only by agreement."""

    def tensor(name: str) -> torch.Tensor | None:
        path = request.place / f"{name}.npy"
        # "c": torch wants writable memory; writes would stay in this process.
        return torch.from_numpy(np.load(path, mmap_mode="c")) if path.is_file() else None

    trunk = tensor("trunk")
    if trunk is None or request.n_done < len(request.photos):
        raise ValueError(f"the features in {request.place} are not finished")
    return CachedView(trunk, tensor("scores"), tensor("presence"), tensor("class_map"))


def read_square(photo: Path, side_px: int) -> np.ndarray:
    """One photo, squashed to the square; :class:`DatasetError` where it cannot be read."""
    try:
        image = decode_image(read_content(bytes(photo)), min_edge_px=side_px)
    except MediaError as error:
        raise DatasetError(f"The photo {photo} cannot be read: {error}", "Repair or remove it.") from error
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


def _open(path: Path, n: int, like: np.ndarray, begin: int) -> np.memmap:
    if begin:
        return np.lib.format.open_memmap(path, mode="r+")
    return np.lib.format.open_memmap(path, mode="w+", dtype=like.dtype, shape=(n, *like.shape[1:]))


def _mark(request: ViewRequest, arrays: dict[str, np.memmap], done: int) -> None:
    for array in arrays.values():
        array.flush()
    partial = request.place / "n_done.partial"
    partial.write_text(str(done))
    partial.replace(request.place / "n_done")
