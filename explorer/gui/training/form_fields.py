"""The settings of a recipe: one row for each, those that matter at once and all others behind a button."""

from collections.abc import Iterator, Sequence
from itertools import groupby

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtWidgets import QGridLayout, QLabel, QLineEdit, QSizePolicy, QToolButton, QVBoxLayout, QWidget

from explorer.gui.elided_label import ElidedLabel
from explorer.gui.icons import GlyphButton
from explorer.gui.phrases import count
from explorer.gui.quiet_label import QuietLabel
from explorer.gui.training.draft import Draft
from explorer.gui.training.field_editors import NARROW_PX, Editor, make_editor
from explorer.gui.training.field_words import (
    default_text,
    matches,
    problem_of,
    published_text,
    range_text,
    section_of,
    section_title,
    setting_title,
)
from explorer.gui.training.problem_line import SaidLine
from explorer.protocol.training import RecipeField

LABEL_PX = 168


class FieldRow(QWidget):
    """One setting: its name, what it is typed with, the paper's value, what it means, and what is wrong with it.

    Signals:
        edited(RecipeField, str | None): a person set it to this literal of TOML; None: to its default.
        wrong(str, str): of the field with this key something impossible is typed; why.
        reset_asked(str): back to what the recipe began with.
    """

    edited = Signal(object, object)
    wrong = Signal(str, str)
    reset_asked = Signal(str)

    def __init__(self, field: RecipeField, parent: QWidget | None = None, *, marked: bool = True) -> None:
        super().__init__(parent)
        self.field = field
        self._marked = marked
        self.name = row_name(setting_title(field.key), self)
        self.name.setToolTip(field.key)
        self.editor: Editor = make_editor(field, self)
        self.reset_button = GlyphButton("rescan", f"Reset {setting_title(field.key)}", "Back to how it was", self)
        kept = self.reset_button.sizePolicy()
        kept.setRetainSizeWhenHidden(True)
        self.reset_button.setSizePolicy(kept)
        self.published = quiet_note(self, published_text(field))
        self.says = quiet_note(self, " ".join(filter(None, (_sentence(field.says), _sentence(range_text(field))))))
        self._problem: SaidLine | None = None
        self._typed_problem = self._value_problem = ""
        self._compose()
        control = self.editor.control
        section = section_of(field.key)
        control.setAccessibleName(setting_title(field.key) + (f", {section_title(section)}" if section else ""))
        control.setAccessibleDescription(" ".join(filter(None, (self.says.text(), self.published.text()))))
        self.editor.changed.connect(self._changed)
        self.editor.wrong.connect(self._wrong)
        self.reset_button.clicked.connect(lambda: self.reset_asked.emit(self.field.key))

    def _compose(self) -> None:
        self._grid = grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(8)
        grid.setVerticalSpacing(2)
        narrow = self.field.kind in ("integer", "number", "choice", "switch")
        grid.addWidget(self.name, 0, 0, Qt.AlignmentFlag.AlignVCenter)
        grid.addWidget(self.editor, 0, 1, 1, 1 if narrow else 2)
        grid.addWidget(self.reset_button, 0, 3)
        if narrow:  # the paper's value stands beside
            grid.addWidget(self.published, 0, 2, Qt.AlignmentFlag.AlignVCenter)
        else:
            grid.addWidget(self.published, 1, 1, 1, 2)
        grid.addWidget(self.says, 2, 1, 1, 2)
        grid.setColumnMinimumWidth(1, NARROW_PX)
        grid.setColumnStretch(2, 1)
        for label in (self.published, self.says):
            if not label.text():
                label.hide()

    @property
    def problem(self) -> SaidLine:
        """What is wrong; made when something first is, because most rows never need it."""
        if self._problem is None:
            self._problem = SaidLine(self)
            self._grid.addWidget(self._problem, 3, 1, 1, 2)
        return self._problem

    def show_draft(self, draft: Draft, *, anew: bool = False) -> None:
        """Redraw. ``anew``: it is another recipe, and what is half typed goes."""
        value = draft.value(self.field.key)
        self.editor.show_value(value, anew=anew)
        changed = self._marked and draft.is_changed(self.field.key)
        before = draft.base_text(self.field) or default_text(self.field)
        self.reset_button.setToolTip(f"Back to {before}" if before else "Back to nothing")
        font = self.name.font()
        font.setBold(changed)
        self.name.setFont(font)
        if anew:
            self._typed_problem = ""
        self.reset_button.setVisible(changed or bool(self._typed_problem))
        self._value_problem = problem_of(self.field, value) if value is not None else ""
        self.show_problem("")

    def show_problem(self, sentence: str) -> None:
        """What the engine finds wrong with it; what is wrong with the typing itself comes first."""
        told = self._typed_problem or self._value_problem or sentence
        if told or self._problem is not None:
            self.problem.say(told)

    @Slot(object)
    def _changed(self, said: str | None) -> None:
        if self._typed_problem:
            self._typed_problem = ""
            self.wrong.emit(self.field.key, "")
        self.edited.emit(self.field, said)

    @Slot(str)
    def _wrong(self, sentence: str) -> None:
        self._typed_problem = sentence
        self.problem.say(sentence)
        self.reset_button.show()
        self.wrong.emit(self.field.key, sentence)


class FieldList(QWidget):
    """Rows under the names of their sections; signals as of :class:`FieldRow`."""

    edited = Signal(object, object)
    wrong = Signal(str, str)
    reset_asked = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.rows: dict[str, FieldRow] = {}
        self._titles: dict[str, QLabel] = {}
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(12)

    def set_fields(self, fields: Sequence[RecipeField], *, titled: bool, marked: bool = True) -> None:
        """Other fields, in this order; ``titled``: each section under its name; ``marked``: changed ones are."""
        for widget in (*self.rows.values(), *self._titles.values()):
            self._column.removeWidget(widget)
            widget.hide()
            widget.deleteLater()
        self.rows, self._titles = {}, {}
        for section, group in groupby(fields, lambda field: section_of(field.key)):
            if titled and section not in self._titles:
                self._titles[section] = section_heading(section_title(section), self)
                self._column.addWidget(self._titles[section])
            for field in group:
                row = self.rows[field.key] = FieldRow(field, self, marked=marked)
                row.edited.connect(self.edited)
                row.wrong.connect(self.wrong)
                row.reset_asked.connect(self.reset_asked)
                self._column.addWidget(row)

    def search(self, words: str) -> int:
        """Show what has these words only; how many there are."""
        seen = {key: matches(row.field, words) for key, row in self.rows.items()}
        for key, row in self.rows.items():
            if row.isHidden() is seen[key]:  # showing what is shown costs, too
                row.setVisible(seen[key])
        for section, title in self._titles.items():
            title.setVisible(any(seen[key] for key in seen if section_of(key) == section))
        return sum(seen.values())


class MoreSettings(QWidget):
    """All settings that seldom need a change, behind a button, with a line to search them by name.

    The rows are made when they are asked for first: there can be sixty. Signals as of :class:`FieldRow`;
    opened(): the rows are there now and want to be told what the recipe says.
    """

    edited = Signal(object, object)
    wrong = Signal(str, str)
    reset_asked = Signal(str)
    opened = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._fields: tuple[RecipeField, ...] = ()
        self.button = QToolButton(self)
        self.button.setCheckable(True)
        self.button.setAutoRaise(True)
        self.button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self.button.setArrowType(Qt.ArrowType.RightArrow)
        self.button.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.searched = QLineEdit(self)
        self.searched.setPlaceholderText("Search settings")
        self.searched.setAccessibleName("Search settings")
        self.searched.setClearButtonEnabled(True)
        self.nothing = QuietLabel(self)
        self.nothing.setWordWrap(True)
        self.list = FieldList(self)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(12)
        column.addWidget(self.button, 0, Qt.AlignmentFlag.AlignLeft)
        for widget in (self.searched, self.nothing, self.list):
            column.addWidget(widget)
            widget.hide()
        for signal, own in (
            (self.list.edited, self.edited), (self.list.wrong, self.wrong), (self.list.reset_asked, self.reset_asked)
        ):
            signal.connect(own)
        self.button.toggled.connect(self._toggle)
        self.searched.textChanged.connect(self._search)

    def set_fields(self, fields: Sequence[RecipeField]) -> None:
        """Other fields; folded up again."""
        self._fields = tuple(fields)
        self.button.setChecked(False)
        self.searched.clear()
        self.list.set_fields((), titled=True)
        self.show_changed(0)
        self.setVisible(bool(self._fields))

    def settings(self) -> tuple[str, ...]:
        """Which settings these are."""
        return tuple(field.key for field in self._fields)

    def show_changed(self, n_changed: int) -> None:
        """So many of them are not at their default."""
        told = f"More settings ({len(self._fields)})"
        self.button.setText(f"{told}, {n_changed} set" if n_changed else told)
        self.button.setAccessibleName(f"{count(len(self._fields), 'more setting')}, {n_changed} set")

    def open_at(self, key: str) -> FieldRow | None:
        """Unfold, and the row of this setting; None where it is none of these."""
        if all(field.key != key for field in self._fields):
            return None
        self.searched.clear()
        self.button.setChecked(True)
        return self.list.rows[key]

    @Slot(bool)
    def _toggle(self, on: bool) -> None:
        self.button.setArrowType(Qt.ArrowType.DownArrow if on else Qt.ArrowType.RightArrow)
        if on and not self.list.rows:
            self.list.set_fields(self._fields, titled=True)
            self.opened.emit()
        self._search(self.searched.text())
        self.searched.setVisible(on)
        self.list.setVisible(on)

    @Slot(str)
    def _search(self, words: str) -> None:
        n_found = self.list.search(words)
        self.nothing.setText(f"No setting is called {words.strip()}.")
        self.nothing.setVisible(self.button.isChecked() and bool(words.strip()) and not n_found)


def rows_of(*lists: FieldList) -> Iterator[FieldRow]:
    """All rows of these lists."""
    for one in lists:
        yield from one.rows.values()


def _sentence(text: str) -> str:
    text = text.strip()
    return text if not text or text[-1] in ".!?:" else f"{text}."


def quiet_note(parent: QWidget, text: str = "") -> QuietLabel:
    """Quiet words of as many lines as they need."""
    label = QuietLabel(parent, text)
    label.setWordWrap(True)
    label.setMinimumWidth(1)  # a long word, such as a path, must not widen the form
    return label


def row_name(text: str, parent: QWidget) -> ElidedLabel:
    """What stands before a control, as wide before all of them."""
    label = ElidedLabel(parent)
    label.setFixedWidth(LABEL_PX)
    label.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
    label.set_line(text)
    return label


def section_heading(text: str, parent: QWidget) -> QLabel:
    """The name of a part, in bold."""
    label = QLabel(text, parent)
    label.setTextFormat(Qt.TextFormat.PlainText)
    font = label.font()
    font.setBold(True)
    label.setFont(font)
    return label
