"""Training from the window: choosing what is trained, watching runs, and what they came to.

Runs live in processes of their own (see ``explorer/runs``). Nothing here is imported before it is needed: the main
window makes a :class:`TrainingPart` after its first paint, and all that draws comes when its window is opened.

::

    part.py              what the main window has of it: a line, a word, a question, the way to the window
    control.py           the one thing the widgets talk to: starts runs and steers them
      watcher.py           the thread that lists runs and follows their journals
      followed_run.py      one run: its state, whether it lives, what was asked of it
      estimating.py        what a run would take, by a process of its own
    window.py            the runs at the left (run_list.py); at the right one of
      form.py              a new run
      run_view.py          one run: header, curves, queries, bits, results, log, settings
        curve_artist.py      the thread that draws curves
      run_comparison.py    several
"""
