"""Between the bit inspector and the engine: asks for the photos that carry a bit, and opens one of them."""

from PySide6.QtCore import QObject, Slot

from explorer.engine.requests import Kind
from explorer.gui.bits_panel import MOST_CARRIERS
from explorer.gui.controller import Controller
from explorer.gui.notices import sentence_of
from explorer.gui.viewing import ItemViewing
from explorer.protocol import BitCarriers, Failed
from explorer.session import Received


class BitControl(QObject):
    """Joins the viewer's bit inspector and the controller."""

    def __init__(self, controller: Controller, viewing: ItemViewing) -> None:
        super().__init__(viewing)
        self._line, self._panel = controller.session.line, viewing.viewer.bits
        self._panel.carriers_wanted.connect(self._ask)
        self._panel.items_wanted.connect(self._fetch)
        self._panel.item_chosen.connect(viewing.open_item)
        controller.received.connect(self._receive)
        controller.thumbnails_came.connect(self._panel.add_thumbnails)
        controller.descriptions_came.connect(self._panel.add_descriptions)

    @Slot(str, int, bool)
    def _ask(self, model: str, bit: int, positive: bool) -> None:
        self._line.find_carriers(model, bit, positive=positive, k=MOST_CARRIERS)

    @Slot(list)
    def _fetch(self, item_ids: list[int]) -> None:
        self._line.get_thumbnails(item_ids)
        self._line.describe_items(item_ids)

    @Slot(object)
    def _receive(self, received: Received) -> None:
        if received.kind is not Kind.CARRIERS:
            return
        if isinstance(received.answer, BitCarriers):
            self._panel.carriers.show_carriers(received.answer)
        elif isinstance(received.answer, Failed):
            self._panel.carriers.show_problem(sentence_of(received.answer))
