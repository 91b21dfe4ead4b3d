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
from explorer.engine.validation import Validation, validation_of
from explorer.errors import ConfigError, DeviceError, PackageError
from explorer.evaluation.encoding import EncodedSplit, encode_split, require_readable
from explorer.evaluation.hashing import measure_codes
from explorer.evaluation.report import Scores
from explorer.evaluation.similarities import EncodedPairs, Similarities, standings_of
from explorer.evaluation.visual import Visual, visual_of
from explorer.networks.encoder import Encoder
from explorer.protocol import Answer, ModelScore
from explorer.representations import BinaryCodes, Embeddings, Modality


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
    folder, scores = Path(os.fsdecode(request.folder)), []
    with validation_of(request.content, folder, token, on_progress) as validation:
        token.check()
        n_each = len(validation.items) + sum(map(len, validation.items.sentences))
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
        if Modality.TEXT not in models.newest_package(name).manifest.modalities:
            raise ConfigError(f"{name} reads no sentences.")
        encoder = models.borrow(name)
        token.check()
        _require_seeing(encoder, validation)
        metrics = measure(encoder, validation, token, on_progress)
    except (ConfigError, PackageError, DeviceError) as error:
        return ModelScore(model=name, problem=error.message)
    return ModelScore(model=name, metrics=metrics)


def _require_seeing(encoder: Encoder, validation: Validation) -> None:
    if visual_of(validation.items) is not Visual.IMAGE:
        require_readable(encoder, validation.items)
    elif Modality.IMAGE not in encoder.modalities:
        raise ConfigError(f"{encoder.name} reads no photos.")


def measure(
    encoder: Encoder, validation: Validation, token: CancellationToken, on_progress: OnProgress
) -> dict[str, float]:
    """Recall both ways and rSum in per cent; of a model of codes with labels also mAP both ways.

    Equal scores share their places: codes have many, and the order of the photos must not decide.

    Raises
    ------
    DatasetError
        a photo cannot be read.
    ConfigError
        the model sees no such thing.
    Cancelled
        a stop was asked for.
    """
    encoded = encode_split(
        encoder, validation.items, token=token, on_progress=lambda done, n: on_progress(encoder.name, done, n)
    )
    pairs = EncodedPairs(_numbers(encoded.images), _numbers(encoded.sentences), encoded.owners)
    scores = Scores.from_ranks(standings_of(Similarities((pairs,)), token=token).ranks("mean"))
    seen_asks, text_asks = _directions(validation)
    metrics: dict[str, float] = {}
    for direction, recall in ((seen_asks, scores.image_to_text), (text_asks, scores.text_to_image)):
        metrics |= {f"{direction} R@{k}": getattr(recall, f"r{k}") for k in (1, 5, 10)}
    return metrics | {"rSum": scores.rsum} | _precision(encoded, validation, token)


def _directions(validation: Validation) -> tuple[str, str]:
    """What the metrics of both ways are called: "image to text", "text to image"; of clips "video to text"."""
    seen = visual_of(validation.items).value
    return f"{seen} to text", f"text to {seen}"


def _numbers(rows: Embeddings | BinaryCodes) -> np.ndarray:
    """Embeddings, or the signs of codes: products of these fall as Hamming distance rises; float32 (n, dim)."""
    return rows.values if isinstance(rows, Embeddings) else rows.signs.astype(np.float32)


def _precision(encoded: EncodedSplit, validation: Validation, token: CancellationToken) -> dict[str, float]:
    """Tie-aware mAP of codes both ways, as ``evaluate --protocol hashing`` has it; left out where nothing answers."""
    labels, photos, texts = validation.labels, encoded.images, encoded.sentences
    if labels is None or not isinstance(photos, BinaryCodes) or not isinstance(texts, BinaryCodes):
        return {}
    of_photos, of_texts = labels.queries, labels.queries[encoded.owners]
    both = (
        measure_codes(photos, texts, labels.between(of_photos, of_texts), token=token),
        measure_codes(texts, photos, labels.between(of_texts, of_photos), token=token),
    )
    return {
        f"{direction} mAP": 100.0 * scores.map_tie_aware
        for direction, scores in zip(_directions(validation), both, strict=True)
        if not math.isnan(scores.map_tie_aware)
    }
