"""What is said before, during and after a training run survives the wire and the journal."""

import io

import msgspec
import pytest

from explorer import protocol as p
from explorer.errors import EngineError
from explorer.protocol import Answer, Message, Request, read_message, runs, write_message

FIELD = p.RecipeField(key="training.epochs", kind="integer", default="25", minimum=1, matters=True)
START = p.RecipeStart(name="mine", title="Mine", content=b'task = "tvdb"\n', folder=b"/r\xff", complete=False)
FORM = p.RecipeForm(
    task="tvdb", title="TVDB", says="Codes.", needs=("labels",), fields=(FIELD,), starts=(START,)
)  # fmt: skip
SAID = [
    p.GetRecipeForms(id=1),
    p.CheckRecipe(id=1, content=b"x = \xff", folder=b"/r\xff", data=True),
    p.ListDevices(id=1),
    p.EvaluateModels(id=1, models=("a", "b"), content=b"", folder=b"/r"),
    p.RecipeForms(id=1, forms=(FORM,)),
    p.RecipeChecked(
        id=1, key="training.epochs", splits=(p.SplitFound(name="dev", role="val", n_images=3, n_sentences=9),),
        n_classes=0, notes=("few",),
    ),
    p.Devices(id=1, devices=(p.Device(name="cuda:1", title="Card", free_mb=1.5, total_mb=2.0),)),
    p.ModelsEvaluated(id=1, measured_on="3 photos.", scores=(p.ModelScore(model="a", metrics={"rSum": 600.0}),)),
]  # fmt: skip


@pytest.mark.parametrize("said", SAID, ids=lambda said: type(said).__name__)
def test_what_is_asked_and_answered_survives_the_wire(said: Message) -> None:
    stream = io.BytesIO()
    write_message(stream, said)
    stream.seek(0)
    kind = Request if isinstance(said, Request) else Answer
    assert read_message(stream, msgspec.msgpack.Decoder(kind)) == said


def test_everything_that_can_be_said_is_in_one_of_the_two_vocabularies() -> None:
    spoken = {*Request.__args__, *Answer.__args__}
    messages = {kind for kind in vars(p).values() if isinstance(kind, type) and issubclass(kind, Message)}
    assert messages - {Message} == spoken


@pytest.mark.parametrize(
    ("message", "wrong"),
    [
        (FIELD, {"kind": "colour"}),
        (p.SplitFound(name="a", role="train", n_images=1, n_sentences=1), {"role": "mine"}),
        (FIELD, {"items": "numbers"}),
    ],
)
def test_words_that_mean_nothing_are_refused(message: msgspec.Struct, wrong: dict[str, object]) -> None:
    table = msgspec.to_builtins(message)
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(table | wrong, type(message))


def test_a_journal_and_orders_know_each_event_by_its_name() -> None:
    for vocabulary, base in ((runs.AnyRunEvent, runs.RunEvent), (runs.AnyRunOrder, runs.RunOrder)):
        kinds = {kind for kind in vars(runs).values() if isinstance(kind, type) and issubclass(kind, base)}
        assert kinds - {base} == set(vocabulary.__args__)
        decoder, stream = msgspec.msgpack.Decoder(vocabulary), io.BytesIO()
        bare = [kind for kind in vocabulary.__args__ if not any(f.required for f in msgspec.structs.fields(kind))]
        assert bare
        for kind in bare:
            write_message(stream, kind())
        stream.seek(0)
        assert [type(read_message(stream, decoder)) for _ in bare] == bare


def test_an_event_of_a_newer_program_is_a_sentence() -> None:
    stream = io.BytesIO()
    write_message(stream, p.ListDevices(id=1))
    stream.seek(0)
    with pytest.raises(EngineError, match="cannot be read"):
        read_message(stream, msgspec.msgpack.Decoder(runs.AnyRunEvent))
