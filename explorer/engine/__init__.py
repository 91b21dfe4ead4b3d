"""The process that holds models, libraries and indexes, and how to reach it.

``engine.py`` answers requests, in any process; ``server.py`` puts it behind standard input and output, with lanes so
that a search waits for nothing long; ``client.py`` is the window's end. It imports nothing heavy, and neither do the
``*_requests.py``, which keep what a window asks.
"""
