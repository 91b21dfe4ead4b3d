"""What recipes of every task have: where the data is, and what the frozen backbone gives."""

from typing import Annotated

import msgspec

Positive = Annotated[int, msgspec.Meta(ge=1)]
Count = Annotated[int, msgspec.Meta(ge=0)]
Share = Annotated[float, msgspec.Meta(ge=0.0, lt=1.0)]
Rate = Annotated[float, msgspec.Meta(gt=0.0, le=1.0)]


class DatasetSection(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Photos with sentences: a data set's, or those of a library; exactly one of ``annotations`` and ``library``.

    What comes without splits, or with a single one, is divided by ``val_share`` (``division.py``).

    Attributes:
        annotations: file or folder of a data set (``datasets/photo_sets.py`` says which); ``$NAMES`` are taken from the
            environment, relative paths start at the recipe.
        library: folder of a library of this program; its photos that have sentences are trained on. A path as above.
        images: folder of the photos; empty: where the data set has them, ``images`` beside a json.
        train_split: split to train on; several are joined by plus signs.
        val_split: split to choose on.
        val_share: share of the photos that are kept for validation where the data has no splits.
        max_photos: use only the first photos of each split (0: all); for trying a recipe out.
    """

    annotations: str = ""
    library: str = ""
    images: str = ""
    train_split: str = "train"
    val_split: str = "val"
    val_share: Share = 0.1
    max_photos: Count = 0

    def __post_init__(self) -> None:
        if bool(self.annotations) == bool(self.library):
            raise ValueError("exactly one of annotations and library must be given")


class FeatureSection(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the frozen backbone gives, once for every view of a photo.

    Attributes:
        vision: the vision package; empty: the backbone alone.
        n_crops: random crops with changed colours of each training photo, beside the photo itself (reconstructed).
        flip: whether the mirrored photo is a view, too (reconstructed).
        seed: of the crops.
        proposer: a torchvision detector that gives the regions in the place of vision's own proposer; its weights must
            be here (``retrieval-explorer models fetch NAME``).
    """

    vision: str = ""
    n_crops: Count = 0
    flip: bool = False
    seed: int = 0
    proposer: str = ""
