"""How an item of the library is named in what commands print."""

import base64
from typing import Any

from explorer import protocol


def place_of(item: protocol.ItemDescription) -> dict[str, Any]:
    """Number and path for JSON; ``path_bytes`` (base64) where the path is no text."""
    place: dict[str, Any] = {"item_id": item.item_id, "path": item.display}
    if item.display.encode("utf-8", "replace") != item.path:
        place["path_bytes"] = base64.b64encode(item.path).decode("ascii")
    return place
