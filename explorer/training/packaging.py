"""What every trained package says about itself."""

import subprocess
from collections.abc import Mapping
from pathlib import Path

from explorer.training.config import Recipe
from explorer.training.hashing_config import TVDBRecipe

_LICENCES = """## Licences

The weights in this package: Apache-2.0. {parts} Flickr8k (Hodosh, Young and Hockenmaier 2013) is for research use;
none of its photos or sentences is in this package.
"""

_MINILM_PARTS = """EfficientNet-Lite0 (ImageNet weights, Apache-2.0) and all-MiniLM-L6-v2 (Apache-2.0) come from their
own pip packages."""

_LABEL_PARTS = """EfficientNet-Lite0 (ImageNet weights, Apache-2.0) comes from its own pip package."""

_LIMITS = """## Limits

Learned from 6,000 everyday photos of people and dogs with English sentences; other subjects, other languages, text in
pictures, counting and left/right are beyond it. {own}
"""

_MINILM_LIMITS = """all-MiniLM-L6-v2 was itself trained on sentence pairs that include the
captions of COCO and Flickr30K, so its word states are no strangers to captions of this kind (it saw no photos)."""

_LABEL_LIMITS = """It learned from labels which photos show things of one class ({labels}): it knows what these classes
name, mixes up what they leave out, and knows the words of the training sentences only."""


RECALL_PROTOCOL = (
    "every sentence against every photo and the other way, rank of the best own item (Karpathy protocol). The numbers "
    "are of the split that the settings were chosen on, so expect a little less elsewhere."
)


def write_card(
    recipe: Recipe, *, what: str, table: str, n_train: int, n_val: int, folder: Path, protocol: str = RECALL_PROTOCOL
) -> str:
    """``CARD.md``: data, split, protocol, metrics, licences, how trained, limits.

    table: the metrics in Markdown, see :func:`recall_table` and :func:`hashing_table`.
    """
    seed = recipe.training.seed if hasattr(recipe, "training") else 0
    labelled = f"`{Path(recipe.labels.file).name}`" if isinstance(recipe, TVDBRecipe) else ""
    return "\n".join(
        [
            f"# {recipe.name}\n",
            what + "\n",
            "## Data and protocol\n",
            f"Trained on {n_train} photos of split `{recipe.dataset.train_split}` with up to five sentences each; "
            f"chosen and measured on {n_val} photos of `{recipe.dataset.val_split}`: {protocol}\n",
            "## Metrics on that split (per cent)\n",
            table,
            "## How it was trained\n",
            f"`retrieval-explorer train resources/recipes/{recipe.name}.toml`, seed {seed}, "
            f"source at commit {_commit(folder)}.\n",
            _LICENCES.format(parts=_LABEL_PARTS if labelled else _MINILM_PARTS),
            _LIMITS.format(own=_LABEL_LIMITS.format(labels=labelled) if labelled else _MINILM_LIMITS),
        ]
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


def _commit(folder: Path) -> str:
    """The checkout's commit, or "unknown" where the program runs from an installed wheel."""
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
