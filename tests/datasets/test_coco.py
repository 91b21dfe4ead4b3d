"""COCO masks become class maps that agree with pycocotools and with each other."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from explorer.datasets.coco import (
    Instance,
    InstanceImage,
    PanopticSegment,
    RunLengths,
    instance_class_map,
    instance_mask,
    load_panoptic_map,
    panoptic_class_map,
    read_instances,
    read_panoptic,
    read_panoptic_categories,
)
from explorer.datasets.coco_classes import (
    COCO_THING_IDS,
    COCO_THINGS,
    VOC_CLASS_OF_CATEGORY,
    VOC_CLASSES,
    VOC_OF_COCO,
    VOID,
)
from explorer.errors import DatasetError

PERSON, DOG, BOOK, SKY = 1, 18, 84, 187


def polygon_instance(category_id: int, polygon: list[float], box: tuple[float, float, float, float]) -> Instance:
    return Instance(image_id=1, category_id=category_id, bbox=box, segmentation=[polygon])


def test_names() -> None:
    assert len(COCO_THINGS) == len(set(COCO_THINGS)) == len(COCO_THING_IDS) == 80
    assert len(VOC_CLASSES) == 21
    assert set(VOC_OF_COCO.values()) == set(VOC_CLASSES) - {"background"}
    assert VOC_OF_COCO["couch"] == "sofa"
    assert VOC_CLASSES[VOC_CLASS_OF_CATEGORY[PERSON]] == "person"
    assert sorted(VOC_CLASS_OF_CATEGORY.values()) == list(range(1, 21))


def test_things_are_those_of_the_data_set(shared_data: Path) -> None:
    categories = read_panoptic_categories(shared_data / "coco" / "panoptic_val2017.json")
    assert len(categories) == 133
    things = [category for category in categories if category.isthing]
    assert tuple(category.name for category in things) == COCO_THINGS
    assert tuple(category.id for category in things) == COCO_THING_IDS


def test_panoptic_pixels_become_classes() -> None:
    pixels = np.zeros((2, 3, 3), np.uint8)
    pixels[0, 0] = (1, 2, 3)  # 1 + 512 + 196608 = 197121
    pixels[0, 1] = (7, 0, 0)
    pixels[0, 2] = (8, 0, 0)
    pixels[1, 0] = (9, 0, 0)
    segments = [
        PanopticSegment(197121, PERSON),
        PanopticSegment(7, SKY),
        PanopticSegment(8, PERSON, iscrowd=1),
        PanopticSegment(9, BOOK, iscrowd=1),
    ]
    person = VOC_CLASSES.index("person")
    assert panoptic_class_map(pixels, segments).tolist() == [[person, 0, VOID], [0, VOID, VOID]]
    with pytest.raises(DatasetError, match="holds segment 9, which the json does not name"):
        panoptic_class_map(pixels, segments[:3])


def test_smaller_things_lie_on_larger_and_crowds_count_for_nobody() -> None:
    image = InstanceImage(
        1,
        Path("x"),
        8,
        6,
        (
            polygon_instance(DOG, [2, 2, 4, 2, 4, 4, 2, 4], (2, 2, 2, 2)),
            polygon_instance(PERSON, [0, 0, 6, 0, 6, 6, 0, 6], (0, 0, 6, 6)),
            polygon_instance(BOOK, [0, 0, 8, 0, 8, 6, 0, 6], (0, 0, 8, 6)),
            Instance(1, PERSON, (7, 0, 1, 6), RunLengths([42, 6], (6, 8)), iscrowd=1),
        ),
    )
    class_map = instance_class_map(image)
    person, dog = VOC_CLASSES.index("person"), VOC_CLASSES.index("dog")
    assert class_map[3, 3] == dog
    assert class_map[1, 1] == person
    assert (class_map[:, 6] == 0).all()
    assert (class_map[:, 7] == VOID).all()


def test_run_lengths_of_another_size_are_refused() -> None:
    instance = Instance(5, PERSON, (0, 0, 1, 1), RunLengths([3, 2], (5, 1)), iscrowd=1)
    assert instance_mask(instance, 5, 1).tolist() == [[False]] * 3 + [[True]] * 2
    with pytest.raises(DatasetError, match=r"image 5 fill 5 pixels of \(5, 1\), expected 6"):
        instance_mask(instance, 6, 1)


def test_box_as_corners() -> None:
    assert polygon_instance(PERSON, [], (10, 20, 3, 4)).xyxy_px == (10, 20, 13, 24)


def test_instance_masks_agree_with_pycocotools(shared_data: Path) -> None:
    coco_mask = pytest.importorskip("pycocotools.mask")
    folder = shared_data / "coco"
    common = different = 0
    for image in read_instances(folder / "instances_val2017.json", folder / "images" / "val2017")[:25]:
        for instance in image.instances:
            mask = instance_mask(instance, image.height_px, image.width_px)
            if isinstance(instance.segmentation, RunLengths):
                runs = {"counts": instance.segmentation.counts, "size": list(instance.segmentation.size)}
                oracle = coco_mask.decode(coco_mask.frPyObjects(runs, image.height_px, image.width_px)).astype(bool)
                np.testing.assert_array_equal(mask, oracle)
            else:
                runs = coco_mask.frPyObjects(instance.segmentation, image.height_px, image.width_px)
                oracle = coco_mask.decode(coco_mask.merge(runs)).astype(bool)
                common, different = common + (mask & oracle).sum(), different + (mask ^ oracle).sum()
    # The two fill the outline's own pixels by different rules; inside there is no difference.
    assert different < 0.03 * common


def test_instances_agree_with_panoptic_maps(shared_data: Path) -> None:
    folder = shared_data / "coco"
    photos = folder / "images" / "val2017"
    instances = {image.image_id: image for image in read_instances(folder / "instances_val2017.json", photos)}
    both = [image for image in read_panoptic(folder / "panoptic_val2017.json", photos) if image.image_id in instances]
    assert both
    for image in both:
        panoptic, polygons = load_panoptic_map(image), instance_class_map(instances[image.image_id])
        assert panoptic.shape == polygons.shape
        annotated = (panoptic != VOID) & (polygons != VOID)
        assert (panoptic == polygons)[annotated].mean() > 0.9


def test_panoptic_round_trip_with_odd_names(tmp_path: Path) -> None:
    (tmp_path / "masks of mine").mkdir()
    pixels = np.zeros((4, 5, 3), np.uint8)
    pixels[:2] = (0, 1, 0)
    Image.fromarray(pixels).save(tmp_path / "masks of mine" / "ä b.png")
    (tmp_path / "ä b.jpg").touch()
    content = {
        "images": [{"id": 3, "file_name": "ä b.jpg", "width": 5, "height": 4}],
        "annotations": [
            {"image_id": 3, "file_name": "ä b.png", "segments_info": [{"id": 256, "category_id": DOG, "iscrowd": 0}]}
        ],
        "categories": [{"id": DOG, "name": "dog", "isthing": 1}],
    }
    path = tmp_path / "masks of mine.json"
    path.write_text(json.dumps(content))
    (image,) = read_panoptic(path, tmp_path)
    dog = VOC_CLASSES.index("dog")
    assert load_panoptic_map(image).tolist() == [[dog] * 5] * 2 + [[VOID] * 5] * 2

    (tmp_path / "ä b.jpg").unlink()
    with pytest.raises(DatasetError, match=r"1 files that .* names are missing"):
        read_panoptic(path, tmp_path)
    content["annotations"][0]["image_id"] = 4  # type: ignore[index]
    path.write_text(json.dumps(content))
    with pytest.raises(DatasetError, match="annotations for image 4, which it does not list"):
        read_panoptic(path, tmp_path)


@pytest.mark.parametrize(
    ("content", "message"),
    [("{", "not valid JSON"), ("{}", "not in COCO's instances form"), ('{"images": 3}', "Expected `array`")],
)
def test_wrong_file_is_a_sentence(tmp_path: Path, content: str, message: str) -> None:
    (tmp_path / "x.json").write_text(content)
    with pytest.raises(DatasetError, match=message):
        read_instances(tmp_path / "x.json", tmp_path)
    with pytest.raises(DatasetError, match="cannot be read"):
        read_instances(tmp_path / "y.json", tmp_path)
