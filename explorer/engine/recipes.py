"""What is asked before a training run: forms of recipes, and whether a recipe can be followed.

The training room is imported when it is first asked: with it comes torch, which takes seconds.
"""

import re
from collections.abc import Iterator

from explorer import paths, protocol
from explorer.cancellation import CancellationToken
from explorer.engine.opened import Opened
from explorer.errors import ConfigError
from explorer.protocol import Answer

_RECIPE = "The recipe"


def get_recipe_forms(
    _opened: Opened, request: protocol.GetRecipeForms, _token: CancellationToken
) -> Iterator[Answer]:
    """What can be trained, with the recipes that came with the program to begin with."""
    from explorer.training.forms import recipe_forms

    yield protocol.RecipeForms(id=request.id, forms=recipe_forms(paths.shipped("resources") / "recipes"))


def check_recipe(_opened: Opened, request: protocol.CheckRecipe, token: CancellationToken) -> Iterator[Answer]:
    """Whether a recipe can be followed; its files are looked at only if that is asked for, and the recipe is sound."""
    from explorer.training.config import decode_recipe

    try:
        decode_recipe(request.content, where=_RECIPE)
    except ConfigError as error:
        yield protocol.RecipeChecked(
            id=request.id, problem=error.message, remedy=error.remedy, key=key_of_problem(error)
        )
        return
    token.check()
    yield protocol.RecipeChecked(id=request.id)


def key_of_problem(error: ConfigError) -> str:
    """The setting, or the section, that a refused recipe is refused for; empty where it is none of them."""
    of_value = re.search(r"at `\$\.([\w.]+)", error.message)
    of_name = re.search(r"unknown key ([\w.]+?)\.?(?:\s|$)", error.message)
    missing = re.search(r"missing required field `(\w+)`(?: - at `\$\.?([\w.]*)`)?", error.message)
    if missing is not None:
        return f"{missing[2]}.{missing[1]}" if missing[2] else missing[1]
    found = of_value or of_name
    return "" if found is None else found[1]
