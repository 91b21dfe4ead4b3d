"""Asking why a result was chosen, and the answer: small packed maps over the picture."""

import msgspec

from explorer.protocol.base import Message, Query


class Explain(Message, frozen=True):
    """Where the model looked and what it saw; answered by :class:`Explanation`.

    Attributes:
        item_id: a photo or a shot, by its segment id.
        query: what it is compared with; None: only what the model sees.
        without: parts of the network that are left out for comparison: ``"vsem"``, ``"vspm"``.
        words: whether the weight of each word is wanted, too (costs one more sentence a word).
    """

    item_id: int
    model: str
    query: Query | None = None
    without: tuple[str, ...] = ()
    words: bool = True


class Grid(msgspec.Struct, frozen=True, kw_only=True):
    """A small float32 map over the whole picture, row-major little-endian bytes."""

    name: str
    title: str
    height: int
    width: int
    values: bytes


class ClassMap(msgspec.Struct, frozen=True, kw_only=True):
    """A class map over the whole picture: uint8 ids and uint8 confidence (0..255), row-major."""

    height: int
    width: int
    class_ids: bytes
    confidence: bytes
    names: tuple[str, ...]


class Boxes(msgspec.Struct, frozen=True, kw_only=True):
    """Regions of the picture, each with a weight.

    Attributes:
        name: machine name, unique within one explanation.
        boxes: little-endian float32 (n, 4), xyxy normalised to the picture.
        values: little-endian float32 (n,), the weights.
        scores: little-endian float32 (n,), how sure the proposer is.
        labels: what it believes each to be; empty strings where it does not say.
    """

    name: str
    title: str
    boxes: bytes
    values: bytes
    scores: bytes
    labels: tuple[str, ...]


class PointedMaps(msgspec.Struct, frozen=True, kw_only=True):
    """One map over the picture for each place, shown for the place under the pointer.

    Attributes:
        places: name of the :class:`Grid` (cells row by row) or :class:`Boxes` whose places these are.
        n_places: number of maps.
        height: of each map.
        width: of each map.
        values: little-endian float16 (n_places, height, width).
    """

    name: str
    title: str
    places: str
    n_places: int
    height: int
    width: int
    values: bytes


class WordLinks(msgspec.Struct, frozen=True, kw_only=True):
    """How much of each word's weight each place accounts for.

    Attributes:
        places: name of the :class:`Grid` (cells row by row) or :class:`Boxes`.
        values: little-endian float32 (n_words, n_places).
    """

    places: str
    values: bytes


class Words(msgspec.Struct, frozen=True, kw_only=True):
    """The words of the query's sentence.

    Attributes:
        words: as they are written; in very long sentences each entry is a run of several words.
        weights: how far the score falls when that word is left out.
        links: for every layer that can be pointed at.
    """

    words: tuple[str, ...]
    weights: tuple[float, ...]
    links: tuple[WordLinks, ...] = ()


class Bits(msgspec.Struct, frozen=True, kw_only=True):
    """The codes of query and picture, bit by bit.

    Attributes:
        query: little-endian float32 (n_bits,) in [-1, 1]: a bit is set where it is not negative, its size is how far
            the bit is from flipping.
        item: likewise of the picture.
    """

    query: bytes
    item: bytes


class MovingGrid(msgspec.Struct, frozen=True, kw_only=True):
    """A small map for every frame of a shot: little-endian float16 (n_frames, height, width), on one scale."""

    name: str
    title: str
    height: int
    width: int
    values: bytes


class MovingClasses(msgspec.Struct, frozen=True, kw_only=True):
    """A class map for every frame of a shot: uint8 ids and uint8 confidence (0..255), (n_frames, height, width)."""

    height: int
    width: int
    class_ids: bytes
    confidence: bytes
    names: tuple[str, ...]


class ClipMaps(msgspec.Struct, frozen=True, kw_only=True):
    """What holds of a shot frame by frame.

    Attributes:
        times_s: little-endian float32 (n_frames,), ascending, where in the video each frame is.
        attention: the first is what the shot's score or code was made of.
        class_maps: what the model saw in each frame, if it segments.
        curve_title: what the curve is called; empty without one.
        curve: little-endian float32 (n_frames,), when the model found what it was asked for; empty without one.
    """

    times_s: bytes
    attention: tuple[MovingGrid, ...] = ()
    class_maps: MovingClasses | None = None
    curve_title: str = ""
    curve: bytes = b""


class CarriersOfBit(Message, frozen=True):
    """The items of the library that carry one bit of a model's codes most strongly; answered by :class:`BitCarriers`.

    Attributes:
        bit: from 0.
        positive: whether items are wanted in which it is set, or in which it is not.
        k: how many; 0 for all.
    """

    model: str
    bit: int
    positive: bool = True
    k: int = 0


class BitCarriers(Message, frozen=True):
    """Items in which the bit has the value asked for, the strongest first; equal ones by id.

    Attributes:
        item_ids: little-endian int64 (n,).
        strengths: little-endian float32 (n,) in [0, 1], how far the bit is from flipping.
    """

    model: str
    bit: int
    positive: bool
    item_ids: bytes
    strengths: bytes


class Explanation(Message, frozen=True):
    """Evidence for one item. ``presence`` names what the model believes to be in the picture, most certain first.

    ``without`` repeats the request's: what is said here is about the network without these parts.
    """

    item_id: int
    model: str
    attention: tuple[Grid, ...]
    class_map: ClassMap | None
    presence: tuple[tuple[str, float], ...]
    score: float | None
    elapsed_ms: float
    regions: tuple[Boxes, ...] = ()
    pointed: tuple[PointedMaps, ...] = ()
    words: Words | None = None
    without: tuple[str, ...] = ()
    bits: Bits | None = None
    clip: ClipMaps | None = None
