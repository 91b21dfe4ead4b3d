"""A run's numbers as tables and for TensorBoard, read back by other means than they were written."""

import csv
import struct
from collections.abc import Iterator
from pathlib import Path

import pytest
from tensorboardX.proto.event_pb2 import Event, SessionLog

from explorer.errors import StorageFullError
from explorer.protocol.runs import EpochFinished, Noted, PhaseStarted, RunEvent, Stepped
from explorer.runs.layout import RunFolder
from explorer.training.run_logs import RunLogs
from tests.helpers.full_disk import full_disk


@pytest.fixture
def run(tmp_path: Path) -> RunFolder:
    return RunFolder(tmp_path)


def started(n_done: int = 0, phase: str = "network") -> PhaseStarted:
    return PhaseStarted(phase=phase, n_done=n_done, n_steps=20, n_epochs=2, watched="recall")


def stepped(step: int, phase: str = "network", **losses: float) -> Stepped:
    return Stepped(
        phase=phase, epoch=1 + (step - 1) // 10, step=step, n_steps=20, losses={"loss": 1.0 / step, **losses},
        learning_rate=1e-3, items_per_s=8.0, memory_mb=700.0, at_s=100.0 + step,
    )  # fmt: skip


def ended(epoch: int, phase: str = "network", **metrics: float) -> EpochFinished:
    return EpochFinished(phase=phase, epoch=epoch, metrics={"recall": 0.1 * epoch, **metrics}, best=True, at_s=200.0)


def tell(run: RunFolder, *events: RunEvent) -> None:
    logs = RunLogs(run)
    for event in events:
        logs.take(event)
    logs.close()


def rows(run: RunFolder, name: str) -> list[dict[str, str]]:
    with (run.path / name).open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def records(path: Path) -> Iterator[Event]:
    """TFRecord: length, its checksum, the message, its checksum."""
    content = path.read_bytes()
    at = 0
    while at < len(content):
        (length,) = struct.unpack_from("<Q", content, at)
        yield Event.FromString(content[at + 12 : at + 12 + length])
        at += 12 + length + 4
    assert at == len(content)


def scalars(run: RunFolder, phase: str) -> dict[str, list[tuple[int, float]]]:
    """What TensorBoard shows of a phase: what comes after a session's start makes later steps of before forgotten."""
    shown: dict[str, list[tuple[int, float]]] = {}
    for path in sorted((run.path / "tensorboard" / phase).iterdir()):
        assert ".tfevents." in path.name
        for event in records(path):
            if event.HasField("session_log") and event.session_log.status == SessionLog.START:
                for tag, points in shown.items():
                    shown[tag] = [point for point in points if point[0] < event.step]
            for value in event.summary.value:
                shown.setdefault(value.tag, []).append((event.step, round(value.simple_value, 6)))
    return shown


def test_steps_and_epochs_become_rows(run: RunFolder) -> None:
    tell(run, started(), stepped(5, gates=0.5), stepped(10, gates=0.25), Noted(text="no number"), ended(1, median=3.0))
    assert rows(run, "steps.csv") == [
        {"at_s": f"{100.0 + step}", "phase": "network", "epoch": "1", "step": str(step), "learning_rate": "0.001",
         "items_per_s": "8.0", "memory_mb": "700.0", "device_memory_mb": "0.0", "loss": str(1.0 / step), "gates": gates}
        for step, gates in ((5, "0.5"), (10, "0.25"))
    ]  # fmt: skip
    assert rows(run, "epochs.csv") == [
        {"at_s": "200.0", "phase": "network", "epoch": "1", "step": "10", "best": "1", "recall": "0.1", "median": "3.0"}
    ]


def test_a_phase_with_other_losses_adds_columns(run: RunFolder) -> None:
    tell(run, started(phase="tail"), stepped(5, "tail", triplet=2.0), started(), stepped(5, gates=0.5, epoch=9.0))
    first, second = rows(run, "steps.csv")
    assert (first["triplet"], first["gates"], first["epoch_value"]) == ("2.0", "", "")
    assert (second["triplet"], second["gates"], second["step"], second["epoch_value"]) == ("", "0.5", "5", "9.0")


def test_steps_that_are_done_again_are_written_once(run: RunFolder) -> None:
    tell(run, started(phase="tail"), stepped(15, "tail"), ended(1, "tail"))
    tell(run, started(), stepped(5), stepped(10), ended(1), stepped(15), stepped(20), ended(2))
    with (run.path / "steps.csv").open("a") as file:
        file.write("1.0,network,2,1")  # torn by a kill
    tell(run, started(12), stepped(17), stepped(20), ended(2))
    assert [(row["phase"], row["step"]) for row in rows(run, "steps.csv")] == [
        ("tail", "15"), ("network", "5"), ("network", "10"), ("network", "17"), ("network", "20"),
    ]  # fmt: skip
    assert [(row["phase"], row["epoch"]) for row in rows(run, "epochs.csv")] == [
        ("tail", "1"), ("network", "1"), ("network", "2"),
    ]  # fmt: skip
    shown = scalars(run, "network")
    assert [step for step, _ in shown["losses/loss"]] == [5, 10, 17, 20]
    assert shown["validation/recall"] == [(10, 0.1), (20, 0.2)]
    assert [step for step, _ in scalars(run, "tail")["losses/loss"]] == [15]


def test_a_phase_that_begins_anew_forgets_everything_of_before(run: RunFolder) -> None:
    tell(run, started(), stepped(5), stepped(10))
    tell(run, started(), stepped(7))
    assert [row["step"] for row in rows(run, "steps.csv")] == ["7"]
    assert [step for step, _ in scalars(run, "network")["losses/loss"]] == [7]


def test_tensorboard_gets_all_numbers_with_their_times(run: RunFolder) -> None:
    tell(run, started(), stepped(4, gates=0.5), ended(1))
    assert scalars(run, "network") == {
        "losses/loss": [(4, 0.25)], "losses/gates": [(4, 0.5)], "training/learning_rate": [(4, 0.001)],
        "training/items_per_s": [(4, 8.0)], "training/memory_mb": [(4, 700.0)], "training/device_memory_mb": [(4, 0.0)],
        "validation/recall": [(10, 0.1)],
    }  # fmt: skip
    (path,) = (run.path / "tensorboard" / "network").iterdir()
    head, step, epoch = records(path)
    assert head.file_version == "brain.Event:2"
    assert (step.wall_time, epoch.wall_time) == (104.0, 200.0)


def test_the_checksums_are_tensorboards(run: RunFolder) -> None:
    """CRC-32C, rotated and shifted, of the length and of the message (TensorFlow, lib/io/record_writer)."""

    def masked(content: bytes) -> int:
        crc = 0xFFFFFFFF
        for byte in content:
            crc ^= byte
            for _ in range(8):
                crc = (crc >> 1) ^ (0x82F63B78 if crc & 1 else 0)
        crc ^= 0xFFFFFFFF
        return ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF

    tell(run, started(), stepped(4))
    (path,) = (run.path / "tensorboard" / "network").iterdir()
    content = path.read_bytes()
    (length,) = struct.unpack_from("<Q", content, 0)
    assert struct.unpack_from("<I", content, 8) == (masked(content[:8]),)
    assert struct.unpack_from("<I", content, 12 + length) == (masked(content[12 : 12 + length]),)


def test_a_full_disk_is_a_sentence(run: RunFolder) -> None:
    logs = RunLogs(run)
    logs.take(started())
    with full_disk(200), pytest.raises(StorageFullError, match="disk is full"):
        [logs.take(stepped(step)) for step in range(1, 20)]
    logs.close()
