"""What a field of a recipe is called, what may be typed into it, and what is wrong with what was typed; no Qt."""

import math
from typing import Any

from explorer.gui.training.recipe_text import literal, number_text, read_literal
from explorer.protocol.training import RecipeField

_SECTIONS = {"": "Recipe", "dataset": "Data", "labels": "Labels"}
_READS = {"vsem": "VSeM", "vspm": "VSpM", "nll": "NLL", "minilm": "MiniLM", "val": "validation"}


def section_of(key: str) -> str:
    """``"training"`` of ``"training.epochs"``; empty of a name alone."""
    return key.rpartition(".")[0]


def section_title(section: str) -> str:
    """``"Training"``, ``"Regions: selection"``."""
    return _SECTIONS.get(section) or ": ".join(section.replace("_", " ").split(".")).capitalize()


def setting_title(key: str) -> str:
    """``"Learning rate"`` of ``"training.learning_rate"``."""
    words = key.rpartition(".")[2].split("_")
    if words[0] == "n" and len(words) > 1:
        words = ["number", "for" if words[1:] == ["val"] else "of", *words[1:]]
    told = " ".join(_READS.get(word, word) for word in words)
    return told if any(letter.isupper() for letter in words[0] + told.split()[0]) else told[:1].upper() + told[1:]


def matches(field: RecipeField, searched: str) -> bool:
    """Whether each word that is searched for is in the field's names or in what it means."""
    whole = f"{field.key} {setting_title(field.key)} {section_title(section_of(field.key))} {field.says}".lower()
    return all(word in whole for word in searched.lower().split())


def published_text(field: RecipeField) -> str:
    """``"paper: 0.2 (3SHNet 3.7)"``; ``"reconstructed"`` where no source gives any; empty where none is needed."""
    source = field.source.replace("[inferred]", "").strip(" ,")
    if field.published:
        value = read_literal(field.published) if field.kind == "switch" else field.published
        return f"paper: {shown_value(field, value)}" + (f" ({source})" if source else "")
    return "reconstructed" if "[inferred]" in field.source else source


def default_text(field: RecipeField) -> str:
    """The default as one would type it into the field; empty where it has none."""
    return shown_value(field, read_literal(field.default)) if field.default else ""


def default_value(field: RecipeField) -> Any:
    """The default; None where it has none."""
    return read_literal(field.default) if field.default else None


def shown_value(field: RecipeField, value: Any) -> str:
    """A value as it stands in the field."""
    if value is None:
        return ""
    if isinstance(value, list):
        return ", ".join(shown_value(field, one) for one in value)
    if isinstance(value, bool):
        return "on" if value else "off"
    return number_text(value) if isinstance(value, int | float) else str(value)


def range_text(field: RecipeField) -> str:
    """Which numbers may be typed: ``"Above 0, at most 1"``, ``"0 or more, a multiple of 4"``; empty where all."""
    edges = (field.minimum, field.maximum)
    low, high = (None if edge is None else number_text(edge).removesuffix(".0") for edge in edges)
    told = []
    if low is not None and high is not None and not field.exclusive and not field.exclusive_maximum:
        told.append(f"{low} to {high}")
    else:
        if low is not None:
            told.append(f"above {low}" if field.exclusive else f"{low} or more")
        if high is not None:
            told.append(f"below {high}" if field.exclusive_maximum else f"at most {high}")
    if field.multiple_of is not None:
        told.append(f"a multiple of {field.multiple_of}")
    text = ", ".join(told)
    return text[:1].upper() + text[1:]


def read_typed(field: RecipeField, typed: str) -> str | None:
    """What was typed as TOML says it; None where nothing was.

    Raises:
        ValueError: it cannot be that; the sentence says what can.
    """
    typed = typed.strip()
    if not typed:
        return None
    match field.kind:
        case "integer" | "number":
            return _read_number(field, typed)
        case "list":
            return _read_list(field, typed)
        case "switch":
            return "true" if typed == "on" else "false"
        case _:
            return literal(_encodable(typed))


def problem_of(field: RecipeField, value: Any) -> str:
    """Why this value may not be, as far as the field itself can tell; empty where it may."""
    title = setting_title(field.key)
    if value is None:
        return f"{title} must be given." if not field.optional and not field.default else ""
    if isinstance(value, int | float) and not isinstance(value, bool) and not _is_within(field, value):
        allowed = range_text(field)
        return f"{title} can be: {allowed[:1].lower()}{allowed[1:]}."
    if field.kind == "choice" and field.choices and value not in field.choices:
        return f"{title} is one of {', '.join(field.choices)}."
    return ""


def _is_within(field: RecipeField, value: float) -> bool:
    low, high = field.minimum, field.maximum
    return (
        (low is None or (value > low if field.exclusive else value >= low))
        and (high is None or (value < high if field.exclusive_maximum else value <= high))
        and (field.multiple_of is None or value % field.multiple_of == 0)
    )


def _read_number(field: RecipeField, typed: str) -> str:
    whole = field.kind == "integer"
    try:
        value: int | float = int(typed) if whole else float(typed)
    except ValueError:
        example = default_text(field) or ("10" if whole else "0.1")
        what = "a whole number" if whole else "a number"
        raise ValueError(f"{setting_title(field.key)} is {what}, such as {example}.") from None
    if not math.isfinite(value):
        raise ValueError(f"{setting_title(field.key)} is a number with an end.")
    said = read_literal(typed)  # as it was typed, where TOML reads it so: 1e-4 stays 1e-4
    same = isinstance(said, int | float) and not isinstance(said, bool) and said == value
    return typed if same else literal(value)


def _read_list(field: RecipeField, typed: str) -> str:
    parts = [part.strip() for part in typed.split(",") if part.strip()]
    if field.items == "integer":
        try:
            return f"[{', '.join(str(int(part)) for part in parts)}]"
        except ValueError:
            example = default_text(field) or "16, 32"
            raise ValueError(f"{setting_title(field.key)} is a list of whole numbers, such as {example}.") from None
    return f"[{', '.join(literal(_encodable(part)) for part in parts)}]"


def _encodable(text: str) -> str:
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        raise ValueError("A recipe cannot hold this name, because it is not UTF-8. Rename the file.") from None
    return text
