"""Recipes as forms: nothing is missing, nothing is made up, and what a form gives is a recipe again."""

import re
import tomllib
from pathlib import Path

import pytest

from explorer.errors import ConfigError
from explorer.protocol.training import RecipeField, RecipeForm
from explorer.training.config import decode_recipe
from explorer.training.forms import OWN_STARTS, attributes_of, recipe_forms, to_toml
from explorer.training.published import PUBLISHED, RECONSTRUCTED

ROOT = Path(__file__).resolve().parents[2]
RECIPES = ROOT / "resources" / "recipes"
FORMS = {form.task: form for form in recipe_forms(RECIPES)}


def fields_of(task: str) -> dict[str, RecipeField]:
    return {field.key: field for field in FORMS[task].fields}


def recipe_of(form: RecipeForm, given: dict[str, str]) -> bytes:
    """A recipe of what a form holds: all defaults but those that are given, in TOML; empty: left out."""
    values = {field.key: field.default for field in form.fields} | given
    left_out = {key.partition(".")[0] for key, value in given.items() if not value}
    table: dict[str, list[str]] = {}
    for key, value in values.items():
        section, _, name = key.rpartition(".")
        if value and section not in left_out:
            table.setdefault(section, []).append(f"{name} = {value}")
    parts = [f'task = "{form.task}"', *table.pop("", [])]
    for section, lines in table.items():
        parts += [f"[{section}]", *lines]
    return "\n".join(parts).encode()


def test_forms_come_in_the_order_of_the_families_and_the_baseline_says_that_it_is_one() -> None:
    assert [form.title for form in FORMS.values()] == ["3SHNet", "TVDB", "DSMHN", "DSMHN for clips", "Pooled features"]
    assert "baseline" in FORMS["pooled"].says
    assert FORMS["tvdb"].needs == ("images", "sentences", "labels")
    assert FORMS["scenes"].needs == ("nothing",)


@pytest.mark.parametrize("task", FORMS)
def test_every_setting_says_what_it_is_in_a_sentence(task: str) -> None:
    odd = {
        field.key: field.says
        for field in FORMS[task].fields
        if not re.fullmatch(r"[^a-z].{8,}\.", field.says) or re.search(r"``|:class:|\.py|\.md", field.says)
    }
    assert not odd


@pytest.mark.parametrize("task", FORMS)
def test_defaults_are_what_may_be_typed(task: str) -> None:
    for field in FORMS[task].fields:
        if field.default:
            require_typed(field, tomllib.loads(f"x = {field.default}")["x"])
        else:
            assert field.key == "name" or field.key.partition(".")[0] in ("dataset", "labels")


def require_typed(field: RecipeField, value: object) -> None:
    kinds = {"integer": int, "number": int | float, "switch": bool, "list": list}
    assert isinstance(value, kinds.get(field.kind, str)), f"{field.key} = {value!r}"
    if field.kind in ("integer", "number"):
        assert isinstance(value, int | float)
        assert field.minimum is None or value > field.minimum or (value == field.minimum and not field.exclusive)
        assert field.maximum is None or value < field.maximum or (
            value == field.maximum and not field.exclusive_maximum)
        assert not field.multiple_of or value % field.multiple_of == 0
    if field.kind == "choice":
        assert value in field.choices
    if field.kind == "list":
        assert isinstance(value, list)
        assert not field.choices or set(value) <= set(field.choices)
        assert all(isinstance(item, int if field.items == "integer" else str) for item in value)


@pytest.mark.parametrize("task", FORMS)
def test_what_is_published_is_a_setting_of_the_recipe_and_could_be_typed(task: str) -> None:
    for key, known in PUBLISHED[task].items():
        field = fields_of(task)[key]
        assert (field.published, field.source) == (known.value, known.source)
        assert known.source
        if known.value:
            text = to_toml(known.value) if field.kind in ("text", "choice") else known.value
            require_typed(field, tomllib.loads(f"x = {text}")["x"])


def test_sources_are_sections_that_there_are() -> None:
    for source in {known.source for values in PUBLISHED.values() for known in values.values()}:
        named = re.search(r"(\w+)/README\.md (\d\.\d+)", source)
        if named is None:
            assert source.startswith(("VSE", RECONSTRUCTED))
            continue
        text = (ROOT / "explorer" / "networks" / named[1] / "README.md").read_text(encoding="utf-8")
        assert re.search(rf"^#+ {re.escape(named[2])} ", text, re.MULTILINE), source


def test_what_the_papers_leave_open_is_called_reconstructed_and_has_no_value() -> None:
    tvdb = fields_of("tvdb")
    assert (tvdb["training.eta"].published, tvdb["training.eta"].source) == ("", RECONSTRUCTED)
    assert not any(field.published for field in FORMS["dsmhn"].fields)
    assert tvdb["dataset.train_split"].source == ""
    assert all(field.source == "" for field in FORMS["pooled"].fields)


@pytest.mark.parametrize("task", FORMS)
def test_defaults_are_a_recipe_that_says_what_an_empty_one_does(task: str) -> None:
    needed = {"name": '"x"'}
    if "dataset.annotations" in fields_of(task):
        needed |= {"dataset.annotations": '"a.json"'}
    if "labels.file" in fields_of(task):
        needed |= {"labels.file": '"l.json"'} if "labels" in FORMS[task].needs else {"labels.file": ""}
    shortest = [f'task = "{task}"', 'name = "x"']
    shortest += [f"[{key.split('.')[0]}]\n{key.split('.')[1]} = {value}" for key, value in needed.items()
                 if value and "." in key]
    said = decode_recipe(recipe_of(FORMS[task], needed), where="form")
    assert said == decode_recipe("\n".join(shortest).encode(), where="shortest")


@pytest.mark.parametrize("task", FORMS)
def test_every_key_of_a_form_is_known_to_its_recipe(task: str) -> None:
    known = {f"{task}.{field.key}" for field in FORMS[task].fields}
    assert len(known) == len(FORMS[task].fields)
    for field in FORMS[task].fields:
        if field.default and field.kind == "integer":
            wrong = recipe_of(FORMS[task], {"name": '"x"', field.key: '"many"'})
            with pytest.raises(ConfigError, match=field.key.replace(".", r"\.")):
                decode_recipe(wrong, where="form")
            return


@pytest.mark.parametrize("task", FORMS)
def test_a_few_settings_matter_and_they_are_those_a_person_would_look_for(task: str) -> None:
    first = {field.key for field in FORMS[task].fields if field.matters}
    assert {"name", "title"} <= first
    assert ("training.epochs" in first) == (task != "pooled")
    assert len(first) <= 16
    assert len(first) < len(FORMS[task].fields) - 4


@pytest.mark.parametrize("task", FORMS)
def test_every_task_begins_with_ones_own_photos_and_has_what_was_shipped(task: str) -> None:
    own, *others = FORMS[task].starts
    assert own.content == (RECIPES / OWN_STARTS / f"{own.name}.toml").read_bytes()
    assert own.title in ("Your own photos", "A small first run")
    assert others
    for start in others:
        assert start.complete
        assert decode_recipe(start.content, where=start.name).name == start.name
        assert start.folder.endswith(b"recipes")


@pytest.mark.parametrize("task", FORMS)
def test_ones_own_start_is_a_recipe_as_soon_as_it_knows_its_data(task: str) -> None:
    content = FORMS[task].starts[0].content.decode()
    for named in ('annotations = "said.json"', 'library = "photos"'):
        recipe = decode_recipe(content.replace("[dataset]\n", f"[dataset]\n{named}\n").encode(), where="own")
        assert recipe.name == FORMS[task].starts[0].name
    # Whatever it sets, the form has.
    table = tomllib.loads(content)
    keys = {f"{key}.{name}" for key, value in table.items() if isinstance(value, dict) for name in value}
    assert keys <= set(fields_of(task))


def test_recipes_that_cannot_be_read_are_left_out(tmp_path: Path) -> None:
    (tmp_path / "broken.toml").write_text("task = ")
    (tmp_path / "other.toml").write_text('task = "distillation"\nname = "x"')
    (tmp_path / "mine.toml").write_text('task = "pooled"\nname = "mine"\ntitle = "Mine"\n[dataset]\nannotations = "a"')
    forms = {form.task: form for form in recipe_forms(tmp_path)}
    assert [(start.name, start.title) for start in forms["pooled"].starts] == [("mine", "Mine")]
    assert not any(form.starts for form in forms.values() if form.task != "pooled")


def test_choices_are_in_the_order_of_the_recipe() -> None:
    assert fields_of("image-sentence")["network.text"].choices == ("minilm", "bert", "bigru")
    assert fields_of("dsmhn")["text.readers"].choices == ("bow", "mean-vectors", "minilm")


def test_attributes_are_read_line_by_line() -> None:
    class Described:
        """One thing.

        Attributes:
            first, second: both of them, said over
                two lines.
            third: 0: none; ``more``: some.

        Not: an attribute.
        """

    assert attributes_of(Described) == {
        "first": "both of them, said over two lines.",
        "second": "both of them, said over two lines.",
        "third": "0: none; ``more``: some.",
    }


@pytest.mark.parametrize(
    ("value", "text"),
    [(True, "true"), (3, "3"), (1e-5, "1e-05"), (2.0, "2.0"), ('a "b"', '"a \\"b\\""'), ((1, 2), "[1, 2]"), ((), "[]"),
     (("é",), '["é"]')],
)
def test_values_are_written_as_toml_reads_them(value: object, text: str) -> None:
    assert to_toml(value) == text
    read = tomllib.loads(f"x = {text}")["x"]
    assert read == (list(value) if isinstance(value, tuple) else value)
