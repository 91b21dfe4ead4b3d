"""What every trained package says about itself."""

import subprocess
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path

from explorer.training.config import ImageSentenceRecipe, PooledRecipe, Recipe
from explorer.training.dsmhn_config import DSMHNRecipe
from explorer.training.hashing_config import TVDBRecipe
from explorer.training.phases import PhaseEnd
from explorer.training.preparation import TrainingPlaces
from explorer.training.snapshot import Origin, read_origin

PhotoRecipe = PooledRecipe | ImageSentenceRecipe | TVDBRecipe | DSMHNRecipe
"""Recipes of what is trained on captioned photos."""

_FLICKR8K = "flickr8k"

_LICENCES = """## Licences

The weights in this package: Apache-2.0. {parts} {data}
"""

_FLICKR8K_LICENCE = """Flickr8k (Hodosh, Young and Hockenmaier 2013) is for research use;
none of its photos or sentences is in this package."""

_OTHER_LICENCE = """The photos and sentences that it was trained on have licences of their own, which
may limit what the package may be used for; none of them is in it."""

_MINILM_PARTS = """EfficientNet-Lite0 (ImageNet weights, Apache-2.0) and all-MiniLM-L6-v2 (Apache-2.0) come from their
own pip packages."""

_LABEL_PARTS = """EfficientNet-Lite0 (ImageNet weights, Apache-2.0) comes from its own pip package."""

_LIMITS = """## Limits

Learned from {learned}; other subjects, other languages, text in
pictures, counting and left/right are beyond it. {own}
"""

_FLICKR8K_LEARNED = "6,000 everyday photos of people and dogs with English sentences"

_MINILM_LIMITS = """all-MiniLM-L6-v2 was itself trained on sentence pairs that include the
captions of COCO and Flickr30K, so its word states are no strangers to captions of this kind (it saw no photos)."""

_LABEL_LIMITS = """It learned from labels which photos show things of one class ({labels}): it knows what these classes
name and mixes up what they leave out."""

_WORD_LIMITS = """It knows the words of the training sentences only."""


RECALL_PROTOCOL = (
    "every sentence against every photo and the other way, rank of the best own item (Karpathy protocol). The numbers "
    "are of the split that the settings were chosen on, so expect a little less elsewhere."
)


def write_card(
    recipe: PhotoRecipe,
    *,
    what: str,
    table: str,
    n_train: int,
    n_val: int,
    places: TrainingPlaces,
    protocol: str = RECALL_PROTOCOL,
    end: PhaseEnd | None = None,
) -> str:
    """``CARD.md``: data, split, protocol, metrics, licences, how trained, limits.

    table: the metrics in Markdown, see :func:`recall_table` and :func:`hashing_table`.
    places: of the run, which keeps its data (``snapshot.py``).   end: how the phase ended that the package is made of.
    """
    origin = read_origin(places.run.folder)
    is_flickr8k = origin is not None and origin.dataset == _FLICKR8K and not recipe.dataset.library
    labelled = _labels_of(recipe)
    minilm = _reads_minilm(recipe)
    limits = [_LABEL_LIMITS.format(labels=labelled)] if labelled else []
    limits += [] if minilm else [_WORD_LIMITS]
    limits += [_MINILM_LIMITS] if minilm else []
    learned = _FLICKR8K_LEARNED if is_flickr8k else f"{n_train:,} photos and what was said about them"
    return "\n".join(
        [
            f"# {recipe.name}\n",
            what + "\n",
            "## Data and protocol\n",
            f"{_trained_on(recipe, origin, n_train, n_val)} {protocol}\n",
            "## Metrics on that split (per cent)\n",
            table,
            "## How it was trained\n",
            how_trained(recipe, places, end) + "\n",
            _LICENCES.format(
                parts=_MINILM_PARTS if minilm else _LABEL_PARTS,
                data=_FLICKR8K_LICENCE if is_flickr8k else _OTHER_LICENCE,
            ),
            _LIMITS.format(learned=learned, own=" ".join(limits)),
        ]
    )


def _trained_on(recipe: PhotoRecipe, origin: Origin | None, n_train: int, n_val: int) -> str:
    section = recipe.dataset
    if section.library:
        source = "of a person's library, with up to five sentences each"
    elif origin is not None and origin.divided:
        source = f"of `{origin.dataset}`, with up to five sentences each"
    else:
        named = f" of `{origin.dataset}`" if origin is not None else ""
        return (
            f"Trained on {n_train} photos of split `{section.train_split}`{named} with up to five sentences each; "
            f"chosen and measured on {n_val} photos of `{section.val_split}`:"
        )
    return (
        f"Trained on {n_train} photos {source}; chosen and measured on {n_val} others, which were taken by a hash of "
        "their names (explorer/training/division.py):"
    )


def _labels_of(recipe: PhotoRecipe) -> str:
    """What the card calls the labels; empty where there are none."""
    labels = recipe.labels if isinstance(recipe, TVDBRecipe | DSMHNRecipe) else None
    if labels is None:
        return ""
    if labels.file:
        return f"`{Path(labels.file).name}`"
    return "COCO's things that their sentences name" if labels.source == "sentences" else "as the data set has them"


def how_trained(recipe: Recipe, places: TrainingPlaces, end: PhaseEnd | None) -> str:
    """The command that made a package, and which epoch is in it where that is not the last one."""
    seed = recipe.training.seed if hasattr(recipe, "training") else 0
    shipped = _is_shipped(recipe.name, places)
    given = f"resources/recipes/{recipe.name}.toml" if shipped else "recipe.toml"
    run = "" if shipped else f" of the run `{places.run.folder.name}`"
    source = commit_of(Path(__file__).parent)
    said = f"`retrieval-explorer train {given}`{run}, seed {seed}, source at commit {source}."
    if end is None or not end.early:
        return said
    why = "somebody ended the run and kept it" if end.kept else "none after it was better"
    return f"{said} Epoch {end.epoch} is in it, the best one: {why}."


def _is_shipped(name: str, places: TrainingPlaces) -> bool:
    """Whether the run's recipe is one that came with the program, and not one that was only begun with it."""
    file = places.recipe_folder / f"{name}.toml"
    if file.parts[-3:-1] != ("resources", "recipes") or not file.is_file():
        return False
    return file.read_bytes() == places.run.recipe_path.read_bytes()


def _reads_minilm(recipe: PhotoRecipe) -> bool:
    return not isinstance(recipe, TVDBRecipe) and (
        not isinstance(recipe, DSMHNRecipe) or "minilm" in recipe.text.readers
    )


def describe_dsmhn(recipe: DSMHNRecipe) -> str:
    """What a package of DSMHN is, and what of it is not the paper's."""
    loss = recipe.loss
    terms = [
        f"{name.replace('_', ' ')} {weight:g}" for name, weight in asdict(loss.weights()).items() if weight
    ]
    changes = [
        f"what is read of a picture ({', '.join(recipe.image.parts)})",
        f"what reads sentences ({', '.join(recipe.text.readers)})",
        "activations normalised before the tanh" if recipe.network.normalised else "",
        f"the losses' weights ({', '.join(terms)})",
        "one softmax over all classes" if loss.labels == "single" else "",
        "one classifier for pictures and sentences" if recipe.network.shared_classifier else "",
        "mirrored photos" if recipe.features.flip else "",
        "averaged weights" if recipe.training.averaging else "",
    ]
    return (
        f"DSMHN (networks/dsmhn/README.md): {recipe.network.n_bits}-bit codes of pictures and of sentences, trained so "
        "that what shares a label is close between the two, and so that classes can be told from the codes. "
        f"Reconstructed, not in the paper: {', '.join(change for change in changes if change)}."
    )


def recall_table(metrics: Mapping[str, float]) -> str:
    """Recall both ways."""
    head = "| image to text R@1 | R@5 | R@10 | text to image R@1 | R@5 | R@10 | rSum |"
    names = ("i2t_r1", "i2t_r5", "i2t_r10", "t2i_r1", "t2i_r5", "t2i_r10", "rsum")
    row = " | ".join(f"{metrics[name]:.1f}" for name in names)
    return f"{head}\n| --- | --- | --- | --- | --- | --- | --- |\n| {row} |\n"


def hashing_table(metrics: Mapping[str, float], n_bits: int) -> str:
    """Tie-aware mAP both ways, and whether the codes say anything."""
    head = "| bits | image to text mAP | text to image mAP | photos with a code of their own | mean bit correlation |"
    row = f"| {n_bits} | {metrics['i2t_map']:.1f} | {metrics['t2i_map']:.1f}"
    row += f" | {100 * metrics['unique_share']:.0f} | {100 * metrics['bit_correlation']:.0f} |"
    return f"{head}\n| --- | --- | --- | --- | --- |\n{row}\n"


def commit_of(folder: Path) -> str:
    """The checkout's commit in twelve digits, or "unknown" where the program runs from an installed wheel."""
    try:
        done = subprocess.run(
            ["git", "-C", str(folder), "rev-parse", "--short=12", "HEAD"],
            capture_output=True,
            text=True,
            timeout=10,
            check=True,
        )
    except (OSError, subprocess.SubprocessError):
        return "unknown"
    return done.stdout.strip()
