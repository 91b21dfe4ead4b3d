"""How an item of the library and its likeness to the query are said in what commands print."""

import base64
import math
import os
from collections.abc import Mapping
from typing import Any

from explorer import protocol


def place_of(item: protocol.ItemDescription) -> dict[str, Any]:
    """Number, path and kind for JSON, of a shot its span; ``path_bytes`` (base64) where the path is no text."""
    place: dict[str, Any] = {"item_id": item.item_id, "path": item.display, "kind": item.kind}
    if item.n_shots:
        place |= {"start_s": round(item.start_s, 3), "end_s": round(item.end_s, 3)}
    if item.display.encode("utf-8", "replace") != item.path:
        place["path_bytes"] = base64.b64encode(item.path).decode("ascii")
    return place


def width(n_bits: int) -> dict[str, int]:
    """Number of bits for JSON; nothing of embeddings, for which ``n_bits`` is 0."""
    return {"n_bits": n_bits} if n_bits else {}


def likeness(score: float, n_bits: int) -> dict[str, Any]:
    """Score for JSON; of codes the Hamming distance, too: the number of bits in which they differ."""
    distance = {"distance": round((1 - score) * n_bits / 2)} if n_bits else {}
    return {"score": round(score, 6), **distance}


def said_likeness(hit: Mapping[str, Any], n_bits: int) -> str:
    """The same for a person, in columns."""
    return f"{hit['score']:.3f}" if not n_bits else f"{hit['score']:6.3f}  {hit['distance']:>3}/{n_bits}"


def said_place(hit: Mapping[str, Any]) -> str:
    """Path for a person, and of a shot when it is shown."""
    span = f"  {_clock(hit['start_s'])}-{_clock(hit['end_s'])}" if "start_s" in hit else ""
    return f"{hit['path']}{span}"


def said_query(query: protocol.Query) -> dict[str, Any]:
    """What was searched for, for JSON; ``video_span_s`` only where a part of a video was, its end null for the rest."""
    said: dict[str, Any] = {"text": query.text, "not": query.not_text, "image": _as_text(query.image_path)}
    if query.video_path is not None:
        said["video"] = _as_text(query.video_path)
    if query.video_span_s is not None:
        start_s, end_s = query.video_span_s
        said["video_span_s"] = [start_s, end_s if math.isfinite(end_s) else None]
    return said


def _as_text(path: bytes | None) -> str:
    return "" if path is None else os.fsdecode(path).encode("utf-8", "backslashreplace").decode("utf-8")


def _clock(seconds: float) -> str:
    minutes, rest = divmod(seconds, 60)
    return f"{int(minutes)}:{rest:04.1f}"
