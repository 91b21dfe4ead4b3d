"""How an item of the library and its likeness to the query are said in what commands print."""

import base64
from collections.abc import Mapping
from typing import Any

from explorer import protocol


def place_of(item: protocol.ItemDescription) -> dict[str, Any]:
    """Number and path for JSON; ``path_bytes`` (base64) where the path is no text."""
    place: dict[str, Any] = {"item_id": item.item_id, "path": item.display}
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
