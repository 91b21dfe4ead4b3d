"""A trainer for the window's tests: holds a run, writes a journal as a real one does, obeys orders, and learns nothing.

Run as a script, in the place of ``retrieval-explorer train``: ``fake_trainer.py [options] --resume RUN --queued``.
What it writes is a pure function of its options, so that tests can foresee it: losses fall, recall grows by epoch.
"""

import argparse
import math
import os
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

from explorer.protocol import runs as say
from explorer.runs.alive import hold
from explorer.runs.journal import JournalReader, JournalWriter
from explorer.runs.layout import RunFolder
from explorer.runs.orders import OrderReader

SENTENCES = (
    "a dog jumps over a log in the snow", "two children play football on a green field",
    "a woman in a red coat waits at a bus stop on a rainy evening while people with umbrellas walk past her",
    "a surfer rides a wave",
)  # fmt: skip
N_RANKED = 1000
POLL_S = 0.005


def recall(epoch: int) -> float:
    return round(60.0 * (1 - math.exp(-epoch / 8)) - 0.05 * max(0, epoch - 20) ** 2, 2)


def losses(step: int, n_steps: int) -> dict[str, float]:
    at = step / n_steps
    terms = {
        "matching": 3.2 * math.exp(-4 * at) + 0.4 + 0.25 * math.sin(step * 1.7) * (1 - at),
        "distillation": 0.8 * math.exp(-6 * at) + 0.05 + 0.03 * math.cos(step * 2.3),
    }
    return {"loss": sum(terms.values()), **terms}


def queries(epoch: int, pictures: tuple[str, ...]) -> say.QueriesAnswered:
    answered = []
    for i, text in enumerate(SENTENCES):
        rank = max(1, round((40 + 90 * i) * math.exp(-epoch / 4)))
        top = tuple(
            say.TopPicture(picture=name, own=place + 1 == rank, score=0.9 - 0.05 * place)
            for place, name in enumerate(pictures[i:] + pictures[:i])
        )
        answered.append(say.AnsweredQuery(text=text, rank=rank, n_ranked=N_RANKED, top=top))
    return say.QueriesAnswered(phase="network", epoch=epoch, queries=tuple(answered))


def shares(n_bits: int, epoch: int) -> tuple[float, ...]:
    leaning = 0.5 - 0.012 * min(epoch, 30)
    return tuple(0.5 + leaning * math.sin(1.3 * bit) for bit in range(n_bits))


def events(
    *, n_epochs: int, n_steps: int, done: int = 0, n_bits: int = 0, pictures: tuple[str, ...] = (), each: int = 1,
) -> Iterator[say.RunEvent]:  # fmt: skip
    """What a run says from its beginning, or from a step on, to the end of its last epoch."""
    if not done:
        yield say.PhaseStarted(phase="features", n_done=0, n_steps=0, n_epochs=0)
        for i in (0, 500, 1000):
            yield say.Progressed(message="looking at photos", n_done=i, n_total=1000, rate_per_s=31.0, remaining_s=9.0)
    total = n_epochs * n_steps
    yield say.PhaseStarted(
        phase="network", n_done=done, n_steps=total, n_epochs=n_epochs, watched="recall_at_10"
    )
    best = max((recall(epoch) for epoch in range(1, done // n_steps + 1)), default=-1.0)
    for step in range(done + each, total + 1, each):
        epoch = (step - 1) // n_steps + 1
        yield say.Stepped(
            phase="network", epoch=epoch, step=step, n_steps=total, losses=losses(step, total), items_per_s=212.0,
            learning_rate=5e-4 * (1 - step / total), remaining_s=0.05 * (total - step), memory_mb=1240.0,
        )  # fmt: skip
        if step % n_steps == 0:
            value = recall(epoch)
            yield say.EpochFinished(
                phase="network", epoch=epoch, best=value > best,
                metrics={"recall_at_1": 0.45 * value, "recall_at_5": 0.8 * value, "recall_at_10": value},
            )  # fmt: skip
            best = max(best, value)
            yield queries(epoch, pictures)
            if n_bits:
                yield say.BitsMeasured(phase="network", epoch=epoch, shares=shares(n_bits, epoch))
            yield say.Saved(phase="network", step=step)


class Told:
    """The orders, read in a thread, as a real trainer does."""

    def __init__(self, run: RunFolder) -> None:
        self.paused, self.stopped, self.kept = threading.Event(), threading.Event(), threading.Event()
        self._orders = OrderReader(run, from_start=True)
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self) -> None:
        while True:
            for order in self._orders.read():
                match order:
                    case say.PauseRun():
                        self.paused.set()
                    case say.ResumeRun():
                        self.paused.clear()
                    case say.StopRun():
                        self.stopped.set()
                    case say.KeepBest():
                        self.kept.set()
            time.sleep(POLL_S)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--resume", type=Path, required=True)
    parser.add_argument("--queued", action="store_true")
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--steps", type=int, default=20)
    parser.add_argument("--bits", type=int, default=0)
    parser.add_argument("--pace", type=float, default=0.005, help="seconds a step")
    parser.add_argument("--package", default="", help="folder of the package that it says it wrote")
    parser.add_argument("--fail-at", type=int, default=0)
    parser.add_argument("--die-at", type=int, default=0)
    parser.add_argument("--deaf", action="store_true", help="does not stop when it is told to")
    parser.add_argument("--hold", action="store_true", help="stands still after the last step but one until it is told")
    parser.add_argument("--refuse", default="", help="prints this and ends before it has said anything")
    parser.add_argument("--estimate", action="store_true")
    options = parser.parse_args()
    if options.refuse:
        sys.exit(options.refuse)
    run = RunFolder(options.resume)
    earlier = JournalReader(run.journal_path).read()
    done = max((event.step for event in earlier if isinstance(event, say.Saved)), default=0)
    with hold(run):
        journal = JournalWriter(run.journal_path)
        if options.estimate:
            time.sleep(options.pace)
            by_phase = {"features": 60.0, "network": 540.0}
            journal.append(say.Estimated(
                seconds=600.0, by_phase=by_phase, memory_mb=1200.0, device_memory_mb=0.0, disk_mb=90.0, n_steps=3
            ))
            return
        journal.append(say.RunBegan(run=run.name, pid=os.getpid(), device="CPU", n_threads=1, program_version="0"))
        train(run, journal, Told(run), options, done)


def train(run: RunFolder, journal: JournalWriter, told: Told, options: argparse.Namespace, done: int) -> None:
    package = os.fsencode(options.package or run.path.parent.parent / "models" / "trained")
    best = 0
    last = options.epochs * options.steps
    for event in events(n_epochs=options.epochs, n_steps=options.steps, done=done, n_bits=options.bits):
        journal.append(event)
        if isinstance(event, say.EpochFinished) and event.best:
            best = event.epoch
        if not isinstance(event, say.Stepped):
            continue
        if event.step == options.fail_at:
            journal.append(say.RunFailed(
                message="The loss is no number any more.", remedy="Lower training.learning_rate.", kind="NotANumber"
            ))
            sys.exit(1)
        if event.step == options.die_at:
            sys.stdout.write("Killed by the test\n")
            sys.stdout.flush()
            os._exit(9)
        time.sleep(options.pace)
        stand_still(journal, told, holds=options.hold and event.step == last - 1, deaf=options.deaf, best=best)
        if told.stopped.is_set() and not options.deaf:
            journal.append(say.RunStopped())
            return
        if told.kept.is_set():
            journal.append(say.Finished(path=package, metrics={"recall_at_10": recall(best)}, epoch=best, early=True))
            return
    journal.append(say.Finished(path=package, metrics={"recall_at_10": recall(options.epochs)}, epoch=options.epochs))


def stand_still(journal: JournalWriter, told: Told, *, holds: bool, deaf: bool, best: int) -> None:
    """While the run is paused, or holds until it is told to end."""
    while True:
        if told.kept.is_set() and not best:
            told.kept.clear()
            journal.append(say.Noted(text="There is no finished epoch yet that a package could be made of."))
        if told.paused.is_set() and not told.stopped.is_set():
            journal.append(say.Paused())
            while told.paused.is_set() and not told.stopped.is_set():
                time.sleep(POLL_S)
            if not told.stopped.is_set():
                journal.append(say.Resumed())
        if not holds or (told.stopped.is_set() and not deaf) or told.kept.is_set():
            return
        time.sleep(POLL_S)


if __name__ == "__main__":
    main()
