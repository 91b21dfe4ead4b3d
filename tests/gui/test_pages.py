"""What the window says: pages for every state, phrases for every number."""

import pytest

from explorer import protocol as p
from explorer.engine.health import EngineStatus
from explorer.gui.activity import numbers_text
from explorer.gui.notices import notice_of_indexing, notice_of_left_out
from explorer.gui.pages import STARTING, Step, is_busy, page_of, status_of
from explorer.gui.phrases import clock, count, duration, holdings, milliseconds, noun_of, quoted
from explorer.session import Indexing, Session

FAILED = p.Failed(id=1, message="It is so.", remedy="Do that.", kind="LibraryError", details="first\nlast\nstatus 1")


def library(n_items=10, *, n_sources=1, n_videos=0, read_only=False):
    sources = tuple(
        p.Source(source_id=i, path=b"/a", display="/a", n_items=n_items) for i in range(n_sources)
    )
    return p.LibraryState(id=1, path=b"/l", display="/l", sources=sources, n_items=n_items, n_errors=0, n_indexed={},
                          n_videos=n_videos, read_only=read_only)


def ranking(n=0, *, query=None, n_unindexed=0):
    return p.SearchResponse(id=1, item_ids=bytes(8 * n), scores=b"", query=query, n_unindexed=n_unindexed)


def session(**state):
    made = Session(b"/l")
    made.engine.status, made.engine.problem = state.pop("engine", (EngineStatus.READY, None))
    made.models_known, made.model = True, "m"
    made.index_queue.now = state.pop("indexing", None)
    for name, value in state.items():
        setattr(made, name, value)
    return made


def test_results_need_no_page():
    assert page_of(session(library=library(), ranking=ranking(3))) is None


def test_before_the_library_is_open_the_window_starts():
    assert page_of(Session(b"/l")) is STARTING


@pytest.mark.parametrize(
    ("state", "sentence", "steps"),
    [
        ({"engine": (EngineStatus.STOPPED, FAILED)}, "It is so.",
         (Step.START_ENGINE, Step.COPY_DETAILS)),
        ({"library_problem": FAILED}, "It is so.", (Step.TRY_LIBRARY_AGAIN, Step.OPEN_LIBRARY)),
        ({"library": library(0, n_sources=0)}, "Add a folder of photos and videos to begin.", (Step.ADD_FOLDER,)),
        ({"library": library(0)}, "There are no photos or videos in your folders.", (Step.ADD_FOLDER, Step.RESCAN)),
        ({"library": library(0, read_only=True)}, "cannot be written to", (Step.OPEN_LIBRARY,)),
        ({"library": library(0), "indexing": Indexing(request_id=1)}, "Looking at your photos", (Step.STOP_INDEXING,)),
        ({"library": library(), "ranking": ranking(query=p.Query(text="x"))}, "Nothing was found.",
         (Step.SHOW_EVERYTHING,)),
        ({"library": library(1), "ranking": ranking(query=p.Query(text="x"), n_unindexed=1)},
         "1 photo is not indexed for “m” yet.", (Step.INDEX_NOW, Step.SHOW_EVERYTHING)),
        ({"library": library(325, n_videos=25), "ranking": ranking(query=p.Query(text="x"), n_unindexed=325)},
         "300 photos, 25 videos are not indexed for “m” yet.", (Step.INDEX_NOW, Step.SHOW_EVERYTHING)),
        ({"library": library(), "ranking_problem": FAILED}, "It is so.", (Step.SEARCH_AGAIN, Step.SHOW_EVERYTHING)),
        ({"library": library(), "model": "", "ranking": ranking()}, "no model", ()),
    ],
)
def test_every_state_is_a_sentence_and_a_step(state, sentence, steps):
    if "ranking" in state:
        state = {**state, "query": state["ranking"].query}
    page = page_of(session(**state))
    assert sentence in page.title
    assert page.steps == steps


def test_the_last_words_of_the_engine_are_told():
    page = page_of(session(engine=(EngineStatus.STOPPED, FAILED)))
    assert page.text == "Do that.\n\nIts last words: last"


@pytest.mark.parametrize(("n", "said"), [(0, "0 photos"), (1, "1 photo"), (7000, "7,000 photos")])
def test_counts(n, said):
    assert count(n, "photo") == said


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(0, "a few seconds"), (40.4, "40 s"), (119, "119 s"), (150, "2 min"), (7199, "120 min"), (7800, "2 h 10 min")],
)
def test_durations(seconds, said):
    assert duration(seconds) == said


@pytest.mark.parametrize(("ms", "said"), [(0.4, "0 ms"), (41.3, "41 ms"), (1300, "1.3 s")])
def test_milliseconds(ms, said):
    assert milliseconds(ms) == said


def test_quoted_names_stay_short_and_on_one_line():
    said = quoted("a\nvery long name of a photo that somebody once took on a hill.jpeg")
    assert "\n" not in said
    assert len(said) <= 42
    assert said.endswith("a hill.jpeg”")


def progress(**numbers):
    return Indexing(request_id=1, progress=p.Progress(id=1, stage="Indexing", **numbers))


def test_progress_in_words():
    text = numbers_text(progress(n_done=4340, n_total=7000, rate_per_s=31.2, remaining_s=85)).replace("\u00a0", " ")
    assert text == "4,340 of 7,000 · 31 a second · 85 s left"
    slow = numbers_text(progress(n_done=1, n_total=7000, rate_per_s=0.46)).replace("\u00a0", " ")
    assert slow == "1 of 7,000 · 0.5 a second"
    assert numbers_text(progress(n_done=12, n_total=0)) == "12 files found"
    assert numbers_text(Indexing(request_id=1)) == ""


def test_the_status_line():
    made = session(library=library(7000), ranking=ranking(3, query=p.Query(text="x")))
    made.engine.device, made.model_ready = "CPU", True
    assert status_of(made) == "m · CPU · 7,000 photos"
    made.ranking, made.ranking_ms = p.SearchResponse(id=1, item_ids=b"", scores=b"", model="m"), 41.2
    assert status_of(made) == "m · CPU · 7,000 photos · 41 ms"
    made.model_ready = False
    assert status_of(made).startswith("m (loading) · ")
    assert status_of(session(engine=(EngineStatus.STOPPED, FAILED))) == "The engine is not running"


def test_busy_is_what_a_person_waits_for():
    made = session()
    assert not is_busy(made)
    made.search(p.Query(text="x"))
    assert is_busy(made)
    made.engine.status = EngineStatus.STOPPED
    assert not is_busy(made)


@pytest.mark.parametrize(
    ("n_items", "n_videos", "said", "noun"),
    [(0, 0, "0 photos", "photo"), (1, 0, "1 photo", "photo"), (7000, 0, "7,000 photos", "photo"),
     (1, 1, "1 video", "video"), (1200, 1200, "1,200 videos", "video"),
     (325, 25, "300 photos, 25 videos", "file"), (2, 1, "1 photo, 1 video", "file")],
)
def test_photos_and_videos_have_their_own_words(n_items, n_videos, said, noun):
    assert holdings(n_items, n_videos) == said
    assert noun_of(n_items, n_videos) == noun
    made = session(library=library(n_items, n_videos=n_videos))
    made.engine.device = "CPU"
    assert said in status_of(made)


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(0, "0:00"), (7.96, "0:07"), (65, "1:05"), (3599.9, "59:59"), (3723, "1:02:03"), (-3, "0:00")],
)
def test_places_in_a_video_are_counted_as_players_count(seconds, said):
    assert clock(seconds) == said


def test_what_is_left_out_has_the_librarys_word():
    left = ranking(3, n_unindexed=2)
    assert notice_of_left_out(left, library(9)).text.startswith("2 photos are left out")
    assert notice_of_left_out(left, library(9, n_videos=9)).text.startswith("2 videos are left out")
    assert notice_of_left_out(left, library(9, n_videos=2)).text.startswith("2 files are left out")
    done = {"n_added": 0, "n_changed": 0, "n_moved": 0, "n_removed": 0, "n_failed": 0, "elapsed_s": 1.0}
    told = p.IndexFinished(id=1, n_unchanged=9, n_encoded=1, state=library(9, n_videos=9), **done)
    assert notice_of_indexing(told).text == "1 video indexed."
