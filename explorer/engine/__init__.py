"""The process that holds models, libraries and indexes, and how to reach it.

``engine.py`` answers requests, in any process; ``server.py`` puts it behind standard input and output with one lane for
searching, one for looking (thumbnails, pictures, evidence) and one for indexing; ``client.py`` is the window's end and
imports nothing heavy.
"""
