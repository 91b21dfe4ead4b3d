"""What a run will take, from a few real steps: the recipe's own road on a small part of its data.

What is done once for every photo, sentence or clip is scaled to how many there are; steps to how many will be taken.
Views that are cached already are not counted.
"""

import shutil
import time
from collections.abc import Generator, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec

from explorer.cancellation import CancellationToken
from explorer.errors import ConfigError, DatasetError
from explorer.packages.finding import resolve_package
from explorer.packages.package import ModelPackage
from explorer.protocol.runs import (
    EpochFinished,
    Estimated,
    Finished,
    PhaseStarted,
    Progressed,
    RunEvent,
    Saved,
    Stepped,
)
from explorer.training.compute import Compute
from explorer.training.config import PooledRecipe, Recipe, read_recipe
from explorer.training.memory import device_mb, peak_mb
from explorer.training.preparation import TrainingPlaces, sentences_path, view_requests
from explorer.training.reading import read_photos
from explorer.training.run_directory import RunDirectory
from explorer.training.scenes_config import ScenesRecipe
from explorer.training.stopping import StoppingSection
from explorer.training.trainer import train_encoder
from explorer.training.views import training_views
from explorer.vision import DEFAULT_BACKBONE, load_backbone

_LONGEST_S = 20.0
_FEWEST_PHOTOS, _MOST_PHOTOS = 64, 512
_N_EPOCHS = 3
_LOADING_S = 1.5
"""What loading a language model takes of the time in which sentences are read."""
_MB = 1e6


@dataclass(frozen=True, slots=True)
class Amounts:
    """How much there is to do once.

    Attributes:
        n_train, n_val: photos or clips.
        n_views: photos in all their views.
        n_unseen: those whose features are not cached.
        n_sentences: to be read; those that are cached are not counted.
    """

    n_train: int
    n_val: int
    n_views: int
    n_unseen: int
    n_sentences: int


@dataclass(slots=True)
class _Timed:
    """Where the seconds went, by what they grow with.

    Attributes:
        at: when the last event came, by the monotonic clock.
        fixed_s: once, however much data there is.
        seen_s: with the views whose features are computed.
        worked_s: with all views.
        read_s: with the sentences.
        step_s: of the last steps of a phase, each.
        measure_s, save_s: of an epoch's end.
        package_s: after the last epoch.
        n_steps: that were taken.
    """

    at: float
    fixed_s: float = 0.0
    seen_s: float = 0.0
    worked_s: float = 0.0
    read_s: float = 0.0
    step_s: dict[str, float] = field(default_factory=dict)
    measure_s: dict[str, float] = field(default_factory=dict)
    save_s: dict[str, float] = field(default_factory=dict)
    package_s: float = 0.0
    n_steps: int = 0
    _before: RunEvent | None = None
    _n_done: int = 0

    def take(self, event: RunEvent) -> None:
        """Give the time since the last event to what was done in it."""
        now = time.monotonic()
        spent, before = now - self.at, self._before
        self.at, self._before = now, event
        match event:
            case Stepped():
                n_new = event.step - self._n_done
                self.step_s[event.phase] = spent / max(n_new, 1)
                self.n_steps += n_new
                self._n_done = event.step
            case EpochFinished() if isinstance(before, Stepped):
                self.measure_s[event.phase] = spent
            case Saved():
                self.save_s[event.phase] = spent
            case Finished():
                self.package_s = spent
            case _:
                self._take_once(event, before, spent)
        if isinstance(event, PhaseStarted):
            self._n_done = 0

    def _take_once(self, event: RunEvent, before: RunEvent | None, spent: float) -> None:
        if isinstance(before, Progressed) and not before.rate_per_s:
            self.worked_s += spent
        elif isinstance(event, Progressed) and event.rate_per_s:
            # The first of a kind also waited for its model.
            new = event.n_done if not isinstance(before, Progressed) else event.n_total
            work = min(spent, new / event.rate_per_s)
            self.fixed_s += spent - work
            if event.message.startswith("features"):
                self.seen_s += work
            else:
                self.worked_s += work
        elif isinstance(before, Progressed):
            self.read_s += max(spent - _LOADING_S, 0.1 * spent)
            self.fixed_s += min(_LOADING_S, 0.9 * spent)
        else:
            self.fixed_s += spent


def estimate(
    config_path: Path,
    *,
    recipe_folder: Path,
    work_folder: Path,
    runs_folder: Path,
    search_folders: Sequence[Path],
    compute: Compute,
    token: CancellationToken,
) -> Generator[RunEvent, None, None]:
    """Make some steps; the last event is :class:`~explorer.protocol.runs.Estimated`.

    Parameters
    ----------
    config_path, recipe_folder, runs_folder, search_folders, compute, token
        as for :func:`~explorer.training.trainer.train`.
    work_folder
        for all that is written; removed at the end.

    Raises
    ------
    ConfigError, DatasetError, PackageError
        the run itself could not be made, for the same reason.
    Cancelled
        a stop was asked for.
    """
    recipe = _encoder_recipe(config_path)
    features_folder = runs_folder.parent / "features"
    whole = _amounts(recipe, recipe_folder, features_folder, search_folders)
    n_photos = min(whole.n_train, max(_FEWEST_PHOTOS, min(_largest_batch(recipe), _MOST_PHOTOS)))
    places = TrainingPlaces(
        run=RunDirectory(work_folder / "run"),
        recipe_folder=recipe_folder,
        features_folder=work_folder / "features",
        search_folders=[*search_folders, runs_folder.parent / "models"],
        packages_folder=work_folder / "models",
        compute=compute,
    )
    places.run.folder.mkdir(parents=True)
    try:
        little = _little(recipe, n_photos)
        part = _amounts(little, recipe_folder, places.features_folder, search_folders)
        timed = _Timed(time.monotonic())
        # A few photos may lack what all have, such as a label that two of them share.
        yield from _try(little, places, timed, token)
        yield _extrapolated(recipe, (part, whole), timed, places)
    except DatasetError:
        if n_photos == whole.n_train:
            raise
        raise DatasetError(
            f"The first {n_photos} photos are too few to try this recipe on.", "Begin the run; it uses all of them."
        ) from None
    finally:
        shutil.rmtree(work_folder, ignore_errors=True)


def _try(recipe: Recipe, places: TrainingPlaces, timed: _Timed, token: CancellationToken) -> Iterator[RunEvent]:
    """Follow the road, no longer than it takes to know what is asked."""
    began, last_phase = time.monotonic(), _phases(recipe)[-1] if _phases(recipe) else ""
    with closing(train_encoder(recipe, places, token)) as events:
        for event in events:
            timed.take(event)
            if isinstance(event, Progressed):
                yield event
            known = isinstance(event, Saved) and event.phase == last_phase
            if known and time.monotonic() - began > _LONGEST_S:
                return


def _extrapolated(
    recipe: Recipe, amounts: tuple[Amounts, Amounts], timed: _Timed, places: TrainingPlaces
) -> Estimated:
    part, whole = amounts
    by_phase = {
        "features": timed.fixed_s
        + timed.seen_s * whole.n_unseen / max(part.n_unseen, 1)
        + timed.worked_s * whole.n_views / max(part.n_views, 1)
        + timed.read_s * whole.n_sentences / max(part.n_sentences, 1)
    }
    # Codes of the training items are measured, too; they are encoded as fast as they are seen.
    measured = (whole.n_train + whole.n_val) / (part.n_train + part.n_val)
    for phase in _phases(recipe):
        section = _section(recipe, phase)
        batch, tried = min(section.batch_size, whole.n_train), min(section.batch_size, part.n_train)
        n_steps = section.epochs * (whole.n_train // batch)
        step_s = timed.step_s.get(phase, 0.0) * batch / tried
        epoch_s = timed.measure_s.get(phase, 0.0) * measured + timed.save_s.get(phase, 0.0)
        by_phase[phase] = n_steps * step_s + section.epochs * epoch_s
    by_phase["package"] = timed.package_s
    sizes = _sizes(places)
    per_view = sizes.cached / max(part.n_unseen, 1)
    return Estimated(
        seconds=sum(by_phase.values()),
        by_phase=by_phase,
        memory_mb=peak_mb() + sizes.sentences * whole.n_sentences / max(part.n_sentences, 1) / _MB,
        device_memory_mb=device_mb(places.compute.device),
        disk_mb=(
            per_view * whole.n_unseen
            + sizes.sentences * whole.n_sentences / max(part.n_sentences, 1)
            + sizes.kept * whole.n_views / max(part.n_views, 1)
            + 2 * sizes.checkpoints  # the last and the best
            + sizes.package
        )
        / _MB,
        n_steps=timed.n_steps,
    )


@dataclass(frozen=True, slots=True)
class _Sizes:
    """Bytes on disk: cached features, sentences, what the run keeps for each view, checkpoints, the package."""

    cached: int
    sentences: int
    kept: int
    checkpoints: int
    package: int


def _sizes(places: TrainingPlaces) -> _Sizes:
    def taken(folder: Path, pattern: str = "*") -> int:
        return sum(path.stat().st_size for path in folder.rglob(pattern) if path.is_file())

    sentences = taken(places.features_folder, "*.sentences")
    checkpoints = sum(path.stat().st_size for path in places.run.folder.glob("*.checkpoint") if "best" not in path.name)
    all_checkpoints = taken(places.run.folder, "*.checkpoint")
    return _Sizes(
        cached=taken(places.features_folder) - sentences,
        sentences=sentences,
        kept=taken(places.run.folder) - all_checkpoints,
        checkpoints=checkpoints,
        package=taken(places.packages_folder),
    )


def _encoder_recipe(config_path: Path) -> Recipe:
    try:
        return read_recipe(config_path)
    except ConfigError as error:
        if "trains no encoder" not in error.message:
            raise
        raise ConfigError(
            "What a vision package takes cannot be told beforehand.", "Begin the run; it can be stopped at any time."
        ) from error


def _amounts(recipe: Recipe, recipe_folder: Path, features_folder: Path, search_folders: Sequence[Path]) -> Amounts:
    if isinstance(recipe, ScenesRecipe):
        scenes = recipe.scenes
        n = scenes.n_clips + scenes.n_images + scenes.n_stills + 2 * scenes.n_val
        return Amounts(max(scenes.n_clips, scenes.n_images), 2 * scenes.n_val, n, n, n)
    photos = read_photos(recipe.dataset, recipe_folder)
    features = recipe.features
    package: ModelPackage | None = resolve_package(features.vision, search_folders) if features.vision else None
    regions = _wants_regions(recipe)
    side_px = load_backbone(package.manifest.backbone.name if package else DEFAULT_BACKBONE).side_px
    wanted = view_requests(photos.splits, features, package, side_px, features_folder, regions=regions)
    unread = [part for part in photos.splits if not sentences_path(features_folder, part.sentences).is_file()]
    n_views = len(training_views(features.n_crops, features.flip, features.seed))
    return Amounts(
        n_train=len(photos.train),
        n_val=len(photos.val),
        n_views=n_views * len(photos.train) + len(photos.val),
        n_unseen=sum(len(request.photos) - request.begin for requests in wanted for request in requests),
        n_sentences=sum(len(said) for part in unread for said in part.sentences),
    )


def _wants_regions(recipe: Any) -> bool:
    """Whether the road of this recipe asks its vision for regions."""
    if recipe.__struct_config__.tag == "tvdb":
        return True
    if recipe.__struct_config__.tag == "dsmhn":
        return "detections" in recipe.image.parts
    return bool(getattr(getattr(recipe, "network", None), "tokens", "") == "regions")


def _little(recipe: Any, n_photos: int) -> Recipe:
    """The same recipe on few photos as they are, and for few epochs."""
    changes: dict[str, Any] = {}
    for name in ("training", "tail", "gates"):
        section = getattr(recipe, name, None)
        if section is not None:
            changes[name] = msgspec.structs.replace(section, epochs=min(section.epochs, _N_EPOCHS))
    if hasattr(recipe, "stopping"):
        changes["stopping"] = StoppingSection()
    if isinstance(recipe, ScenesRecipe):
        scenes = recipe.scenes
        changes["scenes"] = msgspec.structs.replace(
            scenes,
            n_clips=min(n_photos, scenes.n_clips),
            n_images=min(n_photos, scenes.n_images),
            n_stills=min(n_photos // 2, scenes.n_stills),
            n_val=min(n_photos // 2, scenes.n_val),
        )
    else:
        changes["dataset"] = msgspec.structs.replace(recipe.dataset, max_photos=n_photos)
        changes["features"] = msgspec.structs.replace(recipe.features, n_crops=0, flip=False)
    changed: Recipe = msgspec.structs.replace(recipe, **changes)
    return changed


def _phases(recipe: Any) -> list[str]:
    """The phases of a recipe that take steps, in their order."""
    if isinstance(recipe, PooledRecipe):
        return []
    tail, gates = (bool(getattr(getattr(recipe, name, None), "epochs", 0)) for name in ("tail", "gates"))
    return [*(["tail"] if tail else []), "network", *(["gates"] if gates else [])]


def _section(recipe: Any, phase: str) -> Any:
    """What has the epochs and the batch size of a phase."""
    if phase == "gates":
        return msgspec.structs.replace(recipe.training, epochs=recipe.gates.epochs, gate_cost_epochs=0)
    return recipe.tail if phase == "tail" else recipe.training


def _largest_batch(recipe: Recipe) -> int:
    return max((_section(recipe, phase).batch_size for phase in _phases(recipe)), default=0)
