"""Training from the command line; the window starts its trainers with the same command."""

import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from explorer.cli.shared import places_of, print_out, progress_bar, say
from explorer.errors import ConfigError, UserFacingError
from explorer.protocol import runs

if TYPE_CHECKING:
    from rich.progress import Progress

    from explorer.paths import Places
    from explorer.runs.folder import RunFolder

_HOUR_S, _MINUTE_S = 3600, 60


def train(
    context: typer.Context,
    config: Annotated[
        Path | None, typer.Argument(help="A recipe (TOML); the program's own are in resources/recipes.")
    ] = None,
    resume: Annotated[Path | None, typer.Option(help="Folder of a run to go on with; needs no recipe.")] = None,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda, cuda:1, mps; what the run began with, or auto.")] = "",
    estimate: Annotated[bool, typer.Option("--estimate", help="Say what it would take, from some real steps.")] = False,
    queued: Annotated[bool, typer.Option("--queued", help="Wait until the runs before it are over.")] = False,
) -> None:
    """Train a model package by a recipe. Ctrl-C keeps a checkpoint; --resume goes on from it."""
    from explorer.training import running

    if config is None and resume is None:
        raise typer.BadParameter("Name a recipe, or a run to go on with: --resume RUN.")
    places = places_of(context)
    if running.rank():
        raise typer.Exit(
            running.assist(device=device, runs_folder=places.runs, search_folders=places.model_folders)
        )
    with _run(config, resume, places, device=device, for_estimate=estimate) as run, progress_bar() as bar:
        outcome = running.run_trainer(
            running.RunCall(
                run=run,
                runs_folder=places.runs,
                search_folders=places.model_folders,
                recipe_folder=config.absolute().parent if config else None,
                device=device,
                queued=queued,
                estimate=estimate,
                show=_Shown(bar, run, for_estimate=estimate).take,
            )
        )
    match outcome:
        case runs.Finished():
            say(f"Wrote {os.fsdecode(outcome.path)}. " + _numbers(outcome.metrics))
        case runs.Estimated():
            print_out(_estimate(outcome))
        case runs.RunFailed():
            raise UserFacingError(outcome.message, outcome.remedy)
        case _:
            raise UserFacingError("Stopped; a checkpoint was kept.", "Go on with --resume and the run's folder.")


@contextmanager
def _run(
    config: Path | None, resume: Path | None, places: "Places", *, device: str, for_estimate: bool
) -> Iterator["RunFolder"]:
    """The run to go on with, or a new one; one that is for an estimate only is gone afterwards."""
    from explorer.runs.folder import open_run

    if resume is not None:
        run = open_run(resume)
        if config is not None:
            _require_same(config, run)
        yield run
        return
    from explorer.training.trainer import begin_run

    assert config is not None
    folder = places.runs / f".estimate-{os.getpid()}" if for_estimate else places.runs
    try:
        yield begin_run(config, folder, recipe_folder=config.absolute().parent, device=device or "auto")
    finally:
        if for_estimate:
            shutil.rmtree(folder, ignore_errors=True)


def _require_same(config: Path, run: "RunFolder") -> None:
    try:
        same = config.read_bytes() == run.recipe_path.read_bytes()
    except OSError as error:
        raise ConfigError(f"The recipe {config} cannot be read: {error.strerror or error}.") from error
    if not same:
        raise ConfigError(
            f"{config.name} is not the recipe that the run {run.name} began with.",
            "Leave the recipe out to go on with the run, or leave --resume out to begin a new one.",
        )


class _Shown:
    """What happens, on a progress bar and in lines above it."""

    def __init__(self, bar: "Progress", run: "RunFolder", *, for_estimate: bool) -> None:
        self._bar, self._run, self._for_estimate = bar, run, for_estimate
        self._task = bar.add_task("starting", total=None)

    def take(self, event: runs.RunEvent) -> None:
        """Show an event; those that only the window needs are left out."""
        bar = self._bar
        match event:
            case runs.RunBegan() if not self._for_estimate:
                self._line(f"Run: {self._run.path}")
            case runs.Progressed():
                bar.update(self._task, description=event.message, completed=event.n_done, total=event.n_total or None)
            case runs.Stepped():
                description = f"{event.phase}, epoch {event.epoch}, loss {event.losses['loss']:.3f}"
                bar.update(self._task, description=description, completed=event.step, total=event.n_steps)
            case runs.PhaseStarted():
                bar.update(self._task, description=event.phase, completed=event.n_done, total=event.n_steps or None)
            case runs.EpochFinished():
                self._line(f"epoch {event.epoch}: " + _numbers(event.metrics))
            case runs.Noted():
                self._line(f"Note: {event.text}")
            case runs.Waited():
                self._line(f"Waiting until {event.behind} is over.")
            case runs.Paused():
                self._line("Paused.")
            case runs.Resumed():
                self._line("Going on.")

    def _line(self, text: str) -> None:
        self._bar.console.print(text, markup=False, highlight=False, soft_wrap=True)


def _estimate(found: runs.Estimated) -> str:
    parts = ", ".join(f"{phase} {_duration(seconds)}" for phase, seconds in found.by_phase.items())
    device = f", {found.device_memory_mb / 1e3:.1f} GB on the device" if found.device_memory_mb else ""
    return (
        f"About {_duration(found.seconds)} ({parts}), {found.memory_mb / 1e3:.1f} GB of memory{device}, "
        f"{found.disk_mb / 1e3:.2f} GB of disk; from {found.n_steps} steps."
    )


def _duration(seconds: float) -> str:
    if seconds >= _HOUR_S:
        return f"{seconds / _HOUR_S:.1f} h"
    return f"{seconds / _MINUTE_S:.0f} min" if seconds >= 2 * _MINUTE_S else f"{seconds:.0f} s"


def _numbers(metrics: Mapping[str, float]) -> str:
    return ", ".join(f"{name} {value:.4g}" for name, value in metrics.items())
