"""``evaluate --protocol hashing``: rankings of binary codes, as JSON, a table, curves and a figure."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from explorer.cli.evaluate_options import GivenAlways, GivenForCodes, clip_reading, require_folder_of
from explorer.cli.shared import measured, print_out, say
from explorer.errors import ConfigError

if TYPE_CHECKING:
    from explorer.engine.evaluating_hashing import HashingEvaluation
    from explorer.evaluation.hashing_report import HashingReport

_FIGURE_DPI = 300


def evaluate_codes(always: GivenAlways, given: GivenForCodes, model_folders: Sequence[Path]) -> None:
    """Measure, print and write what was asked for."""
    wanted = _wanted(always, given)
    file_format = _figure_format(given.figure)
    for path in (always.csv, given.figure):
        require_folder_of(path)
    from explorer.engine.evaluating_hashing import evaluate_hashing

    reports = measured(evaluate_hashing, wanted, device=always.device, model_folders=model_folders)
    _write(reports, always, given.figure, file_format)


def _wanted(always: GivenAlways, given: GivenForCodes) -> "HashingEvaluation":
    if len(always.datasets) > 1:
        raise typer.BadParameter("--dataset can be given once with the protocol hashing; --gallery names another.")
    if len(always.images) > (1 if given.gallery is None else 2):
        raise typer.BadParameter("--images can be given once for --dataset and once for --gallery.")
    if given.preset and (given.gallery or given.gallery_split):
        raise typer.BadParameter("--preset divides one data set: leave --gallery and --gallery-split out.")
    if given.bits and not given.binarise:
        raise typer.BadParameter("--bits belongs to --binarise; a model of codes has its own length.")
    from explorer.engine.evaluating_hashing import BINARISERS, HashingEvaluation
    from explorer.evaluation.hashing import Cutoffs
    from explorer.evaluation.hashing_presets import preset_named
    from explorer.evaluation.label_rules import ANY, LabelRule

    bits = _numbers("--bits", given.bits or "64")
    if any(n % 8 for n in bits):
        raise typer.BadParameter(f"--bits {given.bits}: a code has a multiple of 8 bits.")
    ways = tuple(dict.fromkeys(given.binarise.split(","))) if given.binarise else ()
    if not set(ways) <= set(BINARISERS):
        raise typer.BadParameter(f"--binarise {given.binarise}: choose {' or '.join(BINARISERS)}, or both.")
    return HashingEvaluation(
        models=tuple(always.models),
        dataset=always.datasets[0],
        labels=tuple(dict.fromkeys(given.labels or ())),
        gallery=given.gallery,
        split=always.split,
        gallery_split=given.gallery_split,
        images=tuple(always.images),
        preset=preset_named(given.preset) if given.preset else None,
        binarise=ways,
        bits=bits,
        rules=tuple(LabelRule(name) for name in dict.fromkeys((given.relevance or ANY).split(","))),
        items=tuple(always.items),
        clips=clip_reading(always),
        cutoffs=Cutoffs(
            map_at=_numbers("--at", given.at or "50,500"),
            precision_at=_numbers("--precision-at", given.precision_at or "100"),
            normaliser=given.normaliser.value if given.normaliser else "found",
        ),
    )


def _numbers(option: str, text: str) -> tuple[int, ...]:
    """Numbers from 1, each once, as ``50,500``."""
    parts = [part.strip() for part in text.split(",")]
    if not all(part.isascii() and part.isdigit() and int(part) for part in parts):
        raise typer.BadParameter(f"{option} {text}: give numbers from 1 with commas between them, for example 50,500.")
    return tuple(dict.fromkeys(map(int, parts)))


def _figure_format(path: Path | None) -> str:
    if path is None:
        return ""
    file_format = path.suffix.lower().removeprefix(".")
    if file_format not in ("png", "svg", "pdf"):
        raise ConfigError(f"{path.name} is no name for a figure.", "Let it end in .png, .svg or .pdf.")
    return file_format


def _write(
    reports: "Sequence[HashingReport]", always: GivenAlways, figure: Path | None, file_format: str
) -> None:
    from explorer.evaluation.hashing_tables import curves_to_csv, to_markdown
    from explorer.figures.saving import write_whole

    if always.csv is not None:
        write_whole(always.csv, curves_to_csv(reports).encode())
        say(f"Wrote {always.csv}.")
    if figure is not None:
        from explorer.figures.radius_curves import curves_bytes

        write_whole(figure, curves_bytes(reports, file_format, _FIGURE_DPI))
        say(f"Wrote {figure}.")
    if always.as_json:
        documents = [report.to_dict() for report in reports]
        print_out(json.dumps(documents[0] if len(documents) == 1 else documents, indent=2))
    else:
        print_out(to_markdown(reports))
