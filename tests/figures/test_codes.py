"""Figures of models that make binary codes: numbered boxes, dashes for what lowers the similarity, both codes."""

from dataclasses import replace

import numpy as np
import pytest

from explorer.evidence import BitAgreement, RegionWeights
from explorer.figures import draw_figure, page_bytes
from explorer.figures.page import MM_PER_POINT, RectangleMark, TextMark
from explorer.protocol import FigureLayer


def _named(page, beginning, kind=object):
    return [mark for mark in page.marks if mark.name.startswith(beginning) and isinstance(mark, kind)]


def _codes(made, n_bits=64, values=(0.1, -0.5, 0.9), **changes):
    rng = np.random.default_rng(n_bits)
    query, item = rng.uniform(-1, 1, (2, n_bits)).astype(np.float32)
    ones = np.ones(len(values), np.float32)
    regions = RegionWeights(
        "regions", "Regions", made.BOXES, np.asarray(values, np.float32), ones, ("cat", "", "dog")
    )
    evidence = replace(
        made.evidence(attention=(), pointed=(), segmentation=None), regions=(regions,), bits=BitAgreement(query, item),
        words=None, score=0.5,
    )
    return made.content(made.result(evidence=evidence), **changes)


def test_boxes_bear_their_numbers_and_what_lowers_the_score_is_dashed(made):
    page = draw_figure(made.spec(), _codes(made))
    numbers = {mark.name: mark.text for mark in _named(page, "panel1-regions-number", TextMark)}
    assert numbers == {f"panel1-regions-number{place}": str(place + 1) for place in range(3)}
    boxes = {mark.name: mark.dashed for mark in _named(page, "panel1-regions-box", RectangleMark)}
    assert boxes == {"panel1-regions-box0": False, "panel1-regions-box1": True, "panel1-regions-box2": False}
    told = " ".join(mark.text for mark in _named(page, "told-regions"))
    assert told == "Number 1: the most dominant region. Dashed: lowers the similarity."
    for place in range(3):
        [badge] = _named(page, f"panel1-regions-badge{place}", RectangleMark)
        [number] = _named(page, f"panel1-regions-number{place}")
        assert badge.box.x < number.x < badge.box.right
        assert badge.box.y < number.y < badge.box.bottom


def test_numbers_are_left_out_on_demand_and_in_grids(made):
    layer = FigureLayer(name="regions", numbers=False)
    in_grid = made.spec(kind="grid", columns=1, layers=(FigureLayer(name="regions"),))
    for spec in (made.spec(kind="shown", layers=(layer,)), in_grid):
        page = draw_figure(spec, _codes(made, values=(0.1, 0.5, 0.9)))
        assert not [mark for mark in page.marks if "-number" in mark.name]
        assert not _named(page, "told-regions")
        assert [mark for mark in page.marks if "-box" in mark.name]


@pytest.mark.parametrize("n_bits", [8, 16, 24, 64, 128])
@pytest.mark.parametrize("width", [40.0, 85.0, 170.0])
def test_every_bit_is_drawn_in_its_place_on_the_page(made, n_bits, width):
    content = _codes(made, n_bits)
    page = draw_figure(made.spec(width_mm=width), content)
    bits = content.results[0].evidence.bits
    marks = {mark.name: mark for mark in page.marks}
    lowest_panel = max(mark.box.bottom for mark in _named(page, "panel", RectangleMark))
    cells = []
    for bit in range(n_bits):
        for whose, code in (("query", bits.query), ("item", bits.item)):
            mark = marks[f"bit{bit}-{whose}"]
            assert (mark.face == "black") == (code[bit] >= 0)
            assert (mark.edge == "black") == (code[bit] < 0)
            assert mark.box.x >= 0
            assert mark.box.right <= page.width
            assert lowest_panel < mark.box.y < mark.box.bottom <= page.height
            cells.append(mark.box)
        assert marks[f"bit{bit}-query"].box.bottom < marks[f"bit{bit}-item"].box.y
        assert (f"bit{bit}-agrees" in marks) == bool(bits.agree[bit])
        assert (f"bit{bit}-differs" in marks) != bool(bits.agree[bit])
    values = np.stack([bits.query, bits.item], axis=1).ravel()
    line_mm = 0.5 * page.scale * MM_PER_POINT  # an empty square's line lies inside of its edge
    drawn = np.array([box.width + (line_mm if value < 0 else 0) for box, value in zip(cells, values, strict=True)])
    assert len(drawn) == 2 * n_bits
    assert np.corrcoef(drawn, np.abs(values))[0, 1] > 0.999  # the larger, the further from flipping


def test_bits_go_with_the_score_and_only_into_panels(made):
    assert _named(draw_figure(made.spec(), _codes(made)), "bit0")
    assert not _named(draw_figure(made.spec(scores=False), _codes(made)), "bit0")
    assert not _named(draw_figure(made.spec(kind="shown"), _codes(made)), "bit0")
    assert not _named(draw_figure(made.spec(), made.content()), "bit")


def test_the_same_figure_has_the_same_bytes_and_can_be_read(made):
    drawn = [page_bytes(draw_figure(made.spec(), _codes(made)), "svg", 100) for _ in range(2)]
    assert drawn[0] == drawn[1]
    svg = made.Svg(drawn[0])
    assert any("of 64 bits agree" in text for text in svg.texts)
    assert "stroke-dasharray" in svg.edge_of("panel1-regions-box1")
    assert "stroke-dasharray" not in svg.edge_of("panel1-regions-box0")
