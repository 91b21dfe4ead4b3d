"""Protocols by name, and measuring by one: which photos are the gallery, how many folds, what the numbers are called.

The field's three for photos and sentences (papers.md 3.9, 4.1): Flickr30K 1K, COCO 5K, and COCO 1K, the mean of five
consecutive folds of the same 5,000 photos. For clips MSR-VTT's test split of 2,990 clips with all their sentences
(papers.md 5.6), and 1K-A, 1,000 of them with one sentence each.
"""

from dataclasses import dataclass, replace

from explorer.cancellation import CancellationToken
from explorer.errors import ConfigError
from explorer.evaluation.encoding import OnProgress, Source, encode_pairs
from explorer.evaluation.hashing_report import HASHING
from explorer.evaluation.image_text import Standings, Ties
from explorer.evaluation.report import EvaluationReport, OtherTies, Scores
from explorer.evaluation.similarities import Similarities, fold_slices, standings_of
from explorer.evaluation.visual import Visual
from explorer.networks.encoder import Encoder

IMAGE_SENTENCE = "image-sentence"


@dataclass(frozen=True, slots=True)
class RetrievalProtocol:
    """How a split is measured.

    Attributes:
        name: what ``--protocol`` calls it.
        n_folds: consecutive folds whose numbers are averaged.
        n_images: photos or clips that the published protocol has; None for any number.
        data: what the names of its data set contain, in small letters; empty for any.
        json_split: the split of a json that it is measured on where none is named.
        folder_split: that of a folder of feature files.
        visual: what the published protocol has.
    """

    name: str
    n_folds: int = 1
    n_images: int | None = None
    data: tuple[str, ...] = ()
    json_split: str = "val"
    folder_split: str = "dev"
    visual: Visual = Visual.IMAGE

    def with_folds(self, n_folds: int | None) -> "RetrievalProtocol":
        """The same with another number of folds.

        Raises
        ------
        ConfigError
            the protocol has a number of its own, and this is another.
        """
        if n_folds is None or n_folds == self.n_folds:
            return self
        if self.n_images is not None:
            raise ConfigError(
                f"The protocol {self.name} has {_folds(self.n_folds)}, not {n_folds}.",
                f"Leave --folds out, or use --protocol {IMAGE_SENTENCE}.",
            )
        return replace(self, n_folds=n_folds)

    def name_on(self, n_images: int) -> str:
        """What numbers on so many photos may be called: a smaller gallery is easier, so never by the bare name."""
        if self.n_images in (None, n_images):
            return self.name
        size = f"{n_images // self.n_folds:,} {self.visual.plural}"
        return f"{self.name}, reduced to {size if self.n_folds == 1 else f'{self.n_folds} folds of {size}'}"

    def notes_on(self, dataset: str, n_images: int) -> tuple[str, ...]:
        """What a reader of the numbers must know."""
        notes = []
        if self.data and not any(name in dataset.lower() for name in self.data):
            notes.append(f"{self.name} is measured on {self.data[0]}, and this data set is called {dataset}.")
        if self.n_images not in (None, n_images):
            notes.append(
                f"{self.name} has {self.n_images:,} {self.visual.plural} and this split {n_images:,}: not comparable "
                "with published numbers."
            )
        return tuple(notes)


PROTOCOLS = {
    protocol.name: protocol
    for protocol in (
        RetrievalProtocol(IMAGE_SENTENCE),
        RetrievalProtocol("flickr30k-1k", 1, 1000, ("flickr30k", "f30k"), "test", "test"),
        # Karpathy's json calls the 5,000 photos "test"; SCAN's folders call them "testall", and 1,000 of them "test".
        RetrievalProtocol("coco-5k", 1, 5000, ("coco",), "test", "testall"),
        RetrievalProtocol("coco-1k", 5, 5000, ("coco",), "test", "testall"),
        RetrievalProtocol("msr-vtt", 1, 2990, ("msr-vtt",), "test", "test", Visual.VIDEO),
        RetrievalProtocol("msr-vtt-1k-a", 1, 1000, ("msr-vtt",), "1k-a", "test", Visual.VIDEO),
    )
}


def protocol_named(name: str) -> RetrievalProtocol:
    """The protocol of this name.

    Raises
    ------
    ConfigError
        there is none; the error lists those that there are.
    """
    if name not in PROTOCOLS:
        raise ConfigError(f"There is no protocol {name!r}.", f"Protocols: {', '.join([*PROTOCOLS, HASHING])}.")
    return PROTOCOLS[name]


@dataclass(frozen=True, slots=True)
class Measured:
    """What one model, or an ensemble, got; ``report`` is made of ``standings``."""

    similarities: Similarities
    standings: Standings
    report: EvaluationReport


def measure(
    similarities: Similarities,
    protocol: RetrievalProtocol,
    *,
    ties: Ties = "pessimistic",
    model: str,
    dataset: str,
    split: str,
    token: CancellationToken | None = None,
) -> Measured:
    """Rank everything both ways and report on it.

    Parameters
    ----------
    similarities
        of a model, or of an ensemble.
    protocol
        says how many folds.
    ties
        the rule of the report's own numbers; those of the other rule stand beside them where they differ.
    model, dataset, split
        how the report names them.
    token
        looked at between blocks.

    Raises
    ------
    ConfigError
        the photos cannot be cut into the protocol's folds.
    Cancelled
        a stop was asked for.
    """
    standings = standings_of(similarities, n_folds=protocol.n_folds, token=token)
    folds = _scores_of_folds(similarities, standings, protocol.n_folds, ties)
    whole = Scores.mean_of(folds)
    report = EvaluationReport(
        model=model,
        dataset=dataset,
        split=split,
        protocol=protocol.name_on(similarities.n_images),
        image_to_text=whole.image_to_text,
        text_to_image=whole.text_to_image,
        rsum=whole.rsum,
        ties=ties,
        n_images=similarities.n_images,
        n_sentences=len(similarities.owners),
        other_ties=_other_ties(similarities, standings, protocol.n_folds, ties),
        folds=folds if protocol.n_folds > 1 else (),
        notes=protocol.notes_on(dataset, similarities.n_images),
    )
    return Measured(similarities, standings, report)


def evaluate_image_sentence(
    encoder: Encoder,
    source: Source,
    *,
    model: str = "",
    token: CancellationToken | None = None,
    on_progress: OnProgress | None = None,
) -> EvaluationReport:
    """Recall both ways over all photos and sentences of a split; raises as :func:`encode_pairs` does.

    Parameters
    ----------
    encoder
        any model of real embeddings that reads sentences and pictures.
    source
        the split.
    model
        how the report names the model; its package's name by default.
    token
        looked at between batches.
    on_progress
        hears how far it is.
    """
    encoded = encode_pairs(encoder, source, token=token, on_progress=on_progress)
    return measure(
        Similarities((encoded,)),
        PROTOCOLS[IMAGE_SENTENCE],
        model=model or encoder.name,
        dataset=source.name,
        split=source.split,
        token=token,
    ).report


def _scores_of_folds(
    similarities: Similarities, standings: Standings, n_folds: int, ties: Ties
) -> tuple[Scores, ...]:
    ranks = standings.ranks(ties)
    return tuple(
        Scores.from_ranks(ranks.of_images(fold, similarities.owners))
        for fold in fold_slices(similarities.n_images, n_folds)
    )


def _other_ties(similarities: Similarities, standings: Standings, n_folds: int, ties: Ties) -> OtherTies | None:
    """The numbers under the other rule; None where nothing is tied, because then they are the same."""
    if not standings.n_tied:
        return None
    other: Ties = "mean" if ties == "pessimistic" else "pessimistic"
    whole = Scores.mean_of(_scores_of_folds(similarities, standings, n_folds, other))
    return OtherTies(other, standings.n_tied, whole.image_to_text, whole.text_to_image, whole.rsum)


def _folds(n: int) -> str:
    return f"{n} fold{'s' if n > 1 else ''}"
