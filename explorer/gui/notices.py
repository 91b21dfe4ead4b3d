"""What is said beside the work, in one sentence, and when; no Qt."""

from dataclasses import dataclass
from enum import Enum

from explorer.engine.requests import Kind
from explorer.gui.pages import Step
from explorer.gui.phrases import count, noun_of
from explorer.protocol import CaptionsAdded, Failed, IndexFinished, LibraryState, ModelSummary, SearchResponse


class Topic(Enum):
    """What a notice is about; a newer one on the same topic takes its place."""

    ENGINE = "engine"
    LIBRARY = "library"
    MODEL = "model"
    INDEXING = "indexing"
    SENTENCES = "sentences"
    SAMPLE = "sample collection"
    QUERY = "query"
    FILE = "file"
    SETTINGS = "settings"
    TRAINING = "training"


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """One sentence beside the work, with a next step if there is one, and another; ``details`` are for a report."""

    topic: Topic
    text: str
    step: Step | None = None
    other: Step | None = None
    details: str = ""
    serious: bool = False
    passing: bool = False


READ_ONLY = Notice(
    topic=Topic.LIBRARY, step=Step.OPEN_LIBRARY,
    text="This library cannot be written to: you can search it, but not add or index files.",
)
NO_MODEL_TO_INDEX = Notice(
    topic=Topic.INDEXING, serious=True, text="Nothing can be indexed: there is no model to index with."
)


def notice_of_end(details: str, *, was_stopping: bool) -> Notice:
    """The engine has ended and is being started again."""
    text = "The engine stopped and is being started again. Nothing is lost."
    if was_stopping:
        text = "Indexing was stopped; the engine had to be started again for it."
    return Notice(topic=Topic.ENGINE, text=text, step=Step.COPY_DETAILS, details=details)


def notice_of_giving_up(problem: Failed) -> Notice:
    """The engine is not started again by itself, and results are on show, so that no page says it."""
    return Notice(
        topic=Topic.ENGINE, text=problem.message, step=Step.START_ENGINE, details=problem.details, serious=True
    )


def notice_of_indexing(finished: IndexFinished) -> Notice | None:
    """What indexing found; nothing where the grid itself shows it."""
    if finished.n_failed:
        text = f"{count(finished.n_failed, 'file')} could not be read."
        return Notice(topic=Topic.INDEXING, text=text, step=Step.SHOW_ERRORS)
    if finished.n_added or finished.n_changed or finished.n_removed or finished.n_moved:
        return None
    noun = noun_of(finished.state.n_items, finished.state.n_videos)
    text = f"Nothing has changed in {count(finished.n_unchanged, noun)}."
    if finished.n_encoded:
        text = f"{count(finished.n_encoded, noun)} indexed."
    return Notice(topic=Topic.INDEXING, text=text, passing=True)


def notice_of_captions(added: CaptionsAdded, library: LibraryState | None = None) -> Notice:
    """What a file of sentences brought to this library."""
    noun = _noun(library)
    unknown = f"{count(added.n_unmatched, noun)} named there {'is' if added.n_unmatched == 1 else 'are'}"
    if not added.n_sentences and added.n_unmatched:
        text = f"No sentence was added: {unknown} not in this library."
        return Notice(topic=Topic.SENTENCES, text=text, serious=True)
    text = f"{count(added.n_sentences, 'sentence')} of {count(added.n_items, noun)} were added."
    if added.n_sentences == 1:
        text = text.replace("were", "was")
    if added.n_unmatched:
        text = f"{text[:-1]}; {unknown} not in this library."
    return Notice(topic=Topic.SENTENCES, text=text, passing=not added.n_unmatched)


SENTENCES_STOPPED = Notice(
    topic=Topic.SENTENCES, passing=True, text="Adding sentences was stopped; those that were added stay."
)


SAMPLE_STOPPED = Notice(
    topic=Topic.SAMPLE, step=Step.TRY_SAMPLE,
    text="Drawing the sample collection was stopped. What is drawn stays, and it can go on from there.",
)
SAMPLE_IS_HERE = Notice(
    topic=Topic.SAMPLE, passing=True, text="The sample collection is in this library already."
)


def notice_of_sample_model(model: ModelSummary) -> Notice:
    """The sample collection is searched with another model than was in use."""
    text = f"The sample collection is searched with {model.title}, which sees what moves."
    return Notice(topic=Topic.SAMPLE, text=f"{text} All models are at the top right.")


def notice_of_own_model(usual: ModelSummary, made_for_sample: ModelSummary) -> Notice:
    """The person's own files are searched with the usual model again."""
    text = f"Your own files are indexed with {usual.title}"
    return Notice(topic=Topic.SAMPLE, text=f"{text}: {made_for_sample.title} was chosen for the sample collection.")


_TOPICS = {
    Kind.RANKING: (Topic.QUERY, None), Kind.MODEL: (Topic.MODEL, Step.RELOAD_MODEL), Kind.INDEX: (Topic.INDEXING, None),
    Kind.LIBRARY: (Topic.LIBRARY, Step.TRY_LIBRARY_AGAIN), Kind.CAPTIONS: (Topic.SENTENCES, None),
    Kind.SAMPLE: (Topic.SAMPLE, Step.TRY_SAMPLE),
}


def sentence_of(failed: Failed) -> str:
    """The failure as one sentence with its remedy."""
    if failed.kind == "Bug":
        return f"Something went wrong in the program: {failed.message}"
    return f"{failed.message} {failed.remedy}".strip()


def notice_of_failure(kind: Kind, failed: Failed) -> Notice:
    """A request of this kind could not be done."""
    topic, step = _TOPICS.get(kind, (Topic.FILE, None))
    if failed.details and step is None:
        step = Step.COPY_DETAILS
    return Notice(topic=topic, text=sentence_of(failed), step=step, details=failed.details, serious=True)


def notice_of_left_out(ranking: SearchResponse, library: LibraryState | None = None) -> Notice:
    """A search that leaves files of this library out."""
    verb = "is" if ranking.n_unindexed == 1 else "are"
    text = f"{count(ranking.n_unindexed, _noun(library))} {verb} left out: this model has not seen them yet."
    return Notice(topic=Topic.INDEXING, text=text, step=Step.INDEX_NOW)


def _noun(library: LibraryState | None) -> str:
    """What one file of the library is called."""
    return "file" if library is None else noun_of(library.n_items, library.n_videos)
