"""What is asked before and after a training run, with a session and no engine: everything said is written down."""

import pytest

from explorer import protocol as p
from explorer.engine.requests import Kind
from explorer.session import Session

RECIPE = b'task = "pooled"'
FIELD = p.RecipeField(key="name", kind="text")
FORM = p.RecipeForm(task="pooled", title="P", says="A baseline.", needs=(), fields=(FIELD,), starts=())


class Talk:
    """A session whose engine is a list."""

    def __init__(self):
        self.session, self.said = Session(b"/lib", clock=lambda: 0.0), []
        self.training = self.session.training
        self.attach()

    def attach(self):
        self.session.attach(self.said.append)

    def last(self, kind):
        return self.all(kind)[-1]

    def all(self, kind):
        return [request for request in self.said if isinstance(request, kind)]

    def hear(self, kind, request, **fields):
        return self.session.receive(kind(id=request.id, **fields))


@pytest.fixture
def talk():
    return Talk()


def test_forms_are_asked_for_once_and_stay_known(talk):
    talk.training.get_forms()
    talk.training.get_forms()
    assert len(talk.all(p.GetRecipeForms)) == 1
    assert talk.training.forms == ()
    assert talk.hear(p.RecipeForms, talk.last(p.GetRecipeForms), forms=(FORM,)).kind is Kind.RECIPE_FORMS
    assert talk.training.forms == (FORM,)
    talk.training.get_forms()
    assert len(talk.all(p.GetRecipeForms)) == 1


def test_forms_that_failed_can_be_asked_for_again(talk):
    talk.training.get_forms()
    talk.hear(p.Failed, talk.last(p.GetRecipeForms), message="No.")
    assert talk.training.problems[Kind.RECIPE_FORMS].message == "No."
    talk.training.get_forms()
    assert Kind.RECIPE_FORMS not in talk.training.problems
    assert len(talk.all(p.GetRecipeForms)) == 2


def test_typing_on_cancels_the_check_of_the_shorter_recipe(talk):
    talk.training.check(RECIPE, b"/r")
    first = talk.last(p.CheckRecipe)
    talk.training.check(RECIPE + b"\n", b"/r", data=True)
    second = talk.last(p.CheckRecipe)
    assert talk.last(p.Cancel).target == first.id
    assert talk.training.checking
    assert talk.hear(p.RecipeChecked, first, problem="too short") is None
    assert talk.training.checked is None
    talk.hear(p.RecipeChecked, second, notes=("fine",))
    checked = talk.training.checked
    assert (checked.content, checked.folder, checked.data) == (RECIPE + b"\n", b"/r", True)
    assert checked.answer.notes == ("fine",)
    assert not talk.training.checking


def test_devices_are_asked_for_each_time(talk):
    talk.training.list_devices()
    cpu = p.Device(name="cpu", title="CPU", free_mb=1.0, total_mb=2.0)
    talk.hear(p.Devices, talk.last(p.ListDevices), devices=(cpu,))
    talk.training.list_devices()
    assert talk.training.devices == (cpu,)  # until the newer are known
    assert len(talk.all(p.ListDevices)) == 2


def test_measuring_tells_how_far_it_is_and_ends_in_scores(talk):
    talk.training.evaluate(["m", "n"], RECIPE, b"/r")
    asked = talk.last(p.EvaluateModels)
    assert asked.models == ("m", "n")
    assert talk.training.evaluating.stage == "waiting"
    talk.hear(p.Progress, asked, stage="m", n_done=3, n_total=9)
    assert (talk.training.evaluating.n_done, talk.training.evaluating.n_total) == (3, 9)
    talk.hear(p.ModelsEvaluated, asked, measured_on="9 photos.", scores=(p.ModelScore(model="m"),))
    assert talk.training.evaluating is None
    assert talk.training.evaluated.measured_on == "9 photos."
    assert talk.training.evaluation == asked


@pytest.mark.parametrize("end", [p.Cancelled, p.Failed])
def test_a_stop_is_said_once_and_what_was_measured_before_stays(talk, end):
    talk.training.evaluate(["m"], RECIPE, b"/r")
    talk.hear(p.ModelsEvaluated, talk.last(p.EvaluateModels), measured_on="Before.", scores=())
    talk.training.evaluate(["m"], RECIPE, b"/r")
    talk.training.stop_evaluating()
    talk.training.stop_evaluating()
    asked = talk.last(p.EvaluateModels)
    assert [cancel.target for cancel in talk.all(p.Cancel)] == [asked.id]
    assert talk.training.stopping
    talk.hear(end, asked, **({"message": "No."} if end is p.Failed else {}))
    assert (talk.training.evaluating, talk.training.stopping) == (None, False)
    assert talk.training.evaluated.measured_on == "Before."
    assert (Kind.EVALUATION in talk.training.problems) == (end is p.Failed)


def test_another_measurement_takes_the_place_of_the_one_under_way(talk):
    talk.training.evaluate(["m"], RECIPE, b"/r")
    first = talk.last(p.EvaluateModels)
    talk.training.stop_evaluating()
    talk.training.evaluate(["n"], RECIPE, b"/r")
    assert first.id in [cancel.target for cancel in talk.all(p.Cancel)]
    assert not talk.training.stopping
    assert talk.hear(p.Cancelled, first) is None
    assert talk.training.evaluating is not None


def test_a_new_engine_is_asked_again_unless_a_stop_was_asked_for(talk):
    talk.training.get_forms()
    talk.training.check(RECIPE, b"/r", data=True)
    talk.training.evaluate(["m"], RECIPE, b"/r")
    talk.hear(p.Progress, talk.last(p.EvaluateModels), stage="m", n_done=5, n_total=9)
    talk.session.lost("")
    assert talk.training.evaluating.n_done == 0  # the new one begins anew
    talk.said.clear()
    talk.attach()
    assert [len(talk.all(kind)) for kind in (p.GetRecipeForms, p.CheckRecipe, p.EvaluateModels)] == [1, 1, 1]
    talk.training.stop_evaluating()
    talk.session.lost("")
    talk.said.clear()
    talk.attach()
    assert talk.all(p.EvaluateModels) == []
    assert (talk.training.evaluating, talk.training.stopping) == (None, False)


def test_a_measurement_that_kills_the_engine_is_given_up_and_says_so(talk):
    talk.training.evaluate(["m"], RECIPE, b"/r")
    talk.session.lost("")
    talk.attach()
    failures = talk.session.lost("boom")
    assert [failure.kind for failure in failures] == [Kind.EVALUATION]
    assert talk.training.evaluating is None
    assert "engine stopped" in talk.training.problems[Kind.EVALUATION].message


def test_another_library_changes_nothing(talk):
    talk.training.get_forms()
    talk.training.evaluate(["m"], RECIPE, b"/r")
    talk.session.open_library(b"/other")
    assert talk.all(p.Cancel) == []
    talk.hear(p.RecipeForms, talk.last(p.GetRecipeForms), forms=(FORM,))
    talk.hear(p.Progress, talk.last(p.EvaluateModels), stage="m", n_done=1, n_total=2)
    assert talk.training.forms == (FORM,)
    assert talk.training.evaluating.n_done == 1
