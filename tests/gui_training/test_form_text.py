"""Recipes as text: one setting changes, all else stays; and what may be typed into a field."""

import re
import tomllib
from pathlib import Path

import pytest
import tomli_w
from hypothesis import given
from hypothesis import strategies as st

from explorer.errors import ConfigError
from explorer.gui.training.draft import Beginning, Draft, own_data
from explorer.gui.training.field_words import (
    default_text,
    matches,
    problem_of,
    published_text,
    range_text,
    read_typed,
    setting_title,
)
from explorer.gui.training.recipe_text import literal, number_text, read_table, settings_of, value_at, with_setting
from explorer.protocol.training import RecipeField, RecipeForm, RecipeStart

CHECKOUT = Path(__file__).resolve().parents[2]
TEXT = """\
# A recipe.
task = "tiny"   # what it is for

[network]
n_bits = 64     # "published": 64
words = "a # b" # not a comment

[training]
epochs = 30
"""


def field(key="training.rate", kind="number", **parts):
    return RecipeField(key=key, kind=kind, **parts)


# --- text -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("key", "value", "before", "after"),
    [
        ("training.epochs", "5", "epochs = 30\n", "epochs = 5\n"),
        ("network.n_bits", "128", 'n_bits = 64     # "published": 64\n', 'n_bits = 128    # "published": 64\n'),
        ("network.words", '"c"', 'words = "a # b" # not a comment\n', 'words = "c"     # not a comment\n'),
        ("network.side", "1", "# not a comment\n", "# not a comment\nside = 1\n"),
        ("task", '"other"', 'task = "tiny"   #', 'task = "other"  #'),
        ("name", '"x"', "# what it is for\n", '# what it is for\nname = "x"\n'),
        ("stopping.patience", "3", "epochs = 30\n", "epochs = 30\n\n[stopping]\npatience = 3\n"),
        ("training.epochs", None, "\n[training]\nepochs = 30\n", "\n"),
        ("network.words", None, 'words = "a # b" # not a comment\n', ""),
        ("network.absent", None, "", ""),
    ],
)
def test_one_line_changes_and_all_else_stays(key, value, before, after):
    assert before in TEXT
    assert with_setting(TEXT, key, value) == TEXT.replace(before, after)


def test_what_is_written_in_another_manner_is_written_anew_with_nothing_lost():
    text = 'task = "tiny"\nnetwork = { n_bits = 64, more = { deep = 1 } }\nlist = [\n  "a", # x\n  "[b]",\n]\n'
    changed = tomllib.loads(with_setting(text, "network.n_bits", "32"))
    assert changed == {"task": "tiny", "network": {"n_bits": 32, "more": {"deep": 1}}, "list": ["a", "[b]"]}
    assert tomllib.loads(with_setting(text, "list", '["c"]'))["list"] == ["c"]


_KEYS = st.sampled_from(["a", "b", "one.a", "one.b", "one.two.c", "three.a"])
_VALUES = st.one_of(
    st.integers(-10, 10), st.floats(allow_nan=False, allow_infinity=False), st.booleans(), st.text(max_size=8),
    st.lists(st.text(max_size=4), max_size=3),
)


@given(st.dictionaries(_KEYS, _VALUES, max_size=5), _KEYS, _VALUES)
def test_setting_and_taking_out_say_what_they_should(settings, key, value):
    table: dict = {}
    for name, one in settings.items():
        inner = table
        *sections, last = name.split(".")
        for section in sections:
            inner = inner.setdefault(section, {})
        inner[last] = one
    text = tomli_w.dumps(table)
    changed = read_table(with_setting(text, key, literal(value)))
    assert dict(settings_of(changed)) == {**settings, key: value}
    without = read_table(with_setting(text, key, None))
    assert dict(settings_of(without)) == {name: one for name, one in settings.items() if name != key}


@pytest.mark.parametrize("path", sorted((CHECKOUT / "resources" / "recipes").rglob("*.toml")), ids=lambda p: p.name)
def test_comments_of_the_recipes_that_come_with_the_program_stay(path):
    text = path.read_text()
    changed = with_setting(text, "seed_of_nothing", "1")
    assert [line for line in changed.splitlines() if line != "seed_of_nothing = 1"] == text.splitlines()
    for key, value in settings_of(read_table(text)):
        assert with_setting(text, key, literal(value)).count("#") == text.count("#"), key


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("a = \n", "Line 1 of the recipe is not TOML"), ("a = 1\n[x\n", "Line 2"), ('a = "', "recipe is not TOML"),
        ("[a.b]\n[a.b]\n", "a.b twice"),
    ],
)
def test_what_is_no_toml_is_said_with_its_line(text, says):
    with pytest.raises(ConfigError) as caught:
        read_table(text)
    assert says in str(caught.value)
    assert "(" not in str(caught.value)


@given(st.floats(allow_nan=False))
def test_numbers_are_short_and_mean_the_same(value):
    written = number_text(value)
    assert tomllib.loads(f"x = {written}")["x"] == value
    assert len(written) <= len(repr(value))


@pytest.mark.parametrize(("value", "text"), [(1e-4, "1e-4"), (0.2, "0.2"), (5e-5, "5e-5"), (1e6, "1e6"), (3, "3")])
def test_numbers_are_written_as_people_type_them(value, text):
    assert number_text(value) == text


# --- fields -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("parts", "typed", "said"),
    [
        ({"kind": "number"}, " 1e-4 ", "1e-4"), ({"kind": "number"}, ".5", "0.5"), ({"kind": "number"}, "5", "5"),
        ({"kind": "integer"}, "12", "12"), ({"kind": "integer"}, "", None), ({"kind": "integer"}, "1_000", "1_000"),
        ({"kind": "integer"}, "007", "7"),
        ({"kind": "text"}, 'say "x"', '"say \\"x\\""'), ({"kind": "folder"}, "/a b", '"/a b"'),
        ({"kind": "list"}, "a, b,", '["a", "b"]'), ({"kind": "list", "items": "integer"}, "16, 32", "[16, 32]"),
    ],
)
def test_what_is_typed_is_said_as_toml(parts, typed, said):
    assert read_typed(field(**parts), typed) == said
    if said is not None:
        tomllib.loads(f"x = {said}")


@pytest.mark.parametrize(
    ("parts", "typed", "says"),
    [
        ({"kind": "integer", "default": "25"}, "2.5", "Rate is a whole number, such as 25."),
        ({"kind": "number", "default": "2e-4"}, "0,2", "Rate is a number, such as 2e-4."),
        ({"kind": "number"}, "nan", "Rate is a number with an end."), ({"kind": "number"}, "inf", "with an end"),
        ({"kind": "list", "items": "integer", "default": "[8, 16]"}, "a", "whole numbers, such as 8, 16"),
        ({"kind": "file"}, "/x\udcff", "not UTF-8"),
    ],
)
def test_what_cannot_be_is_said_in_a_sentence(parts, typed, says):
    with pytest.raises(ValueError, match=re.escape(says)):
        read_typed(field(**parts), typed)


@pytest.mark.parametrize(
    ("parts", "text", "inside", "outside"),
    [
        ({"minimum": 0.0, "maximum": 1.0, "exclusive": True}, "Above 0, at most 1", (1e-9, 1), (0.0, 1.1)),
        ({"minimum": 0.0, "maximum": 1.0, "exclusive_maximum": True}, "0 or more, below 1", (0, 0.9), (1.0, -0.1)),
        ({"minimum": 1, "maximum": 5}, "1 to 5", (1, 5), (0, 6)),
        ({"minimum": 8, "multiple_of": 8}, "8 or more, a multiple of 8", (8, 64), (12, 0)),
        ({}, "", (-1e9, 1e9), ()),
    ],
)
def test_ranges_are_said_and_held(parts, text, inside, outside):
    one = field(**parts)
    assert range_text(one) == text
    assert [problem_of(one, value) for value in inside] == ["", ""]
    assert all(text[1:] in problem_of(one, value) for value in outside)


def test_the_papers_value_stands_beside_with_its_source():
    assert published_text(field(published="0.2", source="3SHNet 3.7")) == "paper: 0.2 (3SHNet 3.7)"
    assert published_text(field(kind="switch", published="true")) == "paper: on"
    assert published_text(field(source="reconstructed")) == "reconstructed"
    assert published_text(field(source="TVDB [inferred]")) == "reconstructed"
    assert published_text(field()) == ""
    assert default_text(field(default="0.0001")) == "1e-4"
    assert default_text(field(kind="text", default='"minilm"')) == "minilm"
    assert default_text(field(kind="list", default='["a", "b"]')) == "a, b"


def test_settings_are_named_and_found_by_words():
    assert setting_title("training.learning_rate") == "Learning rate"
    assert setting_title("network.n_bits") == "Number of bits"
    assert setting_title("network.vsem") == "VSeM"
    one = field("training.learning_rate", says="The highest.")
    assert matches(one, "RATE train")
    assert matches(one, "learning_rate")
    assert matches(one, "highest")
    assert not matches(one, "rate network")


# --- drafts -----------------------------------------------------------------------------------------------------------

EPOCHS = field("training.epochs", "integer", default="25", minimum=1)
FORM = RecipeForm(task="tiny", title="Tiny", says="", needs=("images",), fields=(EPOCHS,), starts=())


def draft(text=TEXT):
    return Draft(FORM, Beginning(title="", text=text, folder=Path()))


def test_the_default_stays_out_of_the_recipe_unless_it_was_said_from_the_start():
    fresh = Draft(FORM, own_data(FORM))
    fresh.put(EPOCHS, "7")
    assert tomllib.loads(fresh.text) == {"task": "tiny", "training": {"epochs": 7}}
    fresh.put(EPOCHS, "25")
    assert tomllib.loads(fresh.text) == {"task": "tiny"}
    said = draft(TEXT.replace("epochs = 30", "epochs = 30 # why"))
    said.put(EPOCHS, "25")
    assert "epochs = 25 # why" in said.text


def test_a_reset_says_what_the_beginning_said():
    one = draft()
    one.put(EPOCHS, "2")
    assert one.is_changed("training.epochs")
    one.reset("training.epochs")
    assert one.text == TEXT
    one.put(EPOCHS, None)
    assert value_at(one.table, "training.epochs") is None
    one.reset("training.epochs")
    assert one.value("training.epochs") == 30


def test_while_the_text_is_no_toml_fields_change_nothing():
    one = draft()
    broken = TEXT + "[training\n"
    one.write(broken)
    assert "Line 10" in one.problem
    one.put(EPOCHS, "2")
    one.put_key("name", "x")
    one.reset("training.epochs")
    assert one.text == broken
    one.write(TEXT)
    assert one.problem == ""


def test_starts_of_the_program_begin_with_their_own_text():
    from explorer.gui.training.form_task import beginnings_of

    whole = RecipeStart(name="a", title="A", content=TEXT.encode(), folder=b"/recipes")
    assert [one.title for one in beginnings_of(FORM)] == ["Your own data"]
    form = RecipeForm(task="tiny", title="", says="", needs=("images",), fields=(), starts=(whole,))
    assert [(one.title, one.folder) for one in beginnings_of(form)][1:] == [("A", Path("/recipes"))]
