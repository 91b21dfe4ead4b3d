"""ECCV Caption and CrissCrossed Captions: the right answers that COCO leaves out, read from their published files.

Both judge queries out of COCO's test split and have all its 5,000 photos and 25,000 sentences as gallery
(papers.md 4.3, 4.1). Of CrissCrossed Captions the image-sentence part is read, in the form in which it lies beside ECCV
Caption's files; its image-image and sentence-sentence parts are left out.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import msgspec
import numpy as np

from explorer.errors import DatasetError

ECCV_FILES = ("eccv_image_to_caption.json", "eccv_caption_to_image.json")
CXC_FILES = ("cxc_image_to_caption.json", "cxc_caption_to_image.json")
SENTENCE_IDS_FILE = "coco_test_ids.npy"
"""Ids of the 25,000 sentences in file order; for data that bring none of their own."""

_N_NAMED = 3
_MOST_LACKING = 0.01
_WHOLE_SPLIT = "It needs the whole COCO test split: 5,000 photos, 25,000 sentences, with COCO's ids."

Positives = Mapping[int, tuple[int, ...]]
"""Right answers by query; both are the data set's own ids."""


@dataclass(frozen=True, slots=True)
class Judgements:
    """Right answers in both directions.

    Attributes:
        name: what they are called.
        image_to_text: sentences by photo.
        text_to_image: photos by sentence.
    """

    name: str
    image_to_text: Positives
    text_to_image: Positives


@dataclass(frozen=True, slots=True)
class GalleryIds:
    """The data set's own ids.

    Attributes:
        images: of each photo, (n,).
        sentences: of each sentence, (m,).
    """

    images: tuple[int, ...]
    sentences: tuple[int, ...]


def read_eccv(folder: Path) -> Judgements:
    """ECCV Caption; raises :class:`DatasetError` where a file is missing or not ``{query id: [ids]}``."""
    return Judgements("ECCV Caption", *(_read_positives(folder / name) for name in ECCV_FILES))


def read_cxc(folder: Path) -> Judgements | None:
    """CrissCrossed Captions; None where neither file is there, errors as :func:`read_eccv`."""
    if not any((folder / name).is_file() for name in CXC_FILES):
        return None
    return Judgements("CrissCrossed Captions", *(_read_positives(folder / name) for name in CXC_FILES))


def read_sentence_ids(folder: Path, n_sentences: int) -> tuple[int, ...]:
    """Ids of the sentences from :data:`SENTENCE_IDS_FILE`, in file order.

    Raises
    ------
    DatasetError
        the file cannot be read, or has ids for another number of sentences.
    """
    path = folder / SENTENCE_IDS_FILE
    try:
        ids = np.load(path, allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise DatasetError(
            f"This data set has no sentence ids, and {path} cannot be read.",
            "Put the ids there, one for each sentence in file order, or evaluate COCO's Karpathy json.",
        ) from error
    if ids.shape != (n_sentences,) or not np.issubdtype(ids.dtype, np.integer):
        raise DatasetError(
            f"{path.name} holds {ids.dtype} ids of shape {ids.shape}, but the split has {n_sentences:,} sentences.",
            _WHOLE_SPLIT,
        )
    return tuple(ids.tolist())


def require_ids(judgements: Judgements, ids: GalleryIds) -> int:
    """See that the gallery holds all queries and nearly all right answers; how many answers it lacks.

    ECCV Caption itself names two sentences that are not among the five of their photos; its own code counts them as
    right answers that are never found, and so does ours.

    Raises
    ------
    DatasetError
        a query is not there, or more than one answer in a hundred; the error names the first.
    """
    n_lacking = 0
    for kind, queries, answers, known in (
        ("photos", judgements.image_to_text, _answers(judgements.text_to_image), ids.images),
        ("sentences", judgements.text_to_image, _answers(judgements.image_to_text), ids.sentences),
    ):
        lacking = answers.difference(known)
        missing = set(queries).difference(known)
        if len(lacking) > _MOST_LACKING * len(answers):
            missing |= lacking
        if missing:
            names = ", ".join(str(number) for number in sorted(missing)[:_N_NAMED])
            raise DatasetError(
                f"{len(missing):,} of {len(answers.union(queries)):,} {kind} that {judgements.name} judges are not in "
                f"this split ({names}{', ...' if len(missing) > _N_NAMED else ''}).",
                _WHOLE_SPLIT,
            )
        n_lacking += len(lacking)
    return n_lacking


def _answers(positives: Positives) -> set[int]:
    return {number for answers in positives.values() for number in answers}


def _read_positives(path: Path) -> Positives:
    try:
        positives: Positives = msgspec.json.decode(path.read_bytes(), type=dict[int, tuple[int, ...]])
    except OSError as error:
        raise DatasetError(
            f"{path} cannot be read: {error.strerror or error}.",
            f"The folder needs {' and '.join(ECCV_FILES)}, as published with ECCV Caption.",
        ) from error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise DatasetError(f"{path.name} does not map query ids to lists of ids: {error}.", "Get it again.") from error
    without = [query for query, answers in positives.items() if not answers]
    if without or not positives:
        what = f"no right answer to query {without[0]}" if without else "no queries"
        raise DatasetError(f"{path.name} has {what}.", "Get it again.")
    return positives
