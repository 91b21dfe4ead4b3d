"""``evaluate``: packages against a captioned data set."""

from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.progress import Progress

from explorer.cancellation import CancellationToken
from explorer.datasets.karpathy import read_karpathy
from explorer.evaluation.protocols import evaluate_image_sentence
from explorer.evaluation.report import EvaluationReport
from explorer.networks.registry import load_encoder
from explorer.packages import resolve_package
from explorer.paths import Places


def evaluate_models(
    names: Sequence[str],
    dataset: Path,
    *,
    split: str,
    images: Path | None,
    places: Places,
    device: str,
    console: Console,
) -> list[EvaluationReport]:
    """One report a model, all on the same photos and sentences.

    Raises:
        DatasetError: the annotation file or the photos are not as they should be.
        PackageError: there is no such model, or it is damaged.
    """
    captioned = read_karpathy(dataset, split=split, images_folder=images)
    reports = []
    for name in names:
        package = resolve_package(name, places.model_folders)
        encoder = load_encoder(package, search_folders=places.model_folders, device=device)
        with Progress(console=console, transient=True) as bar:
            task = bar.add_task(name, total=len(captioned.image_paths))

            def show(n_done: int, n_total: int, bar: Progress = bar, task: object = task) -> None:
                bar.update(task, completed=n_done, total=n_total)  # type: ignore[arg-type]

            reports.append(
                evaluate_image_sentence(encoder, captioned, token=CancellationToken(), on_progress=show)
            )
    return reports
