"""Data sets as others made them: what people wrote and drew about photos, and features that were computed once.

``karpathy.py`` and ``captioned.py`` read photos with their sentences for evaluation, ``photo_sets.py`` those of every
form for training, with their splits and labels; ``clips.py`` and ``msr_vtt.py`` read clips with their sentences,
``captions.py`` sentences for a library from any of four forms, ``coco.py`` panoptic and instance masks;
``feature_folder.py`` opens the pre-computed features of VSE++, SCAN and 3SHNet, ``bottom_up.py`` those of bottom-up
attention, ``vocabulary.py`` SCAN's word tables. What hashing papers use is read with its labels by
``coco_labels.py``, ``iapr.py``, ``web_queries.py`` and ``hashing_mat.py``, all as ``labelled.py`` has it; ``tags.py``
makes sentences of tags, ``exporting.py`` files of all of it that the commands read. A file that does not say what it
should is a :class:`~explorer.errors.DatasetError` with a sentence that names the place.
"""
