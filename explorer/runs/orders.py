"""What a trainer is told by whoever watches it."""

import msgspec

from explorer.protocol.runs import AnyRunOrder, RunOrder
from explorer.runs.failures import written
from explorer.runs.layout import RunFolder
from explorer.runs.records import RecordReader, RecordWriter, whole_length


def give(run: RunFolder, order: RunOrder) -> None:
    """Tell the run's trainer, which looks several times a second.

    Raises
    ------
    StorageFullError, ConfigError
        the order cannot be written.
    """
    records = RecordWriter(run.orders_path)
    try:
        records.append(order)
    finally:
        records.close()


def forget_orders(run: RunFolder) -> None:
    """Drop what an earlier trainer of this run was told; for whoever is about to start a new one.

    Raises
    ------
    ConfigError
        they cannot be dropped.
    """
    with written(run.orders_path):
        run.orders_path.unlink(missing_ok=True)


class OrderReader:
    """Reads a trainer's orders.

    By default those given before it was made are skipped: they were for an earlier trainer. A trainer that
    ``launching.start_trainer`` started, which dropped those, reads ``from_start``: an order that was given while the
    process was still starting is for it.
    """

    def __init__(self, run: RunFolder, *, from_start: bool = False) -> None:
        with written(run.orders_path):
            offset = 0 if from_start else whole_length(run.orders_path)
        self._records: RecordReader[AnyRunOrder] = RecordReader(
            run.orders_path, msgspec.msgpack.Decoder(AnyRunOrder), offset=offset
        )

    def read(self) -> list[AnyRunOrder]:
        """The orders that came since the last call, oldest first."""
        return self._records.read()
