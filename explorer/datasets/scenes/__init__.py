"""A rendered world: things of twelve kinds, still or moving, before varied backdrops, and all that is so.

:class:`Scene` is a value; ``draw_scenes`` makes some, ``render_frame`` draws one at a phase from 0 to 1, and
``sentences_of`` and ``labels_of`` say what is to be seen. The same seed gives the same scenes, pixels and
words. What the splits share and what they do not, ``world.py`` says.
"""

from explorer.datasets.scenes.rendering import RenderedFrame, frame_shape, render_frame
from explorer.datasets.scenes.scene import Look, Pose, Scene, Thing, draw_scenes, label_names, labels_of
from explorer.datasets.scenes.wording import sentences_of

__all__ = [
    "Look", "Pose", "RenderedFrame", "Scene", "Thing", "draw_scenes", "frame_shape", "label_names", "labels_of",
    "render_frame", "sentences_of",
]  # fmt: skip
