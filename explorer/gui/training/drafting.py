"""The recipe of a new run while a person makes it: what it begins with, what she changes, and what is wrong with it."""

from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import QObject, Signal

from explorer.gui.controller import Controller
from explorer.gui.training.control import TrainingControl
from explorer.gui.training.draft import Beginning, Draft
from explorer.gui.training.field_words import problem_of
from explorer.gui.training.form_data import (
    ANNOTATIONS,
    LABEL_FILE,
    LABEL_SOURCE,
    LIBRARY,
    library_keys,
    library_problem,
    needs_data,
)
from explorer.gui.training.form_task import beginnings_of
from explorer.gui.training.model_names import data_name, free_name
from explorer.protocol.training import RecipeField, RecipeForm

NAME, TITLE = "name", "title"
_MOST_EARLIER = 12


class Drafting(QObject):
    """Holds the draft; the widgets are redrawn from it.

    Signals:
        begun(): another recipe is begun with.
        changed(bool): the draft is another; ``True``: not by a field, so that what is half typed goes.
        judged(): something is typed that cannot be, or no more.

    Attributes:
        forms: what can be trained. ``draft``: None until that is known.
        wrong: why what is typed cannot be, by setting.
    """

    begun = Signal()
    changed = Signal(bool)
    judged = Signal()

    def __init__(self, controller: Controller, training: TrainingControl, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._session, self._training = controller.session, training
        self.forms: tuple[RecipeForm, ...] = ()
        self.draft: Draft | None = None
        self.wrong: dict[str, str] = {}
        self._named = False

    def form_of(self, task: str) -> RecipeForm | None:
        """The form of this task."""
        return next((form for form in self.forms if form.task == task), None)

    # --- what to begin with -------------------------------------------------------------------------------------------

    def choose_task(self, task: str) -> None:
        """Begin with the first recipe of this task, unless it is being made already."""
        form = self.form_of(task)
        if form is not None and (self.draft is None or self.draft.form is not form):
            self.begin(beginnings_of(form)[0], form)

    def begin(self, beginning: Beginning, form: RecipeForm | None = None, *, keep: bool = False) -> None:
        """``form``: of another task. ``keep``: it is somebody's recipe, whose data and name stay."""
        form = form or (self.draft.form if self.draft is not None else self.forms[0])
        self.draft = draft = Draft(form, beginning)
        self.wrong, self._named = {}, keep
        names_data = not needs_data(form) or bool(draft.value(LIBRARY) or draft.value(ANNOTATIONS))
        library = self._session.library
        if not names_data and library is not None and not library_problem(library):
            self._put(library_keys(library))
        if not keep and (not names_data or not draft.value(NAME)):
            self._suggest_name()
        self.begun.emit()
        self.changed.emit(True)

    def begin_with_content(self, content: bytes, folder: Path, task: str = "") -> str:
        """Begin with a recipe of somebody's; why not, or nothing. ``task``: where it does not say one."""
        text = content.decode("utf-8", errors="replace")
        read = Draft(self.forms[0], Beginning(title="", text=text, folder=folder))
        form = self.form_of(read.task or task)
        if form is None:
            known = ", ".join(form.task for form in self.forms)
            told = f"the task {read.task}" if read.task else "no task"
            return read.problem or f"The recipe says {told}; what can be trained is {known}."
        title = f"The recipe of {read.value(NAME)}" if read.value(NAME) else "The recipe that was chosen"
        self.begin(Beginning(title=title, text=text, folder=folder), form, keep=True)
        return ""

    @property
    def beginning(self) -> Beginning | None:
        """What was begun with."""
        return self.draft.beginning if self.draft is not None else None

    def beginnings(self) -> list[Sequence[Beginning]]:
        """What the draft's task can begin with: what came with the program, earlier runs, and what was begun with."""
        if self.draft is None:
            return []
        groups = [beginnings_of(self.draft.form), self._earlier(self.draft.form.task)]
        if all(self.draft.beginning not in group for group in groups):
            groups.append([self.draft.beginning])
        return list(groups)

    def _earlier(self, task: str) -> list[Beginning]:
        """Recipes of earlier runs of this task, the newest first."""
        found: list[Beginning] = []
        for path in self._training.paths():
            described = self._training.description(path)
            if described is None or described.task != task or len(found) == _MOST_EARLIER:
                continue
            content = self._training.recipe(path)
            if content:
                text = content.decode("utf-8", errors="replace")
                found.append(Beginning(title=f"As {path.name}", text=text, folder=Path(described.recipe_folder)))
        return found

    # --- changes ------------------------------------------------------------------------------------------------------

    def put(self, field: RecipeField, said: str | None) -> None:
        """A field says this literal of TOML now, or nothing."""
        if self.draft is not None:
            self.draft.put(field, said)
            self._named = self._named or field.key in (NAME, TITLE)
            self.changed.emit(False)

    def put_keys(self, keys: dict[str, str | None]) -> None:
        """The data is another; the name follows it while nobody chose one."""
        if self.draft is None:
            return
        self._put(keys)
        if not self._named and (LIBRARY in keys or ANNOTATIONS in keys):
            self._suggest_name()
        self.changed.emit(False)

    def reset(self, key: str) -> None:
        """Say of this setting what the beginning said."""
        if self.draft is not None:
            self.draft.reset(key)
            self.wrong.pop(key, None)
            self.changed.emit(False)

    def mistyped(self, key: str, sentence: str) -> None:
        """What is typed for this setting cannot be; or, with no sentence, can."""
        self.wrong.pop(key, None)
        if sentence:
            self.wrong[key] = sentence
        self.judged.emit()

    def write(self, text: str) -> None:
        """The text was edited by hand; it may be of another task now."""
        draft = self.draft
        if draft is None:
            return
        draft.write(text)
        form = self.form_of(draft.task)
        self.wrong, self._named = {}, True
        if not draft.problem and form is not None and form is not draft.form:
            self.begin(Beginning(title="As typed", text=text, folder=draft.beginning.folder), form, keep=True)
        else:
            self.changed.emit(True)

    def _put(self, keys: dict[str, str | None]) -> None:
        assert self.draft is not None
        for key, value in keys.items():
            self.draft.put_key(key, value)

    def _suggest_name(self) -> None:
        assert self.draft is not None
        title, of = self.draft.form.title, data_name(self.draft, self._session.library)
        taken = {model.name for model in self._session.models} | self._names_of(self._training.paths())
        self.draft.put_key(NAME, free_name(f"{title} {of}", taken))
        if any(field.key == TITLE for field in self.draft.form.fields):
            self.draft.put_key(TITLE, f"{title} ({of})" if of else title)

    def _names_of(self, paths: Sequence[Path]) -> set[str]:
        described = [self._training.description(path) for path in paths]
        return {one.name for one in described if one is not None}

    def leave_name(self) -> None:
        """A run was started with it: the next one gets another, unless somebody chose this one."""
        if self.draft is not None and not self._named:
            self._suggest_name()
            self.changed.emit(False)

    # --- what is wrong ------------------------------------------------------------------------------------------------

    @property
    def name(self) -> str:
        """Of the model; empty while it has none."""
        return str(self.draft.value(NAME) or "") if self.draft is not None else ""

    @property
    def name_note(self) -> str:
        """What a person should know of the name; empty where nothing else has it."""
        name = self.name
        if name and name in self._names_of(self._training.living()):
            return f"A run that makes {name} is under way; the later one will take its place."
        if any(model.name == name for model in self._session.models):
            return f"There is a model {name} already; the new one will take its place."
        return ""

    @property
    def title(self) -> str:
        """What a person reads in the place of the name."""
        return str(self.draft.value(TITLE) or self.draft.form.title) if self.draft is not None else ""

    @property
    def problem(self) -> tuple[str, str]:
        """Why it cannot be trained as far as can be told here, and the setting that this is about; or both empty."""
        if self.draft is None or self.draft.problem:
            return (self.draft.problem if self.draft is not None else "", "")
        if self.wrong:
            key, sentence = next(reversed(self.wrong.items()))
            return sentence, key
        return missing(self.draft)


def missing(draft: Draft) -> tuple[str, str]:
    """What has not been chosen yet or cannot be so, and the setting; both empty where nothing is wrong."""
    keys = {field.key for field in draft.form.fields}
    if ANNOTATIONS in keys and needs_data(draft.form) and not (draft.value(LIBRARY) or draft.value(ANNOTATIONS)):
        return "Choose the data: this library, or a data set on the disk.", ANNOTATIONS
    has_labels = draft.value(LABEL_FILE) or draft.value(LABEL_SOURCE)
    if LABEL_FILE in keys and "labels" in draft.form.needs and not has_labels:
        return "Choose where the labels come from: they say which photos are alike.", LABEL_FILE
    if NAME in keys and not draft.value(NAME):
        return "Give the model a name.", NAME
    for field in draft.form.fields:
        value = draft.value(field.key)
        if value is not None and (sentence := problem_of(field, value)):
            return sentence, field.key
    return "", ""
