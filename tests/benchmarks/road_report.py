"""Indexing beside the eager backbone alone, and a second run over an unchanged folder, as one JSON document.

    python tests/benchmarks/road_report.py FOLDER_OF_PHOTOS [--model M] [--rounds 3] > road.json

"Eager backbone alone" is the shared backbone as PyTorch makes it, batch 16, on the same photos already decoded and
squashed, with as many threads as the engine uses. Indexing is everything: scanning, reading, hashing, decoding,
thumbnails, the whole model, the catalogue.
"""

import argparse
import json
import os
import statistics
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import torch

from explorer import paths, protocol
from explorer.engine.engine import Engine
from explorer.media.image import decode_image, squash
from explorer.media.item import is_supported, read_content
from explorer.vision.backbone import DEFAULT_BACKBONE, load_backbone, to_squares
from explorer.vision.device import n_threads


def eager_s(squares: np.ndarray) -> float:
    """Seconds for all photos, already decoded."""
    backbone = load_backbone(DEFAULT_BACKBONE).eval()
    with torch.inference_mode():
        backbone(to_squares(squares[:16], squares.shape[1]))
        started = time.perf_counter()
        for place in range(0, len(squares), 16):
            backbone(to_squares(squares[place : place + 16], squares.shape[1]))
    return time.perf_counter() - started


def index_s(engine: Engine, photos: Path, library: Path, model: str) -> protocol.IndexFinished:
    """Index into this library and say how it went."""
    list(engine.answer(protocol.OpenLibrary(id=1, path=os.fsencode(library))))
    request = protocol.IndexFolders(id=2, folders=(os.fsencode(photos),), model=model)
    finished = list(engine.answer(request))[-1]
    assert isinstance(finished, protocol.IndexFinished), finished
    return finished


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("--model", default="3shnet-flickr8k")
    parser.add_argument("--rounds", type=int, default=3)
    wanted = parser.parse_args()
    files = sorted(path for path in wanted.folder.rglob("*") if is_supported(path.name))
    torch.set_num_threads(n_threads())
    engine = Engine(paths.places().model_folders, device="cpu")
    side_px = engine.opened.models.get(wanted.model).side_px
    squares = np.stack(
        [squash(decode_image(read_content(os.fsencode(path)), min_edge_px=256).pixels, side_px) for path in files]
    )
    rounds, second = [], 0.0
    with tempfile.TemporaryDirectory() as scratch:
        for number in range(wanted.rounds):
            alone = eager_s(squares)
            library = Path(scratch) / str(number)
            done = index_s(engine, wanted.folder, library, wanted.model)
            second = index_s(engine, wanted.folder, library, wanted.model).elapsed_s
            rounds.append({"eager_s": round(alone, 2), "index_s": round(done.elapsed_s, 2),
                           "ratio": round(done.elapsed_s / alone, 3), "second_run_s": round(second, 3)})
        engine.close()
    report = {
        "n_photos": len(files),
        "threads": n_threads(),
        "rounds": rounds,
        "median_ratio": statistics.median(entry["ratio"] for entry in rounds),
        "photos_per_s": round(len(files) / statistics.median(entry["index_s"] for entry in rounds), 1),
    }
    sys.stdout.write(json.dumps(report, indent=2) + "\n")


if __name__ == "__main__":
    main()
