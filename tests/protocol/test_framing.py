"""Messages survive the wire; broken streams end in a sentence."""

import io

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from explorer import protocol
from explorer.errors import EngineError
from explorer.protocol import Answer, Request, read_message, write_message

_requests = msgspec.msgpack.Decoder(Request)
_answers = msgspec.msgpack.Decoder(Answer)


@given(st.text(), st.binary(max_size=64), st.integers(0, 2**31))
def test_a_query_survives_the_wire(text: str, path: bytes, item: int) -> None:
    stream = io.BytesIO()
    asked = protocol.Search(
        id=3, model="m", query=protocol.Query(text=text, image_path=path, image_item_id=item), k=5
    )
    write_message(stream, asked)
    stream.seek(0)
    assert read_message(stream, _requests) == asked
    assert read_message(stream, _requests) is None


def test_paths_that_are_not_utf8_survive() -> None:
    stream = io.BytesIO()
    told = protocol.ErrorList(
        id=1, n_total=1, problems=(protocol.FileProblem(path=b"/a/\xff\n", display="/a/\ufffd\n", error="e"),)
    )
    write_message(stream, told)
    stream.seek(0)
    assert read_message(stream, _answers) == told


def test_a_sentence_that_names_a_file_which_is_not_utf8_arrives_escaped() -> None:
    stream = io.BytesIO()
    found = protocol.SplitFound(name="caf\udce9", role="train", n_images=1, n_sentences=2)
    told = protocol.RecipeChecked(id=1, problem="caf\udce9.jpg and é", splits=(found,), examples=("\udce9", "\ud83d"))
    write_message(stream, told)
    stream.seek(0)
    assert read_message(stream, _answers) == protocol.RecipeChecked(
        id=1,
        problem=r"caf\xe9.jpg and é",
        splits=(msgspec.structs.replace(found, name=r"caf\xe9"),),
        examples=(r"\xe9", r"\ud83d"),
    )


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"\x00\x00", "in the middle"),
        (b"\x00\x00\x00\x09abc", "in the middle"),
        (b"Warning: something printed here", "not in the expected form"),
        (b"\x00\x00\x00\x01\xc0", "cannot be read"),
    ],
)
def test_a_broken_stream_is_a_sentence(content: bytes, says: str) -> None:
    with pytest.raises(EngineError, match=says):
        read_message(io.BytesIO(content), _answers)
