"""How a query's time grows with the library: ``python -m explorer.engine.speed`` writes JSON.

Real sentences through the real model, one at a time, against galleries of several sizes (papers.md 3.10). The galleries
are embeddings of real photos; where more items are asked for than photos were encoded, the embeddings are repeated
with a little noise, and the JSON says so.
"""

import argparse
import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

from explorer import paths
from explorer.cancellation import CancellationToken
from explorer.engine.models import LoadedModels
from explorer.errors import ConfigError, UserFacingError
from explorer.evaluation.encoding import encode_gallery
from explorer.evaluation.protocols import IMAGE_SENTENCE, PROTOCOLS
from explorer.evaluation.sources import read_source
from explorer.evaluation.timing import JITTER, some_sentences, tile_gallery, time_queries, to_dict

SIZES = (1_000, 5_000, 25_000)


def measure_speed(
    model: str,
    dataset: Path,
    *,
    models: LoadedModels,
    split: str,
    images: Path | None = None,
    sizes: Sequence[int] = SIZES,
    n_queries: int = 200,
    n_photos: int = 1_000,
) -> dict[str, Any]:
    """Times of one model at several sizes, and how they grow.

    Parameters
    ----------
    model, models
        name of a package, and what loads it.
    dataset, split, images
        where sentences and photos come from; ``images`` beside the json is the photos' folder by default.
    sizes
        of the galleries.
    n_queries
        sentences, spread evenly over the split.
    n_photos
        at most so many of the split's first photos are encoded.

    Raises
    ------
    DatasetError
        the data set cannot be read.
    PackageError
        there is no such model.
    ConfigError
        a size is not positive, or the model makes codes.
    """
    if min(sizes, default=0) < 1 or n_queries < 1 or n_photos < 1:
        raise ConfigError("Sizes and numbers of queries and photos must be 1 or more.")
    source = read_source(dataset, PROTOCOLS[IMAGE_SENTENCE], split=split, images=images)
    encoder = models.get(model)
    token = CancellationToken()
    embeddings = encode_gallery(encoder, source, n_photos, token=token, on_progress=_tell)
    texts = some_sentences(source.sentences, n_queries)
    galleries = [tile_gallery(embeddings, size) for size in sizes]
    timings = time_queries(encoder, texts, galleries, token=token)
    return {
        "model": model,
        "dataset": source.name,
        "split": source.split,
        "device": encoder.device,
        "n_threads": torch.get_num_threads(),
        "n_cores": os.cpu_count(),
        "load_average": _load(),
        "n_photos": len(embeddings),
        "gallery": f"{len(embeddings)} photos' embeddings; beyond them repeated with noise, {JITTER:g} of their length",
        **to_dict(timings),
    }


def main(arguments: Sequence[str] | None = None) -> int:
    """The command; exit status 1 with one sentence for what a user can cause."""
    given = _parser().parse_args(arguments)
    try:
        if given.output is not None and not given.output.absolute().parent.is_dir():
            raise ConfigError(f"There is no folder {given.output.absolute().parent}.", "Make it first.")
        models = LoadedModels(paths.places(given.data_dir).model_folders, device=given.device)
        found = measure_speed(
            given.model,
            given.dataset,
            models=models,
            split=given.split,
            images=given.images,
            sizes=given.items,
            n_queries=given.queries,
            n_photos=given.photos,
        )
        _write(json.dumps(found, indent=2) + "\n", given.output)
    except UserFacingError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    except KeyboardInterrupt:
        sys.stderr.write("\nStopped; nothing was measured to its end.\n")
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m explorer.engine.speed", description=__doc__)
    parser.add_argument("--model", required=True)
    parser.add_argument("--dataset", type=Path, required=True, help="a json, or a folder of feature files")
    parser.add_argument("--split", default="val")
    parser.add_argument("--images", type=Path, help="folder of the photos, if it is not images/ beside the json")
    parser.add_argument("--items", type=int, nargs="+", default=list(SIZES), help="sizes of the gallery")
    parser.add_argument("--queries", type=int, default=200, help="sentences, asked one at a time")
    parser.add_argument("--photos", type=int, default=1_000, help="encode at most so many")
    parser.add_argument("--device", default="auto")
    parser.add_argument("--data-dir", type=Path, help="where imported and trained packages are")
    parser.add_argument("-o", "--output", type=Path, help="JSON file; standard output by default")
    return parser


def _write(text: str, output: Path | None) -> None:
    if output is None:
        sys.stdout.write(text)
        return
    try:
        output.write_text(text, encoding="utf-8")
    except OSError as error:
        raise ConfigError(f"{output} cannot be written: {error.strerror or error}.", "Name another file.") from error


def _load() -> float | None:
    """Processes that want a processor, mean of the last minute; None where the system does not say."""
    return round(os.getloadavg()[0], 1) if hasattr(os, "getloadavg") else None


def _tell(n_done: int, n_total: int) -> None:
    sys.stderr.write(f"\r{n_done} of {n_total} photos encoded{'' if n_done < n_total else chr(10)}")


if __name__ == "__main__":
    sys.exit(main())
