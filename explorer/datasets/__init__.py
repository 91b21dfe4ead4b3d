"""Annotation files: what people wrote and drew about photos, as plain values.

``karpathy.py`` reads photos with their sentences for training and evaluation, ``captions.py`` sentences for a library
from any of three forms, ``coco.py`` panoptic and instance masks. A file that does not say
what it should is a :class:`~explorer.errors.DatasetError` with a sentence that names the place.
"""
