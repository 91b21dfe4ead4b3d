"""Training from the window: choosing what is trained, watching runs, and what they came to.

Runs live in processes of their own (see ``explorer/runs``). ``watcher.py`` follows their journals in a thread,
``control.py`` is the one thing the widgets talk to, ``window.py`` puts the widgets together. Nothing here is imported
before it is needed: the main window makes a :class:`TrainingControl` after its first paint, and everything that draws
curves comes when the training window is opened.
"""
