import numpy as np
import pytest
from PySide6.QtCore import QEvent, QPoint, QPointF, Qt
from PySide6.QtGui import QEnterEvent
from PySide6.QtWidgets import QApplication

from explorer.gui.overlay_panel import OverlayPanel
from explorer.overlays import Style, overlays_from_explanation


@pytest.fixture
def panel(qtbot):
    shown = OverlayPanel()
    qtbot.addWidget(shown)
    shown.resize(320, 700)
    shown.show()
    shown.last = []
    shown.overlays_changed.connect(lambda overlays: shown.last.append(overlays))
    return shown


@pytest.fixture
def regions(panel, region_explanation):
    panel.set_overlays(overlays_from_explanation(region_explanation(1)))
    return panel


def test_the_strongest_regions_are_listed_first_with_label_and_weight(regions):
    rows = [row for row in regions.boxes[0].regions.rows if row.isVisibleTo(regions)]
    assert [row.text() for row in rows] == ["Region 3", "Dog", "Person"]
    assert [row.accessibleName() for row in rows] == [
        "region 3, weight .90", "2, dog, weight .50", "1, person, weight .20",
    ]
    assert "90%" in rows[1].toolTip()
    assert regions.boxes[0].note.text() == "3 regions, the strongest on top."


def test_a_row_points_at_its_region_and_a_click_holds_it(regions, qtbot):
    told = []
    regions.place_pointed.connect(lambda *what: told.append(what))
    regions.place_held.connect(lambda *what: told.append(("held", *what)))
    row = regions.boxes[0].regions.rows[1]
    QApplication.sendEvent(row, QEnterEvent(QPointF(3, 3), QPointF(3, 3), QPointF(3, 3)))
    QApplication.sendEvent(row, QEvent(QEvent.Type.Leave))
    qtbot.mouseClick(row, Qt.MouseButton.LeftButton)
    assert told[:2] == [("regions", 1), ("regions", -1)]
    assert told[-1] == ("held", "regions", 1)


def test_a_threshold_takes_the_weak_from_the_list(regions):
    regions.boxes[0].threshold.setValue(40)
    assert [row.text() for row in regions.boxes[0].regions.rows if row.isVisibleTo(regions)] == ["Region 3", "Dog"]
    assert regions.boxes[0].note.text() == "2 of 3 regions, the strongest on top."


def test_the_cover_is_a_switch_with_an_opacity_of_its_own(regions):
    box = regions.boxes[0]
    box.opacity.slider.setValue(60)
    box.cover.click()
    assert (box.overlay.style, box.overlay.opacity) == (Style.COVER, 1.0)
    box.opacity.slider.setValue(80)
    box.cover.click()
    assert (box.overlay.style, box.overlay.opacity) == (Style.HEAT, 0.6)
    box.cover.click()
    assert (regions.last[-1][0].style, regions.last[-1][0].opacity) == (Style.COVER, 0.8)


def test_the_cover_stays_for_the_next_picture(regions, region_explanation):
    regions.boxes[0].cover.click()
    shown = regions.set_overlays(overlays_from_explanation(region_explanation(2, values=(0.1, 0.2, 0.3))))
    assert (shown[0].style, shown[1].style) == (Style.COVER, Style.HEAT)
    assert regions.boxes[0].cover.isChecked()


def test_colours_with_a_sign_have_their_threshold_around_zero(panel, region_explanation, qtbot):
    panel.set_overlays(overlays_from_explanation(region_explanation(1, values=(-0.4, 0.1, 0.8))))
    slider = panel.boxes[0].threshold
    for part in (0.75, 0.25):
        qtbot.mouseClick(slider, Qt.MouseButton.LeftButton, pos=QPoint(round(4 + part * (slider.width() - 8)), 8))
        assert slider.value() == pytest.approx(50, abs=2)
        assert slider.raw_value() == pytest.approx(0.8 * slider.value() / 100, abs=1e-6)
        slider.setValue(0)
    slider.setValue(50)
    QApplication.processEvents()
    assert [row.text() for row in panel.boxes[0].regions.rows if row.isVisibleTo(panel)] == ["Region 3", "Person"]
    assert not slider.grab().isNull()


def test_a_layer_for_the_place_under_the_pointer_says_how_it_works(regions):
    regions.toggle(3)
    assert regions.boxes[2].note.text() == "On average. Point at a place to see its own, click to hold it."


def test_regions_of_equal_weight_are_told(panel, region_explanation):
    panel.set_overlays(overlays_from_explanation(region_explanation(1, values=(0.5, 0.5, 0.5))))
    assert panel.boxes[0].note.text() == "3 regions, all of the same weight."


def test_a_long_title_is_shortened_and_told_whole(panel, explanation):
    from dataclasses import replace

    layer = replace(overlays_from_explanation(explanation(1))[0], title="what each of them gave to the score " * 4)
    panel.set_overlays((layer,))
    QApplication.processEvents()
    check = panel.boxes[0].check
    assert check.text().endswith("…")
    assert check.toolTip() == layer.title
    assert check.accessibleName() == f"Show {layer.title}"
    assert panel.minimumSizeHint().width() < 260


def test_the_layer_that_is_current_is_told(regions):
    told = []
    regions.current_changed.connect(told.append)
    regions.toggle(2)
    assert told == ["vsem"]


def test_many_regions_list_only_the_strongest(panel):
    from explorer.overlays import RegionOverlay

    n = 36
    corners = np.sort(np.random.default_rng(0).random((n, 2, 2)), axis=1).reshape(n, 4).astype(np.float32)
    panel.set_overlays((RegionOverlay(
        name="regions", title="R", boxes=corners, values=np.arange(n, dtype=np.float32), scores=np.ones(n, np.float32),
        labels=("",) * n,
    ),))
    QApplication.processEvents()
    rows = [row.text() for row in panel.boxes[0].regions.rows if row.isVisibleTo(panel)]
    assert rows == [f"Region {k}" for k in range(36, 30, -1)]


def test_numbers_of_boxes_can_be_taken_away_and_stay_so_for_the_next_picture(regions, region_explanation):
    box = regions.boxes[0]
    assert box.overlay.numbered
    box.numbers.click()
    assert not regions.last[-1][0].numbered
    assert regions.last[-1][1].numbered  # another layer has its own switch
    regions.set_overlays(overlays_from_explanation(region_explanation(2)))
    assert not regions.boxes[0].overlay.numbered
    assert not regions.boxes[0].numbers.isChecked()
    assert box.numbers in regions.controls()


def test_weights_below_zero_are_said_to_lower_the_score(panel, region_explanation):
    panel.set_overlays(overlays_from_explanation(region_explanation(1, values=(-0.2, 0.5, 0.9))))
    box = panel.boxes[0]
    assert box.note.text() == "3 regions, the strongest on top. Dashed ones lower the score."
    names = [row.accessibleName() for row in box.regions.rows if not row.isHidden()]
    assert names[-1] == "1, person, weight −.20"
