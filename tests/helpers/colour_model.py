"""A model that knows colours: fast, exact, no weights. For tests of everything around a model.

There are four: ``colours`` makes embeddings, ``colour-bits`` rounds projections of them to binary codes;
``colour-motion`` sees clips as a whole and can tell "red then blue" from "blue then red", and so does ``colour-clips``,
which reads no pictures.
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
MOTION_NAME = "colour-motion"
CLIPS_NAME = "colour-clips"
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
        self.batches: list[int] = []

    def encode_texts(self, texts: Sequence[str]) -> Embeddings:
        named = [[COLOURS[word] for word in text.split() if word in COLOURS] or [(1.0, 1.0, 1.0)] for text in texts]
        sums = [np.sum(colours, axis=0) for colours in named]
        return Embeddings(_unit(np.array(sums, np.float32).reshape(len(texts), 3)))

    def encode_images(self, squares: np.ndarray) -> Embeddings:
        time.sleep(self.slow_s)
        self.n_images += len(squares)
        self.batches.append(len(squares))
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


class ColourMotionEncoder:
    """The colour of the first half of a clip beside that of the second; of a picture, its colour twice."""

    model_id = f"{MOTION_NAME}@00112233aabbccdd"
    name = MOTION_NAME
    modalities = frozenset({Modality.TEXT, Modality.IMAGE, Modality.VIDEO})
    side_px = 32
    clip_frames = 4
    clip_side_px = 16
    dim = 6
    overlays = ()
    device = "CPU"

    def __init__(self, colours: ColourEncoder) -> None:
        self.colours = colours
        self.batches: list[int] = []

    def encode_texts(self, texts: Sequence[str]) -> Embeddings:
        halves = [(text.split(" then ") * 2)[:2] for text in texts]
        first, second = (self.colours.encode_texts([half[i] for half in halves]).values for i in (0, 1))
        return Embeddings(_unit(np.concatenate([first, second], axis=1)))

    def encode_images(self, squares: np.ndarray) -> Embeddings:
        rows = self.colours.encode_images(squares).values
        return Embeddings(_unit(np.concatenate([rows, rows], axis=1)))

    def encode_videos(self, clips: np.ndarray) -> Embeddings:
        assert clips.shape[1:] == (4, 16, 16, 3)
        self.batches.append(len(clips))
        halves = clips.reshape(len(clips), 2, -1, 3).mean(axis=2, dtype=np.float32) + 1
        return Embeddings(_unit(halves.reshape(len(clips), 6)))

    def explain(
        self, square: np.ndarray, query: Embeddings | None = None, *, without: frozenset[str] = frozenset()
    ) -> Evidence:
        return Evidence(score=_score(self.encode_images(square[None]), query))

    def explain_video(self, clip: np.ndarray, times_s: np.ndarray, query: Embeddings | None = None) -> Evidence:
        return Evidence(score=_score(self.encode_videos(clip[None]), query))


class ColourClipsEncoder(ColourMotionEncoder):
    """The same, without a stream for pictures."""

    model_id = f"{CLIPS_NAME}@ddccbbaa33221100"
    name = CLIPS_NAME
    modalities = frozenset({Modality.TEXT, Modality.VIDEO})

    def encode_images(self, squares: np.ndarray) -> Embeddings:
        raise AssertionError("this model reads no pictures, and nobody should ask it to")


class ColourModels:
    """In place of :class:`explorer.engine.models.LoadedModels`."""

    device_wish = "cpu"

    def __init__(self, slow_s: float = 0.0) -> None:
        self.encoder = ColourEncoder(slow_s)
        made = (
            self.encoder, ColourBitsEncoder(self.encoder), ColourMotionEncoder(self.encoder),
            ColourClipsEncoder(self.encoder),
        )
        self.encoders = {encoder.name: encoder for encoder in made}

    def package(self, name: str) -> SimpleNamespace:
        if name not in self.encoders:
            raise PackageError(f"There is no model called {name}.", f"Models here: {NAME}.")
        dim = self.encoders[name].dim
        output = Output(kind="code", bits=N_BITS) if name == BITS_NAME else Output(kind="embedding", dim=dim)
        manifest = SimpleNamespace(output=output, modalities=tuple(self.encoders[name].modalities))
        return SimpleNamespace(name=name, model_id=self.encoders[name].model_id, manifest=manifest)

    def get(self, name: str) -> ColourEncoder | ColourBitsEncoder | ColourMotionEncoder:
        self.package(name)
        return self.encoders[name]

    # Never trained again: the newest version is the one in use.
    newest_package = package
    get_newest = take_over = borrow = get

    def take_notice(self) -> str:
        return ""


def colour_engine(slow_s: float = 0.0) -> Engine:
    engine = Engine(())
    engine.opened.models = ColourModels(slow_s)  # type: ignore[assignment]
    return engine


def _score(row: Embeddings, query: Embeddings | None) -> float | None:
    return None if query is None else float(query.values[0] @ row.values[0])


def _unit(values: np.ndarray) -> np.ndarray:
    return values / np.maximum(np.linalg.norm(values, axis=1, keepdims=True), 1e-6)


if __name__ == "__main__":
    from explorer.engine.server import serve_stdio

    serve_stdio(colour_engine(float(sys.argv[2]) if "--slow" in sys.argv else 0.0))
