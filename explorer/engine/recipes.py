"""What is asked before a training run: forms of recipes, and whether a recipe can be followed.

The training room is imported when it is first asked: with it comes torch, which takes seconds.
"""

import os
import re
from collections.abc import Iterator
from pathlib import Path

from explorer import paths, protocol
from explorer.cancellation import CancellationToken
from explorer.engine.opened import Opened
from explorer.errors import ConfigError
from explorer.protocol import Answer

_RECIPE = "The recipe"
_MEANT = {"bits": "n_bits"}
"""Settings by the words that sentences have for them."""


def get_recipe_forms(
    _opened: Opened, request: protocol.GetRecipeForms, _token: CancellationToken
) -> Iterator[Answer]:
    """What can be trained, with the recipes that came with the program to begin with."""
    from explorer.training.forms import recipe_forms

    yield protocol.RecipeForms(id=request.id, forms=recipe_forms(paths.shipped("resources") / "recipes"))


def check_recipe(opened: Opened, request: protocol.CheckRecipe, token: CancellationToken) -> Iterator[Answer]:
    """Whether a recipe can be followed; its files are looked at only if that is asked for, and the recipe is sound."""
    from explorer.engine import data_checking
    from explorer.training.config import decode_recipe

    try:
        recipe = decode_recipe(request.content, where=_RECIPE)
    except ConfigError as error:
        key = key_of_problem(error.message)
        yield protocol.RecipeChecked(id=request.id, problem=error.message, remedy=error.remedy, key=key)
        return
    token.check()
    folder = Path(os.fsdecode(request.folder))
    model_folders = opened.model_folders or paths.places().model_folders
    yield data_checking.check_recipe(request.id, recipe, folder, model_folders, token, data=request.data)


def key_of_problem(message: str) -> str:
    """The setting, or the section, that a refused recipe is refused for; empty where it is none of them.

    message: of :func:`~explorer.training.config.decode_recipe`. What a section refuses about one of its settings names
    that setting.
    """
    missing = re.search(r"missing required field `(\w+)`(?: - at `\$\.?([\w.]*)`)?", message)
    if missing is not None:
        return f"{missing[2]}.{missing[1]}" if missing[2] else missing[1]
    unknown = re.search(r"unknown key ([\w.]+?)\.?(?:\s|$)", message)
    if unknown is not None:
        return unknown[1]
    place = re.search(r"at `\$\.([\w.]+)", message)
    if place is None:
        return ""
    return _setting_named(place[1], message[: place.start()]) or place[1]


def _setting_named(section: str, said: str) -> str:
    """The first setting of this section that is spoken of."""
    from explorer.training.forms import every_key

    keys = every_key()
    words = [_MEANT.get(word, word) for word in re.findall(r"\w+", said)]
    return next((key for word in words if (key := f"{section}.{word}") in keys), "")
