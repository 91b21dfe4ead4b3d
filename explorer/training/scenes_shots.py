"""A sample collection shot by shot, as a data set: ``python -m explorer.training.scenes_shots SAMPLE DIR``.

A clip of the collection may have up to three shots, each another scene. What can be measured of one clip with one code
is whether its scene is found; so ``captions.json`` and ``labels.json`` in DIR name each shot, by the times that the
collection's annotations say, with its own sentences and labels. Measure with
``evaluate --dataset DIR/captions.json --images SAMPLE``.
"""

import argparse
import sys
from pathlib import Path

import msgspec

from explorer.datasets.clips import CAPTIONS_FILE, LABELS_FILE
from explorer.datasets.json_file import decode_json, read_json_bytes
from explorer.datasets.scenes.collection import CLIP_ANNOTATIONS, CLIPS
from explorer.datasets.scenes.scene import label_names
from explorer.errors import DatasetError, UserFacingError

_NEEDS = "Name a folder that `retrieval-explorer sample` made."


class _Shot(msgspec.Struct):
    start_s: float
    end_s: float
    labels: tuple[str, ...]
    captions: tuple[str, ...]


class _Clip(msgspec.Struct):
    file_name: str
    shots: tuple[_Shot, ...]


def write_shots(sample: Path, folder: Path) -> int:
    """Write both files into a folder, which is made; how many shots they name.

    Raises
    ------
    DatasetError
        ``sample`` is no sample collection with clips, or the files cannot be written.
    """
    paths = sorted((sample / CLIP_ANNOTATIONS).glob("*.json"))
    if not paths:
        raise DatasetError(f"{sample} has no annotated clips.", _NEEDS)
    names = list(label_names())
    captions: dict[str, list[str]] = {}
    items: dict[str, list[int]] = {}
    for path in paths:
        clip = decode_json(read_json_bytes(path), _Clip, path, needs=_NEEDS)
        for shot in clip.shots:
            name = f"{CLIPS}/{clip.file_name}"
            if len(clip.shots) > 1:
                name += f"#t={shot.start_s:.3f},{shot.end_s:.3f}"
            captions[name] = list(shot.captions)
            items[name] = sorted(names.index(label) for label in shot.labels)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        described = {"captions": captions, "dataset": f"shots of {sample.name}"}
        (folder / CAPTIONS_FILE).write_bytes(msgspec.json.encode(described))
        (folder / LABELS_FILE).write_bytes(msgspec.json.encode({"names": names, "items": items}))
    except OSError as error:
        raise DatasetError(
            f"{folder} cannot be written: {error.strerror or error}.", "Choose another folder."
        ) from error
    return len(captions)


def main(arguments: list[str]) -> int:
    """Run the command; 1 with a sentence where it fails."""
    parser = argparse.ArgumentParser(prog="python -m explorer.training.scenes_shots", description=__doc__)
    parser.add_argument("sample", type=Path, help="a folder that `retrieval-explorer sample` made")
    parser.add_argument("folder", type=Path, help="where captions.json and labels.json go")
    chosen = parser.parse_args(arguments)
    try:
        n_shots = write_shots(chosen.sample, chosen.folder)
    except UserFacingError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    sys.stdout.write(f"{n_shots} shots in {chosen.folder / CAPTIONS_FILE}.\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
