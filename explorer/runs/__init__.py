"""Training runs on disk: a folder each, which whoever starts, watches, trains or deletes the run speaks through.

Nothing here knows Qt or torch: the window lists and follows runs with this room alone, and a trainer that it started
goes on without it.

::

    runs/3shnet-flickr8k-20261122-061500/
      run.json           schema_version, name, task, title, recipe_folder, device, made_at, program_version
      recipe.toml        the recipe as it was when the run was made
      journal            what the trainer says: ``protocol/runs.py``, RunEvent, length-prefixed msgpack
      orders             what it is told: RunOrder, likewise
      alive              locked by the process that trains, so that the system frees it however the process ends
      trainer.log        what the process printed
      dataset.json       photos, sentences and splits as they were when the run first began: what it is trained on
      labels.json        which classes these photos have, where the recipe wants labels
      steps.csv, epochs.csv, tensorboard/     the same numbers for other programs
      pictures/          small pictures of the fixed queries' results
      log.jsonl          epochs, in runs of before there were journals; see ``old.py``
      *.checkpoint       see ``training/run_directory.py``
      features/, ...     what phases cache; safe to delete
    runs/.turn           locked by the one run that trains; the others wait, see ``turn.py``
"""
