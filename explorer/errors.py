"""Everything that can go wrong and is not our fault, as one tree.

::

    UserFacingError            a sentence for the person, and what to do about it
    +-- MediaError             one file cannot be read as what it claims to be
    +-- LibraryError           the library folder cannot be used
    |   +-- LibraryBusyError       another program writes to it
    |   +-- LibraryTooNewError     written by a newer version
    |   +-- LibraryReadOnlyError   the folder cannot be written to
    |   +-- StorageFullError       the disk is full
    |   +-- StaleIndexError        vectors were made by another model
    +-- SourceError            a folder to index is missing or unreadable
    +-- PackageError           a model package is damaged, unknown or unsafe
    +-- DatasetError           an annotation file does not say what it should
    +-- ConfigError            a training recipe or a setting is wrong
    +-- QueryError             a query that cannot be answered
    +-- DeviceError            the chosen device cannot be used, or ran out of memory
    +-- EngineError            the engine process is gone or speaks another protocol

Everything else that is raised is a bug and is shown with its details, never swallowed.
"""


class UserFacingError(Exception):
    """An error whose text is one clear sentence for the person in front of the screen.

    Attributes:
        message: what is so.
        remedy: what to do next; may be empty.
    """

    def __init__(self, message: str, remedy: str = "") -> None:
        self.message = message
        self.remedy = remedy
        super().__init__(f"{message} {remedy}".strip())


class MediaError(UserFacingError):
    """One file cannot be read as what it claims to be."""


class LibraryError(UserFacingError):
    """The library folder cannot be used."""


class LibraryBusyError(LibraryError):
    """Another program is writing to the library."""


class LibraryTooNewError(LibraryError):
    """The library was written by a newer version of the program."""


class LibraryReadOnlyError(LibraryError):
    """The library's folder or file cannot be written to."""


class StorageFullError(LibraryError):
    """The disk that holds the library is full."""


class StaleIndexError(LibraryError):
    """The stored vectors belong to another model or to other weights."""


class SourceError(UserFacingError):
    """A folder to index is missing or cannot be read."""


class PackageError(UserFacingError):
    """A model package is damaged, unknown or unsafe."""


class DatasetError(UserFacingError):
    """An annotation file does not say what it should."""


class ConfigError(UserFacingError):
    """A training recipe or a setting is wrong."""


class QueryError(UserFacingError):
    """A query that cannot be answered."""


class DeviceError(UserFacingError):
    """The chosen device cannot be used, or ran out of memory."""


class EngineError(UserFacingError):
    """The engine process is gone, or speaks another protocol."""
