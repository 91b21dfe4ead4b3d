"""What window and engine say to each other before a run and after it; the run itself speaks in ``runs.py``."""

from typing import Literal

import msgspec

from explorer.protocol.base import Message


class GetRecipeForms(Message, frozen=True):
    """What can be trained, and with which settings; answered by :class:`RecipeForms`."""


class RecipeField(msgspec.Struct, frozen=True, kw_only=True):
    """One setting of a recipe.

    Attributes:
        key: ``"training.epochs"``: section and name, or a name alone.
        kind: what is typed: a whole number, a number, words, one of ``choices``, on or off, several of ``choices`` or
            of words (``list``), a file or a folder.
        default: as TOML would say it, words in quotation marks: ``f"{name} = {default}"`` is a line of a recipe; empty
            where there is none: the setting must be given, or its section is left out (``optional``).
        minimum, maximum: of numbers, both allowed; ``exclusive``: the minimum itself is not; ``exclusive_maximum``:
            the maximum itself is not. ``multiple_of``: a whole number must be one of this.
        items: what a ``list`` is of: words, or whole numbers.
        optional: may be left out.
        says: what it means, a sentence.
        published: the value of the paper as a recipe has it, words without quotation marks; empty where none is known.
        source: where that stands, or that the value is reconstructed; empty where no paper speaks of such a thing.
        matters: shown at once; all others behind "more".
    """

    key: str
    kind: Literal["integer", "number", "text", "choice", "switch", "list", "file", "folder"]
    default: str = ""
    choices: tuple[str, ...] = ()
    minimum: float | None = None
    maximum: float | None = None
    exclusive: bool = False
    exclusive_maximum: bool = False
    multiple_of: int | None = None
    items: Literal["text", "integer"] = "text"
    optional: bool = True
    says: str = ""
    published: str = ""
    source: str = ""
    matters: bool = False


class RecipeStart(msgspec.Struct, frozen=True, kw_only=True):
    """A recipe to begin with that came with the program.

    Attributes:
        name: of the recipe; ``title``: for a person.
        content: its TOML, comments that say why included.
        folder: where its relative paths begin.
        complete: whether it can be followed as it stands; else its data is still to be named.
    """

    name: str
    title: str
    content: bytes
    folder: bytes
    complete: bool = True


class RecipeForm(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that can be trained.

    Attributes:
        task: as recipes call it.
        title, says: for a person: "3SHNet", and what it is good for, a sentence.
        needs: what its data must have: subset of "images", "sentences", "labels", "nothing".
        fields: of the recipe, in its order, those of the data section among them.
        starts: recipes that came with the program.
    """

    task: str
    title: str
    says: str
    needs: tuple[str, ...]
    fields: tuple[RecipeField, ...]
    starts: tuple[RecipeStart, ...]


class RecipeForms(Message, frozen=True):
    """Answer to :class:`GetRecipeForms`."""

    forms: tuple[RecipeForm, ...]


class CheckRecipe(Message, frozen=True):
    """Whether a recipe can be followed; answered by :class:`RecipeChecked`. ``folder``: where its relative paths begin.

    ``data``: its files are looked at, too: what is there, and what is missing.
    """

    content: bytes
    folder: bytes
    data: bool = False


class SplitFound(msgspec.Struct, frozen=True, kw_only=True):
    """One split of a data set as it is on disk. ``n_missing``: photos whose file is not there."""

    name: str
    role: Literal["train", "val", "other"]
    n_images: int
    n_sentences: int
    n_labelled: int = 0
    n_missing: int = 0


class RecipeChecked(Message, frozen=True):
    """Answer to :class:`CheckRecipe`.

    Attributes:
        problem: why it cannot be followed, a sentence; empty where it can. ``remedy``: what to do.
        key: the setting that the problem is about, where one is.
        splits: what was found, if it was asked for.
        n_classes: of the labels; None where there are none.
        notes: what a person should know before she starts: a model of this name is there, few labels, ...
        examples: some sentences of the training split.
    """

    problem: str = ""
    remedy: str = ""
    key: str = ""
    splits: tuple[SplitFound, ...] = ()
    n_classes: int | None = None
    notes: tuple[str, ...] = ()
    examples: tuple[str, ...] = ()


class ListDevices(Message, frozen=True):
    """Answered by :class:`Devices`."""


class Device(msgspec.Struct, frozen=True, kw_only=True):
    """What can be trained on. ``name``: as ``--device`` takes it; ``free_mb``: 0 where it cannot be told."""

    name: str
    title: str
    free_mb: float
    total_mb: float


class Devices(Message, frozen=True):
    """The devices of the engine's machine, the preferred one first."""

    devices: tuple[Device, ...]


class EvaluateModels(Message, frozen=True):
    """Measure packages on the validation split of a recipe's data; :class:`Progress`, then :class:`ModelsEvaluated`."""

    models: tuple[str, ...]
    content: bytes
    folder: bytes


class ModelScore(msgspec.Struct, frozen=True, kw_only=True):
    """One package on that split: metrics by name, in per cent; ``problem`` where it cannot be measured on it."""

    model: str
    metrics: dict[str, float] = {}
    problem: str = ""


class ModelsEvaluated(Message, frozen=True):
    """Answer to :class:`EvaluateModels`. ``measured_on``: which data, what was relevant, a sentence."""

    measured_on: str
    scores: tuple[ModelScore, ...]
