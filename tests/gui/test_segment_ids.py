"""Ids of shots have up to 62 bits: no signal, model or message of the window may cut them to 32."""

import inspect
import pkgutil
from importlib import import_module

import numpy as np
import pytest
from PySide6.QtCore import QObject, QPoint

import explorer.gui
from explorer.gui.bits_panel import BitsPanel
from explorer.gui.viewing import ItemViewing
from explorer.protocol import BitCarriers, SearchResponse
from explorer.segment_ids import MAX_POSITION, segment_id

LAST_SHOT = segment_id((1 << 40) - 1, MAX_POSITION)
SHOT = segment_id(3, MAX_POSITION)


def show(window, *item_ids):
    scores = np.linspace(0.9, 0.1, len(item_ids), dtype="<f4")
    window.pane.show_ranking(
        SearchResponse(id=1, item_ids=np.array(item_ids, "<i8").tobytes(), scores=scores.tobytes())
    )


def test_a_shot_chosen_in_the_grid_is_the_one_the_viewer_asks_for(open_window, until, qtbot):
    window, controller = open_window("--items", 40)
    show(window, 7, SHOT, 3)
    asked = []
    window.viewer.picture_wanted.connect(asked.append)
    window.viewer.explanation_wanted.connect(asked.append)
    pictures = []
    controller.picture_came.connect(lambda picture: pictures.append(picture.item_id))
    with qtbot.waitSignal(window.pane.grid.current_changed) as chosen:
        window.pane.grid.select_row(1)
    assert chosen.args == [SHOT, 1]
    until(lambda: len(asked) == 2 and pictures)
    assert asked == [SHOT, SHOT]
    assert pictures == [SHOT]
    assert window.viewing.shown == SHOT


def test_what_is_done_with_a_shot_is_done_with_that_shot(open_window, until, qtbot):
    window, _ = open_window("--items", 40)
    show(window, SHOT)
    window.pane.grid.select_row(0)
    until(lambda: window.viewing.shown == SHOT)
    for signal, ask in (
        (window.viewer.search_with_image, lambda: window.viewer._on_action("search_with_image")),
        (window.viewer.export_figure, lambda: window.viewer._on_action("export_figure")),
        (window.viewing.search_asked, lambda: window.viewing.search_with(SHOT)),
    ):
        with qtbot.waitSignal(signal) as told:
            ask()
        assert told.args[0] == SHOT
        if window.figures is not None and window.figures.dialog is not None:
            window.figures.dialog.reject()
    assert window.query.query().image_item_id == SHOT


def test_the_photos_that_carry_a_bit_may_be_shots(qtbot):
    panel = BitsPanel()
    qtbot.addWidget(panel)
    panel.carriers.show_bit(3)
    strengths = np.array([0.5], "<f4").tobytes()
    panel.carriers.show_carriers(BitCarriers(
        id=1, model="m", bit=3, positive=True, item_ids=np.array([LAST_SHOT], "<i8").tobytes(), strengths=strengths
    ))
    with qtbot.waitSignal(panel.item_chosen) as chosen:
        panel.carriers.strip.buttons[0].click()
    assert chosen.args == [LAST_SHOT]


@pytest.mark.parametrize("signal", ["current_changed", "activated", "menu_requested"])
def test_signals_of_the_grid_carry_62_bits(open_window, signal, qtbot):
    window, _ = open_window("--items", 4)
    more = QPoint(1, 2) if signal == "menu_requested" else 5
    sent = getattr(window.pane.grid, signal)
    sent.disconnect()
    with qtbot.waitSignal(sent) as told:
        sent.emit(LAST_SHOT, more)
    assert told.args == [LAST_SHOT, more]


def test_no_slot_that_takes_an_item_takes_an_int():
    """``@Slot(int)`` cuts what a ``qlonglong`` signal sends it."""
    looked_at = 0
    for module in pkgutil.iter_modules(explorer.gui.__path__, "explorer.gui."):
        for _, cls in inspect.getmembers(import_module(module.name), inspect.isclass):
            if not issubclass(cls, QObject) or cls.__module__ != module.name:
                continue
            for name, method in vars(cls).items():
                if not inspect.isfunction(method):
                    continue
                parameters = list(inspect.signature(method).parameters)[1:]
                for number in (i for i, each in enumerate(parameters) if each == "item_id"):
                    signature = _slot_signature(cls, name)
                    if signature is not None:
                        looked_at += 1
                        assert signature[number] == "qlonglong", f"{cls.__name__}.{name}"
    assert looked_at > 5
    assert ItemViewing.staticMetaObject.indexOfSlot("_select(qlonglong,int)") >= 0


def _slot_signature(cls, name):
    """The types a slot declares; None if this is no slot."""
    meta = cls.staticMetaObject
    for i in range(meta.methodCount()):
        method = meta.method(i)
        if bytes(method.name().data()).decode() == name:
            return [bytes(each.data()).decode() for each in method.parameterTypes()]
    return None
