"""How good a model is: metrics, protocols, comparisons and reports.

``image_text.py`` computes recall as pure functions of similarities and of who owns which sentence; ``protocols.py``
encodes a data set and measures; ``comparison.py`` says whether one model beats another on the same photos;
``report.py`` is what comes out.
"""
