"""What a journal adds up to."""

import inspect
from pathlib import Path
from typing import get_args

import pytest

from explorer.protocol import runs as said
from explorer.runs.journal import JournalReader, JournalWriter
from explorer.runs.layout import RunFolder
from explorer.runs.state import RunState, RunStatus
from explorer.runs.wording import metric_title, numbers, sentence

_BEGAN = said.RunBegan(run="tiny", pid=7, device="CPU", n_threads=2, at_s=1.0)
_TAIL = said.PhaseStarted(phase="tail", n_done=0, n_steps=20, n_epochs=4, watched="recall", ships=False)
_NETWORK = said.PhaseStarted(phase="network", n_done=0, n_steps=40, n_epochs=4, watched="recall")


def stepped(step: int, loss: float = 1.0, phase: str = "network") -> said.Stepped:
    return said.Stepped(
        phase=phase, epoch=1 + (step - 1) // 10, step=step, n_steps=40, losses={"loss": loss, "gates": loss / 4},
        learning_rate=1e-3, items_per_s=50.0, remaining_s=9.0, memory_mb=800.0, device_memory_mb=90.0,
    )  # fmt: skip


def ended(epoch: int, recall: float, *, best: bool, phase: str = "network") -> said.EpochFinished:
    return said.EpochFinished(phase=phase, epoch=epoch, metrics={"recall": recall, "median": 3.0}, best=best)


def answered(epoch: int) -> said.QueriesAnswered:
    return said.QueriesAnswered(
        phase="network", epoch=epoch, queries=(said.AnsweredQuery(text="a dog", rank=epoch, n_ranked=9, top=()),)
    )


def state_of(*events: said.RunEvent) -> RunState:
    state = RunState()
    for event in events:
        state.take(event)
    return state


def test_a_run_that_said_nothing_waits() -> None:
    state = RunState()
    assert (state.status, state.live, state.can_keep, state.best) == (RunStatus.WAITING, True, False, None)
    assert state.losses == {}
    assert len(state.learning_rate) == 0


def test_steps_and_epochs_become_curves_over_the_phases_steps() -> None:
    state = state_of(
        _BEGAN, _NETWORK, stepped(4, 2.0), stepped(10), ended(1, 0.3, best=True), stepped(20, 0.5),
        ended(2, 0.2, best=False),
    )  # fmt: skip
    assert state.losses["loss"].steps.tolist() == [4, 10, 20]
    assert state.losses["gates"].values.tolist() == [0.5, 0.25, 0.125]
    assert state.metrics["recall"].steps.tolist() == [10, 20]
    assert state.metrics["recall"].values.tolist() == [0.3, 0.2]
    assert state.learning_rate.values.tolist() == [1e-3] * 3
    assert (state.phase, state.n_done, state.n_total, state.epoch) == ("network", 20, 40, 2)
    assert (state.items_per_s, state.remaining_s, state.memory_mb, state.device_memory_mb) == (50.0, 9.0, 800.0, 90.0)
    assert (state.device, state.pid, state.n_threads) == ("CPU", 7, 2)
    best = state.best
    assert best is not None
    assert (best.phase, best.epoch, best.value) == ("network", 1, 0.3)


def test_steps_that_are_done_again_after_a_resume_replace_the_old_ones() -> None:
    before = [
        _BEGAN, _NETWORK, stepped(10, 1.0), ended(1, 0.3, best=True), answered(1), stepped(20, 0.7),
        ended(2, 0.5, best=True), answered(2), stepped(25, 0.6),
    ]  # fmt: skip
    again = said.PhaseStarted(phase="network", n_done=12, n_steps=40, n_epochs=4, watched="recall")
    state = state_of(*before, _BEGAN, again)
    assert state.losses["loss"].steps.tolist() == [10]
    assert state.metrics["recall"].values.tolist() == [0.3]
    assert state.best is not None
    assert state.best.epoch == 1
    assert [answer.epoch for answer in state.answered] == [1]
    assert state.queries == answered(1)
    assert state.n_done == 12
    for event in (stepped(20, 0.7), ended(2, 0.5, best=True)):
        state.take(event)
    assert state.losses["loss"].values.tolist() == [1.0, 0.7]
    assert state.metrics["recall"].values.tolist() == [0.3, 0.5]
    assert state.best.epoch == 2


def test_an_epoch_that_is_measured_again_counts_once() -> None:
    state = state_of(_NETWORK, stepped(10), ended(1, 0.3, best=True), ended(1, 0.4, best=True))
    assert state.metrics["recall"].values.tolist() == [0.4]
    assert state.phases["network"].best_epochs == [(1, 0.4)]


def test_each_phase_keeps_its_curves_and_the_latest_are_shown() -> None:
    state = state_of(_BEGAN, _TAIL, stepped(5, phase="tail"), ended(1, 0.1, best=True, phase="tail"))
    assert state.losses["loss"].steps.tolist() == [5]
    assert not state.can_keep  # no package is made of the tail
    state.take(_NETWORK)
    assert state.drawn.name == "tail"  # there is nothing yet of the network
    state.take(stepped(3))
    assert state.losses["loss"].steps.tolist() == [3]
    assert list(state.phases) == ["tail", "network"]
    assert state.phases["tail"].losses["loss"].steps.tolist() == [5]


def test_the_best_can_be_kept_while_the_run_works_on_what_ships() -> None:
    state = state_of(_BEGAN, _NETWORK, stepped(10))
    assert not state.can_keep
    state.take(ended(1, 0.3, best=True))
    assert state.can_keep
    state.take(said.Paused())
    assert state.can_keep
    state.take(said.RunStopped())
    assert not state.can_keep


@pytest.mark.parametrize(
    ("events", "status"),
    [
        ([said.Waited(behind="other")], RunStatus.WAITING),
        ([said.Waited(behind="other"), _BEGAN], RunStatus.RUNNING),
        ([_BEGAN, said.Paused()], RunStatus.PAUSED),
        ([_BEGAN, said.Paused(), said.Resumed()], RunStatus.RUNNING),
        ([_BEGAN, said.RunStopped()], RunStatus.STOPPED),
        ([_BEGAN, said.Finished(path=b"/m/tiny", metrics={})], RunStatus.FINISHED),
        ([_BEGAN, said.RunFailed(message="The disk is full.")], RunStatus.FAILED),
        ([_BEGAN, said.RunFailed(message="The disk is full."), _BEGAN], RunStatus.RUNNING),
        ([_BEGAN, said.RunStopped(), said.Waited(behind="other")], RunStatus.WAITING),
    ],
)
def test_the_status_follows(events: list[said.RunEvent], status: RunStatus) -> None:
    state = state_of(*events)
    assert state.status is status
    if status in (RunStatus.RUNNING, RunStatus.WAITING):
        assert state.failed is None
    assert (state.waits_for != "") == (status is RunStatus.WAITING)


def test_a_silent_end_is_told_with_a_remedy() -> None:
    state = state_of(_BEGAN, _NETWORK, stepped(3), said.Saved(phase="network", step=3, at_s=4.0))
    state.died("bad things\n")
    assert state.status is RunStatus.DIED
    assert state.failed is not None
    assert "without saying why" in state.failed.message
    assert "last checkpoint is kept" in state.failed.remedy
    assert state.failed.details == "bad things\n"
    assert state.can_go_on
    memory = state_of(_BEGAN)
    memory.died("numpy: MemoryError: Unable to allocate")
    assert memory.failed is not None
    assert "ran out of memory" in memory.failed.message
    assert "Start the run again" in memory.failed.remedy
    over = state_of(_BEGAN, said.RunStopped())
    over.died("")
    assert over.status is RunStatus.STOPPED


def test_work_without_steps_says_what_it_is_at() -> None:
    state = state_of(
        _BEGAN, said.PhaseStarted(phase="features", n_done=0, n_steps=1, n_epochs=1),
        said.Progressed(message="caching features", n_done=30, n_total=90, rate_per_s=5.0, remaining_s=12.0),
    )  # fmt: skip
    assert (state.phase, state.message, state.n_done, state.n_total) == ("features", "caching features", 30, 90)
    assert (state.items_per_s, state.remaining_s) == (5.0, 12.0)
    state.take(said.Progressed(message="caching features", n_done=60, n_total=90))
    assert [line for _, line in state.log][-1] == "Caching features."
    assert len([line for _, line in state.log if line == "Caching features."]) == 1


def test_bits_estimate_and_end_are_kept() -> None:
    estimate = said.Estimated(
        seconds=60.0, by_phase={"network": 60.0}, memory_mb=900.0, device_memory_mb=0.0, disk_mb=20.0, n_steps=3
    )
    finished = said.Finished(path=b"/m/tiny", metrics={"recall": 0.5}, epoch=3, early=True, at_s=9.0)
    state = state_of(_BEGAN, said.BitsMeasured(phase="network", epoch=1, shares=(0.5, 1.0)), estimate, finished)
    assert state.bit_shares == (0.5, 1.0)
    assert state.estimated == estimate
    assert state.finished == finished
    assert state.log[-1] == (9.0, "Ended early; tiny was written with epoch 3: recall 0.5.")


def test_every_kind_of_event_is_known_and_the_log_is_sentences() -> None:
    examples: list[said.RunEvent] = [
        _BEGAN, said.Waited(behind="other"), _TAIL, _NETWORK, stepped(3),
        said.Progressed(message="asking teachers", n_done=1, n_total=2), ended(1, 0.3, best=True), answered(1),
        said.BitsMeasured(phase="network", epoch=1, shares=(0.5,)), said.Saved(phase="network", step=3),
        said.Noted(text="One photo could not be read."), said.Paused(), said.Resumed(), said.RunStopped(),
        said.Estimated(seconds=1.0, by_phase={}, memory_mb=1.0, device_memory_mb=0.0, disk_mb=1.0, n_steps=1),
        said.Finished(path=b"/m/tiny", metrics={}), said.RunFailed(message="The disk is full.", remedy="Make room."),
    ]  # fmt: skip
    assert {type(event) for event in examples} == set(get_args(said.AnyRunEvent))
    silent = {type(event) for event in examples if not sentence(event)}
    assert silent == {said.Stepped, said.QueriesAnswered, said.BitsMeasured, said.Estimated}
    for event in examples:
        text = sentence(event)
        assert not text or (text[0].isupper() and text.endswith(".") and "\n" not in text)


def test_the_same_journal_gives_the_same_state_bit_by_bit(run: RunFolder) -> None:
    events = [_BEGAN, _NETWORK, *(stepped(n) for n in range(1, 11)), ended(1, 0.3, best=True), said.RunStopped()]
    writer, reader, followed = JournalWriter(run.journal_path), JournalReader(run.journal_path), RunState()
    for event in events:
        writer.append(event)
        for told in reader.read():
            followed.take(told)
    writer.close()
    at_once = state_of(*JournalReader(run.journal_path).read())
    assert followed.log == at_once.log
    assert followed.losses["loss"].values.tolist() == at_once.losses["loss"].values.tolist()
    assert followed.status is at_once.status is RunStatus.STOPPED


def test_a_run_of_before_journals_shows_its_epochs(runs_folder: Path) -> None:
    old = RunFolder(runs_folder / "old")
    old.path.mkdir(parents=True)
    (old.path / "log.jsonl").write_text(
        '{"phase": "tail", "epoch": 0, "loss": 2.0}\n'
        '{"phase": "network", "epoch": 0, "recall": 0.25, "note": "x"}\n'
        '{"phase": "network", "epoch": 1, "recall": 0.5}\n'
        '[]\n{"epoch": 1}\n{"phase": "network", "epo'
    )
    reader = JournalReader(old.journal_path)
    state = state_of(*reader.read())
    assert state.status is RunStatus.STOPPED
    assert state.metrics["recall"].steps.tolist() == [1, 2]
    assert state.metrics["recall"].values.tolist() == [0.25, 0.5]
    assert list(state.phases) == ["tail", "network"]
    assert "older version" in state.log[0][1]
    assert reader.read() == []
    writer = JournalWriter(old.journal_path)  # it is gone on with
    for event in (_BEGAN, said.PhaseStarted(phase="network", n_done=20, n_steps=40, n_epochs=4), stepped(30)):
        writer.append(event)
    writer.close()
    for event in reader.read():
        state.take(event)
    assert state.status is RunStatus.RUNNING
    assert state.losses["loss"].steps.tolist() == [30]
    assert "recall" not in state.metrics  # its epochs had no steps to stand at


def test_all_attributes_are_told_of() -> None:
    told = inspect.getdoc(RunState) or ""
    assert [name for name in vars(RunState()) if name not in told] == []


@pytest.mark.parametrize(
    ("name", "title"),
    [
        ("i2t_r10", "image to text R@10"), ("t2v_full", "text to video full"), ("rsum", "rSum"),
        ("mean_map", "mean mAP"), ("t2i_map", "text to image mAP"), ("recall_at_1", "recall at 1"),
        ("loss", "loss"), ("i2t", "i2t"),
    ],
)  # fmt: skip
def test_metrics_are_named_in_words(name: str, title: str) -> None:
    assert metric_title(name) == title


def test_a_direction_is_said_once() -> None:
    metrics = {"i2t_r1": 10.0, "i2t_r5": 20.0, "t2i_r1": 30.0, "rsum": 60.0}
    assert numbers(metrics) == "image to text R@1 10, R@5 20; text to image R@1 30; rSum 60"
