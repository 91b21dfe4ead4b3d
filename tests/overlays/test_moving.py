from dataclasses import replace

import numpy as np
import pytest

from explorer.overlays import (
    ColourMap,
    HeatOverlay,
    Style,
    heat_range,
    heat_rgba,
    legend_rows,
    moving_overlays,
    overlays_at,
    overlays_from_explanation,
)
from explorer.protocol import ClassMap, ClipMaps, Explanation, Grid, MovingClasses, MovingGrid

TIMES = (12.0, 12.5, 13.0)
NAMES = ("background", "dog", "person")


def _grid(name, values):
    values = np.asarray(values, "<f4")
    return Grid(name=name, title=name.title(), height=values.shape[0], width=values.shape[1], values=values.tobytes())


def _moving(name, frames):
    frames = np.asarray(frames, "<f2")
    _, height, width = frames.shape
    return MovingGrid(name=name, title=name.title(), height=height, width=width, values=frames.tobytes())


def _classes(ids):
    ids = np.asarray(ids, np.uint8)
    _, height, width = ids.shape
    return MovingClasses(
        height=height, width=width, class_ids=ids.tobytes(), confidence=np.full(ids.shape, 51, np.uint8).tobytes(),
        names=NAMES,
    )


def _explanation(clip=None, **more):
    return Explanation(**{
        "id": 1, "item_id": 7, "model": "m", "attention": (), "class_map": None, "presence": (), "score": None,
        "elapsed_ms": 1.0, "clip": clip, **more,
    })


def _clip(times=TIMES, **more):
    return ClipMaps(times_s=np.asarray(times, "<f4").tobytes(), **more)


FRAMES = np.stack([np.full((2, 3), level) for level in (0.0, 1.0, 4.0)])
IDS = np.stack([np.full((2, 2), class_id) for class_id in (1, 2, 0)])


@pytest.mark.parametrize(
    ("time_s", "level"),
    [(12.0, 0), (12.25, 0.5), (12.5, 1), (12.75, 2.5), (13.0, 4), (0.0, 0), (99.0, 4)],
)
def test_heat_is_mixed_from_the_frames_around_a_time(time_s, level):
    moving = moving_overlays(_explanation(_clip(attention=(_moving("cam", FRAMES),))))
    (heat,) = overlays_at(moving, time_s)
    assert heat.values.shape == (2, 3)
    assert heat.values.dtype == np.float32
    np.testing.assert_allclose(heat.values, level)


def test_one_scale_holds_for_all_frames_so_that_a_colour_means_the_same():
    moving = moving_overlays(_explanation(_clip(attention=(_moving("cam", FRAMES),))))
    assert heat_range(moving.layers[0]) == (0.0, 4.0)
    for time_s in (12.0, 12.3, 13.0):
        assert heat_range(overlays_at(moving, time_s)[0]) == (0.0, 4.0)
    faint, strong = (heat_rgba(overlays_at(moving, time_s)[0]) for time_s in (12.5, 13.0))
    assert faint.max() < strong.max()


def test_what_is_below_zero_in_any_frame_gives_all_of_them_colours_with_a_sign():
    moving = moving_overlays(_explanation(_clip(attention=(_moving("cam", FRAMES - 1),))))
    first, last = overlays_at(moving, 12.0)[0], overlays_at(moving, 13.0)[0]
    assert first.colour_map is last.colour_map is ColourMap.MANAGUA
    assert heat_range(first) == heat_range(last) == (-3.0, 3.0)
    covered = replace(moving.layers[0], style=Style.COVER)
    assert heat_range(overlays_at(moving, 12.0, (covered,))[0]) == (-1.0, 3.0)


def test_classes_are_those_of_the_nearest_frame():
    moving = moving_overlays(_explanation(_clip(class_maps=_classes(IDS))))
    seen = [int(overlays_at(moving, t)[-1].class_ids[0, 0]) for t in (12.0, 12.24, 12.26, 12.6, 12.76, 50)]
    assert seen == [1, 1, 2, 2, 0, 0]
    np.testing.assert_allclose(overlays_at(moving, 12.0)[-1].confidence, 0.2)


def test_the_legend_of_a_shot_names_every_class_and_its_colours_stay():
    ids = np.array([[[1, 1], [1, 0]], [[2, 0], [0, 0]], [[0, 0], [0, 2]]])
    moving = moving_overlays(_explanation(_clip(class_maps=_classes(ids))))
    whole = legend_rows(moving.layers[-1])
    assert [(row.name, row.share) for row in whole] == [("dog", 0.25), ("person", 2 / 12)]
    colours = {row.name: row.colour for row in whole}
    for time_s in TIMES:
        for row in legend_rows(overlays_at(moving, time_s)[-1]):
            assert row.colour == colours[row.name]


def test_the_same_frame_is_the_same_arrays_so_that_painting_it_again_is_cheap():
    moving = moving_overlays(_explanation(_clip(attention=(_moving("cam", FRAMES),), class_maps=_classes(IDS))))
    first, again = overlays_at(moving, 12.0), overlays_at(moving, 12.1)
    assert first[-1].class_ids is again[-1].class_ids
    assert first[0].values is overlays_at(moving, 12.0)[0].values


def test_what_a_person_set_stays_while_the_layers_move():
    moving = moving_overlays(_explanation(_clip(attention=(_moving("cam", FRAMES),), class_maps=_classes(IDS))))
    heat, classes = moving.layers
    dressed = (replace(heat, opacity=0.3, threshold=0.5, visible=False), replace(classes, hidden=frozenset({2})))
    shown = overlays_at(moving, 12.5, dressed)
    assert (shown[0].opacity, shown[0].threshold, shown[0].visible) == (0.3, 0.5, False)
    assert shown[1].hidden == {2}


def test_moving_layers_come_first_take_the_place_of_still_ones_and_leave_the_others():
    still = {
        "attention": (_grid("gates", np.eye(2)), _grid("cam", np.eye(2))),
        "class_map": ClassMap(height=1, width=1, class_ids=b"\1", confidence=b"\xff", names=NAMES),
    }
    moving = moving_overlays(_explanation(_clip(attention=(_moving("cam", FRAMES),)), **still))
    assert [layer.name for layer in moving.layers] == ["cam", "gates", "segmentation"]
    assert [layer.visible for layer in moving.layers] == [True, False, True]
    assert moving.layers[0].colour_map is not moving.layers[1].colour_map
    assert isinstance(moving.layers[0], HeatOverlay)
    later = overlays_at(moving, 12.9)
    np.testing.assert_array_equal(later[1].values, np.eye(2))
    assert later[2].class_ids.shape == (1, 1)


def test_a_photo_has_the_layers_it_always_had():
    explanation = _explanation(attention=(_grid("gates", np.eye(2)),))
    moving = moving_overlays(explanation)
    assert not moving.moves
    assert [layer.name for layer in moving.layers] == [o.name for o in overlays_from_explanation(explanation)]
    assert overlays_at(moving, 5.0) is moving.layers


def test_the_curve_comes_with_its_times():
    curve = np.array([0.1, 0.9, 0.2], "<f4")
    moving = moving_overlays(_explanation(_clip(curve_title="Similarity", curve=curve.tobytes())))
    assert moving.curve_title == "Similarity"
    np.testing.assert_array_equal(moving.curve, curve)
    np.testing.assert_array_equal(moving.times_s, np.float32(TIMES))
    assert moving_overlays(_explanation(_clip())).curve.size == 0


def test_one_frame_and_frames_that_repeat_a_time_stand_still():
    one = moving_overlays(_explanation(_clip((3.0,), attention=(_moving("cam", FRAMES[:1]),))))
    np.testing.assert_array_equal(overlays_at(one, 7.0)[0].values, FRAMES[0])
    same = moving_overlays(_explanation(_clip((3.0, 3.0, 3.0), attention=(_moving("cam", FRAMES),))))
    assert np.isfinite(overlays_at(same, 3.0)[0].values).all()


def test_no_frames_are_no_moving_layers():
    assert moving_overlays(_explanation(_clip(()))).layers == ()


@pytest.mark.parametrize(
    ("clip", "sentence"),
    [
        (_clip((1.0, 2.0), attention=(_moving("cam", FRAMES),)), "the moving map 'cam' should have 24 bytes"),
        (_clip(class_maps=_classes(IDS[:2])), "the moving class maps should have 12 bytes"),
        (_clip(curve=b"\0" * 8), "the curve should have 12 bytes for 3 frames, got 8"),
        (_clip((2.0, 1.0, 3.0)), "should ascend"),
        (_clip((2.0, float("nan"), 3.0)), "should ascend"),
    ],
)
def test_bytes_that_do_not_fit_are_refused(clip, sentence):
    with pytest.raises(ValueError, match=sentence):
        moving_overlays(_explanation(clip))
