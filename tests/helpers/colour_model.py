"""A model that knows colours: fast, exact, no weights. For tests of everything around a model.

There are two: ``colours`` makes embeddings, ``colour-bits`` rounds projections of them to binary codes.
Run as a script it is an engine on standard input and output: ``python colour_model.py [--slow SECONDS]``.
"""

import sys
import time
from collections.abc import Sequence
from types import SimpleNamespace

import numpy as np

from explorer.engine.engine import Engine
from explorer.errors import PackageError
from explorer.evidence import AttentionMap, BitAgreement, Evidence, PlaceShares
from explorer.packages.manifest import Output
from explorer.representations import BinaryCodes, Embeddings, Modality

NAME = "colours"
BITS_NAME = "colour-bits"
N_BITS = 16
COLOURS = {"red": (1.0, 0.0, 0.0), "green": (0.0, 1.0, 0.0), "blue": (0.0, 0.0, 1.0), "white": (1.0, 1.0, 1.0)}


class ColourEncoder:
    """Mean colour of a picture; sum of the named colours of a sentence."""

    model_id = f"{NAME}@0123456789abcdef"
    name = NAME
    modalities = frozenset({Modality.TEXT, Modality.IMAGE})
    side_px = 32
    dim = 3
    overlays = ("brightness",)
    device = "CPU"

    def __init__(self, slow_s: float = 0.0) -> None:
        self.slow_s = slow_s
        self.n_images = 0

    def encode_texts(self, texts: Sequence[str]) -> Embeddings:
        named = [[COLOURS[word] for word in text.split() if word in COLOURS] or [(1.0, 1.0, 1.0)] for text in texts]
        sums = [np.sum(colours, axis=0) for colours in named]
        return Embeddings(_unit(np.array(sums, np.float32).reshape(len(texts), 3)))

    def encode_images(self, squares: np.ndarray) -> Embeddings:
        time.sleep(self.slow_s)
        self.n_images += len(squares)
        return Embeddings(_unit(squares.reshape(len(squares), -1, 3).mean(axis=1, dtype=np.float32) + 1))

    def explain(
        self, square: np.ndarray, query: Embeddings | None = None, *, without: frozenset[str] = frozenset()
    ) -> Evidence:
        brightness = square.mean(axis=2).reshape(8, 4, 8, 4).mean(axis=(1, 3)).astype(np.float32) / 255
        if "brightness" in without:
            brightness = np.zeros_like(brightness)
        maps = (AttentionMap("brightness", "Brightness", brightness),)
        if query is None:
            return Evidence(attention=maps)
        scores = query.values @ self.encode_images(square[None]).values[0]
        shares = PlaceShares("brightness", scores[:, None] * brightness.reshape(1, -1) / max(brightness.sum(), 1e-6))
        return Evidence(attention=maps, score=float(scores[0]), row_scores=scores, shares=(shares,))


class ColourBitsEncoder:
    """The same as binary codes: on which side of some planes a colour lies, and how far from them."""

    model_id = f"{BITS_NAME}@fedcba9876543210"
    name = BITS_NAME
    modalities = frozenset({Modality.TEXT, Modality.IMAGE})
    side_px = 32
    dim = N_BITS
    overlays = ()
    device = "CPU"

    def __init__(self, colours: ColourEncoder) -> None:
        self.colours = colours
        # Planes through the axis from black to white tell colours apart best.
        planes = np.random.default_rng(7).standard_normal((3, N_BITS)).astype(np.float32)
        self.planes = planes - 0.9 * planes.mean(axis=0)

    def encode_texts(self, texts: Sequence[str]) -> BinaryCodes:
        return self.codes(self.colours.encode_texts(texts))

    def encode_images(self, squares: np.ndarray) -> BinaryCodes:
        return self.codes(self.colours.encode_images(squares))

    def codes(self, embeddings: Embeddings) -> BinaryCodes:
        return BinaryCodes.from_activations(np.tanh(embeddings.values @ self.planes))

    def explain(
        self, square: np.ndarray, query: BinaryCodes | None = None, *, without: frozenset[str] = frozenset()
    ) -> Evidence:
        if query is None:
            return Evidence()
        own = self.encode_images(square[None])
        assert own.activations is not None
        assert query.activations is not None
        rows = query.activations @ own.activations[0] / N_BITS
        bits = BitAgreement(query.activations[0], own.activations[0])
        return Evidence(score=2 * float(bits.agree.mean()) - 1, row_scores=rows, bits=bits)


class ColourModels:
    """In place of :class:`explorer.engine.models.LoadedModels`."""

    device_wish = "cpu"

    def __init__(self, slow_s: float = 0.0) -> None:
        self.encoder = ColourEncoder(slow_s)
        self.encoders = {NAME: self.encoder, BITS_NAME: ColourBitsEncoder(self.encoder)}

    def package(self, name: str) -> SimpleNamespace:
        if name not in self.encoders:
            raise PackageError(f"There is no model called {name}.", f"Models here: {NAME}.")
        output = Output(kind="code", bits=N_BITS) if name == BITS_NAME else Output(kind="embedding", dim=3)
        manifest = SimpleNamespace(output=output, modalities=tuple(self.encoders[name].modalities))
        return SimpleNamespace(name=name, model_id=self.encoders[name].model_id, manifest=manifest)

    def get(self, name: str) -> ColourEncoder | ColourBitsEncoder:
        self.package(name)
        return self.encoders[name]

    def take_notice(self) -> str:
        return ""


def colour_engine(slow_s: float = 0.0) -> Engine:
    engine = Engine(())
    engine.opened.models = ColourModels(slow_s)  # type: ignore[assignment]
    return engine


def _unit(values: np.ndarray) -> np.ndarray:
    return values / np.maximum(np.linalg.norm(values, axis=1, keepdims=True), 1e-6)


if __name__ == "__main__":
    from explorer.engine.server import serve_stdio

    serve_stdio(colour_engine(float(sys.argv[2]) if "--slow" in sys.argv else 0.0))
