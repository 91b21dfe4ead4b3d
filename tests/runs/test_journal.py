"""Journals and orders: whatever happens to a writer, readers get whole messages, each once, in order."""

import itertools
import struct
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from explorer.errors import ConfigError, StorageFullError
from explorer.protocol.runs import Noted, Paused, PauseRun, ResumeRun, RunEvent, Saved, StopRun
from explorer.runs.journal import JournalReader, JournalWriter
from explorer.runs.layout import RunFolder
from explorer.runs.orders import OrderReader, forget_orders, give
from tests.helpers.full_disk import full_disk


def texts(events: list[RunEvent]) -> list[str]:
    return [event.text for event in events if isinstance(event, Noted)]


@pytest.fixture
def path(run: RunFolder) -> Path:
    return run.journal_path


def write(path: Path, *texts: str) -> None:
    writer = JournalWriter(path)
    for text in texts:
        writer.append(Noted(text=text))
    writer.close()


def test_each_event_is_read_once_and_carries_its_time(path: Path) -> None:
    reader = JournalReader(path)
    assert reader.read() == []
    writer = JournalWriter(path)
    writer.append(Saved(phase="tail", step=3))
    (event,) = reader.read()
    assert isinstance(event, Saved)
    assert event.at_s > 1.7e9
    writer.append(Noted(text="b", at_s=5.0))
    writer.append(Noted(text="c"))
    second, third = reader.read()
    assert second == Noted(text="b", at_s=5.0)
    assert texts([third]) == ["c"]
    assert reader.read() == []
    writer.close()


@given(cut=st.integers(min_value=1, max_value=60))
def test_a_torn_tail_is_left_by_readers_and_cut_by_the_next_writer(
    tmp_path_factory: pytest.TempPathFactory, cut: int
) -> None:
    path = tmp_path_factory.mktemp("run") / "journal"
    write(path, "first", "second")
    whole = path.read_bytes()
    path.write_bytes(whole[:-cut])
    reader = JournalReader(path)
    kept = texts(reader.read())
    assert kept == ["first", "second"][: len(kept)]
    assert len(kept) < 2
    write(path, "third")
    assert texts(reader.read()) == ["third"]
    assert texts(JournalReader(path).read()) == [*kept, "third"]


@pytest.mark.parametrize("junk", [b"\0" * 4_096, b"\xff" * 9])
def test_what_a_power_cut_leaves_is_cut_off(path: Path, junk: bytes) -> None:
    write(path, "a")
    path.write_bytes(path.read_bytes() + junk)
    reader = JournalReader(path)
    assert texts(reader.read()) == ["a"]
    write(path, "b")
    assert texts(reader.read()) == ["b"]


def test_what_a_newer_version_says_is_passed_over(path: Path) -> None:
    write(path, "a")
    body = msgspec.msgpack.encode({"type": "NotYetKnown", "at_s": 1.0})
    with path.open("ab") as file:
        file.write(struct.pack(">I", len(body)) + body)
    write(path, "b")
    assert texts(JournalReader(path).read()) == ["a", "b"]


def test_an_event_that_is_not_whole_yet_is_read_when_it_is(path: Path) -> None:
    write(path, "a", "b")
    whole = path.read_bytes()
    reader = JournalReader(path)
    path.write_bytes(whole[:-3])
    assert texts(reader.read()) == ["a"]
    path.write_bytes(whole)
    assert texts(reader.read()) == ["b"]


def test_a_journal_that_began_anew_is_read_anew(path: Path) -> None:
    write(path, "a", "b")
    reader = JournalReader(path)
    reader.read()
    path.unlink()
    write(path, "c")
    assert texts(reader.read()) == ["c"]


def append_for_ever(writer: JournalWriter) -> None:
    for n in itertools.count():
        writer.append(Noted(text=str(n).rjust(90)))


def test_a_full_disk_is_a_sentence_and_leaves_whole_events(path: Path) -> None:
    writer = JournalWriter(path)
    with full_disk(1_000), pytest.raises(StorageFullError, match="disk is full"):
        append_for_ever(writer)
    writer.append(Paused())  # there is room again
    writer.close()
    events = JournalReader(path).read()
    assert texts(events) == [str(n).rjust(90) for n in range(len(events) - 1)]
    assert len(events) > 4
    assert isinstance(events[-1], Paused)


def test_a_folder_that_is_gone_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be written"):
        JournalWriter(tmp_path / "gone" / "journal")
    assert JournalReader(tmp_path / "gone" / "journal").read() == []


_WRITE_FOR_EVER = """
import sys
from pathlib import Path
from explorer.protocol.runs import Noted
from explorer.runs.journal import JournalWriter
writer = JournalWriter(Path(sys.argv[1]))
n = 0
while True:
    writer.append(Noted(text=str(n)))
    n += 1
    if n == 200:
        print("well under way", flush=True)
"""


def test_a_killed_writer_leaves_a_journal_that_goes_on(path: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", _WRITE_FOR_EVER, str(path)], stdout=subprocess.PIPE) as child:
        assert child.stdout is not None
        child.stdout.readline()
        child.kill()
    reader = JournalReader(path)
    numbers = texts(reader.read())
    assert numbers == [str(n) for n in range(len(numbers))]
    assert len(numbers) >= 200
    write(path, "after")
    assert texts(reader.read()) == ["after"]


def test_orders_are_for_the_trainer_that_lives(run: RunFolder) -> None:
    give(run, StopRun())
    orders = OrderReader(run)
    assert orders.read() == []
    give(run, PauseRun())
    give(run, ResumeRun())
    assert orders.read() == [PauseRun(), ResumeRun()]
    assert orders.read() == []


def test_a_trainer_that_is_still_starting_misses_no_order(run: RunFolder) -> None:
    give(run, PauseRun())
    forget_orders(run)  # as whoever starts a trainer does
    give(run, StopRun())
    assert OrderReader(run, from_start=True).read() == [StopRun()]


def test_an_order_that_cannot_be_given_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be written"):
        give(RunFolder(tmp_path / "gone"), StopRun())
