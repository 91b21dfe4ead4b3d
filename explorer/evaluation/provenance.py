"""What a model was trained on, as its package says."""

import re

from explorer.packages.package import ModelPackage

_TRAINED = re.compile(r"\b[Tt]rained on (?P<what>.+?)(?:;|\.(?=\s|$)|$)", re.DOTALL)
_LONGEST = 200


def training_data_of(package: ModelPackage) -> str:
    """The package's title and the first thing its card says it was trained on; empty where the card does not say.

    The title is part of it because it names the data set ("3SHNet (Flickr8k)") where the card's sentence may not.
    """
    paragraphs = package.card.split("\n\n")
    for paragraph in paragraphs:
        found = _TRAINED.search(paragraph)
        if found is not None:
            what = " ".join(found["what"].replace("`", "").replace("*", "").split())
            shown = what if len(what) <= _LONGEST else f"{what[:_LONGEST].rsplit(' ', 1)[0]} ..."
            return f"{package.manifest.title}: {shown}"
    return ""
