"""A recipe as text: read, asked for a setting, changed at one place with everything else left as it was; no Qt.

The text is the truth of a recipe that is being made. A field of the form changes one line of it, so that comments and
keys that the form does not know stay.
"""

import copy
import math
import re
import tomllib
from collections.abc import Iterator
from typing import Any

import tomli_w

from explorer.errors import ConfigError

_NAMES = re.compile(r"\('([^)]*?)',?\)")
"""How the parser calls a section: ``('training',)``."""

Table = dict[str, Any]

_HEADER = re.compile(r"^\s*\[\s*([A-Za-z0-9_.\-\"' ]+?)\s*\]\s*(#.*)?$")
_SETTING = re.compile(r"^(\s*([A-Za-z0-9_\-]+)\s*=\s*)(.*?)(\r?\n?)$", re.DOTALL)
_PLACE = re.compile(r"^(?P<what>.*?) \(at (?:line (?P<line>\d+), column \d+|end of document)\)$")


def read_table(text: str) -> Table:
    """What the text says.

    Raises:
        ConfigError: it is no TOML; says where.
    """
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        place = _PLACE.match(str(error))
        line = place["line"] if place is not None else None
        where = f"Line {line} of the recipe" if line else "The end of the recipe"
        what = place["what"] if place is not None else str(error)
        what = _NAMES.sub(lambda found: found[1].replace("', '", "."), what)
        raise ConfigError(f"{where} is not TOML: {what[:1].lower()}{what[1:]}.", "Correct it there.") from error


def settings_of(table: Table, prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Each setting with its whole key, ``"training.epochs"``."""
    for name, value in table.items():
        if isinstance(value, dict):
            yield from settings_of(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", value


def value_at(table: Table, key: str) -> Any:
    """The setting; None where it is not said."""
    inner: Any = table
    for name in key.split("."):
        if not isinstance(inner, dict) or name not in inner:
            return None
        inner = inner[name]
    return inner


def literal(value: Any) -> str:
    """As TOML says it."""
    if isinstance(value, float):
        return number_text(value)
    return tomli_w.dumps({"x": value}).removeprefix("x = ").strip()


def read_literal(text: str) -> Any:
    """What a value of TOML says; the text itself where it is none."""
    try:
        return tomllib.loads(f"x = {text}")["x"]
    except tomllib.TOMLDecodeError:
        return text


def number_text(value: float) -> str:
    """A number as a person would type it, and TOML would read it: ``0.2``, ``1e-4``."""
    plain = repr(value)
    if isinstance(value, int) or not math.isfinite(value):
        return plain
    exact = next(written for digits in range(18) if float(written := f"{value:.{digits}e}") == value)
    mantissa, _, exponent = exact.partition("e")
    short = f"{mantissa}e{int(exponent)}"
    return short if len(short) < len(plain) or "e" in plain else plain


def with_setting(text: str, key: str, value: str | None) -> str:
    """The text with this setting, a literal of TOML, or without it; all else as it was.

    One line is changed where that does it; where the recipe is written in another manner, it is written anew, and its
    comments are lost.

    Raises:
        ConfigError: the text is no TOML.
    """
    wanted = _changed(read_table(text), key, value)
    section, _, name = key.rpartition(".")
    edited = _edit(text.splitlines(keepends=True), section, name, value)
    try:
        if _without_empty(tomllib.loads(edited)) == _without_empty(wanted):
            return edited
    except tomllib.TOMLDecodeError:
        pass
    return tomli_w.dumps(wanted)


def _changed(table: Table, key: str, value: str | None) -> Table:
    changed = copy.deepcopy(table)
    *sections, name = key.split(".")
    inner = changed
    for section in sections:
        if not isinstance(inner.get(section), dict):
            inner[section] = {}
        inner = inner[section]
    if value is None:
        inner.pop(name, None)
    else:
        inner[name] = read_literal(value)
    return changed


def _without_empty(table: Table) -> Table:
    kept = {name: _without_empty(value) if isinstance(value, dict) else value for name, value in table.items()}
    return {name: value for name, value in kept.items() if value != {}}


def _edit(lines: list[str], section: str, name: str, value: str | None) -> str:
    begin, end = _span(lines, section)
    if begin is None:
        if value is None:
            return "".join(lines)
        ground = "".join(lines)
        gap = "" if not ground else "\n" if ground.endswith("\n") else "\n\n"
        return f"{ground}{gap}[{section}]\n{name} = {value}\n"
    for place in range(begin, end):
        found = _SETTING.match(lines[place])
        if found is not None and found[2] == name:
            if value is None:
                del lines[place]
                _drop_empty(lines, section)
            else:
                line, comment = f"{found[1]}{value}", _comment_of(found[3])
                if comment:  # where it stood before, if there is room
                    column = len(found[1]) + len(found[3].rstrip()) - len(comment)
                    line = f"{line:<{column}}" if len(line) < column else f"{line} "
                lines[place] = f"{line}{comment}{found[4] or chr(10)}"
            return "".join(lines)
    if value is not None:
        while end > begin and not lines[end - 1].strip():
            end -= 1
        if end and not lines[end - 1].endswith("\n"):
            lines[end - 1] += "\n"
        lines.insert(end, f"{name} = {value}\n")
    return "".join(lines)


def _span(lines: list[str], section: str) -> tuple[int | None, int]:
    """The lines of a section, without its header; None where it is not there."""
    begin = None if section else 0
    for place, line in enumerate(lines):
        header = _HEADER.match(line)
        if header is None:
            continue
        if begin is not None:
            return begin, place
        if header[1] == section:
            begin = place + 1
    return begin, len(lines)


def _drop_empty(lines: list[str], section: str) -> None:
    """A header with nothing under it goes, too."""
    begin, end = _span(lines, section)
    if section and begin is not None and not any(line.strip() for line in lines[begin:end]):
        del lines[begin - 1 : end]


def _comment_of(rest: str) -> str:
    """The comment behind a value on its line; empty where there is none."""
    quote = ""
    for place, letter in enumerate(rest):
        if quote:
            quote = "" if letter == quote and rest[place - 1] != "\\" else quote
        elif letter in "\"'":
            quote = letter
        elif letter == "#":
            return rest[place:].rstrip()
    return ""
