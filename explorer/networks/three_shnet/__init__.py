"""3SHNet (README.md): visual tokens guided by the segmentation of the same picture."""

from explorer.networks.three_shnet.config import ImageEncoderConfig, TextEncoderConfig
from explorer.networks.three_shnet.model import EncodedImages, ImageEncoder, TextEncoder
from explorer.networks.three_shnet.published import PublishedReport, load_published
from explorer.networks.three_shnet.published_text import BertTextEncoder, BiGruTextEncoder, EncodedTexts

__all__ = [
    "BertTextEncoder",
    "BiGruTextEncoder",
    "EncodedImages",
    "EncodedTexts",
    "ImageEncoder",
    "ImageEncoderConfig",
    "PublishedReport",
    "TextEncoder",
    "TextEncoderConfig",
    "load_published",
]
