"""Which photos can be read: looked at once, before anything is computed from them.

A person's photos have some that are cut off or gone. Up to :data:`MOST_LEFT_OUT` of a split are left out and told;
where it is more, something else is wrong, such as a disk that is not plugged in, and the run does not begin.
"""

import hashlib
import os
import time
from collections.abc import Generator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

from explorer.cancellation import CancellationToken
from explorer.datasets.karpathy import CaptionedImages
from explorer.errors import DatasetError, MediaError
from explorer.media.image import decode_image
from explorer.media.item import display_path, read_content
from explorer.protocol.runs import Noted, Progressed, RunEvent
from explorer.training.reading import TrainingPhotos

MOST_LEFT_OUT = 0.05
"""Share of the photos of a split."""

_CHUNK = 64
_N_THREADS = 4
_EDGE_PX = 32
_DIGEST_BYTES = 16
_REPORT_EVERY_S = 0.5
_N_NAMED = 3


def with_readable_photos(
    photos: TrainingPhotos, record: Path, token: CancellationToken
) -> Generator[RunEvent, None, TrainingPhotos]:
    """Both splits without the photos that cannot be read.

    record: a file that remembers photos that could be, so that no other run looks at them again; it is made.

    Raises
    ------
    DatasetError
        more than :data:`MOST_LEFT_OUT` of a split cannot be read.
    Cancelled
        a stop was asked for.
    OSError
        the record cannot be written.
    """
    readable = []
    for part in photos.splits:
        unreadable = yield from find_unreadable(part.image_paths, record, token)
        require_few_lost(part, list(unreadable.values()))
        if unreadable:
            yield Noted(text=left_out_note(part, [part.image_paths[row] for row in unreadable]))
            part = part.at([row for row in range(len(part)) if row not in unreadable], split=part.split)
        readable.append(part)
    train, val = readable
    return replace(photos, train=train, val=val)


def find_unreadable(
    paths: Sequence[Path], record: Path, token: CancellationToken
) -> Generator[Progressed, None, dict[int, str]]:
    """Rows of the photos that cannot be decoded, rising, each with a sentence that names the photo and says why.

    Raises as :func:`with_readable_photos`.
    """
    known = _read_record(record)
    marks = [mark_of(path) for path in paths]
    rows = [row for row, mark in enumerate(marks) if mark is None or mark not in known]
    unreadable: dict[int, str] = {}
    begun = last = time.monotonic()
    with ThreadPoolExecutor(_N_THREADS) as pool:
        for start in range(0, len(rows), _CHUNK):
            token.check()
            chunk = rows[start : start + _CHUNK]
            problems = dict(zip(chunk, pool.map(_problem_with, (paths[row] for row in chunk)), strict=True))
            unreadable |= {row: problem for row, problem in problems.items() if problem}
            _remember(record, [mark for row in chunk if not problems[row] and (mark := marks[row]) is not None])
            now, n_done = time.monotonic(), start + len(chunk)
            if now - last >= _REPORT_EVERY_S:
                last, rate = now, n_done / (now - begun)
                yield Progressed(
                    message="looking at the photos", n_done=n_done, n_total=len(rows), rate_per_s=rate,
                    remaining_s=(len(rows) - n_done) / rate,
                )
    return unreadable


def require_few_lost(part: CaptionedImages, problems: Sequence[str]) -> None:
    """Let a split do without a few of its photos.

    problems: a sentence for each photo that is lost.

    Raises
    ------
    DatasetError
        it is more than :data:`MOST_LEFT_OUT` of them.
    """
    if len(problems) > MOST_LEFT_OUT * len(part):
        raise DatasetError(
            f"{len(problems):,} of {len(part):,} photos of the split {part.split} cannot be read: {problems[0]}",
            f"Bring them back or repair them, or check the folder of the photos; up to {MOST_LEFT_OUT:.0%} of a split "
            "are left out where they cannot be read.",
        )


def left_out_note(part: CaptionedImages, lost: Sequence[Path]) -> str:
    """Says which photos of a split are left out."""
    named = ", ".join(map(_shown, lost[:_N_NAMED])) + (", ..." if len(lost) > _N_NAMED else "")
    return (
        f"Photos of the split {part.split} that cannot be read are left out: {len(lost):,} of {len(part):,} ({named})."
    )


def mark_of(path: Path) -> bytes | None:
    """Tells a photo from every other and from itself after a change: path, size and time; None if it is not there."""
    try:
        status = os.stat(path)
    except (OSError, ValueError):
        return None
    told = b"\0".join((os.fsencode(path.absolute()), b"%d %d" % (status.st_size, status.st_mtime_ns)))
    return hashlib.blake2b(told, digest_size=_DIGEST_BYTES).digest()


def _problem_with(path: Path) -> str:
    try:
        decode_image(read_content(bytes(path)), min_edge_px=_EDGE_PX)
    except MediaError as error:
        return f"{_shown(path)}: {error.message}"
    return ""


def _shown(path: Path) -> str:
    """The file's name as people can read it, and as messages can carry it."""
    return display_path(os.fsencode(path.name))


def _read_record(path: Path) -> set[bytes]:
    try:
        content = path.read_bytes()
    except OSError:
        return set()
    whole = len(content) - len(content) % _DIGEST_BYTES  # a killed process may have left a part of a mark
    return {content[place : place + _DIGEST_BYTES] for place in range(0, whole, _DIGEST_BYTES)}


def _remember(path: Path, marks: Sequence[bytes]) -> None:
    if marks:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("ab") as file:
            file.truncate(file.tell() - file.tell() % _DIGEST_BYTES)
            file.write(b"".join(marks))
