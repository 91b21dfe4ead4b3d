"""Text files with one caption or one id a line."""

from pathlib import Path

from explorer.errors import DatasetError


def read_text_lines(path: Path) -> list[str]:
    """Lines of a UTF-8 file without the blanks around them; empty lines stay, they count like any other.

    Raises
    ------
    DatasetError
        the file is missing, cannot be read or is not UTF-8; then the line is named, counted from 1.
    """
    try:
        content = path.read_bytes()
    except FileNotFoundError as error:
        raise DatasetError(f"The file {path} is missing.", "Put it there, or choose another folder.") from error
    except OSError as error:
        raise DatasetError(f"{path} cannot be read: {error.strerror or error}.", "Check its permissions.") from error
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise DatasetError(f"Line {line} of {path.name} is not UTF-8.", "Save the file as UTF-8.") from error
    # Not splitlines(): a caption may hold any other character that Unicode calls a line break.
    lines = text.split("\n")
    if lines[-1] == "":
        lines.pop()
    return [line.strip() for line in lines]
