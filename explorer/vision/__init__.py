"""What all model families see with: backbone, segmenter, and the device they run on.

``backbone.py`` cuts a timm network at strides 8, 16 (trunk) and 32 (grid); ``segmenter.py`` and ``proposer.py`` are
small heads on it; ``regions.py`` makes proposals regions and gives features of boxes; ``inference.py`` makes all fast;
``stored.py`` reads heads from a package, ``vision.py`` loads all together; ``detectors.py`` has larger proposers, with
networks of their own. Everything above gets :class:`~explorer.vision.features.VisualFeatures` and knows no network.
"""

from explorer.vision.backbone import DEFAULT_BACKBONE, DEFAULT_SOURCE, Backbone, Tail, load_backbone
from explorer.vision.features import BackboneFeatures, Regions, VisualFeatures
from explorer.vision.inference import inference_form
from explorer.vision.regions import N_REGIONS, OBJECT_LABEL, region_features
from explorer.vision.vision import Vision, load_vision, reference_outputs

__all__ = [
    "DEFAULT_BACKBONE", "DEFAULT_SOURCE", "N_REGIONS", "OBJECT_LABEL", "Backbone", "BackboneFeatures", "Regions",
    "Tail", "Vision", "VisualFeatures", "inference_form", "load_backbone", "load_vision", "reference_outputs",
    "region_features",
]
