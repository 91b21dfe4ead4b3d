"""IAPR TC-12 and its labels, written here as the two archives unpack."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from explorer.datasets.iapr import read_iapr
from explorer.datasets.tagged_text import tagged_text
from explorer.errors import DatasetError

WLIST = "1\taerostatic-balloon\n2\tair-vehicle\n3\t\n4\tmountain\n5\tsky blue\n"
LABELS = {
    "00": "25\t1\t4\n25\t2\t5\n25\t3\t4\n\n112\t1\t3\n",
    "02": " 2808 1 5 \n9999 1 2\n",
}
DESCRIPTIONS = {
    "00/25": "a man in the Tafí del Valle; a lake\nin the  background;",
    "00/112": "bread &amp; b\xfcrgers & more",
    "02/2808": ";",
    "02/3000": "has no regions;",
}


def annotation(name: str, description: str) -> str:
    return (
        f"<DOC>\n<DOCNO>annotations/{name}.eng</DOCNO>\n<TITLE>Caf\xe9 San Mart\xedn</TITLE>\n"
        f"<DESCRIPTION>{description}</DESCRIPTION>\n<NOTES></NOTES>\n<LOCATION>Tucum\xe1n, Argentina</LOCATION>\n"
        f"<DATE>January 2002</DATE>\n<IMAGE>images/{name}.jpg</IMAGE>\n<THUMBNAIL>thumbnails/{name}.jpg</THUMBNAIL>\n"
        "</DOC>\n"
    )


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, Path]:
    folder, benchmark = tmp_path / "iapr tc12", tmp_path / "saiaprtc12ok" / "benchmark"
    for name, description in DESCRIPTIONS.items():
        path = folder / "annotations_complete_eng" / f"{name}.eng"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(annotation(name, description), encoding="latin-1")
        photo = folder / "images" / f"{name}.jpg"
        photo.parent.mkdir(parents=True, exist_ok=True)
        photo.touch()
    for part, lines in LABELS.items():
        path = benchmark / "saiapr_tc-12" / part / "labels.txt"
        path.parent.mkdir(parents=True)
        path.write_text(lines)
    (benchmark / "wlist.txt").write_text(WLIST)
    return folder, benchmark


def test_items_by_number_with_labels_that_occur(folders: tuple[Path, Path]) -> None:
    items = read_iapr(*folders)
    assert (items.name, items.filenames) == ("iaprtc12", ("25.jpg", "112.jpg", "2808.jpg"))
    assert items.label_names == ("label 3", "mountain", "sky blue")
    np.testing.assert_array_equal(items.labels, [[0, 1, 1], [1, 0, 0], [0, 0, 1]])
    assert items.texts == (
        ("a man in the Tafí del Valle; a lake in the background",),
        ("bread & bürgers & more",),
        (),
    )
    assert items.image_paths is not None
    assert items.image_paths[0] == folders[0] / "images" / "00" / "25.jpg"
    assert items.to_label_file().items["25.jpg"] == (1, 2)


def test_photos_may_be_elsewhere(folders: tuple[Path, Path]) -> None:
    (folders[0] / "images" / "02" / "2808.jpg").unlink()
    with pytest.raises(DatasetError, match="1 of 3 photos of the split iaprtc12 are missing"):
        read_iapr(*folders)
    assert read_iapr(*folders, photos=False).image_paths is None


def rewrite(path: str, content: str) -> Callable[[Path], None]:
    return lambda root: (root / path).write_text(content) and None


ENGLISH = "iapr tc12/annotations_complete_eng"
BENCHMARK = "saiaprtc12ok/benchmark"


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (lambda root: (root / ENGLISH).rename(root / "gone"), r"has no files NN/N\.eng"),
        (lambda root: (root / BENCHMARK / "wlist.txt").unlink(), r"wlist\.txt is missing"),
        (lambda root: (root / BENCHMARK / "saiapr_tc-12/02/labels.txt").unlink(), r"02/labels\.txt is missing"),
        (rewrite(f"{ENGLISH}/00/25.eng", annotation("00/25", "x")[:-30]), r"25\.eng is cut off"),
        (rewrite(f"{ENGLISH}/00/25.eng", annotation("00/112", "x")), r"25\.eng speaks of the photo images/00/112\.jpg"),
        (rewrite(f"{ENGLISH}/00/x.eng", annotation("00/x", "x")), r"x\.eng is not called as a photo's number"),
        (rewrite(f"{ENGLISH}/02/25.eng", annotation("02/25", "x")), "there twice"),
        (rewrite(f"{BENCHMARK}/saiapr_tc-12/02/labels.txt", "2808 1"), "Line 1 of .* is not photo, region and label"),
        (rewrite(f"{BENCHMARK}/saiapr_tc-12/02/labels.txt", "2808 1 2.5"), "is not photo, region and label"),
        (rewrite(f"{BENCHMARK}/saiapr_tc-12/02/labels.txt", "\n2808 1 6"), "Line 2 of .* has label 6"),
        (rewrite(f"{BENCHMARK}/wlist.txt", "1\ta\nmountain\n"), "Line 2 of .* has no number"),
    ],
)
def test_what_does_not_fit_is_one_sentence(
    folders: tuple[Path, Path], tmp_path: Path, spoil: Callable[[Path], object], says: str
) -> None:
    spoil(tmp_path)
    with pytest.raises(DatasetError, match=says):
        read_iapr(*folders)


def test_folders_of_different_photos(folders: tuple[Path, Path]) -> None:
    for part in LABELS:
        (folders[1] / "saiapr_tc-12" / part / "labels.txt").write_text("1 1 1\n")
    with pytest.raises(DatasetError, match="None of the photos"):
        read_iapr(*folders)


def test_texts_between_tags() -> None:
    assert tagged_text("<a>x</a><a >\n y &lt;&#233; </a >", "a") == "x"
    assert tagged_text("<b></b><a >\n y &lt;&#233; </a >", "a") == "y <é"
    assert tagged_text("<a><![CDATA[R&D <b>]]></a>", "a") == "R&D <b>"
    assert tagged_text("<a>x", "a") is None
    # An entity that a document declares is not expanded.
    assert tagged_text('<!DOCTYPE a [<!ENTITY lol "lol">]><a>&lol;</a>', "a") == "&lol;"
