"""How ids of items travel through Qt."""

from typing import Any

ITEM_ID: Any = "qlonglong"
"""The type of an item's id in signals and slots: ids of shots have up to 62 bits, of which ``int`` would keep 32."""
