"""What is on the pages, and that nothing lies over anything else."""

import itertools

import numpy as np
import pytest

from explorer.errors import ConfigError
from explorer.evidence import Evidence, Segmentation
from explorer.figures import draw_figure, page_bytes
from explorer.figures.lettering import MM_PER_POINT, width_mm
from explorer.figures.page import ImageMark, RectangleMark, TextMark
from explorer.protocol import FigureLayer

ALL = ("Picture", "Semantic saliency (VSeM)", "Regions", "Spatial attention", "Segmentation")


def _texts(page):
    return [mark.text for mark in page.marks if isinstance(mark, TextMark)]


def _named(page, beginning, kind=object):
    return [mark for mark in page.marks if mark.name.startswith(beginning) and isinstance(mark, kind)]


def _text_box(mark):
    width = width_mm(mark.text, mark.size_pt, mark.bold)
    left = mark.x - {"left": 0, "center": width / 2, "right": width}[mark.side]
    return left, mark.y - 0.75 * mark.size_pt * MM_PER_POINT, left + width, mark.y + 0.2 * mark.size_pt * MM_PER_POINT


def _overlap(first, second):
    return (
        min(first[2], second[2]) - max(first[0], second[0]) > 0.05
        and min(first[3], second[3]) - max(first[1], second[1]) > 0.05
    )


def _check_sound(page):
    """All is on the page, no text runs into another text, none into a picture but the numbers of boxes."""
    numbers = {mark.name for mark in page.marks if "-number" in mark.name}
    texts = [
        (mark.name if mark.name in numbers else mark.text, _text_box(mark))
        for mark in page.marks if isinstance(mark, TextMark) and mark.text
    ]
    pictures = [
        (mark.name, (*mark.box[:2], mark.box.right, mark.box.bottom))
        for mark in page.marks
        if isinstance(mark, ImageMark) and (mark.name.endswith("-picture") or mark.name.startswith("bar"))
    ]
    for what, box in (*texts, *pictures):
        assert box[0] >= -0.05, what
        assert box[1] >= -0.05, what
        assert box[2] <= page.width + 0.05, what
        assert box[3] <= page.height + 0.05, what
    for (what, first), (other, second) in itertools.combinations([*texts, *pictures], 2):
        on_the_picture = what in numbers and other not in numbers and other.endswith("-picture")
        assert on_the_picture or not _overlap(first, second), (what, other)


def test_panels_show_the_picture_every_layer_the_words_and_what_colours_mean(made):
    page = draw_figure(made.spec(), made.content())
    texts = _texts(page)
    for words in (*ALL, "a", "dog", "person", "+0.31", "\N{MINUS SIGN}0.02", "0.00", "0.20", "0.50", "0.80"):
        assert words in texts
    assert "IMG_1.jpg · 3shnet-flickr8k · score 0.84 · rank 3 of 218" in texts
    assert "person  33%" in texts
    assert len(_named(page, "panel", ImageMark)) == 5 + 3  # regions are no pixels
    assert len(_named(page, "panel2-regions-box")) == 3


def test_words_are_tinted_by_their_weight(made):
    page = draw_figure(made.spec(), made.content())
    grounds = {mark.name: mark.face for mark in _named(page, "word", RectangleMark)}
    assert grounds["word0-ground"] == (1.0, 1.0, 1.0)
    red, _, blue = grounds["word1-ground"]  # for: orange
    assert red > blue + 0.5
    red, _, blue = grounds["word2-ground"]  # against: blue
    assert blue > red
    strengths = [1 - grounds[f"word{place}-ground"][2] for place in (0, 3, 4, 1)]
    assert strengths == sorted(strengths)
    assert "word0-ground" not in {mark.name for mark in draw_figure(made.spec(words=False), made.content()).marks}


@pytest.mark.parametrize("width", [85.0, 170.0, 30.0, 500.0])
@pytest.mark.parametrize("size", [(320, 240), (240, 320), (2000, 100), (100, 2000), (1, 1)])
def test_panels_of_any_aspect_and_width_are_sound_and_keep_the_aspect(made, size, width):
    page = draw_figure(made.spec(width_mm=width), made.content(made.result(*size)))
    _check_sound(page)
    for mark in _named(page, "panel", ImageMark):
        if mark.name.endswith("-picture"):
            assert mark.box.width / mark.box.height == pytest.approx(size[0] / size[1])


def test_journal_columns_have_letters_of_a_readable_size(made):
    for width in (85.0, 170.0):
        page = draw_figure(made.spec(width_mm=width), made.content())
        assert min(mark.size_pt for mark in page.marks if isinstance(mark, TextMark)) >= 6
    wide = draw_figure(made.spec(width_mm=85.0), made.content())
    rows = {round(mark.box.y, 3) for mark in _named(wide, "panel", ImageMark) if mark.name.endswith("picture")}
    assert len(rows) == 3  # two beside each other


@pytest.mark.parametrize(
    "query",
    ["", "x" * 5000, "word " * 500, "$x_1$ \\frac{1}{2}", "日本語のとても長い文章です" * 30, "a\nb\tc\x00d\u202ee",
     "😀" * 300, "كلب يجري على الشاطئ " * 20, "\ud800 half a letter"],
)  # fmt: skip
@pytest.mark.parametrize("kind", ["panels", "shown", "grid"])
def test_queries_of_any_kind_are_drawn_in_three_lines(made, query, kind):
    shown = made.content(made.result(evidence=made.evidence(words=None)), query=query)
    page = draw_figure(made.spec(kind=kind), shown)
    assert len(_named(page, "query-", TextMark)) <= 3
    _check_sound(page)
    assert page_bytes(page, "png", 50).startswith(b"\x89PNG")


def test_sentences_of_many_words_end_where_there_is_no_more_room(made):
    from explorer.evidence import WordWeights

    words = WordWeights(tuple(f"run of {n} words" for n in range(64)), np.linspace(-0.1, 0.3, 64, dtype=np.float32))
    page = draw_figure(made.spec(width_mm=85.0), made.content(made.result(evidence=made.evidence(words=words))))
    _check_sound(page)
    shown = len(_named(page, "word", RectangleMark))
    assert 10 < shown < 64
    assert any(f"{(64 - shown) * 4} more words are not shown." in text for text in [" ".join(_texts(page))])


def test_sentences_from_the_right_begin_at_the_right(made):
    from explorer.evidence import WordWeights

    words = WordWeights(("كلب", "يجري"), np.array([0.1, 0.2], np.float32))
    page = draw_figure(made.spec(), made.content(made.result(evidence=made.evidence(words=words))))
    first, second = (_named(page, f"word{place}-ground")[0].box for place in (0, 1))
    assert first.x > second.right
    assert first.right == pytest.approx(page.width - 1)


def test_what_is_missing_is_left_out(made):
    bare = made.result(evidence=Evidence(), score=None, rank=None)
    page = draw_figure(made.spec(), made.content(bare, query="", model=""))
    assert _texts(page) == ["IMG_1.jpg", "Picture"]
    nothing = Segmentation(np.zeros((4, 4), np.uint8), np.ones((4, 4), np.float32), made.NAMES)
    page = draw_figure(made.spec(), made.content(made.result(evidence=Evidence(segmentation=nothing))))
    assert "none of its classes" in _texts(page)


def test_chosen_layers_are_drawn_in_their_order_and_as_they_are_asked_for(made):
    layers = (FigureLayer(name="segmentation", hidden=("dog",)), FigureLayer(name="vsem", style="cover"))
    page = draw_figure(made.spec(layers=layers), made.content())
    assert [mark.name for mark in _named(page, "panel", ImageMark)] == [
        "panel0-picture", "panel1-picture", "panel1-segmentation", "panel2-picture", "panel2-vsem",
    ]  # fmt: skip
    [cover] = _named(page, "panel2-vsem")
    assert cover.pixels[..., :3].max() == 0  # the more salient, the more transparent
    assert cover.pixels[0, 0, 3] == pytest.approx(0.75, abs=0.01)
    assert cover.pixels[-1, -1, 3] == pytest.approx(0.0, abs=0.01)
    [classes] = _named(page, "panel1-segmentation")
    rows, columns = classes.pixels.shape[:2]
    assert classes.pixels[rows // 2, columns // 2 - columns // 8, 3] > 0.3  # a person
    assert classes.pixels[rows * 24 // 28, columns * 21 // 28, 3] == 0  # a dog, hidden


def test_over_each_other_all_lie_on_one_picture_and_each_has_its_legend(made):
    layers = (FigureLayer(name="vsem"), FigureLayer(name="regions"), FigureLayer(name="segmentation"))
    page = draw_figure(made.spec(kind="shown", layers=layers), made.content())
    _check_sound(page)
    [picture] = _named(page, "shown-picture")
    assert picture.box.width == pytest.approx(168)
    for name in ("shown-vsem", "shown-segmentation"):
        assert _named(page, name)[0].box == picture.box
    for title in ALL[1:3] + ALL[4:]:
        assert title in _texts(page)
    # Over a heat map classes are outlines.
    middle = _named(page, "shown-segmentation")[0].pixels
    assert middle[middle.shape[0] // 2, middle.shape[1] // 2 - 20, 3] == 0


def test_without_layers_a_picture_is_shown_as_it_is(made):
    page = draw_figure(made.spec(kind="shown"), made.content())
    assert [mark.name for mark in page.marks if isinstance(mark, ImageMark)] == ["shown-picture"]


def test_the_map_of_one_place_is_drawn_with_the_place(made):
    layers = (FigureLayer(name="vspm-of-place", place=10),)
    page = draw_figure(made.spec(kind="shown", layers=layers), made.content())
    [shown] = _named(page, "shown-vspm-of-place", ImageMark)
    strongest = np.unravel_index(shown.pixels[..., 3].argmax(), shown.pixels.shape[:2])
    assert strongest[0] / shown.pixels.shape[0] * 14 == pytest.approx(10.5, abs=0.6)
    assert strongest[1] / shown.pixels.shape[1] * 14 == pytest.approx(0.5, abs=0.6)
    [picture] = _named(page, "shown-picture")
    [place] = [mark for mark in page.marks if mark.name == "shown-vspm-of-place-place"]
    # Place 10 of 7 x 7 cells is row 1, column 3.
    assert place.box == pytest.approx(picture.box.inner((3 / 7, 1 / 7, 4 / 7, 2 / 7)))


def test_places_can_be_weighed_by_one_word(made):
    layers = (FigureLayer(name="vsem", word=4),)
    texts = _texts(draw_figure(made.spec(kind="panels", layers=layers), made.content()))
    assert "“person”" in " ".join(texts)
    assert "1.0" in texts  # the last of the links, of a range from -1 to 1 with colours that have a sign
    assert "\N{MINUS SIGN}1.0" in texts


@pytest.mark.parametrize(
    ("layer", "message"),
    [
        (FigureLayer(name="nothing"), "There is no layer called nothing. Layers here: vsem, regions, vspm-of-pl"),
        (FigureLayer(name="vspm-of-place", place=49), "has no place 49. Its places are 0 to 48."),
        (FigureLayer(name="vsem", word=9), "The query has no word 9. It has 5 words"),
        (FigureLayer(name="regions", word=0), "The layer regions says nothing about single words here"),
    ],
)
def test_layers_places_and_words_that_are_not_there_are_sentences(made, layer, message):
    with pytest.raises(ConfigError, match=message.replace(".", r"\.")):
        draw_figure(made.spec(layers=(layer,)), made.content())


def test_a_layer_that_only_this_picture_lacks_is_left_out(made):
    layers = (FigureLayer(name="regions"),)
    page = draw_figure(made.spec(layers=layers), made.content(made.result(evidence=Evidence())), known=("regions",))
    assert [mark.name for mark in page.marks if isinstance(mark, ImageMark)] == ["panel0-picture"]


# --- grids -----------------------------------------------------------------------------------------------------------


def _grid(made, n=7, **changes):
    sizes = [(320, 240), (240, 320), (600, 100), (100, 600), (300, 300)]
    results = [
        made.result(*sizes[n % 5], evidence=None, score=0.9 - n / 10, rank=n + 1, correct=n in (1, 4)) for n in range(n)
    ]
    return made.content(*results, **{"correct_ranks": (2, 5, 77), **changes})


def test_a_grid_shows_ranks_scores_and_frames_correct_ones(made):
    page = draw_figure(made.spec(kind="grid", columns=4), _grid(made))
    _check_sound(page)
    ranks = [mark.text for mark in _named(page, "result") if mark.name.endswith("-rank")]
    assert ranks == ["1", "2 ✓", "3", "4", "5 ✓", "6", "7"]
    scores = [mark.text for mark in _named(page, "result") if mark.name.endswith("-score")]
    assert scores == ["0.90", "0.80", "0.70", "0.60", "0.50", "0.40", "0.30"]
    frames = [mark.name for mark in _named(page, "result") if mark.name.endswith("-correct")]
    assert frames == ["result2-correct", "result5-correct"]
    [frame], [picture] = _named(page, "result2-correct"), _named(page, "result2-picture")
    # The frame's outer edge is the picture's.
    assert frame.box.grown(frame.line_pt * MM_PER_POINT / 2) == pytest.approx(picture.box)
    assert "correct: the query is one of its sentences (also at rank 77, not shown)" in _texts(page)


@pytest.mark.parametrize(
    ("correct", "changes", "says"),
    [
        ((1,), {"correct_ranks": None}, None),
        ((1,), {"correct_ranks": (2,)}, "correct: the query is one of its sentences"),
        ((), {"correct_ranks": (31,)}, "correct: the query is one of its sentences (at rank 31, not shown)"),
    ],
)
def test_what_a_frame_means_is_said_where_relevance_is_known(made, correct, changes, says):
    results = [made.result(evidence=None, rank=n + 1, correct=n in correct) for n in range(3)]
    texts = _texts(draw_figure(made.spec(kind="grid"), made.content(*results, **changes)))
    assert [text for text in texts if text.startswith("correct")] == ([says] if says else [])


def test_scores_and_frames_can_be_left_out(made):
    page = draw_figure(made.spec(kind="grid", scores=False, frames=False), _grid(made))
    assert not [mark for mark in page.marks if mark.name.endswith(("-rank", "-score", "-correct"))]


@pytest.mark.parametrize("columns", [1, 3, 20])
@pytest.mark.parametrize("width", [85.0, 170.0])
@pytest.mark.parametrize("n", [1, 2, 23])
def test_grids_of_any_number_are_sound(made, n, width, columns):
    page = draw_figure(made.spec(kind="grid", columns=columns, width_mm=width), _grid(made, n))
    _check_sound(page)
    assert len([mark for mark in _named(page, "result") if mark.name.endswith("-picture")]) == n


def test_the_query_picture_stands_beside_the_query(made):
    shown = made.content(*_grid(made).results, query="", query_picture=made.picture(100, 300), correct_ranks=None)
    page = draw_figure(made.spec(kind="grid"), shown)
    [picture] = _named(page, "query-picture")
    assert picture.box.width / picture.box.height == pytest.approx(1 / 3)
    assert "Query" in _texts(page)
    _check_sound(page)


def test_leaving_parts_out_is_said(made):
    assert "without VSeM and VSpM" in " ".join(_texts(draw_figure(made.spec(without=("vsem", "vspm")), made.content())))
    texts = " ".join(_texts(draw_figure(made.spec(kind="grid", without=("vsem",)), _grid(made))))
    assert "without VSeM" in texts
    assert "ranks are those of the whole network" in texts
