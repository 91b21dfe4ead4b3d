"""Measuring models on a recipe's validation split, all on the same photos and sentences."""

import math
import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from explorer import protocol
from explorer.cancellation import CancellationToken
from explorer.engine.models import LoadedModels
from explorer.engine.opened import Opened
from explorer.engine.pacing import paced
from explorer.engine.telling import OnProgress, told
from explorer.engine.validation import Validation, read_validation
from explorer.errors import ConfigError, DeviceError, PackageError
from explorer.evaluation.encoding import EncodedSplit, encode_split
from explorer.evaluation.hashing import measure_codes
from explorer.evaluation.report import Scores
from explorer.evaluation.similarities import EncodedPairs, Similarities, standings_of
from explorer.networks.encoder import Encoder
from explorer.protocol import Answer, ModelScore
from explorer.representations import BinaryCodes, Embeddings, Modality

IMAGE_TO_TEXT, TEXT_TO_IMAGE = "image to text", "text to image"


def evaluate_models(opened: Opened, request: protocol.EvaluateModels, token: CancellationToken) -> Iterator[Answer]:
    """Measure each model in turn; one that cannot be measured says why in the place of its numbers.

    Everything is done in a thread of its own, so that a stop need not wait for a data set or a network being loaded.
    """
    found: list[protocol.ModelsEvaluated] = []

    def measure_all(on_progress: OnProgress) -> None:
        found.append(_measure_all(opened, request, token, on_progress))

    for what, n_done, n_total in paced(told(measure_all, token)):
        yield protocol.Progress(id=request.id, stage="measuring", n_done=n_done, n_total=n_total, current=what)
    yield found[0]


def _measure_all(
    opened: Opened, request: protocol.EvaluateModels, token: CancellationToken, on_progress: OnProgress
) -> protocol.ModelsEvaluated:
    validation = read_validation(request.content, Path(os.fsdecode(request.folder)))
    token.check()
    n_each = len(validation.photos) + sum(map(len, validation.photos.sentences))
    scores: list[ModelScore] = []
    for place, name in enumerate(request.models):

        def tell(what: str, n_done: int, _n: int, before: int = place * n_each) -> None:
            on_progress(what, before + n_done, n_each * len(request.models))

        scores.append(_measured(opened.models, name, validation, token, tell))
    return protocol.ModelsEvaluated(id=request.id, measured_on=validation.said, scores=tuple(scores))


def _measured(
    models: LoadedModels, name: str, validation: Validation, token: CancellationToken, on_progress: OnProgress
) -> ModelScore:
    """One model's numbers. What is wrong with the data is raised: it would be wrong for every model."""
    on_progress(name, 0, 0)
    try:
        _require_both(models, name)
        encoder = models.borrow(name)
        token.check()
        metrics = measure(encoder, validation, token, on_progress)
    except (ConfigError, PackageError, DeviceError) as error:
        return ModelScore(model=name, problem=str(error))
    return ModelScore(model=name, metrics=metrics)


def _require_both(models: LoadedModels, name: str) -> None:
    missing = [
        what
        for what, modality in (("photos", Modality.IMAGE), ("sentences", Modality.TEXT))
        if modality not in models.newest_package(name).manifest.modalities
    ]
    if missing:
        raise ConfigError(f"{name} reads no {' and no '.join(missing)}.")


def measure(
    encoder: Encoder, validation: Validation, token: CancellationToken, on_progress: OnProgress
) -> dict[str, float]:
    """Recall both ways and rSum in per cent; of a model of codes with labels also mAP both ways.

    Equal scores share their places: codes have many, and the order of the photos must not decide.

    Raises
    ------
    DatasetError
        a photo cannot be read.
    Cancelled
        a stop was asked for.
    """
    encoded = encode_split(
        encoder, validation.photos, token=token, on_progress=lambda done, n: on_progress(encoder.name, done, n)
    )
    pairs = EncodedPairs(_numbers(encoded.images), _numbers(encoded.sentences), encoded.owners)
    scores = Scores.from_ranks(standings_of(Similarities((pairs,)), token=token).ranks("mean"))
    metrics: dict[str, float] = {}
    for direction, recall in ((IMAGE_TO_TEXT, scores.image_to_text), (TEXT_TO_IMAGE, scores.text_to_image)):
        metrics |= {f"{direction} R@{k}": getattr(recall, f"r{k}") for k in (1, 5, 10)}
    return metrics | {"rSum": scores.rsum} | _precision(encoded, validation, token)


def _numbers(rows: Embeddings | BinaryCodes) -> np.ndarray:
    """Embeddings, or the signs of codes: products of these fall as Hamming distance rises; float32 (n, dim)."""
    return rows.values if isinstance(rows, Embeddings) else rows.signs.astype(np.float32)


def _precision(encoded: EncodedSplit, validation: Validation, token: CancellationToken) -> dict[str, float]:
    """Tie-aware mAP of codes both ways, as ``evaluate --protocol hashing`` has it; left out where nothing answers."""
    labels, photos, texts = validation.labels, encoded.images, encoded.sentences
    if labels is None or not isinstance(photos, BinaryCodes) or not isinstance(texts, BinaryCodes):
        return {}
    of_photos, of_texts = labels.queries, labels.queries[encoded.owners]
    found = {
        IMAGE_TO_TEXT: measure_codes(photos, texts, labels.between(of_photos, of_texts), token=token),
        TEXT_TO_IMAGE: measure_codes(texts, photos, labels.between(of_texts, of_photos), token=token),
    }
    return {
        f"{direction} mAP": 100.0 * scores.map_tie_aware
        for direction, scores in found.items()
        if not math.isnan(scores.map_tie_aware)
    }
