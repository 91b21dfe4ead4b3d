"""The window of training: the runs at the left; a new run, one run or several side by side at the right.

The widgets in the stack are ``form.NewRunForm``, ``run_view.RunView`` (with ``results_view.ResultsView`` as a tab) and
``run_comparison.RunComparison``.
"""
