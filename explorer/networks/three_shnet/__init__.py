"""3SHNet (README.md): visual tokens guided by the segmentation of the same picture."""

from explorer.networks.three_shnet.config import ImageEncoderConfig, TextEncoderConfig
from explorer.networks.three_shnet.model import EncodedImages, ImageEncoder, TextEncoder

__all__ = ["EncodedImages", "ImageEncoder", "ImageEncoderConfig", "TextEncoder", "TextEncoderConfig"]
