"""MSR-VTT (Xu et al. 2016): 10,000 clips of web videos, twenty sentences each, and one of twenty categories.

The files as they were published: ``train_val_videodatainfo.json`` and ``test_videodatainfo.json`` (or one file with
both, ``MSRVTT_data.json``) with ``videos[]`` and ``sentences[]``, the clips in a folder beside them as
``video7010.mp4``; splits of 6,513, 497 and 2,990 clips called ``train``, ``validate`` and ``test``. The csv of the
1K-A split (Yu et al. 2018) names 1,000 of the clips with one sentence each.

``start time`` and ``end time`` say where a clip was cut out of its web video. The published files are those cuts, so
both are passed over: a clip is the whole of its file.
"""

import csv
import io
import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec

from explorer.datasets.clips import WHOLE_SPLIT, CaptionedClips, Span, captioned_clips, chosen_names, said_of
from explorer.datasets.json_file import decode_json, read_json_bytes
from explorer.datasets.labels import LabelFile
from explorer.errors import DatasetError
from explorer.media.item import kind_of

NAME = "msr-vtt"

CATEGORIES = (
    "music", "people", "gaming", "sport", "news", "education", "tv", "movie", "animation", "vehicles", "howto",
    "travel", "science", "animals", "kids", "documentary", "food", "cooking", "beauty", "advertisement",
)  # fmt: skip
"""Names of the categories by their numbers; the files hold only those."""

FOLDERS = ("videos", "videos/all", "TrainValVideo", "TestVideo", "all", "images", "")
"""Where clips are looked for, beside the file, where no folder is named."""

ONE_K_A = "1k-a"
"""What the split of the csv is called."""

_JSON_FILES = ("*videodatainfo*.json", "MSRVTT_data.json")
_OTHER_NAMES = {"val": "validate", "validation": "validate"}
_CSV_COLUMNS = ("video_id", "sentence")
_NEEDS = "It needs videos, each with a video_id and a split, and sentences, each with a video_id and a caption."


class _Video(msgspec.Struct):
    video_id: str
    split: str = WHOLE_SPLIT
    category: int | None = None


class _Sentence(msgspec.Struct):
    video_id: str
    caption: str
    sen_id: int | None = None


class _File(msgspec.Struct):
    videos: list[_Video]
    sentences: list[_Sentence] = []


@dataclass(frozen=True, slots=True)
class _Content:
    """What one or more files say: sentences by clip, in the order of the clips."""

    path: Path
    videos: dict[str, _Video]
    sentences: dict[str, list[_Sentence]]

    def splits(self) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        for name, video in self.videos.items():
            found.setdefault(video.split, []).append(name)
        return found


def read_msr_vtt(path: Path, *, split: str | None = None, folder: Path | None = None) -> CaptionedClips:
    """Read one split with all sentences of its clips, in file order, its categories as labels.

    Parameters
    ----------
    path
        one of the json files, or the folder that has them: then those of all splits are read.
    split
        ``"train"``, ``"validate"`` (or ``"val"``) or ``"test"``; several are joined by a plus sign; None: all clips.
    folder
        where the clips are; by default one of :data:`FOLDERS` beside the file.

    Raises
    ------
    DatasetError
        the file cannot be read or is not of this form; a clip is there twice, has no sentence, no usable name or a
        category that there is none of; a sentence belongs to an unknown clip; there is no such split; clips are
        missing.
    """
    content = _read(path)
    asked = split and "+".join(_OTHER_NAMES.get(name, name) for name in split.split("+"))
    names = chosen_names(tuple(content.videos), content.splits(), asked, content.path)
    own = {name: content.sentences[name] for name in names}
    beside = content.path.parent
    return captioned_clips(
        name=NAME,
        split=asked or WHOLE_SPLIT,
        places=_places(names, beside, folder),
        said={name: said_of(name, (each.caption for each in said), content.path) for name, said in own.items()},
        folder=beside if folder is None else folder,
        labels=_categories(content),
    )


def msr_vtt_splits(path: Path) -> tuple[str, ...]:
    """Names of the splits of a file or folder; raises as :func:`read_msr_vtt` does."""
    return tuple(_read(path).splits())


def msr_vtt_captions(path: Path) -> Iterator[tuple[str, Iterable[str]]]:
    """File name and sentences of every clip that has some; raises as :func:`read_msr_vtt` does.

    The name is the published one, ``.mp4``, unless the clip lies beside the file in another container.
    """
    content = _read(path)
    places = _places(tuple(content.videos), content.path.parent, None)
    return (
        (places[name][0].name, [each.caption for each in said]) for name, said in content.sentences.items() if said
    )


def is_msr_vtt_folder(folder: Path) -> bool:
    """Whether the published json files lie in this folder."""
    return bool(_json_files(folder))


def read_one_k_a(path: Path, *, folder: Path | None = None) -> CaptionedClips:
    """Read the csv of the 1K-A split (``MSRVTT_JSFUSION_test.csv``: key, vid_key, video_id, sentence).

    Labels are those of ``MSRVTT_data.json`` or ``*videodatainfo*.json`` where one lies beside it.

    Raises
    ------
    DatasetError
        it cannot be read, lacks a column, has no rows or no usable name; clips are missing.
    """
    try:
        text = path.read_bytes().decode("utf-8-sig")
        rows = list(csv.DictReader(io.StringIO(text, newline="")))
    except OSError as error:
        raise DatasetError(f"{path} cannot be read: {error.strerror or error}.", "Check its path.") from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise DatasetError(f"{path.name} is no csv in UTF-8: {error}.", "Download it again.") from error
    said: dict[str, list[str]] = {}
    for number, row in enumerate(rows, start=2):
        if any(row.get(column) is None for column in _CSV_COLUMNS):
            raise DatasetError(
                f"Row {number} of {path.name} lacks {' or '.join(_CSV_COLUMNS)}.",
                "It needs the columns key, vid_key, video_id and sentence.",
            )
        said.setdefault(_usable(row["video_id"], path), []).append(row["sentence"])
    names = chosen_names(tuple(said), {}, None, path)
    return captioned_clips(
        name=NAME,
        split=ONE_K_A,
        places=_places(names, path.parent, folder),
        said={name: said_of(name, said[name], path) for name in names},
        folder=path.parent if folder is None else folder,
        labels=_categories(_read(path.parent)) if is_msr_vtt_folder(path.parent) else None,
    )


def _read(path: Path) -> _Content:
    files = _json_files(path) if path.is_dir() else [path]
    if not files:
        raise DatasetError(
            f"The folder {path} holds no json of MSR-VTT.", "It needs train_val_videodatainfo.json or the like."
        )
    videos: dict[str, _Video] = {}
    sentences: dict[str, list[_Sentence]] = {}
    for file in files:
        content = decode_json(read_json_bytes(file), _File, file, needs=_NEEDS)
        for video in content.videos:
            if _usable(video.video_id, file) in videos:
                raise DatasetError(
                    f"{file.name} lists the clip {video.video_id} a second time.",
                    "Name one json in the place of the folder, or download it again.",
                )
            videos[video.video_id], sentences[video.video_id] = video, []
        for sentence in content.sentences:
            if sentence.video_id not in sentences:
                raise DatasetError(
                    f"A sentence of {file.name} belongs to the clip {sentence.video_id!r}, which is not there.",
                    "Download or export it again.",
                )
            sentences[sentence.video_id].append(sentence)
    return _Content(files[0], videos, sentences)


def _json_files(folder: Path) -> list[Path]:
    """One file that has everything, or else those of the splits."""
    for pattern in reversed(_JSON_FILES):
        if found := sorted(path for path in folder.glob(pattern) if path.is_file()):
            return found
    return []


def _usable(name: str, path: Path) -> str:
    if not name or name in (".", "..") or "/" in name or "\\" in name or "\0" in name:
        raise DatasetError(f"{path.name} has a clip called {name!r}, which is no file name.", "Download it again.")
    return name


def _places(names: Sequence[str], beside: Path, folder: Path | None) -> dict[str, tuple[Path, Span]]:
    """Where each clip is: ``.mp4`` as published, or another container of the same name."""
    folders = [beside / each for each in FOLDERS] if folder is None else [folder]
    by_name: dict[str, Path] = {}
    for each in folders:
        for path in _videos_of(each):
            by_name.setdefault(path.stem, path)
    usual = next((each for each in folders if each.is_dir()), folders[0])
    return {name: (by_name.get(name, usual / f"{name}.mp4"), Span()) for name in names}


def _videos_of(folder: Path) -> list[Path]:
    try:
        with os.scandir(folder) as entries:
            names = sorted(entry.name for entry in entries if kind_of(entry.name) == "video")
    except OSError:
        return []  # the clips are then said to be missing
    return [folder / name for name in sorted(names, key=lambda name: not name.lower().endswith(".mp4"))]


def _categories(content: _Content) -> LabelFile | None:
    """Labels of all clips, or None where a clip has no category: that it has none would be a guess."""
    items = {}
    for name, video in content.videos.items():
        if video.category is None:
            return None
        if not 0 <= video.category < len(CATEGORIES):
            raise DatasetError(
                f"{content.path.name} puts the clip {name} into category {video.category}.",
                f"Categories have the numbers 0 to {len(CATEGORIES) - 1}.",
            )
        items[name] = (video.category,)
    return LabelFile(CATEGORIES, items)
