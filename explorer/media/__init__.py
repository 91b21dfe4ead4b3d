"""Files to arrays: which files are media (``item``), and images upright, reduced and in RGB (``image``, ``pixels``)."""
