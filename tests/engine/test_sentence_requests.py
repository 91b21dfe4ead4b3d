"""What is asked about sentences, with a session and no engine: everything said is written down."""

import pytest

from explorer import protocol as p
from explorer.engine.sentence_requests import has_many_words, is_picture
from explorer.session import Session

MODEL = p.ModelSummary(name="m", family="f", title="M", output="", modalities=("text",), overlays=())
PICTURE = p.Query(image_item_id=3)


class Talk:
    """A session whose engine is a list."""

    def __init__(self, n_sentences=50):
        self.session, self.said = Session(b"/lib", clock=lambda: 0.0), []
        self.attach()
        self.hear(p.ModelList, self.last(p.ListModels), models=(MODEL,))
        self.state(self.last(p.OpenLibrary), n_sentences)

    def attach(self):
        self.session.attach(self.said.append)

    def last(self, kind):
        return [request for request in self.said if isinstance(request, kind)][-1]

    def all(self, kind):
        return [request for request in self.said if isinstance(request, kind)]

    def hear(self, kind, request, **fields):
        return self.session.receive(kind(id=request.id, **fields))

    def state(self, request, n_sentences):
        self.hear(p.LibraryState, request, path=b"/lib", display="/lib", sources=(), n_items=9, n_errors=0,
                  n_indexed={"m": 9}, n_sentences=n_sentences)

    def search(self, query):
        self.session.search(query)
        self.hear(p.SearchResponse, self.last(p.Search), item_ids=bytes(72), scores=bytes(36), model="m", query=query)

    def ranking(self, request):
        sentence = p.RankedSentence(text="a dog", item_id=3, score=0.5)
        self.hear(p.SentenceRanking, request, sentences=(sentence,), n_sentences=50)


@pytest.fixture
def talk():
    return Talk()


def test_a_picture_asks_for_sentences_once_its_ranking_is_there(talk):
    talk.session.search(PICTURE)
    assert talk.all(p.SearchSentences) == []  # the search itself comes first
    talk.search(PICTURE)
    asked = talk.last(p.SearchSentences)
    assert (asked.query, asked.model, asked.k) == (PICTURE, "m", 20)
    talk.ranking(asked)
    assert talk.session.sentences.ranked.ranking.sentences[0].text == "a dog"


def test_words_ask_for_none_and_neither_does_a_library_without_sentences(talk):
    talk.search(p.Query(text="a dog"))
    assert talk.all(p.SearchSentences) == []
    other = Talk(n_sentences=0)
    other.search(PICTURE)
    assert other.all(p.SearchSentences) == []


def test_another_query_cancels_what_is_under_way_and_drops_the_chosen_sentence(talk):
    talk.search(PICTURE)
    asked = talk.last(p.SearchSentences)
    talk.session.sentences.chosen = "a dog"
    talk.session.search(p.Query(text="boats"))
    assert asked.id in [cancel.target for cancel in talk.all(p.Cancel)]
    assert talk.session.sentences.chosen == ""
    talk.ranking(asked)  # too late
    assert talk.session.sentences.ranked is None


def test_results_are_explained_with_the_chosen_sentence_and_without_its_picture(talk):
    talk.search(PICTURE)
    talk.session.explain(3)
    assert talk.last(p.Explain).query == PICTURE
    talk.session.sentences.chosen = "a dog"
    talk.session.explain(3)
    assert talk.last(p.Explain).query == p.Query(text="a dog")


def test_a_stopped_ranking_says_so_and_a_failed_one_says_why(talk):
    talk.search(PICTURE)
    talk.hear(p.Progress, talk.last(p.SearchSentences), stage="encoding", n_done=1, n_total=50)
    assert talk.session.sentences.ranked.progress.n_done == 1
    talk.session.sentences.stop_ranking()
    assert talk.session.sentences.ranked.stopped
    assert talk.last(p.Cancel).target == talk.last(p.SearchSentences).id
    talk.session.rank_sentences()
    assert not talk.session.sentences.ranked.stopped
    talk.hear(p.Failed, talk.last(p.SearchSentences), message="No.")
    assert talk.session.sentences.ranked.problem.message == "No."


def test_sentences_that_were_brought_in_are_counted_and_ranked(talk):
    talk = Talk(n_sentences=0)
    talk.search(PICTURE)
    talk.session.sentences.bring(b"/c.json", "m")
    talk.session.sentences.bring(b"/d.json", "m")  # one at a time
    assert [request.path for request in talk.all(p.AddCaptions)] == [b"/c.json"]
    talk.hear(p.CaptionsAdded, talk.last(p.AddCaptions), n_sentences=5, n_items=1, n_unmatched=0)
    assert talk.session.sentences.bringing is None
    talk.state(talk.last(p.DescribeLibrary), 5)
    assert talk.session.library.n_sentences == 5
    assert not talk.session.outdated  # the photos are the same
    assert talk.last(p.SearchSentences).query == PICTURE


def test_an_engine_that_dies_is_asked_again_unless_it_was_to_stop(talk):
    talk.session.sentences.bring(b"/c.json", "m")
    talk.session.lost("")
    talk.said.clear()
    talk.attach()
    assert len(talk.all(p.AddCaptions)) == 1
    talk.session.sentences.stop_bringing()
    assert talk.session.sentences.bringing.stopping
    talk.session.lost("")
    talk.said.clear()
    talk.attach()
    assert talk.all(p.AddCaptions) == []
    assert talk.session.sentences.bringing is None


def test_another_library_has_other_sentences(talk):
    talk.search(PICTURE)
    talk.ranking(talk.last(p.SearchSentences))
    talk.session.sentences.bring(b"/c.json", "m")
    talk.session.open_library(b"/other")
    assert talk.session.sentences.ranked is None
    assert talk.session.sentences.bringing is None
    assert talk.last(p.Cancel).target == talk.last(p.AddCaptions).id


def test_what_counts_as_a_picture_and_as_many_words():
    assert not is_picture(None)
    assert not is_picture(p.Query(text="a dog"))
    assert is_picture(p.Query(text="a dog", image_bytes=b"x"))
    assert is_picture(p.Query(image_item_id=0))
    assert not has_many_words(None)
    assert not has_many_words(p.Query(text="a " * 30))
    assert has_many_words(p.Query(text="a " * 31))
