"""The window of training: the runs at the left; a new run, one run or several side by side at the right.

What it hosts, each made as ``Widget(controller, training, parent)``:

- ``form.NewRunForm``: ``started(Path)`` when a run was started; ``show_recipe(recipe, *, task, recipe_folder, device)``
  fills it with the settings of an earlier run.
- ``run_view.RunView``: ``show_run(path)``; one of its tabs is ``results_view.ResultsView``: ``show_run(path)``.
- ``run_comparison.RunComparison``: ``show_runs(paths)``.
"""
