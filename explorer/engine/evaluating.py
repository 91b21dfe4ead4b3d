"""``evaluate``: packages against a captioned data set."""

from collections.abc import Callable, Sequence
from pathlib import Path

from explorer.cancellation import CancellationToken
from explorer.datasets.karpathy import read_karpathy
from explorer.evaluation.protocols import evaluate_image_sentence
from explorer.evaluation.report import EvaluationReport
from explorer.networks.registry import load_encoder
from explorer.packages.finding import resolve_package


def evaluate_models(
    names: Sequence[str],
    dataset: Path,
    *,
    split: str,
    images: Path | None,
    model_folders: Sequence[Path],
    device: str,
    on_progress: Callable[[str, int, int], None],
) -> list[EvaluationReport]:
    """One report a model, all on the same photos and sentences; ``on_progress`` hears name, done and total.

    Raises:
        DatasetError: the annotation file or the photos are not as they should be.
        PackageError: there is no such model, or it is damaged.
    """
    captioned = read_karpathy(dataset, split=split, images_folder=images)
    reports = []
    for name in names:
        package = resolve_package(name, model_folders)
        encoder = load_encoder(package, search_folders=model_folders, device=device)

        def tell(n_done: int, n_total: int, name: str = name) -> None:
            on_progress(name, n_done, n_total)

        reports.append(evaluate_image_sentence(encoder, captioned, token=CancellationToken(), on_progress=tell))
    return reports
