"""Model packages: folders that hold one trained model as data. Read, verify, write, find.

A package is data, never code: TOML, JSON, Markdown and safetensors, no pickle anywhere, so that opening one
that came by mail can at worst fail with a sentence. Nothing here imports a network library; tensors are numpy
arrays.

``manifest.py`` is ``model.toml``; ``package.py`` reads and writes a whole folder; ``finding.py`` looks through
the folders where packages live; ``reference.py`` keeps inputs with their expected outputs, which
``models verify`` recomputes.
"""

from explorer.packages.finding import FoundPackage, find_packages, resolve_package
from explorer.packages.manifest import Manifest, Output, Part, Preprocess, VisionPart
from explorer.packages.package import (
    ModelPackage,
    load_region_tensors,
    load_tensors,
    read_package,
    require_keys,
    verify_weights,
    write_package,
)
from explorer.packages.reference import Reference, check_reference, make_reference

__all__ = [
    "FoundPackage",
    "Manifest",
    "ModelPackage",
    "Output",
    "Part",
    "Preprocess",
    "Reference",
    "VisionPart",
    "check_reference",
    "find_packages",
    "load_region_tensors",
    "load_tensors",
    "make_reference",
    "read_package",
    "require_keys",
    "resolve_package",
    "verify_weights",
    "write_package",
]
