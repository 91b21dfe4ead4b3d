"""A recipe that is being made: its text, what it began with, and what was changed since; no Qt."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from explorer.errors import ConfigError
from explorer.gui.training.field_words import default_value, shown_value
from explorer.gui.training.recipe_text import Table, literal, read_literal, read_table, value_at, with_setting
from explorer.protocol.training import RecipeField, RecipeForm

OWN = "Your own data"


@dataclass(frozen=True, slots=True, kw_only=True)
class Beginning:
    """What a recipe can begin with. ``folder``: where its relative paths begin."""

    title: str
    text: str
    folder: Path


def own_data(form: RecipeForm) -> Beginning:
    """Nothing but the task: every setting at its default, the data to be chosen."""
    return Beginning(title=OWN, text=f"task = {literal(form.task)}\n", folder=Path.home())


class Draft:
    """The text is the truth; ``table`` is what it said when it last was TOML.

    Attributes:
        form: of its task.
        beginning: what it began with. ``base``: what that says.
        problem: why the text is no recipe; empty where it may be one.
    """

    def __init__(self, form: RecipeForm, beginning: Beginning) -> None:
        self.form, self.beginning = form, beginning
        self.base: Table = {}
        self.table: Table = {}
        self.problem = ""
        self._text = ""
        self._emptied: tuple[str, str, str] | None = None  # which setting, the text before, and after it
        self.write(beginning.text)
        self.base = self.table

    @property
    def text(self) -> str:
        """The recipe."""
        return self._text

    @property
    def content(self) -> bytes:
        """The recipe as it is sent and kept."""
        return self._text.encode("utf-8", errors="replace")

    @property
    def task(self) -> str:
        """What the text says it is for."""
        return str(self.table.get("task", ""))

    def write(self, text: str) -> None:
        """The text was edited by hand; where it is no TOML any more, :attr:`problem` says so."""
        self._text = text
        try:
            self.table, self.problem = read_table(text), ""
        except ConfigError as error:
            self.problem = str(error)

    def value(self, key: str) -> Any:
        """What the recipe says; None where it says nothing."""
        return value_at(self.table, key)

    def base_text(self, field: RecipeField) -> str:
        """What was said of this field at the beginning, as one types it; empty where nothing was."""
        return shown_value(field, value_at(self.base, field.key))

    def put(self, field: RecipeField, said: str | None) -> None:
        """Set a field to a literal of TOML; what is the default anyway stays out unless it was said from the start.

        Nothing is done while the text is no TOML: it would be lost.
        """
        if self.problem:
            return
        if said is not None and value_at(self.base, field.key) is None and read_literal(said) == default_value(field):
            said = None
        if self.value(field.key) != (None if said is None else read_literal(said)):
            self._set(field.key, said)

    def _set(self, key: str, said: str | None) -> None:
        """A field that is emptied and typed anew keeps the comment of its line."""
        before = self._text
        if self._emptied is not None and self._emptied[0] == key and self._emptied[2] == before:
            before = self._emptied[1]
        after = with_setting(before, key, said)
        self._emptied = (key, before, after) if said is None else None
        self.write(after)

    def put_key(self, key: str, value: str | None) -> None:
        """Set words that are no field of the form's, such as where the data is, or take them out."""
        if not self.problem and self.value(key) != value:
            self.write(with_setting(self._text, key, None if value is None else literal(value)))

    def reset(self, key: str) -> None:
        """Say of this setting what was said at the beginning."""
        before = value_at(self.base, key)
        if not self.problem:
            self._set(key, None if before is None else literal(before))

    def is_changed(self, key: str) -> bool:
        """Whether this setting is another than at the beginning."""
        return bool(self.value(key) != value_at(self.base, key))
