"""IAPR TC-12 (Grubinger et al. 2006) with the labels of its segmented extension, SAIAPR (Escalante et al. 2010).

Known from public code that reads them:

* ``iaprtc12/annotations_complete_eng/NN/N.eng``, one file a photo: ``<DOC>`` with ``<DOCNO>annotations/NN/N.eng``,
  ``<TITLE>``, ``<DESCRIPTION>``, ``<NOTES>``, ``<LOCATION>``, ``<DATE>``, ``<IMAGE>images/NN/N.jpg`` and
  ``<THUMBNAIL>``; without an XML declaration, in latin-1. The parts of a description end with semicolons.
* ``saiaprtc12ok/benchmark/wlist.txt``: number, tab, name; 276 of them, one without a name.
* ``saiaprtc12ok/benchmark/saiapr_tc-12/NN/labels.txt``, NN from 00 to 40: photo, region, number of the label, between
  blanks. 255 of the labels occur, which are the 255 that hashing papers speak of, in all 20,000 photos, of which 19,999
  have a description.

Inferred: that a photo has the labels of its regions and no others (the hierarchy above them is not used); that the
description is the sentence, as a whole, the title being a name rather than a sentence; that items without regions or
without a file of annotations are left out, as that code does; the order, by number of the photo.
"""

from collections import defaultdict
from pathlib import Path

import numpy as np

from explorer.datasets.karpathy import require_photos
from explorer.datasets.labelled import LabelledItems
from explorer.datasets.tagged_text import tagged_text
from explorer.errors import DatasetError

_NAME = "iaprtc12"
_ANNOTATIONS = "annotations_complete_eng"
_REGIONS = "saiapr_tc-12"


def read_iapr(folder: Path, labels_folder: Path, *, photos: bool = True, whole: bool = True) -> LabelledItems:
    """Read descriptions and labels.

    Parameters
    ----------
    folder
        ``iaprtc12``, with ``annotations_complete_eng`` and ``images``.
    labels_folder
        ``saiaprtc12ok/benchmark``, with ``wlist.txt`` and ``saiapr_tc-12``.
    photos
        whether the items have photos.
    whole
        whether these must be there.

    Raises
    ------
    DatasetError
        a folder or file is missing, an annotation is cut off or speaks of another photo, a line of labels is not of
        this form or has a number without a name, a folder of annotations has no labels, photos are missing.
    """
    names = _read_names(labels_folder / "wlist.txt")
    annotations = _find_annotations(folder / _ANNOTATIONS)
    regions = _read_regions(labels_folder / _REGIONS, {path.parent.name for path in annotations.values()}, names)
    numbers = [number for number in annotations if number in regions]
    if not numbers:
        raise DatasetError(
            f"None of the photos of {folder / _ANNOTATIONS} has labels in {labels_folder}.", "Do the folders fit?"
        )
    present = sorted({label for number in numbers for label in regions[number]})
    labels = np.zeros((len(numbers), len(present)), np.bool_)
    column = {label: place for place, label in enumerate(present)}
    for row, number in enumerate(numbers):
        labels[row, [column[label] for label in regions[number]]] = True
    image_paths = tuple(folder / "images" / annotations[n].parent.name / f"{n}.jpg" for n in numbers)
    if photos and whole:
        require_photos(image_paths, folder, _NAME)
    return LabelledItems(
        name=_NAME,
        filenames=tuple(f"{number}.jpg" for number in numbers),
        label_names=tuple(names[label] for label in present),
        labels=labels,
        image_paths=image_paths if photos else None,
        texts=tuple(_read_description(annotations[number]) for number in numbers),
    )


def _find_annotations(folder: Path) -> dict[int, Path]:
    """The annotation file of each photo, by its number, rising."""
    found: dict[int, Path] = {}
    for path in folder.glob("*/*.eng"):
        if not path.stem.isdecimal() or int(path.stem) in found:
            raise DatasetError(f"{path} is not called as a photo's number, or is there twice.", "Remove it.")
        found[int(path.stem)] = path
    if not found:
        raise DatasetError(f"{folder} has no files NN/N.eng.", "Give the folder iaprtc12 as it was unpacked.")
    return dict(sorted(found.items()))


def _read_description(path: Path) -> tuple[str, ...]:
    content = _read(path)
    document = tagged_text(content, "DOC")
    description = tagged_text(content, "DESCRIPTION")
    image = tagged_text(content, "IMAGE")
    if document is None or description is None or image is None:
        raise DatasetError(
            f"{path} is cut off, or no annotation: it needs <DOC> with <DESCRIPTION> and <IMAGE>.", "Unpack it again."
        )
    if not image.endswith(f"/{path.stem}.jpg"):
        raise DatasetError(f"{path} speaks of the photo {image}.", "Unpack the annotations again.")
    sentence = description.rstrip("; ")
    return (sentence,) if sentence else ()


def _read_names(path: Path) -> dict[int, str]:
    names = {}
    for line_number, line in enumerate(_read(path).splitlines(), start=1):
        if not line.strip():
            continue
        number, _, name = line.partition("\t")
        if not number.strip().isdecimal():
            raise DatasetError(f"Line {line_number} of {path} has no number before its name.", "Unpack it again.")
        names[int(number)] = name.strip() or f"label {int(number)}"
    return names


def _read_regions(folder: Path, parts: set[str], names: dict[int, str]) -> dict[int, set[int]]:
    """Numbers of the labels of each photo."""
    found: defaultdict[int, set[int]] = defaultdict(set)
    for part in sorted(parts):
        path = folder / part / "labels.txt"
        for line_number, line in enumerate(_read(path).splitlines(), start=1):
            fields = line.split()
            if not fields:
                continue
            if len(fields) != 3 or not all(field.isdecimal() for field in fields):
                raise DatasetError(
                    f"Line {line_number} of {path} is not photo, region and label.", "Unpack the labels again."
                )
            photo, _, label = map(int, fields)
            if label not in names:
                raise DatasetError(f"Line {line_number} of {path} has label {label}, which wlist.txt does not name.")
            found[photo].add(label)
    return dict(found)


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="latin-1")
    except FileNotFoundError as error:
        raise DatasetError(f"The file {path} is missing.", "Unpack the data set again.") from error
    except OSError as error:
        raise DatasetError(f"{path} cannot be read: {error.strerror or error}.", "Check its permissions.") from error
