"""When a phase ends before its last epoch, and which epoch is then shipped."""

import msgspec

from explorer.training.sections import Count


class StoppingSection(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Early stopping (reconstructed; the papers train for a fixed number of epochs).

    Attributes:
        patience: the run ends after so many epochs without a better value of the metric that is watched, and the best
            epoch is shipped. 0: all epochs are trained, and the last one is shipped.
    """

    patience: Count = 0
