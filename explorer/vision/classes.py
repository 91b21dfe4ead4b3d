"""Two vocabularies of classes, and where they mean the same thing by different words."""

_THING_OF_MASK = {"aeroplane": "airplane", "diningtable": "dining table", "motorbike": "motorcycle",
                  "pottedplant": "potted plant", "sofa": "couch", "tvmonitor": "tv"}


def thing_of_mask(mask_name: str) -> str:
    """COCO's word for a VOC class; most are the same word."""
    return _THING_OF_MASK.get(mask_name, mask_name)
