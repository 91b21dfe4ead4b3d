"""Names and numbers of COCO's things and of the Pascal VOC classes, and which thing is which class."""

VOC_CLASSES = (
    "background", "aeroplane", "bicycle", "bird", "boat", "bottle", "bus", "car", "cat", "chair", "cow",
    "diningtable", "dog", "horse", "motorbike", "person", "pottedplant", "sheep", "sofa", "train", "tvmonitor",
)  # fmt: skip
"""Position is the class id of a VOC class map."""

VOID = 255
"""In a class map: not annotated, or a crowd; counts neither for nor against."""

_THING_OF_ID = {
    1: "person", 2: "bicycle", 3: "car", 4: "motorcycle", 5: "airplane", 6: "bus", 7: "train", 8: "truck", 9: "boat",
    10: "traffic light", 11: "fire hydrant", 13: "stop sign", 14: "parking meter", 15: "bench", 16: "bird", 17: "cat",
    18: "dog", 19: "horse", 20: "sheep", 21: "cow", 22: "elephant", 23: "bear", 24: "zebra", 25: "giraffe",
    27: "backpack", 28: "umbrella", 31: "handbag", 32: "tie", 33: "suitcase", 34: "frisbee", 35: "skis",
    36: "snowboard", 37: "sports ball", 38: "kite", 39: "baseball bat", 40: "baseball glove", 41: "skateboard",
    42: "surfboard", 43: "tennis racket", 44: "bottle", 46: "wine glass", 47: "cup", 48: "fork", 49: "knife",
    50: "spoon", 51: "bowl", 52: "banana", 53: "apple", 54: "sandwich", 55: "orange", 56: "broccoli", 57: "carrot",
    58: "hot dog", 59: "pizza", 60: "donut", 61: "cake", 62: "chair", 63: "couch", 64: "potted plant", 65: "bed",
    67: "dining table", 70: "toilet", 72: "tv", 73: "laptop", 74: "mouse", 75: "remote", 76: "keyboard",
    77: "cell phone", 78: "microwave", 79: "oven", 80: "toaster", 81: "sink", 82: "refrigerator", 84: "book",
    85: "clock", 86: "vase", 87: "scissors", 88: "teddy bear", 89: "hair drier", 90: "toothbrush",
}  # fmt: skip

COCO_THINGS = tuple(_THING_OF_ID.values())
"""The 80 things in the order of their category ids, as detectors number them."""

COCO_THING_IDS = tuple(_THING_OF_ID)
"""Category ids of :data:`COCO_THINGS`, 1 to 90 with gaps."""

_OTHER_NAMES = {
    "airplane": "aeroplane",
    "motorcycle": "motorbike",
    "couch": "sofa",
    "tv": "tvmonitor",
    "dining table": "diningtable",
    "potted plant": "pottedplant",
}

VOC_OF_COCO = {
    thing: _OTHER_NAMES.get(thing, thing) for thing in COCO_THINGS if _OTHER_NAMES.get(thing, thing) in VOC_CLASSES
}
"""COCO's name to VOC's, for the 20 things that VOC has."""

VOC_CLASS_OF_CATEGORY = {
    category: VOC_CLASSES.index(VOC_OF_COCO[thing]) for category, thing in _THING_OF_ID.items() if thing in VOC_OF_COCO
}
"""Category id to VOC class id; every other category is background."""
