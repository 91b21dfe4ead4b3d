"""Write a few pictures for the check of a fresh install: ``make_photos.py FOLDER``."""

import sys
from pathlib import Path

from PIL import Image, ImageDraw

COLOURS = {"red": (200, 30, 30), "green": (30, 160, 60), "blue": (40, 60, 200), "yellow": (230, 210, 40)}


def main() -> None:
    """Draw squares and discs in four colours."""
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True)
    for name, colour in COLOURS.items():
        for shape in ("rectangle", "ellipse"):
            picture = Image.new("RGB", (640, 480), (235, 235, 230))
            getattr(ImageDraw.Draw(picture), shape)((180, 100, 460, 380), fill=colour)
            picture.save(folder / f"{name} {shape}.jpg", quality=90)


if __name__ == "__main__":
    main()
