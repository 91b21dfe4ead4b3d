"""The split protocols of cross-modal hashing by name (papers.md 1.9, 2.4, 5.7).

All have the same form: some items are queries, everything else is the database that is searched, and what is trained on
is part of the database. WangGodder's collection draws them with numpy's permutation and a seed for each data set; DCMH
takes the rows in the order of the file.
"""

from dataclasses import dataclass

import numpy as np

from explorer.errors import ConfigError, DatasetError


@dataclass(frozen=True, slots=True)
class Division:
    """Rows of a data set, int64, in the order of the protocol.

    Attributes:
        queries: what is asked.
        training: what may be learned from, part of the database.
        database: what is searched: everything but the queries.
    """

    queries: np.ndarray
    training: np.ndarray
    database: np.ndarray


@dataclass(frozen=True, slots=True)
class HashingPreset:
    """How a published protocol divides a data set.

    Attributes:
        name: what ``--preset`` calls it.
        data: what the names of its data set contain, in small letters.
        n_queries: items that are asked.
        n_training: items that are learned from.
        seed: of the permutation; None for the order of the file.
        n_items: items of the published data set, where the number is known.
    """

    name: str
    data: tuple[str, ...]
    n_queries: int
    n_training: int
    seed: int | None
    n_items: int | None = None

    def divide(self, n_items: int) -> Division:
        """Rows of queries, training items and database among ``n_items``.

        Raises
        ------
        DatasetError
            there are fewer items than queries and training items.
        """
        n_needed = self.n_queries + self.n_training
        if n_items < n_needed:
            raise DatasetError(
                f"The preset {self.name} needs at least {n_needed:,} items, {self.n_queries:,} queries and "
                f"{self.n_training:,} to train on, and this data set has {n_items:,}.",
                "Choose the data set that it is made for, or name splits with --split and --gallery-split.",
            )
        # The legacy generator on purpose: the published splits are drawn by it.
        order = np.arange(n_items) if self.seed is None else np.random.RandomState(self.seed).permutation(n_items)
        order = order.astype(np.int64)
        return Division(order[: self.n_queries], order[self.n_queries : n_needed], order[self.n_queries :])

    def notes_on(self, dataset: str, n_items: int) -> tuple[str, ...]:
        """What a reader of the numbers must know."""
        notes = []
        plain = "".join(letter for letter in dataset.lower() if letter.isalnum())
        if not any(name in plain for name in self.data):
            notes.append(f"{self.name} divides {self.data[0]}, and this data set is called {dataset}.")
        if self.n_items not in (None, n_items):
            notes.append(
                f"{self.name} has {self.n_items:,} items and this data set {n_items:,}: other queries are drawn, and "
                "numbers are not comparable with published ones."
            )
        return tuple(notes)


PRESETS = {
    preset.name: preset
    for preset in (
        HashingPreset("coco-5000", ("coco",), 5_000, 10_000, seed=8),
        HashingPreset("iapr-tc12", ("iapr",), 2_000, 10_000, seed=8, n_items=20_000),
        HashingPreset("mirflickr-25k", ("mirflickr", "flickr25k"), 2_000, 10_000, seed=6, n_items=20_015),
        HashingPreset("mirflickr-25k-dcmh", ("mirflickr", "flickr25k"), 2_000, 10_000, seed=None, n_items=20_015),
        HashingPreset("nus-wide-21", ("nuswide",), 2_100, 10_500, seed=7, n_items=195_834),
    )
}


def preset_named(name: str) -> HashingPreset:
    """The preset of this name.

    Raises
    ------
    ConfigError
        there is none; the error lists those that there are.
    """
    if name not in PRESETS:
        raise ConfigError(f"There is no preset {name!r}.", f"Presets: {', '.join(PRESETS)}.")
    return PRESETS[name]
