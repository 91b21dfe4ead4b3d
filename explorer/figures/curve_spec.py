"""What is drawn of training runs: curves and how they shall look."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, slots=True)
class CurveTheme:
    """Colours that a picture takes from where it is shown, as ``#rrggbb``."""

    text: str
    background: str
    grid: str


PAPER = CurveTheme(text="#000000", background="#ffffff", grid="#dddddd")


@dataclass(frozen=True, slots=True, eq=False)
class Curve:
    """One line.

    Attributes:
        name: of what was measured, such as a loss term; lines of one name have one colour.
        steps, values: (n,) each, steps rising; what is not finite is a gap.
        run: whose it is, where several runs are compared.
    """

    name: str
    steps: np.ndarray
    values: np.ndarray
    run: str = ""


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class CurvesSpec:
    """A picture of curves over steps.

    Where all curves have one name or all are of one run, each has its own colour. Where several names of several runs
    are compared, a colour is a name and a dash is a run.

    Attributes:
        width_px, height_px: in the window's own pixels, in which text is ``text_px`` high.
        ratio: device pixels for each of those.
        log: a logarithmic scale where all values are positive, one that is linear around 0 where they are not but
            differ by more than a factor of 100; otherwise, and if False, a linear one.
        smoothing: span of a moving average that is drawn over the pale raw values, in points, and at most an eighth of
            those there are; 1 for none.
        x_max: where the axis of steps ends; None: with the curves.
        marks: steps that a thin line marks, with a word each: the best epoch, for example.
        legend: whether colours are named above the curves.
    """

    curves: tuple[Curve, ...]
    width_px: int
    height_px: int
    theme: CurveTheme = PAPER
    ratio: float = 1.0
    x_label: str = "step"
    y_label: str = ""
    log: bool = False
    smoothing: float = 1.0
    x_max: float | None = None
    marks: tuple[tuple[float, str], ...] = ()
    legend: bool = True
    text_px: float = 11.0

    @property
    def names(self) -> tuple[str, ...]:
        """Names of curves, each once, in order."""
        return tuple(dict.fromkeys(curve.name for curve in self.curves))

    @property
    def runs(self) -> tuple[str, ...]:
        """Runs, each once, in order."""
        return tuple(dict.fromkeys(curve.run for curve in self.curves))

    @property
    def look(self) -> tuple[object, ...]:
        """All but the numbers: specifications that agree in this differ in what grows only."""
        return (
            tuple((curve.name, curve.run) for curve in self.curves), self.width_px, self.height_px, self.theme,
            self.ratio, self.x_label, self.y_label, self.legend, self.text_px, len(self.marks),
        )  # fmt: skip
