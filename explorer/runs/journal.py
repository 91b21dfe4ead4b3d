"""The journal: everything that a trainer says of its run, from the first word to the last."""

import time
from pathlib import Path

import msgspec

from explorer.protocol.runs import AnyRunEvent, RunEvent
from explorer.runs.layout import RunFolder
from explorer.runs.old import old_events
from explorer.runs.records import RecordReader, RecordWriter


class JournalWriter:
    """Appends to a journal, after the last whole event of an earlier process.

    Raises
    ------
    StorageFullError, ConfigError
        the journal cannot be written.
    """

    def __init__(self, path: Path) -> None:
        self._records = RecordWriter(path)

    def append(self, event: RunEvent) -> RunEvent:
        """Write an event; its time is now, unless it has one. Returns it as it was written.

        Raises
        ------
        StorageFullError, ConfigError
            it cannot be written.
        """
        timed = event if event.at_s else msgspec.structs.replace(event, at_s=time.time())
        self._records.append(timed)
        return timed

    def close(self) -> None:
        """Give the file back."""
        self._records.close()


class JournalReader:
    """Follows a journal, whether its trainer lives or not; of a run without one, says what its old log tells."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._looked_for_old = False
        self._records: RecordReader[AnyRunEvent] = RecordReader(path, msgspec.msgpack.Decoder(AnyRunEvent))

    def read(self) -> list[AnyRunEvent]:
        """The events that came since the last call, oldest first."""
        if not self._looked_for_old:
            self._looked_for_old = True
            if old := old_events(RunFolder(self._path.parent)):
                return old
        return self._records.read()
