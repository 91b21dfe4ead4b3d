"""Exporting a figure: what is offered, what is asked for, and what lies on the disk afterwards."""

import os
from pathlib import Path

import msgspec
import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QFileDialog, QLabel, QMessageBox, QPushButton

from explorer.engine.requests import Kind
from explorer.errors import UserFacingError
from explorer.gui.figure_files import already_there, recipe_path, write_figure
from explorer.gui.figure_offer import (
    FigureChoice,
    FigureOffer,
    figure_layer,
    file_name,
    offered_layers,
    preview_of,
    spec_of,
)
from explorer.gui.pages import Step
from explorer.overlays import ClassOverlay, ColourMap, HeatOverlay, Style
from explorer.protocol import FigureLayer, FigureSpec, MakeFigure, Query

HEAT = HeatOverlay(
    name="vsem", title="Gates", values=np.ones((2, 2), np.float32), colour_map=ColourMap.VIRIDIS, opacity=0.35,
    threshold=0.25, style=Style.COVER,
)
CLASSES = ClassOverlay(
    name="segmentation", title="Segmentation", class_ids=np.ones((2, 2), np.uint8), opacity=0.5, visible=False,
    confidence=np.ones((2, 2), np.float32), names=("background", "dog", "cat"), hidden=frozenset({2}), threshold=0.4,
)
DOG = Query(text="A dog, on a beach!")


def offer(**changes):
    known = {
        "model": "m", "query": DOG, "explained_by": DOG, "item_id": 7, "item_ids": (7, 8, 9),
        "layers": offered_layers((HEAT, CLASSES)), "parts": ("vsem", "vspm", "segmentation"),
    }
    return FigureOffer(**{**known, **changes})


# --- plain ------------------------------------------------------------------------------------------------------------


def test_layers_are_drawn_as_they_are_set_in_the_viewer():
    assert figure_layer(HEAT) == FigureLayer(
        name="vsem", style="cover", colour_map="viridis", opacity=0.35, threshold=0.25
    )
    assert figure_layer(CLASSES) == FigureLayer(name="segmentation", opacity=0.5, threshold=0.4, hidden=("cat",))
    assert [layer.seen for layer in offered_layers((HEAT, CLASSES))] == [True, False]


def test_a_held_word_is_shown_in_place_of_the_layer_it_lights():
    gates, segments = offered_layers((HEAT, CLASSES), ("vsem", 2, "dog"))
    assert gates.layer == FigureLayer(name="vsem", word=2)
    assert "“dog”" in gates.title
    assert segments.layer == figure_layer(CLASSES)


def test_the_specification_says_what_was_chosen():
    one = spec_of(offer(explained_by=Query(text="a cat")), FigureChoice(kind="shown", chosen=(1,), dpi=600))
    assert (one.item_ids, one.query.text, one.dpi) == ((7,), "a cat", 600)
    assert [layer.name for layer in one.layers] == ["segmentation"]
    choice = FigureChoice(kind="grid", chosen=(), n_results=2, columns=5)
    many = spec_of(offer(explained_by=Query(text="a cat")), choice)
    assert (many.item_ids, many.query, many.columns, many.layers) == ((7, 8), DOG, 2, ())
    msgspec.json.decode(msgspec.json.encode(many), type=FigureSpec)  # within the bounds of the message


def test_a_preview_is_small_and_a_picture():
    spec = spec_of(offer(), FigureChoice(kind="shown", chosen=(), format="pdf", width_mm=254.0, dpi=300))
    assert (preview_of(spec, 500).format, preview_of(spec, 500).dpi) == ("png", 50)
    assert preview_of(spec, 10).dpi == 36
    assert preview_of(spec, 100_000).dpi == 150
    assert preview_of(spec, 500).width_mm == 254.0


@pytest.mark.parametrize(
    ("query", "kind", "name"),
    [
        (DOG, "shown", "a-dog-on-a-beach.png"), (DOG, "grid", "a-dog-on-a-beach-grid.png"),
        (None, "grid", "figure-grid.png"),
        (Query(text="../..//etc"), "shown", "etc.png"), (Query(text="犬が"), "panels", "犬が-panels.png"),
        (Query(text="🐦"), "shown", "figure.png"), (Query(text="x" * 500), "shown", "x" * 60 + ".png"),
    ],
)
def test_names_say_what_is_in_the_file(query, kind, name):
    assert file_name(query, kind, "png") == name


def test_figure_and_recipe_are_written_whole(tmp_path):
    figure = tmp_path / "a.b.png"
    write_figure(figure, b"content", "# How this figure was made\n")
    assert figure.read_bytes() == b"content"
    assert (tmp_path / "a.b.toml").read_text() == "# How this figure was made\n"
    write_figure(figure, b"other", "# How this figure was made, again\n")
    assert figure.read_bytes() == b"other"
    assert sorted(os.listdir(tmp_path)) == ["a.b.png", "a.b.toml"]


@pytest.mark.parametrize("there_before", [True, False])
def test_if_the_recipe_cannot_be_written_the_figure_is_not(tmp_path, there_before, monkeypatch):
    figure = tmp_path / "a.png"
    if there_before:
        write_figure(figure, b"before", "# before")
    replace = os.replace

    def refuse(source, target):
        if str(target).endswith(".toml") and ".part" in str(source):
            raise OSError(13, "Permission denied")
        replace(source, target)

    monkeypatch.setattr(os, "replace", refuse)
    with pytest.raises(UserFacingError, match=r"cannot be written .Permission denied.*Choose another place"):
        write_figure(figure, b"after", "# after")
    assert sorted(os.listdir(tmp_path)) == (["a.png", "a.toml"] if there_before else [])
    if there_before:
        assert figure.read_bytes() == b"before"
        assert recipe_path(figure).read_text() == "# before"


def test_what_would_be_replaced_and_what_must_not_be(tmp_path):
    figure = tmp_path / "a.png"
    assert already_there(figure) == []
    write_figure(figure, b"", "# How this figure was made.")
    assert already_there(figure) == [figure, tmp_path / "a.toml"]
    (tmp_path / "a.toml").write_text("[project]")
    with pytest.raises(UserFacingError, match=r"The recipe would replace a\.toml, which is something else"):
        already_there(figure)
    with pytest.raises(UserFacingError, match="There is no folder"):
        already_there(tmp_path / "nowhere" / "a.png")
    (tmp_path / "b.png").mkdir()
    with pytest.raises(UserFacingError, match="is a folder"):
        already_there(tmp_path / "b.png")


# --- the dialog -------------------------------------------------------------------------------------------------------


def spy(controller):
    said = []
    send = controller.session.line._send
    controller.session.line.connect(lambda request: (said.append(request), send(request)))
    return said


def specs(said):
    return [request.spec for request in said if isinstance(request, MakeFigure)]


@pytest.fixture
def exporting(open_window, until, tmp_path):
    """A window with a result on show and the dialog open on it; the file shall go into a fresh folder."""
    folder = tmp_path / "figures ä"
    folder.mkdir()

    def open_one(*options, kind="shown"):
        window, controller = open_window(*options)
        window.query.edit.setText("a brown dog")
        window.query.search_now()
        until(lambda: controller.session.ranking.query is not None)
        window.pane.grid.select_row(1)
        window.panes.show_viewer()
        until(lambda: window.viewer.words.table is not None)
        said = spy(controller)
        window.figures.export_grid() if kind == "grid" else window.commands.export_figure()
        dialog = window.figures.dialog
        dialog.form._take_file(str(folder / "figure.png"))
        return window, dialog, said, folder

    return open_one


def test_the_dialog_shows_what_the_viewer_shows(exporting, until):
    window, dialog, said, _ = exporting()
    window_layers = window.viewer.layers.overlays()
    assert dialog.form.choice.chosen == tuple(i for i, o in enumerate(window_layers) if o.visible)
    until(lambda: not dialog.preview.page.isNull())
    asked = specs(said)[-1]
    assert asked.item_ids == (window.viewing.shown,)
    assert asked.query.text == "a brown dog"
    assert asked.format == "png"
    assert asked.dpi < 150
    assert dialog.preview.page.width() == round(170 / 25.4 * asked.dpi)


def test_changes_are_drawn_once_they_rest(exporting, until):
    _, dialog, said, _ = exporting()
    until(lambda: not dialog.preview.page.isNull())
    said.clear()
    dialog._pause.setInterval(60_000)  # no pause but the one that is meant
    dialog.form.kind.setCurrentIndex(1)
    dialog.form.scores.setChecked(False)
    dialog.form.width_mm.setValue(80)
    assert dialog._pause.isActive()
    assert specs(said) == []
    dialog._pause.setInterval(1)
    until(lambda: specs(said))
    assert len(specs(said)) == 1
    asked = specs(said)[0]
    assert (asked.kind, asked.scores, asked.width_mm) == ("panels", False, 80.0)
    assert len(asked.layers) == len(dialog.form.layers)
    until(lambda: not dialog.preview._note)


def test_panels_need_an_overlay(exporting, until):
    _, dialog, _, folder = exporting()
    dialog.form.kind.setCurrentIndex(1)
    for box in dialog.form.layers:
        box.setChecked(False)
    until(lambda: dialog.preview.problem == "Choose at least one overlay: each gets a panel.")
    dialog.export.click()
    assert dialog.message.text() == "Choose at least one overlay: each gets a panel."
    assert os.listdir(folder) == []


def test_a_grid_of_the_first_results(exporting, until):
    window, dialog, said, _ = exporting(kind="grid")
    assert dialog.form.choice.kind == "grid"
    assert dialog.form.choice.chosen == ()
    dialog.form.n_results.setValue(6)
    dialog.form.columns.setValue(3)
    until(lambda: specs(said) and specs(said)[-1].columns == 3)
    assert specs(said)[-1].item_ids == window.pane.first_items(6)
    assert len(specs(said)[-1].item_ids) == 6


def test_the_figure_and_its_recipe_are_written_and_it_says_where(exporting, until):
    window, dialog, said, folder = exporting()
    dialog.form.format.setCurrentIndex(dialog.form.format.findData("pdf"))
    assert dialog.form.name.text() == "figure.pdf"
    dialog.export.click()
    until(lambda: window.figures.dialog is None)
    assert sorted(os.listdir(folder)) == ["figure.pdf", "figure.toml"]
    assert (folder / "figure.pdf").read_bytes().startswith(b"%PDF")
    assert (folder / "figure.toml").read_text().startswith("# How this figure was made")
    assert specs(said)[-1].format == "pdf"
    assert specs(said)[-1].dpi == 300
    notice = window.pane.notices.shown
    assert notice.text == f"The figure was saved as {folder / 'figure.pdf'}, with figure.toml to make it again."
    assert notice.step is Step.SHOW_FIGURE
    last = window.settings().figure
    assert (last.format, last.folder) == ("pdf", str(folder))


def test_it_asks_before_it_replaces(exporting, until):
    window, dialog, _, folder = exporting()
    (folder / "figure.png").write_bytes(b"precious")
    dialog.export.click()
    box = dialog.findChildren(QMessageBox)[0]
    assert box.text() == "Replace figure.png?"
    box.defaultButton().click()
    assert (folder / "figure.png").read_bytes() == b"precious"
    dialog.export.click()
    box = next(box for box in dialog.findChildren(QMessageBox) if box.isVisible())
    next(button for button in box.findChildren(QPushButton) if button.text() == "Replace").click()
    until(lambda: window.figures.dialog is None)
    assert not QImage(str(folder / "figure.png")).isNull()


def test_errors_are_sentences_in_the_dialog(exporting, until):
    window, dialog, _, folder = exporting("--figure-error", "The font cannot be read.")
    until(lambda: dialog.preview.problem == "The font cannot be read. Choose another format.")
    dialog.export.click()
    until(lambda: dialog.message.text() == "The font cannot be read. Choose another format.")
    assert dialog.export.isEnabled()
    assert os.listdir(folder) == []
    assert window.pane.notices.shown is None
    dialog.form.name.setText(" ")
    dialog.export.click()
    assert dialog.message.text() == "The figure has no name. Type one."
    dialog.form.name.setText("nowhere/figure.png")
    dialog.export.click()
    assert dialog.message.text().startswith("There is no folder ")


def test_an_ending_chooses_the_format_and_a_folder_is_taken_out(exporting, tmp_path):
    _, dialog, _, folder = exporting()
    form = dialog.form
    form.name.setText("picture.svg")
    form.name.editingFinished.emit()
    assert form.choice.format == "svg"
    assert form.choice.name == folder / "picture.svg"
    form.name.setText(str(tmp_path / "picture v1.2"))
    form.name.editingFinished.emit()
    assert form.name.text() == "picture v1.2.svg"
    assert form.choice.name == tmp_path / "picture v1.2.svg"
    form.choose.click()
    chooser = form.window().findChildren(QFileDialog)[0]
    assert chooser.acceptMode() is QFileDialog.AcceptMode.AcceptSave
    chooser.close()


def test_leaving_wants_nothing_any_more(exporting, until, qtbot):
    window, dialog, _, folder = exporting("--figure-ms", 60_000)
    line = window._controller.session.line
    until(lambda: line.under_way(Kind.FIGURE_PREVIEW))
    dialog.export.click()
    assert line.under_way(Kind.FIGURE)
    qtbot.keyClick(dialog, Qt.Key.Key_Escape)
    assert window.figures.dialog is None
    assert not line.under_way(Kind.FIGURE)
    assert not line.under_way(Kind.FIGURE_PREVIEW)
    assert os.listdir(folder) == []


def test_there_must_be_something_to_draw(open_window):
    window, _ = open_window("--items", 0)
    window.commands.export_figure()
    assert window.figures.dialog is None
    assert window.pane.notices.shown.text.startswith("There is nothing to draw yet")


def test_every_control_of_the_dialog_has_a_name(exporting):
    _, dialog, _, _ = exporting(kind="grid")
    form = dialog.form
    controls = [form.kind, form.n_results, form.columns, *form.layers, form.network, form.scores, form.words,
                form.format, form.width_mm, form.dpi, form.name, form.choose, dialog.export]
    assert all(control.accessibleName() or control.text() for control in controls)
    reached = []
    form.kind.setFocus()
    for _ in range(60):
        reached.append(dialog.focusWidget())
        dialog.focusNextChild()
    assert [c for c in controls if c.isVisible() and c.isEnabled() and c not in reached] == []
    places = [reached.index(c) for c in controls if c.isVisible() and c.isEnabled()]
    assert places == sorted(places)


def test_long_titles_do_not_widen_the_form(exporting, until):
    _, dialog, _, _ = exporting()
    until(lambda: dialog.form.width() > 100)
    assert dialog.form.minimumSizeHint().width() <= dialog.form.parentWidget().width()
    assert dialog.findChildren(QLabel)
    assert isinstance(dialog.form.choice.name, Path)
