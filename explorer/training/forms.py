"""Recipes as forms: every setting with what may be typed, what it means, and what the papers give.

All of it is read off the recipes' own structs: types and limits, defaults, and the "Attributes:" of their docstrings.
So a setting that is added to a recipe is in the form, too.
"""

import functools
import inspect
import json
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args, get_origin, get_type_hints

import msgspec
from msgspec import inspect as types

from explorer.errors import ConfigError
from explorer.networks import three_shnet
from explorer.networks.dsmhn.objective import LossWeights
from explorer.networks.three_shnet.config import RecurrentTextConfig
from explorer.networks.tvdb import config as tvdb_config
from explorer.protocol.training import RecipeField, RecipeForm, RecipeStart
from explorer.training.config import ImageSentenceRecipe, NetworkSection, PooledRecipe, decode_recipe, task_of
from explorer.training.dsmhn_config import DSMHNRecipe, LossSection
from explorer.training.hashing_config import TVDBNetworkSection, TVDBRecipe
from explorer.training.published import published
from explorer.training.scenes_config import ScenesRecipe

OWN_STARTS = "own"
"""Folder of the recipes that are to begin with where the data is a person's own."""

_OWN_TITLES = {"scenes": "A small first run"}
_OWN_TITLE = "Your own photos"

_DATA = ("dataset.library", "dataset.annotations", "dataset.images")
_USUAL = ("name", "title", *_DATA, "stopping.patience")
_SCHEDULE = ("training.epochs", "training.batch_size", "training.learning_rate")


@dataclass(frozen=True, slots=True)
class _Task:
    """What a person should know of a task, and which of its settings she would look at first."""

    name: str
    recipe: type[msgspec.Struct]
    title: str
    says: str
    needs: tuple[str, ...]
    matters: tuple[str, ...]


_TASKS = (
    _Task(
        "image-sentence", ImageSentenceRecipe, "3SHNet",
        "Finds most: real embeddings of photos and sentences, guided by a segmentation of each photo; shows where it "
        "looked.",
        ("images", "sentences"),
        (*_USUAL, *_SCHEDULE, "features.flip", "features.n_crops", "network.tokens"),
    ),
    _Task(
        "tvdb", TVDBRecipe, "TVDB",
        "Binary codes from the regions of a photo and the words of a sentence: small, and quick to search among "
        "millions.",
        ("images", "sentences", "labels"),
        (*_USUAL, *_SCHEDULE, "labels.file", "labels.source", "network.n_bits", "features.flip", "features.n_crops"),
    ),
    _Task(
        "dsmhn", DSMHNRecipe, "DSMHN",
        "Binary codes that also tell the classes of what is shown; trained in minutes once the features are there.",
        ("images", "sentences"),
        (*_USUAL, *_SCHEDULE, "labels.file", "labels.source", "network.n_bits", "image.learning_rate",
         "text.learning_rate", "features.flip", "features.n_crops"),
    ),
    _Task(
        "scenes", ScenesRecipe, "DSMHN for clips",
        "Binary codes of clips, pictures and sentences in one space, learned from scenes that are rendered on the "
        "spot: knows motion, and needs no data of yours.",
        ("nothing",),
        (*_USUAL, *_SCHEDULE, "scenes.n_clips", "scenes.n_images", "scenes.n_val", "network.n_bits"),
    ),
    _Task(
        "pooled", PooledRecipe, "Pooled features",
        "A baseline that every other model should beat: one closed formula from averaged features of a photo to "
        "sentence embeddings, in seconds.",
        ("images", "sentences"),
        (*_USUAL, "features.flip", "features.n_crops", "ridge.penalty"),
    ),
)  # fmt: skip

_SAYS = {
    "name": "Name of the model's package: what the model picker and the command line call it.",
    "title": "What a person reads in the place of the name.",
    "image.parts": "What is read of a picture: several features of the frozen backbone, side by side.",
    "ridge.penalty": "Penalty on the squared weights, as a multiple of the photos: larger is smoother.",
    "network.word_feature_dropout": "Dropout on the word states in training (reconstructed).",
    "network.side_px": "Side of the frames of a clip, in pixels.",
    "network.image_dim": "Width of the image stream's hidden layer.",
}
_ALSO_SAID_BY: Mapping[type, tuple[type, ...]] = {
    NetworkSection: (three_shnet.ImageEncoderConfig, three_shnet.TextEncoderConfig, RecurrentTextConfig),
    TVDBNetworkSection: (tvdb_config.ImageEncoderConfig, tvdb_config.TextEncoderConfig),
}
"""Where settings are described that a section takes over from its network."""

_FILES: Mapping[str, Literal["file", "folder"]] = {
    "dataset.annotations": "file", "dataset.images": "folder", "dataset.library": "folder", "labels.file": "file",
}  # fmt: skip
_BITS = "network.n_bits"


def recipe_forms(recipes_folder: Path) -> tuple[RecipeForm, ...]:
    """What can be trained. ``recipes_folder``: the recipes that came with the program; unreadable ones are left out."""
    starts = _starts(recipes_folder)
    return tuple(
        RecipeForm(
            task=task.name,
            title=task.title,
            says=task.says,
            needs=task.needs,
            fields=tuple(_fields(task, task.recipe, "", None, optional=False)),
            starts=tuple(starts.get(task.name, ())),
        )
        for task in _TASKS
    )


@functools.cache
def every_key() -> frozenset[str]:
    """The settings of all tasks."""
    return frozenset(
        field.key for task in _TASKS for field in _fields(task, task.recipe, "", None, optional=False)
    )


def _starts(folder: Path) -> dict[str, list[RecipeStart]]:
    """Recipes by task, those for one's own data first."""
    found: dict[str, list[RecipeStart]] = {}
    for path in (*sorted((folder / OWN_STARTS).glob("*.toml")), *sorted(folder.glob("*.toml"))):
        try:
            content = path.read_bytes()
            task = task_of(content, where=path.name)
        except (OSError, ConfigError):
            continue
        try:
            complete, title = True, decode_recipe(content, where=path.name).title
        except ConfigError:  # its data is still to be named, or it trains no encoder
            complete, title = False, path.stem
        if path.parent.name == OWN_STARTS:
            title = _OWN_TITLES.get(task, _OWN_TITLE)
        start = RecipeStart(
            name=path.stem, title=title, content=content, folder=os.fsencode(folder.absolute()), complete=complete
        )
        found.setdefault(task, []).append(start)
    return found


# --- fields ---------------------------------------------------------------------------------------------------------


def _fields(
    task: _Task, struct: type[msgspec.Struct], prefix: str, given: object, *, optional: bool
) -> Iterator[RecipeField]:
    """The settings of a struct, its sections flattened.

    given: what the recipe has in its place by default. optional: the whole section may be left out.
    """
    described = types.type_info(struct)
    assert isinstance(described, types.StructType)
    says, hints = _sentences_of(struct), get_type_hints(struct, include_extras=True)
    for field in described.fields:
        key = prefix + field.encode_name
        default = _default_of(field, given)
        inner, may_be_none = _without_none(field.type)
        if isinstance(inner, types.StructType):
            yield from _fields(task, inner.cls, f"{key}.", default, optional=may_be_none)
            continue
        known = published(task.name, key)
        typed = _typed(key, inner)
        if typed.get("choices"):  # in the order of the recipe; what inspects them sorts them
            typed["choices"] = _literals(hints[field.name])
        yield RecipeField(
            key=key,
            default="" if default is msgspec.NODEFAULT or default is None else to_toml(default),
            optional=optional or not field.required,
            says=_SAYS.get(key) or says.get(field.name, ""),
            published=known.value,
            source=known.source,
            matters=key in task.matters,
            **typed,
        )


def _default_of(field: types.Field, given: object) -> Any:
    if isinstance(given, msgspec.Struct):
        return getattr(given, field.name)
    if field.default_factory is not msgspec.NODEFAULT:
        return field.default_factory()
    return field.default


def _without_none(kind: types.Type) -> tuple[types.Type, bool]:
    """The type of a setting that may be left out altogether, and whether it may."""
    if not isinstance(kind, types.UnionType):
        return kind, False
    others = [part for part in kind.types if not isinstance(part, types.NoneType)]
    assert len(others) == 1, f"a recipe's setting is of one type, or None: {kind}"
    return others[0], len(others) < len(kind.types)


def _typed(key: str, kind: types.Type) -> dict[str, Any]:
    """What may be typed: the parts of a :class:`RecipeField` that say so."""
    match kind:
        case types.BoolType():
            return {"kind": "switch"}
        case types.IntType() if key == _BITS:
            return {"kind": "integer", "minimum": 8, "multiple_of": 8}
        case types.IntType() | types.FloatType():
            low, high = (kind.gt if kind.ge is None else kind.ge), (kind.lt if kind.le is None else kind.le)
            return {
                "kind": "integer" if isinstance(kind, types.IntType) else "number",
                "minimum": low,
                "maximum": high,
                "exclusive": kind.gt is not None,
                "exclusive_maximum": kind.lt is not None,
            }
        case types.LiteralType():
            return {"kind": "choice", "choices": tuple(map(str, kind.values))}
        case types.VarTupleType() | types.ListType():
            inner = _typed("", kind.item_type)
            items = "integer" if inner["kind"] == "integer" else "text"
            return {"kind": "list", "choices": inner.get("choices", ()), "items": items}
        case types.StrType():
            return {"kind": _FILES.get(key, "text")}
    raise TypeError(f"{key} is of a type that no form has: {kind}")


def _literals(hint: Any) -> tuple[str, ...]:
    """The choices of a type as they are written there."""
    if get_origin(hint) is Literal:
        return tuple(map(str, get_args(hint)))
    return next(filter(None, map(_literals, get_args(hint))), ())


def to_toml(value: object) -> str:
    """A setting's value as TOML writes it: numbers, words, true and false, lists of these."""
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(to_toml, value))}]"
    if isinstance(value, float):
        return repr(value)
    return json.dumps(value, ensure_ascii=False)


# --- what the docstrings say ----------------------------------------------------------------------------------------


_ENTRY = re.compile(r"(\w+(?:, \w+)*): (.*)")
_CONTINUES_THE_NAME = ("of ", "before ", "in ", "on ", "over ")


def _sentences_of(struct: type) -> dict[str, str]:
    """A sentence for each setting that is described, by name: in the struct itself, or where it takes it from."""
    said: dict[str, str] = {}
    for described in (*reversed(_ALSO_SAID_BY.get(struct, ())), struct):
        said |= {name: _sentence(name, text) for name, text in attributes_of(described).items()}
    if struct is LossSection:  # its own docstring has one line for all five
        said |= {name: _sentence("weight", text) for name, text in attributes_of(LossWeights).items()}
    return said


def attributes_of(described: type) -> dict[str, str]:
    """What the "Attributes:" of a docstring say, by name, each in one line."""
    after = (inspect.getdoc(described) or "").partition("Attributes:\n")[2]
    found: dict[str, str] = {}
    names: tuple[str, ...] = ()
    for line in after.splitlines():
        if line and not line.startswith(" "):
            break
        indent = len(line) - len(line.lstrip())
        entry = _ENTRY.fullmatch(line.strip()) if indent == 4 else None
        if entry is not None:
            names = tuple(entry[1].split(", "))
            found |= dict.fromkeys(names, entry[2])
        elif line.strip():
            found |= {name: f"{found[name]} {line.strip()}" for name in names}
    return found


def _sentence(name: str, text: str) -> str:
    """A docstring's words as a sentence: "of all matrices." of ``weight_decay`` is "Weight decay of all matrices."."""
    text = re.sub(r":\w+:`~?([^`]*)`", r"\1", text).replace("``", "")
    text = re.sub(r" \((?:[a-e]|[^()]*\.(?:py|md)\b[^()]*)\)", "", text)  # letters of equations, files of this program
    text = re.sub(r"^(\w+)'s\.$", r"of \1.", text)
    if text.startswith(_CONTINUES_THE_NAME):
        text = f"{name.removeprefix('n_').replace('_', ' ')} {text}"
    return text[:1].upper() + text[1:]
