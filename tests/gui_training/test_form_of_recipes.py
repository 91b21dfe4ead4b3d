"""The form with the engine's real forms: all settings are there, and what it makes can be followed."""

import tomllib
from pathlib import Path

import pytest

from explorer.gui.training.draft import Draft, own_data
from explorer.gui.training.field_editors import make_editor
from explorer.gui.training.field_words import default_value
from explorer.gui.training.form import NewRunForm
from explorer.gui.training.form_data import KEYS
from explorer.gui.training.form_task import beginnings_of
from explorer.gui.training.recipe_text import literal, settings_of, value_at
from explorer.protocol import RecipeForms
from explorer.protocol.training import GetRecipeForms
from explorer.training.config import decode_recipe
from explorer.training.forms import recipe_forms
from tests.helpers.scripted_engine import KeptRuns, ScriptedEngine

FORMS = recipe_forms(Path(__file__).resolve().parents[2] / "resources" / "recipes")
TASKS = [form.task for form in FORMS]


@pytest.fixture
def form(qtbot, tmp_path):
    engine = ScriptedEngine()
    engine.open_library()
    form = NewRunForm(engine.controller, KeptRuns(tmp_path))
    qtbot.addWidget(form)
    form.resize(900, 700)
    form.show()
    engine.answer(GetRecipeForms, RecipeForms, forms=FORMS)
    return form


@pytest.mark.parametrize("task", TASKS)
def test_every_setting_has_its_field_and_the_first_recipe_can_be_followed(form, task):
    form.page.tasks.buttons[task].click()
    form.page.more.button.click()
    fields = form.drafting.draft.form.fields
    assert {row.field.key for row in form.page.rows()} == {field.key for field in fields} - set(KEYS)
    assert len(list(form.page.rows())) == len({field.key for field in fields} - set(KEYS))
    assert form.problem == ("", "")
    recipe = decode_recipe(form.drafting.draft.content, where="the form")
    assert recipe.name == form.drafting.name
    if hasattr(recipe, "dataset"):
        assert recipe.dataset.library == "/library"


@pytest.mark.parametrize("one", FORMS, ids=TASKS)
def test_nothing_but_what_must_be_said_is_a_recipe_and_so_is_every_default_said_aloud(one):
    draft = Draft(one, own_data(one))
    draft.put_key("name", "mine")
    keys = {field.key for field in one.fields}
    if "dataset.library" in keys:
        draft.put_key("dataset.library", "/library")
    if "labels.source" in keys:
        draft.put_key("labels.source", "sentences")
    short = decode_recipe(draft.content, where="the form")
    for field in one.fields:
        value = default_value(field)
        if value is not None and draft.value(field.key) is None and value != "":
            draft.base = {**draft.base, **tomllib.loads(f"{field.key} = {literal(value)}")}  # so that it is written
            draft.put(field, literal(value))
            assert value_at(draft.table, field.key) == value
    assert decode_recipe(draft.content, where="the form") == short


@pytest.mark.parametrize("one", FORMS, ids=TASKS)
def test_recipes_that_came_with_the_program_fit_their_form(one):
    keys = {field.key for field in one.fields}
    for beginning in beginnings_of(one):
        draft = Draft(one, beginning)
        assert draft.problem == ""
        assert draft.task == one.task
        assert {key for key, _ in settings_of(draft.table)} - {"task"} <= keys


@pytest.mark.parametrize("one", FORMS, ids=TASKS)
def test_each_editor_says_its_default_as_the_recipe_would(one, qtbot):
    for field in one.fields:
        editor = make_editor(field)
        qtbot.addWidget(editor)
        value = default_value(field)
        editor.show_value(value)
        said = []
        editor.changed.connect(said.append)
        line = getattr(editor, "line", None)
        if line is not None and value not in (None, "", []):
            line.textEdited.emit(line.text())
            assert tomllib.loads(f"x = {said[-1]}")["x"] == value, field.key
