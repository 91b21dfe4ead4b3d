"""Retrieval Explorer: search media by meaning, and see where the model looked.

The road, lowest room first (``lint-imports`` holds the direction)::

    media -> vision -> networks -> pipeline -> engine -> session -> gui
                        library, packages, retrieval, datasets beside the road
"""

__version__ = "0.1.0"
