"""Which place of which layer is pointed at, and what the layers show because of it."""

from dataclasses import replace

import numpy as np

from explorer.gui.overlay_controls import value_text
from explorer.overlays import (
    NOWHERE,
    AnyOverlay,
    ClassOverlay,
    PlacedOverlay,
    PointedOverlay,
    RegionOverlay,
    Style,
    at_place,
    composed,
    has_places,
    heat_range,
    next_place,
    place_at,
    place_name,
    place_value,
    same_places,
    with_values,
)

_BESIDE = 0.25


class Pointing:
    """Knows no widget: is told where the pointer is, and says what is under it and what is to be painted.

    Attributes:
        layer: the layer whose place is pointed at, as it is set; ``None`` if there is none.
        place: number of that place; :data:`~explorer.overlays.NOWHERE` if there is none.
        pinned: whether it stays when the pointer goes.
        current: name of the layer that is preferred where several are seen.
        names: names by which places are told to others; of layers with the same places the first one counts.
        always_keyed: whether a key says what the colours mean although nothing replaced the layers.
        shown: the layers as they are painted now, the lowest first.
    """

    def __init__(self) -> None:
        self.layer: PlacedOverlay | None = None
        self.place = NOWHERE
        self.pinned = False
        self.current = ""
        self.names: tuple[str, ...] = ()
        self.always_keyed = False
        self.shown: tuple[AnyOverlay, ...] = ()
        self._overlays: tuple[AnyOverlay, ...] = ()
        self._values: tuple[str, np.ndarray] | None = None
        self._values_title = ""

    def forget(self) -> None:
        """Another picture: nothing is pointed at."""
        self.layer, self.place, self.pinned, self._values = None, NOWHERE, False, None
        self.set_overlays(())

    def set_overlays(self, overlays: tuple[AnyOverlay, ...]) -> None:
        """Other layers, or the same with another look; a place of a layer that is still there stays."""
        self._overlays = overlays
        layer = None if self.layer is None else self._named(self.layer.name)
        if layer is None or self.place >= layer.values.size:
            self.layer, self.place, self.pinned = None, NOWHERE, False
        else:
            self.layer = layer
        self._compose()

    def told(self) -> tuple[str, int]:
        """Layer and place for those who know layers by name: ``("", NOWHERE)`` if there is none."""
        if self.layer is None or self.place == NOWHERE:
            return "", NOWHERE
        for name in self.names:
            known = self._named(name)
            if known is not None and same_places(known, self.layer):
                return name, self.place
        return self.layer.name, self.place

    def text(self) -> str:
        """What it is, and its raw weight there: for a tag and for those who cannot see it."""
        if self.layer is None or self.place == NOWHERE:
            return ""
        name, shown = self._name(self.layer), self._weighed()
        if shown is None:
            return name
        low, high = heat_range(shown)
        return f"{name}   {value_text(place_value(shown, self.place), high - low)}"

    def _name(self, layer: PlacedOverlay) -> str:
        """What the place is called; a numbered region with its number, unless that is its name."""
        name = place_name(layer, self.place)
        if not isinstance(layer, RegionOverlay) or not layer.numbered or not layer.labels[self.place]:
            return name
        return f"{self.place + 1} {name}"

    @property
    def says_more(self) -> bool:
        """Whether :meth:`text` says more than where it is."""
        return isinstance(self.layer, RegionOverlay) or self._weighed() is not None

    def _weighed(self) -> PlacedOverlay | None:
        """The layer pointed at as it is painted, or would be if nothing else were shown for the moment."""
        if self.layer is None:
            return None
        shown = self._shown(self.layer.name) or self.layer
        return shown if self.layer.visible or shown.visible else None

    # --- moving -------------------------------------------------------------------------------------------------------

    def move_to(self, x: float, y: float) -> bool:
        """The pointer is at this place of the picture in [0, 1]; whether that changed anything."""
        if self.pinned:
            return False
        for layer in self._candidates():
            place = place_at(layer, x, y)
            if place != NOWHERE:
                return self._go(layer, place)
        return self._go(None, NOWHERE)

    def leave(self) -> bool:
        """The pointer is outside of the picture."""
        return not self.pinned and self._go(None, NOWHERE)

    def point_at(self, name: str, place: int) -> bool:
        """Point at a place of a layer by its name, as the rows of a legend do."""
        layer = self._named(name)
        if layer is None or not NOWHERE <= place < layer.values.size:
            return False
        return not self.pinned and self._go(layer if place != NOWHERE else None, place)

    def toggle_pin(self, x: float, y: float) -> None:
        """A click: hold the place under it, or let go of the one that is held there."""
        was, self.pinned = self.place if self.pinned else NOWHERE, False
        layer = self.layer
        self.move_to(x, y)
        self.pinned = self.place != NOWHERE and (self.place != was or self.layer is not layer)

    def hold(self, name: str, place: int) -> None:
        """Hold a place of a layer by its name, or let go of it if it is the one that is held."""
        held = self.pinned and self.layer is not None and (self.layer.name, self.place) == (name, place)
        self.pinned = False
        self.point_at(name, place)
        self.pinned = not held and self.place != NOWHERE

    def step(self, dx: int, dy: int) -> bool:
        """Move what is held by one place, or hold one if none is; whether there is any."""
        layer = self.layer if self.layer is not None else next(iter(self._candidates()), None)
        if layer is None:
            return False
        self._go(layer, next_place(layer, self.place, dx, dy))
        self.pinned = self.place != NOWHERE
        return self.pinned

    def let_go(self) -> bool:
        """Nothing is held any more; whether anything was."""
        was, self.pinned = self.pinned, False
        self._go(None, NOWHERE)
        return was

    def _go(self, layer: PlacedOverlay | None, place: int) -> bool:
        if place == self.place and (layer is None) == (self.layer is None) and (
            layer is None or self.layer is None or layer.name == self.layer.name
        ):
            return False
        self.layer, self.place = layer, place
        self._compose()
        return True

    # --- what is painted ----------------------------------------------------------------------------------------------

    def set_values(self, name: str, values: np.ndarray | None, title: str = "") -> None:
        """Let a layer show other values of its places until ``None``; a layer that is not there shows nothing.

        Raises:
            ValueError: there is not one value for each place.
        """
        layer = self._named(name)
        if values is None or layer is None:
            self._values = None
        else:
            with_values(layer, values)
            self._values = name, values
        self._values_title = title
        self._compose()

    @property
    def key(self) -> PlacedOverlay | None:
        """What needs a colour key of its own, as it replaced the layers for the moment; ``None`` if nothing does."""
        if self._values is not None:
            return self._shown(self._values[0])
        of_place = self._map_of_place()
        if of_place is not None or not self.always_keyed:
            return of_place
        seen = (overlay for overlay in self._overlays if overlay.visible and not isinstance(overlay, ClassOverlay))
        return next((self._shown(overlay.name) for overlay in seen), None)

    def _shown(self, name: str) -> PlacedOverlay | None:
        """A layer as it is painted now."""
        return next((o for o in self.shown if o.name == name and not isinstance(o, ClassOverlay)), None)

    @property
    def key_title(self) -> str:
        """What the key is about; nothing where the controls say it."""
        if self._values is not None:
            return self._values_title
        shown = self._map_of_place()
        return shown.title if shown is not None else ""

    def _map_of_place(self) -> PointedOverlay | None:
        for overlay in self.shown:
            if isinstance(overlay, PointedOverlay) and overlay.visible and self._belongs(overlay):
                return overlay
        return None

    def _compose(self) -> None:
        shown = self._overlays
        if self._values is not None and self._named(self._values[0]) is not None:
            name, values = self._values
            shown = tuple(
                with_values(overlay, values) if overlay.name == name and not isinstance(overlay, ClassOverlay)
                else _aside(overlay) for overlay in shown
            )
        elif any(isinstance(overlay, PointedOverlay) and self._belongs(overlay) for overlay in shown):
            shown = tuple(
                at_place(overlay, self.place) if isinstance(overlay, PointedOverlay) and self._belongs(overlay)
                else _aside(overlay) for overlay in shown
            )
        self.shown = composed(shown)

    def _belongs(self, overlay: PointedOverlay) -> bool:
        """Whether it has a map for the place that is pointed at."""
        if self.layer is None or not overlay.visible or not 0 <= self.place < len(overlay.maps):
            return False
        places = self._named(overlay.places)
        return places is not None and same_places(places, self.layer)

    def _named(self, name: str) -> PlacedOverlay | None:
        for overlay in self._overlays:
            if overlay.name == name and not isinstance(overlay, ClassOverlay):
                return overlay
        return None

    def _candidates(self) -> list[PlacedOverlay]:
        """Layers that can be pointed at: the current one, those whose places have maps, then whatever is seen."""
        visible = [overlay for overlay in self._overlays if overlay.visible and not isinstance(overlay, ClassOverlay)]
        with_maps = [self._named(overlay.places) for overlay in visible if isinstance(overlay, PointedOverlay)]
        current = [overlay for overlay in visible if overlay.name == self.current]
        return [overlay for overlay in (*current, *with_maps, *visible) if overlay is not None and has_places(overlay)]


def _aside(overlay: AnyOverlay) -> AnyOverlay:
    """Out of the way of what is shown for the moment: colours go, outlines stay faintly."""
    if isinstance(overlay, ClassOverlay):
        return overlay
    if isinstance(overlay, RegionOverlay) and overlay.style is Style.HEAT:
        return replace(overlay, opacity=overlay.opacity * _BESIDE)
    return replace(overlay, visible=False)
