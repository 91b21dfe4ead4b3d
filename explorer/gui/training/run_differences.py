"""What several runs have in common and in what they differ; no Qt."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from explorer.errors import ConfigError
from explorer.gui.training.field_words import section_of, section_title, setting_title
from explorer.gui.training.recipe_text import literal, read_table, settings_of
from explorer.gui.training.run_sentences import metric_title, number, when_text
from explorer.gui.training.value_table import Cell, best_of
from explorer.protocol.training import RecipeForm
from explorer.runs.folder import RunDescription
from explorer.runs.series import Series
from explorer.runs.state import RunState

LOSS = "loss"
_NAMES = ("name", "title")

Rows = list[tuple[str, list[Cell]]]


@dataclass(slots=True, kw_only=True)
class ComparedRun:
    """One of the runs. ``label``: no other of them has it."""

    path: Path
    description: RunDescription | None
    recipe: bytes
    state: RunState
    label: str = ""
    settings: dict[str, Any] = field(default_factory=dict)


def label_runs(runs: Sequence[ComparedRun]) -> None:
    """Name each: by its model, with the time where several made a model of one name, else by its folder."""
    names = [run.description.name if run.description is not None else run.path.name for run in runs]
    for run, name in zip(runs, names, strict=True):
        when = when_text(run.description.made_at) if run.description is not None else ""
        run.label = name if names.count(name) == 1 or not when else f"{name}, {when}"
    labels = [run.label for run in runs]
    for run in runs:
        if labels.count(run.label) > 1:
            run.label = run.path.name


def read_settings(run: ComparedRun) -> None:
    """What its recipe says; nothing where it cannot be read."""
    try:
        run.settings = dict(settings_of(read_table(run.recipe.decode("utf-8", errors="replace"))))
    except ConfigError:
        run.settings = {}


def differing_settings(runs: Sequence[ComparedRun], forms: Sequence[RecipeForm]) -> Rows:
    """The settings that are not the same in all of them, names of the models aside.

    A setting that a recipe leaves out has the default that its form gives; where the form is not known, a dash.
    """
    defaults = [_defaults(run, forms) for run in runs]
    keys = list(dict.fromkeys(key for run in runs for key in run.settings))
    rows: Rows = []
    for key in keys:
        said = [_said(run, key, default) for run, default in zip(runs, defaults, strict=True)]
        if key not in _NAMES and len(set(said)) > 1:
            section = section_of(key)
            name = f"{section_title(section)}: {setting_title(key).lower()}" if section else setting_title(key)
            rows.append((name, [Cell(text) for text in said]))
    return rows


def _defaults(run: ComparedRun, forms: Sequence[RecipeForm]) -> dict[str, str]:
    task = run.settings.get("task")
    form = next((form for form in forms if form.task == task), None)
    return {field.key: field.default for field in form.fields} if form is not None else {}


def _said(run: ComparedRun, key: str, defaults: dict[str, str]) -> str:
    if key in run.settings:
        value = run.settings[key]
        return value if isinstance(value, str) else literal(value)
    return f"{defaults[key].strip(chr(34))} (default)" if defaults.get(key) else "–"


def data_text(runs: Sequence[ComparedRun]) -> str:
    """A warning where they learned from different data; empty where it was the same."""
    data = [
        {key: value for key, value in run.settings.items() if section_of(key) in ("dataset", "scenes")} for run in runs
    ]
    same = all(one == data[0] for one in data)
    return "" if same else "They did not learn from the same data, so their measures are of different photos."


def results(runs: Sequence[ComparedRun]) -> Rows:
    """What they came to: the model's measures where there is one, else those of the best epoch so far."""
    measured = [measures(run.state) for run in runs]
    rows: Rows = [
        ("State", [Cell(run.state.status.value) for run in runs]),
        ("Epoch", [Cell(str(epoch_of(run.state) or "–")) for run in runs]),
    ]
    for metric in dict.fromkeys(name for one in measured for name in one):
        values = [one.get(metric) for one in measured]
        best = best_of(values, metric)
        cells = [
            Cell("–") if value is None else Cell(number(value), place in best, tip=f"{value:.4f}")
            for place, value in enumerate(values)
        ]
        rows.append((metric_title(metric), cells))
    return rows


def measures(state: RunState) -> dict[str, float]:
    """Metrics of the model that was written; while there is none, of the best epoch so far, or the last."""
    if state.finished is not None and state.finished.metrics:
        return dict(state.finished.metrics)
    phase, best = state.drawn, state.best
    at = phase.last_step_of(best.epoch) if best is not None and best.phase == phase.name else None
    found: dict[str, float] = {}
    for name, series in phase.metrics.items():
        there = [float(v) for s, v in zip(series.steps, series.values, strict=True) if at is None or s == at]
        if there:
            found[name] = there[-1]
    return found


def epoch_of(state: RunState) -> int:
    """Which epoch those are of; 0 where that is not known."""
    if state.finished is not None and state.finished.epoch:
        return state.finished.epoch
    return state.best.epoch if state.best is not None and state.finished is None else 0


def common_curves(runs: Sequence[ComparedRun]) -> list[str]:
    """What can be drawn of at least one of them: validation metrics first, those that are watched before others."""
    watched = [run.state.drawn.watched for run in runs if run.state.drawn.watched in run.state.metrics]
    metrics = [name for run in runs for name, series in run.state.metrics.items() if len(series)]
    losses = [name for run in runs for name, series in run.state.losses.items() if len(series)]
    return list(dict.fromkeys([*watched, *metrics, *sorted(losses, key=lambda name: name != LOSS)]))


def curve_of(run: ComparedRun, name: str) -> Series | None:
    """That curve of a run; None where it has none."""
    series = run.state.metrics.get(name) or run.state.losses.get(name)
    return series if series is not None and len(series) else None
