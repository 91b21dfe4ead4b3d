"""Running a teacher network from an ONNX file with OpenCV's own engine.

Teachers are needed only to train the shipped heads (``explorer/training/teachers.py``), so they bring no dependency of
their own: OpenCV, which decodes the photos, also runs them. It lives here because only this room knows OpenCV.
"""

from pathlib import Path

import cv2
import numpy as np

from explorer.errors import DatasetError


class OnnxNetwork:
    """One ONNX file with one input and one output, run on the CPU by a single caller.

    Attributes:
        path: the file it was read from.
    """

    def __init__(self, path: Path) -> None:
        """Read the network.

        Raises:
            DatasetError: there is no such file, or OpenCV cannot read it.
        """
        self.path = path
        if not path.is_file():
            raise DatasetError(f"The teacher network {path.name} is not in {path.parent}.",
                               "Put the teachers there, or name another folder in the recipe.")
        try:
            self._network = cv2.dnn.readNet(str(path))
        except cv2.error as error:
            raise DatasetError(f"{path.name} cannot be read as an ONNX network.", "Fetch the file again.") from error

    def __call__(self, blob: np.ndarray) -> np.ndarray:
        """Run float32 ``blob`` in the network's own layout; gives its output as float32."""
        self._network.setInput(np.ascontiguousarray(blob, dtype=np.float32))
        return np.asarray(self._network.forward(), dtype=np.float32)


def resize_square(square: np.ndarray, side_px: int) -> np.ndarray:
    """Resize a uint8 RGB square bilinearly, pixel centres at half-integers; (side_px, side_px, 3)."""
    return np.asarray(cv2.resize(square, (side_px, side_px), interpolation=cv2.INTER_LINEAR))
