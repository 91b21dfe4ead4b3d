"""What all model families see with: backbone, segmenter, and the device they run on.

``backbone.py`` cuts a timm network at strides 8, 16 (trunk) and 32 (grid); ``segmenter.py`` is a small head on it;
``inference.py`` makes both fast; ``vision.py`` loads them together. Everything above gets
:class:`~explorer.vision.features.VisualFeatures` and knows none of the networks.
"""

from explorer.vision.backbone import DEFAULT_BACKBONE, DEFAULT_SOURCE, Backbone, Tail, load_backbone
from explorer.vision.features import BackboneFeatures, VisualFeatures
from explorer.vision.inference import inference_form
from explorer.vision.vision import Vision, load_vision, reference_outputs

__all__ = [
    "DEFAULT_BACKBONE", "DEFAULT_SOURCE", "Backbone", "BackboneFeatures", "Tail", "Vision", "VisualFeatures",
    "inference_form", "load_backbone", "load_vision", "reference_outputs",
]
