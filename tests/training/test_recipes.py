"""Recipes: those that ship are sound, and a wrong one is refused with a sentence that helps."""

from pathlib import Path

import pytest

from explorer.errors import ConfigError
from explorer.training.config import ImageSentenceRecipe, decode_recipe, expand_path, read_recipe
from explorer.training.views import View, training_views

RECIPES = Path(__file__).parents[2] / "resources" / "recipes"
GOOD = 'task = "image-sentence"\nname = "x"\n[dataset]\nannotations = "a.json"\n'


@pytest.mark.parametrize("name", ["3shnet-flickr8k", "3shnet-flickr8k-region", "comparison-256", "pooled-flickr8k",
                                  "dsmhn-mirflickr-64"])
def test_shipped_recipes_are_sound_and_named_like_their_files(name):
    assert read_recipe(RECIPES / f"{name}.toml").name == name


def test_what_is_not_said_has_a_default():
    recipe = decode_recipe(GOOD.encode(), where="x.toml")
    assert isinstance(recipe, ImageSentenceRecipe)
    assert recipe.network.embed_dim == 1024
    assert recipe.training.margin == 0.2


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("task = ", "not valid TOML"),
        ('name = "x"', "needs a task"),
        ('task = "hashing"', "needs a task"),
        ('task = "pooled"\nname = "x"', "dataset"),
        (GOOD + '[training]\nlearning_rat = 0.1\n', "Did you mean training.learning_rate?"),
        (GOOD + "[tuning]\nx = 1\n", "unknown key tuning"),
        (GOOD + "[training]\nepochs = 0\n", "epochs"),
        (GOOD + '[training]\nepochs = "many"\n', "epochs"),
        (GOOD + '[training]\nloss = "contrastive"\n', "loss"),
        (GOOD + '[training]\nloss = "triplet"\nsentences = 3\n', "sentences = 1"),
        (GOOD + "[network]\ndropout = 1.5\n", "dropout"),
        (GOOD.replace('"x"', '"../x"'), "letters, digits, dots"),
        (GOOD + 'library = "somewhere"\n', "exactly one of annotations and library"),
        (GOOD.replace('annotations = "a.json"', ""), "exactly one of annotations and library"),
        (GOOD.replace("image-sentence", "tvdb"), "TVDB learns from labels"),
        (GOOD.replace("image-sentence", "tvdb") + '[labels]\nfile = "a"\nsource = "data"\n', "exactly one of file"),
    ],
)
def test_a_wrong_recipe_is_refused_with_a_sentence(text, sentence):
    with pytest.raises(ConfigError, match=sentence) as caught:
        decode_recipe(text.encode(), where="mine.toml")
    assert "mine.toml" in str(caught.value)


def test_a_missing_recipe_is_named(tmp_path):
    with pytest.raises(ConfigError, match=r"none\.toml"):
        read_recipe(tmp_path / "none.toml")


def test_paths_follow_the_environment_and_the_recipe(monkeypatch, tmp_path):
    recipe = decode_recipe(GOOD.replace("a.json", "$PHOTOS_HERE/a.json").encode(), where="x")
    monkeypatch.delenv("PHOTOS_HERE", raising=False)
    with pytest.raises(ConfigError, match="PHOTOS_HERE is not set"):
        expand_path(recipe.dataset.annotations, tmp_path)
    monkeypatch.setenv("PHOTOS_HERE", "sub")
    assert expand_path(recipe.dataset.annotations, tmp_path) == tmp_path / "sub/a.json"


def test_views_are_the_photo_first_and_crops_that_repeat():
    import numpy as np

    views = training_views(2, True, 0)
    assert [view.name for view in views] == ["photo", "mirrored", "crop0", "crop1"]
    square = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    assert views[0].of(square, 3) is square
    assert np.array_equal(views[1].of(square, 3), square[:, ::-1])
    crop = View("crop", 1).of(square, 3)
    assert crop.shape == square.shape
    assert crop.dtype == np.uint8
    assert np.array_equal(crop, View("crop", 1).of(square, 3))
    assert not np.array_equal(crop, View("crop", 1).of(square, 4))
    assert not np.array_equal(crop, View("crop", 0).of(square, 3))
