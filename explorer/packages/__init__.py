"""Model packages: folders that hold one trained model as data. Read, verify, write, find.

A package is data, never code: TOML, JSON, Markdown and safetensors, no pickle anywhere, so that opening one
that came by mail can at worst fail with a sentence. Nothing here imports a network library; tensors are numpy
arrays.

``manifest.py`` is ``model.toml``; ``package.py`` reads and writes a whole folder; ``finding.py`` looks through
the folders where packages live; ``reference.py`` keeps inputs with their expected outputs, which
``models verify`` recomputes.
"""
