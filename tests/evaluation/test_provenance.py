"""What a report says a model was trained on comes from the model's card, and from nowhere else."""

from pathlib import Path
from types import SimpleNamespace

import pytest

from explorer.evaluation.provenance import training_data_of
from explorer.packages.package import read_package

_MODELS = Path(__file__).resolve().parents[2] / "models"


@pytest.mark.parametrize(
    ("card", "says"),
    [
        ("# m\n\nTrained on 60 photos of `train`\nwith words; chosen on `val`.", "60 photos of train with words"),
        ("The authors trained on MS-COCO 2014. More.", "MS-COCO 2014"),
        ("It was trained on COCO v1.0 train + restval", "COCO v1.0 train + restval"),
        ("Imported from the authors' file; its data are not known.", ""),
        ("", ""),
    ],
)
def test_first_sentence_that_says_so(card: str, says: str) -> None:
    package = SimpleNamespace(card=card, manifest=SimpleNamespace(title="A model"))
    assert training_data_of(package) == (f"A model: {says}" if says else "")  # type: ignore[arg-type]


def test_a_long_story_is_cut_between_words() -> None:
    package = SimpleNamespace(card="Trained on " + "many words " * 50, manifest=SimpleNamespace(title="T"))
    said = training_data_of(package)  # type: ignore[arg-type]
    assert len(said) < 215
    assert said.endswith(("many ...", "words ..."))


def test_shipped_packages_say_it() -> None:
    for name in ("3shnet-flickr8k", "pooled-flickr8k"):
        assert "Flickr8k" in training_data_of(read_package(_MODELS / name))
