"""JSON files of data sets: read whole, checked against a form, and refused with a sentence."""

import codecs
from pathlib import Path
from typing import TypeVar

import msgspec

from explorer.errors import DatasetError

MAX_JSON_BYTES = 1 << 30
"""The largest published file of sentences, COCO's, has 0.1 GB; a larger one is something else."""

_F = TypeVar("_F")


def read_json_bytes(path: Path) -> bytes:
    """The content of a json file, without a byte order mark.

    Raises
    ------
    DatasetError
        it is missing, cannot be read, is no regular file, or is larger than any data set's.
    """
    try:
        if path.exists() and not path.is_file() and not path.is_dir():
            raise DatasetError(f"{path} is no regular file.", "Name the json file of a data set.")
        n_bytes = path.stat().st_size
        if n_bytes > MAX_JSON_BYTES:
            raise DatasetError(
                f"{path.name} has {n_bytes / 1e9:.1f} GB, which no data set's json has.", "Is it the right file?"
            )
        return path.read_bytes().removeprefix(codecs.BOM_UTF8)
    except OSError as error:
        raise DatasetError(
            f"The data set {path} cannot be read: {error.strerror or error}.", "Check the path of the json file."
        ) from error


def decode_json(content: bytes, form: type[_F], path: Path, *, needs: str) -> _F:
    """Check what a file says against a form.

    Parameters
    ----------
    content
        of the file.
    form
        a ``msgspec.Struct``; fields that it does not name are passed over.
    path
        how errors name the file.
    needs
        a sentence that says what a file of this form has.

    Raises
    ------
    DatasetError
        it is no JSON, or not of this form.
    """
    try:
        return msgspec.json.decode(content, type=form)
    except msgspec.ValidationError as error:
        raise DatasetError(f"{path.name} does not say what it should: {error}.", needs) from error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        reason = str(error).rstrip(".")
        raise DatasetError(f"{path.name} is not valid JSON: {reason}.", "Download or export it again.") from error
