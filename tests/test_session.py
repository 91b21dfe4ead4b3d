"""The session alone: no process, no Qt; the engine is a list of what was said to it."""

import pytest

from explorer import protocol as p
from explorer.engine.health import DEATHS_WINDOW_S, MAX_DEATHS, EngineStatus
from explorer.engine.requests import Kind
from explorer.session import Session

MODEL = p.ModelSummary(name="m", family="f", title="M", output="", modalities=("text",), overlays=())
OTHER = p.ModelSummary(name="n", family="f", title="N", output="", modalities=("text",), overlays=())
DAMAGED = p.ModelSummary(name="d", family="f", title="D", output="", modalities=(), overlays=(), problem="bad hash")


class Engine:
    """Takes down what the session says; answers when told to."""

    def __init__(self, session):
        self.session, self.said = session, []
        session.attach(self.said.append)

    def last(self, kind):
        return [request for request in self.said if isinstance(request, kind)][-1]

    def all(self, kind):
        return [request for request in self.said if isinstance(request, kind)]

    def answer(self, answer):
        return self.session.receive(answer)

    def open(self, n_items=10, models=(MODEL, OTHER, DAMAGED)):
        self.answer(p.Welcome(id=self.last(p.Hello).id, protocol_version=p.PROTOCOL_VERSION, program_version="1",
                              device="CPU", pid=1))
        self.answer(p.ModelList(id=self.last(p.ListModels).id, models=models))
        self.answer(state(self.last(p.OpenLibrary).id, n_items))
        if self.all(p.LoadModel):
            self.answer(p.ModelLoaded(id=self.last(p.LoadModel).id, name=self.last(p.LoadModel).name, device="CPU",
                                      elapsed_ms=1))
        if self.all(p.Browse):
            self.answer(ranking(self.last(p.Browse).id, n_items))
        return self


def state(request_id, n_items):
    source = p.Source(source_id=1, path=b"/a", display="/a", n_items=n_items)
    return p.LibraryState(id=request_id, path=b"/lib", display="/lib", sources=(source,), n_items=n_items, n_errors=0,
                          n_indexed={"m": n_items})


def ranking(request_id, n, query=None, model=""):
    return p.SearchResponse(id=request_id, item_ids=bytes(8 * n), scores=bytes(4 * n), query=query, model=model)


def finished(request_id, n_added=5):
    return p.IndexFinished(id=request_id, n_added=n_added, n_changed=0, n_moved=0, n_removed=0, n_unchanged=0,
                           n_failed=0, n_encoded=n_added, elapsed_s=1, state=state(request_id, 15))


class Clock:
    now = 0.0

    def __call__(self):
        return self.now


@pytest.fixture
def session():
    return Session(b"/lib", clock=Clock())


def test_opening_loads_the_preferred_model_and_shows_everything(session):
    engine = Engine(session).open()
    assert session.model == "m"
    assert session.model_ready
    assert session.engine.status is EngineStatus.READY
    assert len(engine.all(p.Browse)) == 1
    assert session.query is None


def test_the_model_used_last_is_used_again():
    session = Session(b"/lib", preferred_model="n")
    Engine(session).open()
    assert session.model == "n"


@pytest.mark.parametrize("preferred", ["d", "went away"])
def test_a_model_that_cannot_be_used_is_replaced(preferred):
    session = Session(b"/lib", preferred_model=preferred)
    Engine(session).open()
    assert session.model == "m"


def test_no_models_at_all(session):
    engine = Engine(session).open(models=(DAMAGED,))
    assert session.model == ""
    session.search(p.Query(text="a dog"))
    assert engine.all(p.Search) == []


def test_only_the_latest_ranking_counts(session):
    engine = Engine(session).open()
    session.search(p.Query(text="one"))
    first = engine.last(p.Search)
    session.search(p.Query(text="two"))
    second = engine.last(p.Search)
    assert engine.last(p.Cancel).target == first.id
    assert engine.answer(ranking(second.id, 3, second.query)).kind is Kind.RANKING
    assert engine.answer(ranking(first.id, 9, first.query)) is None
    assert len(session.ranking.item_ids) == 24


def test_a_browse_and_a_search_are_of_one_kind(session):
    engine = Engine(session).open()
    session.search(p.Query(text="one"))
    search = engine.last(p.Search)
    session.search(p.Query(text=" "))
    assert engine.answer(ranking(search.id, 3)) is None
    assert engine.answer(ranking(engine.last(p.Browse).id, 10)) is not None


def test_every_batch_of_thumbnails_counts(session):
    engine = Engine(session).open()
    session.line.get_thumbnails([1, 2])
    session.line.get_thumbnails([3])
    first, second = engine.all(p.GetThumbnails)
    assert engine.answer(p.Thumbnails(id=second.id, thumbnails=())) is not None
    assert engine.answer(p.Thumbnails(id=first.id, thumbnails=())) is not None
    assert engine.answer(p.Thumbnails(id=first.id, thumbnails=())) is None  # settled


def test_only_the_carriers_of_the_bit_asked_for_last_count(session):
    engine = Engine(session).open()
    session.line.find_carriers("m", 3)
    session.line.find_carriers("m", 5, positive=False, k=20)
    first, second = engine.all(p.CarriersOfBit)
    assert (second.model, second.bit, second.positive, second.k) == ("m", 5, False, 20)
    assert engine.last(p.Cancel).target == first.id
    late = p.BitCarriers(id=first.id, model="m", bit=3, positive=True, item_ids=b"", strengths=b"")
    assert engine.answer(late) is None
    answer = p.BitCarriers(id=second.id, model="m", bit=5, positive=False, item_ids=bytes(8), strengths=bytes(4))
    received = engine.answer(answer)
    assert (received.kind, received.answer) == (Kind.CARRIERS, answer)
    session.line.find_carriers("m", 99)
    refused = engine.answer(p.Failed(id=engine.last(p.CarriersOfBit).id, message="No.", kind="QueryError"))
    assert refused.kind is Kind.CARRIERS
    assert session.ranking_problem is None


def test_an_answer_nobody_asked_for_is_dropped(session):
    engine = Engine(session).open()
    assert engine.answer(ranking(999, 1)) is None
    assert session.ranking.id != 999


def test_failed_search_keeps_the_ranking(session):
    engine = Engine(session).open()
    session.search(p.Query(text="x"))
    received = engine.answer(p.Failed(id=engine.last(p.Search).id, message="No.", kind="QueryError"))
    assert received.kind is Kind.RANKING
    assert session.ranking_problem.message == "No."
    assert len(session.ranking.item_ids) == 80
    assert not session.searching


def test_a_query_before_the_models_are_known_waits_for_them(session):
    engine = Engine(session)
    session.search(p.Query(text="early"))
    assert engine.all(p.Search) == []
    engine.open()
    assert engine.last(p.Search).query.text == "early"
    assert engine.all(p.Browse) == []


def test_another_model_ranks_the_query_again(session):
    engine = Engine(session).open()
    session.search(p.Query(text="x"))
    engine.answer(ranking(engine.last(p.Search).id, 3, p.Query(text="x"), "m"))
    session.load_model("n")
    engine.answer(p.ModelLoaded(id=engine.last(p.LoadModel).id, name="n", device="CPU", elapsed_ms=1))
    assert engine.last(p.Search).model == "n"


def test_folders_wait_while_indexing(session):
    engine = Engine(session).open()
    session.add_folders([b"/a"])
    session.add_folders([b"/b", b"/c"])
    session.add_folders([b"/b"])
    assert [r.folders for r in engine.all(p.IndexFolders)] == [(b"/a",)]
    engine.answer(finished(engine.last(p.IndexFolders).id))
    assert [r.folders for r in engine.all(p.IndexFolders)] == [(b"/a",), (b"/b", b"/c")]
    assert session.outdated


def test_an_unchanged_library_is_not_outdated(session):
    engine = Engine(session).open()
    session.rescan()
    assert engine.last(p.IndexFolders).folders == ()
    engine.answer(finished(engine.last(p.IndexFolders).id, n_added=0))
    assert not session.outdated
    assert session.indexing is None


def test_stopping_is_said_once_and_clears_what_waits(session):
    engine = Engine(session).open()
    session.add_folders([b"/a"])
    session.add_folders([b"/b"])
    session.stop_indexing()
    session.stop_indexing()
    assert len(engine.all(p.Cancel)) == 1
    assert session.indexing.stopping
    engine.answer(p.Cancelled(id=engine.last(p.IndexFolders).id))
    assert session.indexing is None
    assert len(engine.all(p.IndexFolders)) == 1
    assert engine.all(p.DescribeLibrary)  # counts changed


def test_after_a_death_the_new_engine_gets_everything_that_is_owed(session):
    engine = Engine(session).open()
    session.add_folders([b"/a"])
    engine.answer(p.Progress(id=engine.last(p.IndexFolders).id, stage="x", n_done=1, n_total=9))
    session.search(p.Query(text="x"))
    session.line.get_thumbnails([5])
    assert session.lost() == []
    assert session.engine.status is EngineStatus.RESTARTING
    again = Engine(session)
    kinds = [type(request) for request in again.said]
    assert kinds[:4] == [p.Hello, p.ListModels, p.OpenLibrary, p.LoadModel]
    assert set(kinds[4:]) == {p.IndexFolders, p.Search, p.GetThumbnails}
    again.open()
    assert again.all(p.Browse) == []  # what is shown is still right
    assert session.ranking is not None


def test_what_was_superseded_is_not_asked_again(session):
    engine = Engine(session).open()
    session.search(p.Query(text="one"))
    session.search(p.Query(text="two"))
    session.lost()
    assert [r.query.text for r in Engine(session).all(p.Search)] == ["two"]
    assert engine.all(p.Search)[0].query.text == "one"


def test_a_request_that_kills_is_given_up(session):
    engine = Engine(session).open()
    session.search(p.Query(text="poison"))
    assert session.lost() == []
    Engine(session).open()
    (failure,) = session.lost("segmentation fault")
    assert failure.kind is Kind.RANKING
    assert failure.answer.details == "segmentation fault"
    assert session.ranking_problem is not None
    assert Engine(session).all(p.Search) == []
    assert engine.all(p.Search)


def test_progress_clears_a_request_of_suspicion(session):
    engine = Engine(session).open()
    session.add_folders([b"/a"])
    for _ in range(3):
        session.engine._deaths.clear()
        engine.answer(p.Progress(id=engine.last(p.IndexFolders).id, stage="x", n_done=1, n_total=9))
        assert session.lost() == []
        engine = Engine(session).open()
    assert session.indexing is not None


def test_an_engine_that_never_gets_ready_is_given_up_at_the_second_death(session):
    Engine(session)
    session.lost("first")
    assert session.engine.status is EngineStatus.RESTARTING
    Engine(session)
    session.lost("second")
    assert session.engine.status is EngineStatus.STOPPED
    assert session.engine.problem.details == "second"
    session.engine.forgive()
    assert session.engine.status is EngineStatus.STARTING
    Engine(session).open()
    assert session.engine.status is EngineStatus.READY


def test_deaths_far_apart_are_forgiven(session):
    for _ in range(3 * MAX_DEATHS):
        Engine(session).open()
        session.lost()
        assert session.engine.status is EngineStatus.RESTARTING
        session._clock.now += DEATHS_WINDOW_S
    for _ in range(MAX_DEATHS):
        Engine(session).open()
        session.lost()
    assert session.engine.status is EngineStatus.STOPPED


def test_a_death_while_stopping_ends_the_indexing(session):
    Engine(session).open()
    session.add_folders([b"/a"])
    session.stop_indexing()
    session.lost()
    assert session.indexing is None
    assert Engine(session).all(p.IndexFolders) == []


def test_another_library_forgets_what_belonged_to_the_old(session):
    engine = Engine(session).open()
    session.line.get_thumbnails([1])
    session.add_folders([b"/a"])
    session.open_library(b"/other")
    assert engine.last(p.Cancel).target == engine.last(p.IndexFolders).id
    assert engine.answer(p.Thumbnails(id=engine.last(p.GetThumbnails).id, thumbnails=())) is None
    assert engine.answer(finished(engine.last(p.IndexFolders).id)) is None
    assert session.ranking is None
    engine.answer(state(engine.last(p.OpenLibrary).id, 3))
    assert len(engine.all(p.Browse)) == 2


def test_elapsed_time_is_from_asking_to_answering(session):
    engine = Engine(session).open()
    session.search(p.Query(text="x"))
    session._clock.now += 0.25
    engine.answer(ranking(engine.last(p.Search).id, 1))
    assert session.ranking_ms == pytest.approx(250)


def test_a_failed_opening_is_kept_and_can_be_tried_again(session):
    engine = Engine(session)
    engine.answer(p.Failed(id=engine.last(p.OpenLibrary).id, message="Busy.", kind="LibraryBusyError"))
    assert session.library_problem.message == "Busy."
    session.open_library(session.library_path)
    assert session.library_problem is None
    engine.open()
    assert session.library.n_items == 10


def test_shutting_down_says_so_and_then_nothing(session):
    engine = Engine(session).open()
    session.shut_down()
    assert isinstance(engine.said[-1], p.Shutdown)
    n_said = len(engine.said)
    session.browse()
    assert len(engine.said) == n_said


def test_every_moment_is_kept_and_ranks_again(session):
    engine = Engine(session).open()
    session.set_every_moment(True)
    assert engine.all(p.Search) == []  # nothing is ranked: everything is shown
    session.search(p.Query(text="x"))
    assert engine.last(p.Search).every_moment
    session.set_every_moment(True)
    assert len(engine.all(p.Search)) == 1
    session.set_every_moment(False)
    assert (len(engine.all(p.Search)), engine.last(p.Search).every_moment) == (2, False)


def test_a_video_alone_is_a_query(session):
    engine = Engine(session).open()
    session.search(p.Query(video_path=b"/clip.mp4", video_span_s=(1.0, 2.0)))
    assert engine.last(p.Search).query.video_span_s == (1.0, 2.0)


def test_only_the_shots_asked_for_last_count(session):
    engine = Engine(session).open()
    session.line.get_shots(5, p.Query(text="x"), "m")
    session.line.get_shots(7)
    first, second = engine.all(p.GetShots)
    assert engine.last(p.Cancel).target == first.id
    assert (first.item_id, first.query.text, first.model) == (5, "x", "m")
    assert engine.answer(p.Shots(id=first.id, item_id=5, starts_s=b"", ends_s=b"")) is None
    assert engine.answer(p.Shots(id=second.id, item_id=7, starts_s=b"", ends_s=b"")).kind is Kind.SHOTS


def test_the_sample_collection_is_rendered_and_can_be_stopped(session):
    engine = Engine(session).open()
    session.sample.folder = b"/sample"
    session.sample.render()
    session.sample.render()  # it is under way
    assert len(engine.all(p.RenderSample)) == 1
    request = engine.last(p.RenderSample)
    assert (request.folder, request.seed) == (b"/sample", 0)
    progress = engine.answer(p.Progress(id=request.id, stage="clips", n_done=1, n_total=9))
    assert progress.kind is Kind.SAMPLE
    assert session.sample.rendering.progress == progress.answer
    session.sample.stop()
    session.sample.stop()
    assert [cancel.target for cancel in engine.all(p.Cancel)] == [request.id]
    assert session.sample.rendering.stopping
    assert engine.answer(p.Cancelled(id=request.id)).kind is Kind.SAMPLE
    assert session.sample.rendering is None


def test_rendering_goes_on_with_a_new_engine_unless_it_was_to_stop(session):
    engine = Engine(session).open()
    session.sample.folder = b"/sample"
    session.sample.render()
    session.lost()
    assert session.sample.rendering is not None
    engine = Engine(session)
    assert engine.last(p.RenderSample).folder == b"/sample"
    session.sample.stop()
    session.lost()
    assert session.sample.rendering is None
    assert not Engine(session).all(p.RenderSample)


def test_another_library_stops_the_sample_collection(session):
    engine = Engine(session).open()
    session.sample.folder = b"/sample"
    session.sample.render()
    session.open_library(b"/other")
    assert session.sample.rendering is None
    assert engine.last(p.Cancel).target == engine.last(p.RenderSample).id
    rendered = p.SampleRendered(id=engine.last(p.RenderSample).id, folder=b"/sample", display="/sample",
                                captions=b"/sample/captions.json", n_images=1, n_clips=1)
    assert engine.answer(rendered) is None


# --- indexing with another model --------------------------------------------------------------------------------------


def loaded(engine):
    """The answer to the last request for a model."""
    asked = engine.last(p.LoadModel)
    return p.ModelLoaded(id=asked.id, name=asked.name, device="CPU", elapsed_ms=1)


def test_the_old_model_is_in_use_until_the_library_is_indexed_with_the_new_one(session):
    engine = Engine(session).open()
    session.search(p.Query(text="a dog"))
    engine.answer(ranking(engine.last(p.Search).id, 3, session.query, "m"))
    session.index_with("n")
    asked = engine.last(p.IndexFolders)
    assert (asked.folders, asked.model) == ((), "n")
    assert (session.indexing.model, session.indexing.takes_over) == ("n", True)
    session.search(p.Query(text="a cat"))
    assert engine.last(p.Search).model == "m"
    engine.answer(ranking(engine.last(p.Search).id, 3, session.query, "m"))
    assert [request.name for request in engine.all(p.LoadModel)] == ["m"]
    engine.answer(finished(asked.id))
    assert session.model == engine.last(p.LoadModel).name == "n"
    again = engine.last(p.Search)
    assert (again.model, again.query.text) == ("n", "a cat")
    engine.answer(loaded(engine))
    assert engine.last(p.Search) is again  # asked once
    engine.answer(ranking(again.id, 3, again.query, "n"))
    assert session.ranking.model == "n"
    assert not session.outdated


def test_a_model_that_was_trained_again_is_loaded_and_asked_anew(session):
    engine = Engine(session).open()
    session.search(p.Query(text="a dog"))
    engine.answer(ranking(engine.last(p.Search).id, 3, session.query, "m"))
    session.index_with("m")
    engine.answer(finished(engine.last(p.IndexFolders).id))
    assert len(engine.all(p.LoadModel)) == 2
    assert len(engine.all(p.Search)) == 2


def test_stopping_half_way_leaves_the_old_model_in_use(session):
    engine = Engine(session).open()
    session.index_with("n")
    session.stop_indexing()
    assert engine.last(p.Cancel).target == engine.last(p.IndexFolders).id
    engine.answer(p.Cancelled(id=engine.last(p.IndexFolders).id))
    assert (session.model, session.indexing) == ("m", None)
    assert len(engine.all(p.LoadModel)) == 1


def test_failing_leaves_the_old_model_in_use_and_the_next_has_its_turn(session):
    engine = Engine(session).open()
    session.index_with("n")
    session.index_with("k")
    engine.answer(p.Failed(id=engine.last(p.IndexFolders).id, message="No such model."))
    assert session.model == "m"
    assert engine.last(p.IndexFolders).model == "k"


def test_a_second_model_waits_its_turn_behind_folders(session):
    engine = Engine(session).open()
    session.add_folders([b"/a"])
    session.index_with("n")
    session.index_with("n")  # once is enough
    session.index_with("k")
    session.add_folders([b"/b"])
    asked = []
    while session.indexing is not None:
        request = engine.last(p.IndexFolders)
        asked.append((request.folders, request.model))
        engine.answer(finished(request.id))
    assert asked == [((b"/a",), "m"), ((b"/b",), "m"), ((), "n"), ((), "k")]
    assert session.model == "k"


def test_asking_twice_for_what_is_under_way_does_nothing(session):
    engine = Engine(session).open()
    session.index_with("n")
    session.index_with("n")
    engine.answer(finished(engine.last(p.IndexFolders).id))
    assert len(engine.all(p.IndexFolders)) == 1


def test_a_model_that_a_person_chose_meanwhile_stays_in_use(session):
    engine = Engine(session).open()
    session.index_with("n")
    session.load_model("m")
    engine.answer(finished(engine.last(p.IndexFolders).id))
    assert session.model == "m"
    assert [request.name for request in engine.all(p.LoadModel)] == ["m", "m"]


def test_picking_the_model_that_folders_are_indexed_with_changes_nothing(session):
    engine = Engine(session).open()
    session.add_folders([b"/a"])
    session.load_model("m")
    engine.answer(finished(engine.last(p.IndexFolders).id))
    assert len(engine.all(p.LoadModel)) == 2


def test_indexing_with_another_model_survives_the_engine(session):
    engine = Engine(session).open()
    session.index_with("n")
    session.lost("")
    engine = Engine(session).open()
    assert engine.last(p.LoadModel).name == "m"
    assert engine.last(p.IndexFolders).model == "n"
    engine.answer(finished(engine.last(p.IndexFolders).id))
    assert session.model == "n"


def test_what_waits_behind_a_stop_that_the_engine_did_not_survive_has_its_turn(session):
    Engine(session).open()
    session.index_with("n")
    session.stop_indexing()
    session.index_with("k")
    session.lost("")
    assert session.indexing is None
    engine = Engine(session).open()
    assert [request.model for request in engine.all(p.IndexFolders)] == ["k"]


def test_another_library_drops_the_models_that_wait(session):
    engine = Engine(session).open()
    session.index_with("n")
    session.index_with("k")
    session.open_library(b"/other")
    engine.answer(state(engine.last(p.OpenLibrary).id, 3))
    assert session.indexing is None
    assert session.index_queue.models == []
    assert len(engine.all(p.IndexFolders)) == 1


def test_models_are_looked_for_again_and_the_one_in_use_stays(session):
    engine = Engine(session).open()
    session.look_for_models()
    new = p.ModelSummary(name="a", family="f", title="A", output="", modalities=("text",), overlays=())
    engine.answer(p.ModelList(id=engine.last(p.ListModels).id, models=(new, MODEL)))
    assert session.models == (new, MODEL)
    assert session.model == "m"
    assert len(engine.all(p.LoadModel)) == 1
