"""What is asked before a training run and after it: forms of recipes, checks, devices, measuring models.

The run itself is no request: a trainer outlives engine and window, and speaks through its run's folder (``runs``).
"""

from collections.abc import Sequence
from dataclasses import dataclass

from explorer.engine.requests import Kind, Line, Pending
from explorer.protocol import (
    Answer,
    Cancelled,
    CheckRecipe,
    Device,
    Devices,
    EvaluateModels,
    Failed,
    GetRecipeForms,
    ListDevices,
    ModelsEvaluated,
    Progress,
    RecipeChecked,
    RecipeForm,
    RecipeForms,
)

OF_TRAINING = frozenset({Kind.RECIPE_FORMS, Kind.RECIPE_CHECK, Kind.DEVICES, Kind.EVALUATION})
"""What is asked for a training run: no library is meant by it, and none that is opened ends it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """A recipe and what came of checking it.

    Attributes:
        content, folder: as it was asked about.
        data: whether its files were looked at, too.
        answer: what was found; a recipe that cannot be followed says so in its ``problem``.
    """

    content: bytes
    folder: bytes
    data: bool
    answer: RecipeChecked


class Training:
    """What is known of recipes, devices and measured models. The attributes are for reading.

    Every new engine is asked again for what the old one still owed, so whoever asked needs to do nothing.

    Attributes:
        forms: what can be trained; empty until it is known.
        checked: the last recipe that was checked; ``checking``: a newer one is being checked.
        devices: what can be trained on, the preferred first; empty until it is known.
        evaluating: how far measuring models is, from the moment it was asked for; None: none are measured.
        stopping: a stop of that was asked for and not yet confirmed.
        evaluated: the last measured models; ``evaluation``: what was asked for them.
        problems: why the last request of a kind failed, by kind; forgotten when it is asked again.
    """

    def __init__(self, line: Line) -> None:
        self._line = line
        self.forms: tuple[RecipeForm, ...] = ()
        self.checked: Checked | None = None
        self.devices: tuple[Device, ...] = ()
        self.evaluating: Progress | None = None
        self.stopping = False
        self.evaluated: ModelsEvaluated | None = None
        self.evaluation: EvaluateModels | None = None
        self.problems: dict[Kind, Failed] = {}

    @property
    def checking(self) -> bool:
        """Whether a recipe was asked about whose answer has not come."""
        return self._line.under_way(Kind.RECIPE_CHECK)

    # --- what can be asked for ----------------------------------------------------------------------------------------

    def get_forms(self) -> None:
        """Ask what can be trained; once known it stays so."""
        if not self.forms and not self._line.under_way(Kind.RECIPE_FORMS):
            self._ask(Kind.RECIPE_FORMS, GetRecipeForms(id=self._line.next_id()))

    def check(self, content: bytes, folder: bytes, *, data: bool = False) -> None:
        """Ask whether a recipe can be followed; an older recipe that is being checked is of no interest any more.

        ``folder``: where its relative paths begin. ``data``: its files are looked at, too.
        """
        self._ask(Kind.RECIPE_CHECK, CheckRecipe(id=self._line.next_id(), content=content, folder=folder, data=data))

    def list_devices(self) -> None:
        """Ask what can be trained on; free memory changes, so each time anew."""
        self._ask(Kind.DEVICES, ListDevices(id=self._line.next_id()))

    def evaluate(self, models: Sequence[str], content: bytes, folder: bytes) -> None:
        """Measure models on the validation split of a recipe's data; what is being measured is given up for it."""
        request = EvaluateModels(id=self._line.next_id(), models=tuple(models), content=content, folder=folder)
        self.evaluation, self.stopping = request, False
        self.evaluating = _waiting(request)
        self._ask(Kind.EVALUATION, request)

    def stop_evaluating(self) -> None:
        """Ask the engine to stop; what was measured before stays known."""
        if self.evaluating is not None and self.evaluation is not None and not self.stopping:
            self._line.cancel(self.evaluation.id)
            self.stopping = True

    def engine_lost(self) -> None:
        """What was to stop has stopped; the next engine begins the rest anew."""
        if self.stopping:
            self._line.forget({Kind.EVALUATION})
            self._over()
        elif self.evaluating is not None and self.evaluation is not None:
            self.evaluating = _waiting(self.evaluation)

    # --- what answers change ------------------------------------------------------------------------------------------

    def take(self, pending: Pending, answer: Answer) -> None:
        """Take in an answer that still counts; others than about training change nothing."""
        match pending.kind, answer:
            case kind, Failed() if kind in OF_TRAINING:
                self.problems[kind] = answer
            case Kind.RECIPE_FORMS, RecipeForms():
                self.forms = answer.forms
            case Kind.DEVICES, Devices():
                self.devices = answer.devices
            case Kind.RECIPE_CHECK, RecipeChecked():
                asked = pending.request
                assert isinstance(asked, CheckRecipe)
                self.checked = Checked(content=asked.content, folder=asked.folder, data=asked.data, answer=answer)
            case Kind.EVALUATION, Progress():
                self.evaluating = answer
            case Kind.EVALUATION, ModelsEvaluated():
                self.evaluated = answer
        if pending.kind is Kind.EVALUATION and isinstance(answer, ModelsEvaluated | Failed | Cancelled):
            self._over()

    def _over(self) -> None:
        self.evaluating, self.stopping = None, False

    def _ask(self, kind: Kind, request: GetRecipeForms | CheckRecipe | ListDevices | EvaluateModels) -> None:
        self.problems.pop(kind, None)
        self._line.ask(kind, request)


def _waiting(request: EvaluateModels) -> Progress:
    return Progress(id=request.id, stage="waiting", n_done=0, n_total=0)
