"""INRIA's Web Queries (Krapac et al. 2010): 71,478 pictures that a search engine gave for 353 queries.

Known from the page that describes the data set:

* ``queries_fr_orig.txt`` and ``queries_en_trans.txt``: number of the query, and the query in French or in English;
* ``labels.txt``: number of the query, number of the document, and 1 if it is relevant to the query, else 0;
* ``images/query_<query>_document_<document>_imagethumb.jpg``;
* ``metadata/query_<query>_document_<document>_textmeta.xml``, in UTF-8: ``<documentmeta>`` with ``<concept>`` (the
  query itself), ``<rank>``, ``<language>``, ``<referer>``, ``<imageUrl>``, ``<before>`` and ``<after>`` (up to ten
  words of the page on either side of the picture), ``<ptitle>`` (title of the page) and ``<alt>``.

Inferred: that columns are parted by blanks or tabs, and the lists in UTF-8 or else in latin-1; that a relevant picture
has its query as its only label and another none; and that title, alternative text and surrounding words are three texts
of a picture. ``<concept>`` is left out of them: it is the label.
"""

from pathlib import Path

import numpy as np

from explorer.datasets.karpathy import require_photos
from explorer.datasets.labelled import LabelledItems
from explorer.datasets.tagged_text import tagged_text
from explorer.errors import DatasetError

_NAME = "web-queries"


def read_web_queries(folder: Path, *, photos: bool = True, whole: bool = True) -> LabelledItems:
    """Read all pictures in the order of ``labels.txt``; the labels are the queries in English, as their list has them.

    Parameters
    ----------
    folder
        as the archive unpacks.
    photos
        whether the items have photos.
    whole
        whether these must be there.

    Raises
    ------
    DatasetError
        a file is missing, cut off or not of its form; a label is neither 0 nor 1, or belongs to no query; a picture
        stands there twice; photos are missing.
    """
    queries = _read_queries(folder / "queries_en_trans.txt")
    rows = _read_relevance(folder / "labels.txt")
    column = {query: place for place, query in enumerate(queries)}
    unknown = next((query for query, _, _ in rows if query not in column), None)
    if unknown is not None:
        raise DatasetError(f"labels.txt has query {unknown}, which queries_en_trans.txt does not list.")
    labels = np.zeros((len(rows), len(queries)), np.bool_)
    stems = []
    for row, (query, document, relevant) in enumerate(rows):
        labels[row, column[query]] = relevant
        stems.append(f"query_{query}_document_{document}")
    filenames = tuple(f"{stem}_imagethumb.jpg" for stem in stems)
    image_paths = tuple(folder / "images" / name for name in filenames)
    if photos and whole:
        require_photos(image_paths, folder, _NAME)
    return LabelledItems(
        name=_NAME,
        filenames=filenames,
        label_names=tuple(queries.values()),
        labels=labels,
        image_paths=image_paths if photos else None,
        texts=tuple(_read_texts(folder / "metadata" / f"{stem}_textmeta.xml") for stem in stems),
    )


def _read_texts(path: Path) -> tuple[str, ...]:
    """Title, alternative text, and the words before and after; each once, none empty."""
    content = _read(path)
    if tagged_text(content, "documentmeta") is None:
        raise DatasetError(f"{path} is cut off, or has no <documentmeta>.", "Unpack the data set again.")
    title, alternative, before, after = (
        tagged_text(content, tag) or "" for tag in ("ptitle", "alt", "before", "after")
    )
    return tuple(dict.fromkeys(text for text in (title, alternative, f"{before} {after}".strip()) if text))


def _read_queries(path: Path) -> dict[int, str]:
    """Queries by number; where two are the same word in English, their numbers tell them apart."""
    queries: dict[int, str] = {}
    for line_number, line in _lines(path):
        number, *rest = line.split(maxsplit=1)
        if not number.isdecimal() or not rest or int(number) in queries:
            raise DatasetError(f"Line {line_number} of {path} is not a new number and a query.", "Unpack it again.")
        queries[int(number)] = rest[0].strip()
    names = list(queries.values())
    return {n: name if names.count(name) == 1 else f"{name} ({n})" for n, name in queries.items()}


def _read_relevance(path: Path) -> list[tuple[int, int, bool]]:
    rows = []
    for line_number, line in _lines(path):
        fields = line.split()
        if len(fields) != 3 or not all(field.isdecimal() for field in fields) or fields[2] not in ("0", "1"):
            raise DatasetError(
                f"Line {line_number} of {path} is not query, document, and 0 or 1.", "Unpack the data set again."
            )
        rows.append((int(fields[0]), int(fields[1]), fields[2] == "1"))
    return rows


def _lines(path: Path) -> list[tuple[int, str]]:
    return [(number, line) for number, line in enumerate(_read(path).split("\n"), start=1) if line.strip()]


def _read(path: Path) -> str:
    try:
        content = path.read_bytes()
    except FileNotFoundError as error:
        raise DatasetError(f"The file {path} is missing.", "Unpack the data set again.") from error
    except OSError as error:
        raise DatasetError(f"{path} cannot be read: {error.strerror or error}.", "Check its permissions.") from error
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("latin-1")
