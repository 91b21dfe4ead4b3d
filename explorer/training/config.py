"""Training recipes: TOML files, validated as they are read.

A recipe names its data, its network and its schedule; every value that the papers do not give is called
*reconstructed* where it is documented.
"""

import difflib
import os
import tomllib
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec

from explorer.errors import ConfigError
from explorer.networks.common.language import DEFAULT_LANGUAGE_MODEL
from explorer.networks.three_shnet.reading import TextKind
from explorer.packages.manifest import PackageName
from explorer.training.dsmhn_config import DSMHNRecipe
from explorer.training.hashing_config import TVDBRecipe
from explorer.training.precision import Precision
from explorer.training.scenes_config import ScenesRecipe
from explorer.training.sections import Count, DatasetSection, FeatureSection, Positive, Rate, Share
from explorer.training.stopping import StoppingSection


class TailSection(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Tuning of the last backbone stages under a pooled head, before the network is trained on them (reconstructed).

    Attributes:
        epochs: 0 leaves the tail as it came.
        batch_size: photos a step.
        learning_rate: of the head.
        tail_learning_rate: of the tail's own tensors.
        weight_decay: of all matrices.
        embed_dim: width of the pooled head.
        dropout: in the pooled head.
        sentences: sentences of each photo in a step.
    """

    epochs: Count = 0
    batch_size: Positive = 128
    learning_rate: Rate = 1e-3
    tail_learning_rate: Rate = 1e-4
    weight_decay: Annotated[float, msgspec.Meta(ge=0.0)] = 0.05
    embed_dim: Positive = 512
    dropout: Share = 0.4
    sentences: Annotated[int, msgspec.Meta(ge=1, le=5)] = 5


class NetworkSection(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The image and text encoders; names and defaults as in ``networks/three_shnet/config.py``.

    Attributes:
        text: what reads the sentences: MiniLM's frozen word states, those of another language model, or words of the
            training sentences with trained vectors and a BiGRU.
        language_model: for text = "bert", a name that the Hugging Face cache knows, or a folder.
        min_word_count: for text = "bigru": how often a word must be in the training sentences to be known
            (4 in VSE++'s data).
        word_dim: for text = "bigru": width of a word vector.
        tokens: what a visual token is: a cell of the grid, or a region that the vision package proposes.
        trunk_cells: whether a token has the trunk's finer cells, too (reconstructed).
        region_pooling: what of the grid a region's token holds: its mean or its largest values within the box
            (the latter reconstructed).
        region_positions: whether a region's token has its corners and area (reconstructed).
        region_labels: whether it has its label with the proposer's score (reconstructed).
        whole_picture: whether the whole picture is one region more (reconstructed).
    """

    text: TextKind = "minilm"
    language_model: str = DEFAULT_LANGUAGE_MODEL
    min_word_count: Positive = 4
    word_dim: Positive = 300
    tokens: Literal["grid", "regions"] = "grid"
    region_pooling: Literal["mean", "max"] = "mean"
    region_positions: bool = True
    region_labels: bool = True
    whole_picture: bool = True
    embed_dim: Positive = 1024
    map_size: Positive = 14
    hidden_dim: Positive = 512
    dropout: Share = 0.1
    token_dropout: Share = 0.2
    feature_dropout: Share = 0.0
    trunk_cells: bool = True
    vsem: bool = True
    vspm: bool = True
    category_token: bool = True
    segmentation_cells: bool = True
    gate: Literal["sigmoid", "softmax"] = "sigmoid"
    pooling: Literal["gpo", "mean"] = "gpo"
    word_dropout: Share = 0.0
    word_feature_dropout: Share = 0.0


class TrainingSection(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Objective and schedule.

    Attributes:
        loss: "triplet" as published, or "info-nce".
        warmup_epochs: epochs of the triplet loss over all negatives before the hardest ones (1 as published).
        margin: of the triplet loss.
        epochs: passes over the photos.
        batch_size: photos a step.
        sentences: sentences of each photo in a step (1 as published; more is reconstructed, info-nce only).
        learning_rate: highest rate; falls as a cosine after ``warmup_steps`` (reconstructed; published: one step down).
        warmup_steps: steps over which the rate rises.
        weight_decay: AdamW's.
        clip_norm: longest gradient (2.0 as published).
        gate_cost: what an open VSeM gate costs: weight of the mean of ``-log(1 - gate)`` (reconstructed). Without it
            all gates of all cells open (measured: mean 0.995 after five epochs), and then they say nothing.
        gate_cost_epochs: the last epochs, in which this counts.
        averaging: decay of the running average of the weights that is measured and shipped; 0 for none (reconstructed).
        precision: in which linear layers multiply while training; "bfloat16" is faster where the processor has it
            (reconstructed).
        seed: of everything random.
    """

    loss: Literal["triplet", "info-nce"] = "info-nce"
    warmup_epochs: Count = 1
    margin: Annotated[float, msgspec.Meta(gt=0.0)] = 0.2
    epochs: Positive = 25
    batch_size: Annotated[int, msgspec.Meta(ge=2)] = 256
    sentences: Annotated[int, msgspec.Meta(ge=1, le=5)] = 1
    learning_rate: Rate = 5e-4
    warmup_steps: Count = 50
    weight_decay: Annotated[float, msgspec.Meta(ge=0.0)] = 1e-4
    clip_norm: Annotated[float, msgspec.Meta(gt=0.0)] = 2.0
    gate_cost: Annotated[float, msgspec.Meta(ge=0.0)] = 0.0
    gate_cost_epochs: Count = 0
    averaging: Share = 0.0
    precision: Precision = "float32"
    seed: int = 0

    def __post_init__(self) -> None:
        if self.loss == "triplet" and self.sentences != 1:
            raise ValueError("loss = \"triplet\" takes sentences = 1")


class GateSection(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Teaching the VSeM gates to say which cells matter, after the network is trained (reconstructed).

    Attributes:
        epochs: 0 leaves the gates as they are.
        learning_rate: highest rate of all parameters.
        weight: of the cross-entropy between gates and attributions, beside InfoNCE.
    """

    epochs: Count = 0
    learning_rate: Rate = 2e-4
    weight: Annotated[float, msgspec.Meta(ge=0.0)] = 0.5


class RidgeSection(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The closed form of the pooled encoder: penalty on the squared weights, as a multiple of the rows."""

    penalty: Annotated[float, msgspec.Meta(gt=0.0)] = 1.0


class PooledRecipe(
    msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="task", tag="pooled"
):
    """Ridge regression from pooled features to sentence embeddings."""

    name: PackageName
    dataset: DatasetSection
    title: str = "Pooled features"
    features: FeatureSection = FeatureSection()
    ridge: RidgeSection = RidgeSection()


class ImageSentenceRecipe(
    msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="task", tag="image-sentence"
):
    """3SHNet on captioned photos."""

    name: PackageName
    dataset: DatasetSection
    title: str = "3SHNet"
    features: FeatureSection = FeatureSection()
    tail: TailSection = TailSection()
    network: NetworkSection = NetworkSection()
    training: TrainingSection = TrainingSection()
    gates: GateSection = GateSection()
    stopping: StoppingSection = StoppingSection()

    def __post_init__(self) -> None:
        network = self.network
        if network.text == "bigru" and (network.pooling != "gpo" or network.word_feature_dropout):
            raise ValueError("text = \"bigru\" takes pooling = \"gpo\" and no word_feature_dropout")
        if self.gates.epochs and self.network.tokens == "regions":
            raise ValueError("gates can be taught on the cells of a grid only, tokens = \"grid\"")


Recipe = PooledRecipe | ImageSentenceRecipe | TVDBRecipe | DSMHNRecipe | ScenesRecipe

TASKS = ("pooled", "image-sentence", "tvdb", "dsmhn", "scenes", "distillation")
"""What a recipe can be for; the last has its recipe in ``distillation.py``, because it trains no encoder."""


_REMEDIES = {
    "missing required field `dataset`": "Say under [dataset] where the photos are: annotations, or library.",
    "at `$.name`": "A name has letters, digits, dots, dashes and underscores, and begins with a letter or a digit.",
}
"""What to do about some errors of msgspec, by a part of their text."""


def read_recipe(path: Path) -> Recipe:
    """Read and validate a recipe.

    Raises
    ------
    ConfigError
        it is missing, is not TOML, or says something that it should not; names the key and, for a misspelt one, the
        key that was probably meant.
    """
    return decode_recipe(read_recipe_bytes(path), where=path.name)


def read_recipe_bytes(path: Path) -> bytes:
    """The recipe as it is on disk; :class:`ConfigError` if it cannot be read."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise ConfigError(f"The recipe {path} cannot be read: {error.strerror or error}.") from error


def task_of(content: bytes, *, where: str) -> str:
    """Which of :data:`TASKS` a recipe is for; :class:`ConfigError` if it does not say."""
    return str(_decode_table(content, where=where)["task"])


def _decode_table(content: bytes, *, where: str) -> dict[str, Any]:
    try:
        table = tomllib.loads(content.decode("utf-8"))
    except ValueError as error:
        raise ConfigError(f"{where} is not valid TOML: {error}.") from error
    if table.get("task") not in TASKS:
        raise ConfigError(f"{where} needs a task, one of {', '.join(TASKS)}; it says {table.get('task')!r}.")
    return table


def decode_recipe(content: bytes, *, where: str) -> Recipe:
    """The recipe in these bytes; see :func:`read_recipe`."""
    table = _decode_table(content, where=where)
    kinds = {
        "pooled": PooledRecipe, "image-sentence": ImageSentenceRecipe, "tvdb": TVDBRecipe, "dsmhn": DSMHNRecipe,
        "scenes": ScenesRecipe,
    }
    kind: type[Any] | None = kinds.get(table["task"])
    if kind is None:
        raise ConfigError(f"{where} is a recipe of the task {table['task']}, which trains no encoder.")
    _refuse_unknown(table, kind, where, "")
    try:
        recipe: Recipe = msgspec.convert(table, Recipe)
    except msgspec.ValidationError as error:
        remedy = next((words for part, words in _REMEDIES.items() if part in str(error)), "Correct that value.")
        raise ConfigError(f"{where} cannot be followed: {error}.", remedy) from error
    return recipe


def expand_path(path: str, recipe_folder: Path) -> Path:
    """A path of a recipe: variables and ``~`` replaced, relative to the recipe.

    Raises
    ------
    ConfigError
        a variable that it names is not set.
    """
    expanded = os.path.expandvars(path)
    if "$" in expanded:
        variable = expanded[expanded.index("$") :].split("/")[0].strip("${}")
        raise ConfigError(
            f"The recipe looks for its data in {path}, but {variable} is not set.",
            f"Set the environment variable {variable} to the folder of the data set.",
        )
    return recipe_folder / Path(expanded).expanduser()


def _refuse_unknown(table: dict[str, Any], kind: type[Any], where: str, prefix: str) -> None:
    fields = {field.encode_name: field.type for field in msgspec.structs.fields(kind)}
    for key, value in table.items():
        if key == "task" and not prefix:
            continue
        if key not in fields:
            near = difflib.get_close_matches(key, fields, n=1)
            hint = f"Did you mean {prefix}{near[0]}?" if near else f"Known are: {', '.join(sorted(fields))}."
            raise ConfigError(f"{where} has an unknown key {prefix}{key}.", hint)
        inner = fields[key]
        if isinstance(value, dict) and isinstance(inner, type) and issubclass(inner, msgspec.Struct):
            _refuse_unknown(value, inner, where, f"{prefix}{key}.")
