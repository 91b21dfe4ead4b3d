"""What a package that was trained on rendered scenes says about itself."""

from collections.abc import Mapping

from explorer.training.packaging import how_trained
from explorer.training.phases import PhaseEnd
from explorer.training.preparation import TrainingPlaces
from explorer.training.scenes_config import ScenesRecipe

_CARD = """# {name}

DSMHN (networks/dsmhn/README.md): {bits}-bit codes of clips of 16 frames of {side} px, read by {network}, of
pictures, read through the shared backbone, and of sentences, read by {readers}; learned together. The paper says
neither which 3-D CNN nor which sizes or weights: all of that is reconstructed.

**Trained on rendered scenes only. It has seen no real clip, no real photo and no sentence that a person wrote
about one.** It is here so that searching clips by what moves in them can be tried, tested and measured without
a data set; do not expect it to understand your videos.

## Data and protocol

Rendered by this program (`datasets/scenes`, seed {scenes_seed}): {n_clips} clips and {n_images} pictures with
their sentences, and a frame of each of {n_stills} of the clips as a picture more. Twelve kinds of things, ten
colours, nine motions (left, right, up, down, growing, shrinking, turning, crossing another thing, stopping);
pictures stand still. Measured on {n_val} other clips and {n_val} pictures of split `val`, which shares its
drawings, backdrops and words with training: tie-aware mAP over all positions; relevant is the same motion, or
the same kind, colour and motion. What it does on the drawings, backdrops and words that only `test` has,
through video files, is in the program's README.

## Metrics on that split (per cent)

| direction | same motion | same kind, colour and motion |
| --- | --- | --- |
{rows}

Pictures to clips and back by the same kind and colour: {i2v:.1f} and {v2i:.1f}.

## How it was trained

{how} Kind,
colour and motion have bits of their own ({kind:.0%}, {colour:.0%} and {motion:.0%}), in which the paper's losses are
taken (reconstructed): similarity by `{similarity}`, classification {alpha:g}, quantisation {beta:g}. Clips were
cropped, shaded, softened, made noisy and shifted in time.

## Licences

The weights in this package: Apache-2.0. EfficientNet-Lite0 (ImageNet weights, Apache-2.0) and all-MiniLM-L6-v2
(Apache-2.0) come from their own pip packages. Nobody else's pictures, clips or sentences went into the training
of what is in this package.

## Limits

Everything but these kinds, colours and motions is beyond it, and so is whatever a camera does. A clip with
several moving things has one code. Things that look the same from all sides do not seem to turn.
"""


def scenes_card(
    recipe: ScenesRecipe, metrics: Mapping[str, float], places: TrainingPlaces, end: PhaseEnd
) -> str:
    """``CARD.md``: what it is, data, protocol, metrics, licences, limits.

    metrics: as :meth:`~explorer.training.scenes_phase.ScenesPhase.measure` gives them.
    places: of the run.   end: how its phase ended.
    """
    scenes, training = recipe.scenes, recipe.training
    rows = "\n".join(
        f"| {name} | {metrics[f'{key}_motion']:.1f} | {metrics[f'{key}_full']:.1f} |"
        for name, key in (("text to video", "t2v"), ("video to text", "v2t"), ("video to video", "v2v"))
    )
    return _CARD.format(
        name=recipe.name, bits=recipe.network.n_bits, side=recipe.network.side_px, n_clips=scenes.n_clips,
        n_images=scenes.n_images, n_stills=scenes.n_stills, n_val=scenes.n_val, scenes_seed=scenes.seed, rows=rows,
        i2v=metrics["i2v_look"], v2i=metrics["v2i_look"], kind=training.kind, colour=training.colour,
        motion=training.motion, similarity=training.similarity, readers=_read_by(recipe),
        alpha=training.classification, beta=training.quantisation,
        network="a small 3-D CNN" if recipe.network.sees_time else "a 2-D CNN on frames, averaged",
        how=how_trained(recipe, places, end),
    )


def _read_by(recipe: ScenesRecipe) -> str:
    """What reads the sentences, in words."""
    names = {"minilm": "all-MiniLM-L6-v2", "bow": "a bag of words", "mean-vectors": "the mean of word vectors"}
    return " and ".join(names[reader] for reader in recipe.network.readers) + " in an MLP"
