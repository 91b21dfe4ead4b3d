"""The messages. Requests go from the window (or the command line) to the engine, answers come back."""

import msgspec

from explorer.protocol.base import Message, Query
from explorer.protocol.explaining import (
    BitCarriers,
    Bits,
    Boxes,
    CarriersOfBit,
    ClassMap,
    ClipMaps,
    Explain,
    Explanation,
    Grid,
    MovingClasses,
    MovingGrid,
    PointedMaps,
    WordLinks,
    Words,
)
from explorer.protocol.figures import Figure, FigureLayer, FigureSpec, MakeFigure
from explorer.protocol.sentences import AddCaptions, CaptionsAdded, RankedSentence, SearchSentences, SentenceRanking
from explorer.protocol.training import (
    CheckRecipe,
    Device,
    Devices,
    EvaluateModels,
    GetRecipeForms,
    ListDevices,
    ModelScore,
    ModelsEvaluated,
    RecipeChecked,
    RecipeField,
    RecipeForm,
    RecipeForms,
    RecipeStart,
    SplitFound,
)
from explorer.protocol.videos import GetPoster, GetShots, RenderSample, SampleRendered, Shots

PROTOCOL_VERSION = 5


# --- requests -------------------------------------------------------------------------------------------------------


class Hello(Message, frozen=True):
    """First message; answered by :class:`Welcome`."""

    protocol_version: int = PROTOCOL_VERSION


class ListModels(Message, frozen=True):
    """Answered by :class:`ModelList`."""


class OpenLibrary(Message, frozen=True):
    """Open or create the library in this folder; answered by :class:`LibraryState`."""

    path: bytes


class DescribeLibrary(Message, frozen=True):
    """Answered by :class:`LibraryState`."""


class LoadModel(Message, frozen=True):
    """Make this package ready to search; answered by :class:`ModelLoaded`."""

    name: str


class IndexFolders(Message, frozen=True):
    """Scan and index folders with a model; :class:`Progress` while it works, then :class:`IndexFinished`.

    An empty ``folders`` re-scans every source of the library.
    """

    folders: tuple[bytes, ...]
    model: str


class RemoveSource(Message, frozen=True):
    """Forget a folder and its items (never touches the files); answered by :class:`LibraryState`."""

    source_id: int


class Search(Message, frozen=True):
    """Rank the library's photos and shots; answered by :class:`SearchResponse`. ``k`` 0 ranks everything.

    ``every_moment``: all shots of a video are ranked; else the best of each.
    """

    query: Query
    model: str
    k: int = 0
    every_moment: bool = False


class Browse(Message, frozen=True):
    """Everything in the library in scan order, without scores; answered by :class:`SearchResponse`."""


class DescribeItems(Message, frozen=True):
    """Answered by :class:`ItemDescriptions` in the order asked; unknown ids (segment ids) are left out."""

    item_ids: tuple[int, ...]


class GetThumbnails(Message, frozen=True):
    """Answered by :class:`Thumbnails`; what has none is left out. Shots are asked for by their segment ids."""

    item_ids: tuple[int, ...]


class GetPicture(Message, frozen=True):
    """The picture itself, upright, no edge longer than ``max_edge_px``; answered by :class:`Picture`.

    Of a video one frame: the one shown at ``time_s``, or the middle of the shot that ``item_id`` names.
    """

    item_id: int
    max_edge_px: int = 2048
    time_s: float | None = None


class ListErrors(Message, frozen=True):
    """Files that could not be read; answered by :class:`ErrorList`."""

    limit: int = 10_000


class Cancel(Message, frozen=True):
    """Ask the request ``target`` to stop; that request then ends in :class:`Cancelled`. Has no answer of its own."""

    target: int


class Shutdown(Message, frozen=True):
    """Finish what is committed, close the library and exit; answered by the end of the stream."""


# --- answers --------------------------------------------------------------------------------------------------------


class Welcome(Message, frozen=True):
    """The engine is up. ``device`` is what a person reads: "CPU", "NVIDIA H200", ..."""

    protocol_version: int
    program_version: str
    device: str
    pid: int


class ModelSummary(msgspec.Struct, frozen=True, kw_only=True):
    """One package as the model picker shows it. ``problem`` is empty when it can be used."""

    name: str
    family: str
    title: str
    output: str
    modalities: tuple[str, ...]
    overlays: tuple[str, ...]
    problem: str = ""


class ModelList(Message, frozen=True):
    """The packages that were found, the preferred one first."""

    models: tuple[ModelSummary, ...]


class Source(msgspec.Struct, frozen=True, kw_only=True):
    """A folder that is part of the library."""

    source_id: int
    path: bytes
    display: str
    n_items: int
    missing: bool = False


class LibraryState(Message, frozen=True):
    """What the library holds now. ``n_indexed`` maps a model's name to its number of items with vectors.

    ``n_sentences``: captions that data sets brought. ``n_videos``: how many of the items are videos.
    """

    path: bytes
    display: str
    sources: tuple[Source, ...]
    n_items: int
    n_errors: int
    n_indexed: dict[str, int]
    read_only: bool = False
    n_sentences: int = 0
    n_videos: int = 0


class ModelLoaded(Message, frozen=True):
    """The model is ready. ``notice`` says in a sentence if something fell back (no memory on the device, ...)."""

    name: str
    device: str
    elapsed_ms: float
    notice: str = ""


class Progress(Message, frozen=True):
    """Where long work stands. ``n_total`` is 0 while it is not known."""

    stage: str
    n_done: int
    n_total: int
    rate_per_s: float = 0.0
    remaining_s: float | None = None
    current: str = ""


class IndexFinished(Message, frozen=True):
    """What indexing did; ``state`` is the library afterwards."""

    n_added: int
    n_changed: int
    n_moved: int
    n_removed: int
    n_unchanged: int
    n_failed: int
    n_encoded: int
    elapsed_s: float
    state: LibraryState
    notice: str = ""


class SearchResponse(Message, frozen=True):
    """A ranking, best first, as packed arrays (10 million rows fit in one message).

    Attributes:
        item_ids: little-endian int64, 8 bytes each: segment ids of photos and shots (an item's own id of what is one
            segment only; when browsing, items).
        scores: little-endian float32, 4 bytes an item, larger is nearer; empty when browsing.
        sort_ms: for the ranking of scores; codes are ranked while they are compared, which is in ``score_ms``.
        n_unindexed: readable items of the library that have no vector of this model yet.
        n_bits: of the codes that were compared; 0 where embeddings were. Two codes that differ in d bits have the
            score 1 - 2 d / n_bits.
    """

    item_ids: bytes
    scores: bytes
    model: str = ""
    query: Query | None = None
    encode_ms: float = 0.0
    score_ms: float = 0.0
    sort_ms: float = 0.0
    n_unindexed: int = 0
    n_bits: int = 0
    notice: str = ""


class ItemDescription(msgspec.Struct, frozen=True, kw_only=True):
    """One item, or one shot of it. ``captured_at`` is ISO 8601 local time or empty; ``modified_at`` is seconds since
    the epoch.

    Attributes:
        item_id: the segment id that was asked for.
        kind: "image" or "video".
        duration_s: of the whole video; 0 of a photo.
        start_s, end_s: of the shot within it.
        n_shots: of the video; 0 of a photo, and of a video that was not read yet.
    """

    item_id: int
    path: bytes
    display: str
    name: str
    kind: str
    width_px: int
    height_px: int
    size_bytes: int
    modified_at: float
    captured_at: str = ""
    status: str = "ready"
    error: str = ""
    captions: tuple[str, ...] = ()
    duration_s: float = 0.0
    start_s: float = 0.0
    end_s: float = 0.0
    n_shots: int = 0


class ItemDescriptions(Message, frozen=True):
    """Answer to :class:`DescribeItems`."""

    items: tuple[ItemDescription, ...]


class Thumbnail(msgspec.Struct, frozen=True, kw_only=True):
    """An upright JPEG, longest edge 256 px, the picture's aspect kept."""

    item_id: int
    jpeg: bytes


class Thumbnails(Message, frozen=True):
    """Answer to :class:`GetThumbnails`."""

    thumbnails: tuple[Thumbnail, ...]


class Picture(Message, frozen=True):
    """An upright JPEG of the item; ``full_width_px`` and ``full_height_px`` are the original's, upright."""

    item_id: int
    jpeg: bytes
    full_width_px: int
    full_height_px: int


class FileProblem(msgspec.Struct, frozen=True, kw_only=True):
    """A file that could not be read, and why, in a sentence."""

    path: bytes
    display: str
    error: str


class ErrorList(Message, frozen=True):
    """Answer to :class:`ListErrors`."""

    problems: tuple[FileProblem, ...]
    n_total: int


class Cancelled(Message, frozen=True):
    """The request was stopped as asked; what was finished before stays."""


class Failed(Message, frozen=True):
    """The request could not be done: a sentence, what to do next, and details only if it was a bug.

    ``kind`` is the class name from ``explorer.errors`` ("MediaError", ...), or "Bug".
    """

    message: str
    remedy: str = ""
    kind: str = "Bug"
    details: str = ""


Request = (
    Hello | ListModels | OpenLibrary | DescribeLibrary | LoadModel | IndexFolders | RemoveSource | Search | Browse
    | DescribeItems | GetThumbnails | GetPicture | GetShots | GetPoster | RenderSample | Explain | CarriersOfBit
    | AddCaptions | SearchSentences | MakeFigure | ListErrors | GetRecipeForms | CheckRecipe | ListDevices
    | EvaluateModels | Cancel | Shutdown
)
Answer = (
    Welcome | ModelList | LibraryState | ModelLoaded | Progress | IndexFinished | SearchResponse | ItemDescriptions
    | Thumbnails | Picture | Shots | SampleRendered | Explanation | BitCarriers | CaptionsAdded | SentenceRanking
    | Figure | ErrorList | RecipeForms | RecipeChecked | Devices | ModelsEvaluated | Cancelled | Failed
)

__all__ = [
    "PROTOCOL_VERSION", "AddCaptions", "Answer", "BitCarriers", "Bits", "Boxes", "Browse", "Cancel",
    "Cancelled", "CaptionsAdded", "CarriersOfBit", "CheckRecipe", "ClassMap", "ClipMaps", "DescribeItems",
    "DescribeLibrary", "Device", "Devices", "ErrorList", "EvaluateModels", "Explain", "Explanation", "Failed",
    "Figure", "FigureLayer", "FigureSpec", "FileProblem", "GetPicture", "GetPoster", "GetRecipeForms", "GetShots",
    "GetThumbnails", "Grid", "Hello", "IndexFinished", "IndexFolders", "ItemDescription", "ItemDescriptions",
    "LibraryState", "ListDevices", "ListErrors", "ListModels", "LoadModel", "MakeFigure", "Message",
    "ModelList", "ModelLoaded", "ModelScore", "ModelSummary", "ModelsEvaluated", "MovingClasses", "MovingGrid",
    "OpenLibrary", "Picture", "PointedMaps", "Progress", "Query", "RankedSentence", "RecipeChecked",
    "RecipeField", "RecipeForm", "RecipeForms", "RecipeStart", "RemoveSource", "RenderSample", "Request",
    "SampleRendered", "Search", "SearchResponse", "SearchSentences", "SentenceRanking", "Shots", "Shutdown",
    "Source", "SplitFound", "Thumbnail", "Thumbnails", "Welcome", "WordLinks", "Words",
]
