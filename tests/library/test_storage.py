"""Folders that cannot be written to, disks that are full, files that are not ours, and newer libraries."""

import errno
import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import pytest
from photo_library import CODE_MODEL, MODEL, WEIGHTS, code_of, index_all, indexed, scan

from explorer.errors import (
    LibraryBusyError,
    LibraryError,
    LibraryReadOnlyError,
    LibraryTooNewError,
    StorageFullError,
)
from explorer.library import Library, VectorKind, open_library
from explorer.library.failures import classify, known_failures
from explorer.library.schema import MAJOR, MIGRATIONS, MINOR

_NOBODY = 65534
_HERE = str(Path(__file__).parent)

needs_root = pytest.mark.skipif(
    not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root can become somebody without permissions"
)


@pytest.fixture
def open_place():
    """A folder that every user can reach (pytest's own are private to theirs)."""
    folder = Path(tempfile.mkdtemp(prefix="library-test-"))
    folder.chmod(0o755)
    yield folder
    subprocess.run(["chmod", "-R", "u+rwX", folder], check=True)
    shutil.rmtree(folder)


def run_child(body: str, *arguments: object, user: int | None = None) -> str:
    """Run a script in a child, there as another user if one is named; what it printed. Imports happen before that."""
    script = (
        f"import os, sys, sqlite3, resource, signal; sys.path.insert(0, {_HERE!r})\n"
        "from pathlib import Path\n"
        "from explorer.cancellation import CancellationToken\n"
        "from explorer.errors import *\n"
        "from explorer.library import *\n"
        "from explorer.media.item import read_content\n"
        "from photo_library import *\n"
        "import encodings.idna\n"
        f"user = {user!r}\n"
        "if user is not None:\n"
        "    os.setgroups([]); os.setgid(user); os.setuid(user)\n"
        "def tell(function, *arguments, **options):\n"
        "    try:\n"
        "        print('ok', function(*arguments, **options))\n"
        "    except UserFacingError as error:\n"
        "        print(type(error).__name__, error)\n"
    ) + body
    done = subprocess.run(
        [sys.executable, "-c", script, *map(str, arguments)], capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    return done.stdout


# --- permissions ----------------------------------------------------------------------------------------------------


@needs_root
def test_a_read_only_library_can_be_searched_and_not_changed(open_place, photos):
    folder = open_place / "library"
    with open_library(folder) as library:
        library.add_source(photos)
        index_all(library)
    for path in folder.iterdir():
        path.chmod(0o444)
    folder.chmod(0o555)
    before = sorted(os.listdir(folder))
    printed = run_child(
        "library = open_library(Path(sys.argv[1]))\n"
        "print(library.read_only, library.counts().n_items, len(library.item_ids()))\n"
        "print(len(library.thumbnails(library.item_ids())), library.search_text('png').tolist() != [])\n"
        "table = library.vector_table(MODEL, WEIGHTS); print(table.vectors.shape, table.vectors.flags.writeable)\n"
        "tell(library.add_source, Path(sys.argv[2])); tell(scan, library); tell(library.commit_items, MODEL, WEIGHTS)\n"
        "tell(library.remove_source, 1); tell(library.drop_model, MODEL)\n"
        "tell(library.sentences.replace, {1: ['x']})\n"
        "tell(library.sentences.commit, MODEL, WEIGHTS, ['x'], np.ones((1, 1)))\n"
        "print(library.sentences.table(MODEL).vectors.shape)\n",
        folder, open_place, user=_NOBODY,
    ).splitlines()  # fmt: skip
    assert printed[:3] == ["True 5 5", "5 True", "(5, 8) False"]
    assert len(printed) == 11
    assert printed.pop() == "(0, 0)"
    sentence = f"LibraryReadOnlyError The library in {folder} cannot be written to. Searching works"
    assert all(line.startswith(sentence) for line in printed[3:])
    assert sorted(os.listdir(folder)) == before


@needs_root
def test_a_read_only_library_sees_what_its_owner_is_writing(open_place, photos):
    folder = open_place / "library"
    with open_library(folder) as library:  # stays open: its newest rows are in the write-ahead log only
        library.add_source(photos)
        index_all(library)
        printed = run_child(
            "print(open_library(Path(sys.argv[1])).counts().n_items)\n", folder, user=_NOBODY
        )
    assert printed == "5\n"


@needs_root
def test_a_read_only_library_without_arrays_has_them_in_memory(open_place, photos):
    folder = open_place / "library"
    with open_library(folder) as library:
        library.add_source(photos)
        index_all(library)
        library.vector_table(MODEL)
    for path in folder.glob("search-*"):
        path.unlink()
    folder.chmod(0o555)
    body = "print(open_library(Path(sys.argv[1])).vector_table(MODEL).vectors.shape)"
    printed = run_child(body, folder, user=_NOBODY)
    assert printed == "(5, 8)\n"


@needs_root
def test_a_library_cannot_be_made_where_nobody_may_write(open_place):
    (open_place / "empty").mkdir()
    printed = run_child(
        "tell(open_library, Path(sys.argv[1])); tell(open_library, Path(sys.argv[2]))",
        open_place / "empty", open_place / "new" / "library", user=_NOBODY,
    ).splitlines()  # fmt: skip
    assert [line.split()[0] for line in printed] == ["LibraryReadOnlyError"] * 2


@needs_root
def test_unreadable_sources_folders_and_files(open_place):
    photos = open_place / "photos"
    (photos / "closed").mkdir(parents=True)
    for name in ("a.jpg", "closed/b.jpg", "c.jpg"):
        (photos / name).write_bytes(name.encode())
    (photos / "c.jpg").chmod(0)
    (photos / "closed").chmod(0)
    (open_place / "private").mkdir(mode=0o700)
    (open_place / "library").mkdir()
    (open_place / "library").chmod(0o777)
    printed = run_child(
        "library = open_library(Path(sys.argv[1]) / 'library')\n"
        "tell(library.add_source, Path(sys.argv[1]) / 'private')\n"
        "library.add_source(Path(sys.argv[1]) / 'photos')\n"
        "found = scan(library); print(found.n_added, found.n_problems)\n"
        "print(library.problems().rows[0].error)\n"
        "for item in library.pending(MODEL): tell(read_content, item.path)\n",
        open_place, user=_NOBODY,
    ).splitlines()  # fmt: skip
    assert printed == [
        f"SourceError The folder {open_place}/private cannot be read: Permission denied. Check its permissions.",
        "2 1",
        "The folder cannot be read: Permission denied.",
        "ok b'a.jpg'",
        "MediaError The file may not be read: permission denied.",
    ]


# --- full disks -----------------------------------------------------------------------------------------------------


@pytest.mark.skipif(sys.platform == "win32", reason="no file size limits")
def test_a_full_disk_while_indexing_keeps_what_was_finished(tmp_path, photos):
    """A file size limit stands in for the full disk; it is lifted in the end, as when somebody made room."""
    for number in range(40):
        (photos / f"{number}.jpg").write_bytes(b"%d" % number * 20_000)
    printed = run_child(
        "library = open_library(Path(sys.argv[1])); library.add_source(Path(sys.argv[2])); scan(library)\n"
        "items = library.pending(MODEL)\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (400_000, resource.RLIM_INFINITY))\n"
        "n_done = 0\n"
        "try:\n"
        "    for item in items:\n"
        "        library.commit_items(MODEL, WEIGHTS, indexed=[indexed(item)]); n_done += 1\n"
        "except StorageFullError as error:\n"
        "    print(error)\n"
        "print(0 < n_done < len(items), library.counts().n_indexed[MODEL] == n_done)\n"
        "print(len(library.vector_table(MODEL).item_ids) == n_done)\n"
        "library.close()\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))\n"
        "library = open_library(Path(sys.argv[1]))\n"
        "print(library.counts().n_indexed[MODEL] == n_done, index_all(library) == len(items) - n_done)\n",
        tmp_path / "library", photos,
    ).splitlines()  # fmt: skip
    assert printed[0].startswith(f"The disk that holds the library in {tmp_path}/library is full. Free some space")
    assert printed[1:] == ["True True", "True", "True True"]


@pytest.mark.skipif(sys.platform == "win32", reason="no file size limits")
@pytest.mark.parametrize("limit", [0, 1000, 20_000])
def test_a_full_disk_while_making_a_library(tmp_path, limit):
    printed = run_child(
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[2]), resource.RLIM_INFINITY))\n"
        "tell(open_library, Path(sys.argv[1]))\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))\n"
        "print(open_library(Path(sys.argv[1])).counts().n_items)\n",
        tmp_path / "library", limit,
    ).splitlines()  # fmt: skip
    assert printed[0].startswith("StorageFullError The disk that holds the library")
    assert printed[1] == "0"


@pytest.mark.skipif(sys.platform == "win32", reason="no file size limits")
def test_a_full_disk_while_building_search_arrays_leaves_searching_possible(tmp_path, photos):
    printed = run_child(
        "library = open_library(Path(sys.argv[1])); library.add_source(Path(sys.argv[2])); index_all(library)\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (100, resource.RLIM_INFINITY))\n"
        "print(library.vector_table(MODEL).vectors.shape, [p.name for p in library.folder.glob('search-*')])\n",
        tmp_path / "library", photos,
    )  # fmt: skip
    assert printed == "(5, 8) []\n"


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (OSError(errno.ENOSPC, ""), StorageFullError),
        (OSError(errno.EDQUOT, ""), StorageFullError),
        (OSError(errno.EFBIG, ""), StorageFullError),
        (OSError(errno.EROFS, ""), LibraryReadOnlyError),
        (OSError(errno.EACCES, ""), LibraryReadOnlyError),
        (OSError(errno.EIO, ""), LibraryError),
        (sqlite3.SQLITE_FULL, StorageFullError),
        (sqlite3.SQLITE_IOERR_WRITE, StorageFullError),
        (sqlite3.SQLITE_READONLY_DIRECTORY, LibraryReadOnlyError),
        (sqlite3.SQLITE_BUSY_SNAPSHOT, LibraryBusyError),
        (sqlite3.SQLITE_CORRUPT, LibraryError),
        (sqlite3.SQLITE_IOERR_READ, LibraryError),
        (OSError(errno.EBADF, ""), None),
        (sqlite3.SQLITE_CONSTRAINT_UNIQUE, None),
        (sqlite3.SQLITE_ERROR, None),
    ],
)
def test_known_failures_are_told_from_bugs(tmp_path, error, expected):
    if isinstance(error, int):
        code, error = error, sqlite3.OperationalError("said by the driver")
        error.sqlite_errorcode = code
    known = classify(error, tmp_path)
    assert type(known) is (expected or type(None))
    with pytest.raises(expected or type(error)), known_failures(tmp_path):
        raise error


# --- other people's files -------------------------------------------------------------------------------------------


def test_a_file_that_is_no_database(tmp_path):
    (tmp_path / "library.sqlite").write_bytes(b"Dear diary, " * 1000)
    with pytest.raises(LibraryError, match="is damaged, or is not a library"):
        open_library(tmp_path)
    assert (tmp_path / "library.sqlite").read_bytes() == b"Dear diary, " * 1000


def test_another_programs_database(tmp_path):
    with sqlite3.connect(tmp_path / "library.sqlite") as connection:
        connection.execute("CREATE TABLE songs (title)")
    connection.close()
    with pytest.raises(LibraryError, match="belongs to another program"):
        open_library(tmp_path)


def test_a_folder_that_is_a_file(tmp_path):
    (tmp_path / "library").write_text("")
    with pytest.raises(LibraryError, match="is a file, not a folder"):
        open_library(tmp_path / "library")


def test_opening_without_creating(tmp_path):
    with pytest.raises(LibraryError, match="There is no library in"):
        open_library(tmp_path / "none", create=False)
    with pytest.raises(LibraryError, match="There is no library in"):
        open_library(tmp_path, create=False)
    assert list(tmp_path.iterdir()) == []
    open_library(tmp_path).close()
    open_library(tmp_path, create=False).close()


def test_a_damaged_database(tmp_path, photos):
    with open_library(tmp_path / "library") as library:
        library.add_source(photos)
        index_all(library)
    path = tmp_path / "library" / "library.sqlite"
    content = bytearray(path.read_bytes())
    content[4096:] = b"\xaa" * (len(content) - 4096)
    path.write_bytes(content)

    def use() -> None:
        with open_library(tmp_path / "library") as library:
            scan(library)

    with pytest.raises(LibraryError, match="is damaged"):
        use()


# --- versions -------------------------------------------------------------------------------------------------------


def _set_version(folder: Path, major: int, minor: int) -> None:
    connection = sqlite3.connect(folder / "library.sqlite")
    connection.execute(f"PRAGMA user_version = {major * 1000 + minor}")
    connection.close()


def test_a_newer_library_is_refused_and_left_alone(tmp_path):
    open_library(tmp_path).close()
    _set_version(tmp_path, MAJOR + 1, 0)
    before = (tmp_path / "library.sqlite").read_bytes()
    with pytest.raises(LibraryTooNewError, match=rf"has format {MAJOR + 1}\.0, .* reads up to {MAJOR}\.x"):
        open_library(tmp_path)
    assert (tmp_path / "library.sqlite").read_bytes() == before


def test_a_newer_minor_version_is_used_as_it_is(tmp_path, photos):
    open_library(tmp_path / "library").close()
    _set_version(tmp_path / "library", MAJOR, MINOR + 7)
    with open_library(tmp_path / "library") as library:
        library.add_source(photos)
        assert index_all(library) == 5
    connection = sqlite3.connect(tmp_path / "library" / "library.sqlite")
    assert connection.execute("PRAGMA user_version").fetchone() == (MAJOR * 1000 + MINOR + 7,)
    connection.close()


def test_migrations_ascend_to_the_present_version():
    versions = [migration[:2] for migration in MIGRATIONS]
    assert versions == sorted(set(versions))
    assert versions[-1] == (MAJOR, MINOR)


def test_migration_1_0_makes_a_library_in_wal_mode(tmp_path):
    open_library(tmp_path).close()
    connection = sqlite3.connect(tmp_path / "library.sqlite")
    assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")}
    connection.close()
    assert {"sources", "items", "segments", "vectors", "thumbnails", "captions"} <= tables


_UNDO = {
    3: ("DROP INDEX items_videos", "DROP INDEX segments_behind_first", "DROP TABLE shot_thumbnails"),
    2: ("ALTER TABLE models DROP COLUMN kind", "ALTER TABLE sentence_models DROP COLUMN kind"),
    1: (
        "DROP TRIGGER captions_inserted", "DROP TRIGGER captions_deleted", "DROP TRIGGER items_came_or_went",
        "DROP INDEX captions_by_text", "DROP TABLE sentence_vectors", "DROP TABLE sentence_models",
    ),
}  # fmt: skip
"""Minor version to what takes it back."""


def make_older(folder: Path, photos: Path, minor: int) -> None:
    """A library as version 1.``minor`` left it, with photos, vectors and sentences."""
    with open_library(folder) as library:
        library.add_source(photos)
        index_all(library)
    connection = sqlite3.connect(folder / "library.sqlite")
    for undone in range(MINOR, minor, -1):
        for statement in _UNDO[undone]:
            connection.execute(statement)
    connection.execute(f"PRAGMA user_version = {1000 * MAJOR + minor}")
    connection.execute("INSERT INTO captions VALUES (1, 0, 'a dog'), (1, 1, 'red'), (2, 0, 'red')")
    connection.execute("UPDATE item_texts SET captions = 'a dog red' WHERE rowid = 1")
    connection.commit()
    assert _schema(connection) == _schema_of_version(minor)
    connection.close()


def _schema(connection: sqlite3.Connection) -> dict[str, list[str]]:
    names = [name for (name,) in connection.execute("SELECT name FROM sqlite_schema")]
    return {name: [row[1] for row in connection.execute(f"PRAGMA table_info({name})")] for name in names}


def _schema_of_version(minor: int) -> dict[str, list[str]]:
    connection = sqlite3.connect(":memory:")
    for _, number, function in MIGRATIONS:
        if number <= minor:
            function(connection)
    try:
        return _schema(connection)
    finally:
        connection.close()


def _encode_sentences(library: Library) -> int:
    texts = library.sentences.without_vector(MODEL, limit=100)
    library.sentences.commit(MODEL, WEIGHTS, texts, np.arange(len(texts), dtype=np.float32)[:, None])
    return len(texts)


def test_migration_1_1_keeps_everything_and_adds_vectors_of_sentences(tmp_path, photos):
    make_older(tmp_path / "library", photos, 0)
    with open_library(tmp_path / "library") as library:
        assert library.counts().n_indexed == {MODEL: 5}
        assert library.counts().n_sentences == library.sentences.count() == 3
        assert library.describe([1])[0].captions == ("a dog", "red")
        assert library.search_text("dog").tolist() == [1]
        assert _encode_sentences(library) == 2
        assert library.sentences.table(MODEL).vectors.ravel().tolist() == [0, 1, 1]
        assert index_all(library) == 0
    connection = sqlite3.connect(tmp_path / "library" / "library.sqlite")
    assert connection.execute("PRAGMA user_version").fetchone() == (1000 * MAJOR + MINOR,)
    connection.close()


def test_an_older_program_keeps_a_migrated_library_right(tmp_path, photos):
    """Version 1.0 may still write: it knows nothing of vectors of sentences, and none may speak of what is gone."""
    make_older(tmp_path / "library", photos, 0)
    with open_library(tmp_path / "library") as library:
        _encode_sentences(library)
        library.sentences.table(MODEL)
        older = sqlite3.connect(tmp_path / "library" / "library.sqlite")
        older.execute("PRAGMA foreign_keys = ON")
        older.execute("DELETE FROM captions WHERE item_id = 1")
        older.execute("INSERT INTO captions VALUES (1, 0, 'red'), (1, 1, 'a hare')")
        older.commit()
        assert library.sentences.table(MODEL).vectors.ravel().tolist() == [1, 1]
        assert library.sentences.without_vector(MODEL, limit=9) == ["a hare"]
        older.execute("UPDATE items SET missing_since = 1 WHERE id = 1")
        older.commit()
        assert library.sentences.table(MODEL).vectors.ravel().tolist() == [1]
        older.execute("DELETE FROM items")
        older.commit()
        older.close()
        assert library.sentences.table(MODEL).vectors.shape == (0, 1)
        with library._connections.reading() as connection:
            assert connection.execute("SELECT COUNT(*) FROM sentence_vectors").fetchone() == (0,)


def test_migration_1_2_tells_embeddings_from_codes(tmp_path, photos):
    make_older(tmp_path / "library", photos, 1)
    with open_library(tmp_path / "library") as library:
        assert library.counts().n_indexed == {MODEL: 5}
        assert library.vector_table(MODEL).form == (VectorKind.EMBEDDING, 8)
        items = library.pending(CODE_MODEL)
        library.commit_items(CODE_MODEL, WEIGHTS, indexed=[indexed(item, vector=code_of(item)) for item in items])
        assert library.vector_table(CODE_MODEL).form == (VectorKind.CODE, 16)
        assert index_all(library) == 0
    connection = sqlite3.connect(tmp_path / "library" / "library.sqlite")
    assert connection.execute("PRAGMA user_version").fetchone() == (1000 * MAJOR + MINOR,)
    connection.close()


def test_migration_1_3_gains_videos_at_the_next_scan(tmp_path, photos):
    (photos / "film.mp4").write_bytes(b"film")
    make_older(tmp_path / "library", photos, 2)
    older = sqlite3.connect(tmp_path / "library" / "library.sqlite")
    older.execute("PRAGMA foreign_keys = ON")
    older.execute("DELETE FROM items WHERE kind = 'video'")  # it never knew of any
    older.commit()
    older.close()
    with open_library(tmp_path / "library") as library:
        assert library.counts().n_videos == 0
        assert library.counts().n_indexed == {MODEL: 5}
        before = library.vector_table(MODEL).item_ids.tolist()
        assert scan(library).n_added == 1
        assert [(item.kind, item.spans) for item in library.pending(MODEL)] == [("video", ())]
        assert index_all(library) == 1
        assert library.counts().n_videos == 1
        assert library.vector_table(MODEL).item_ids.tolist()[:5] == before


def test_a_program_of_1_1_may_add_its_own_models(tmp_path, photos):
    """It knows embeddings only, and does not say so."""
    with open_library(tmp_path / "library") as library:
        library.add_source(photos)
        index_all(library)
        older = sqlite3.connect(tmp_path / "library" / "library.sqlite")
        older.execute("INSERT INTO models (model_id, weights_hash, dim) VALUES ('other@1', '1', 2)")
        older.execute("INSERT INTO sentence_models (model_id, weights_hash, dim) VALUES ('other@1', '1', 2)")
        older.execute(
            "INSERT INTO vectors (model, item_id, position, vector) SELECT id, 1, 0, ? FROM models"
            " WHERE model_id = 'other@1'", (np.float32([3, 4]).tobytes(),),
        )  # fmt: skip
        older.commit()
        older.close()
        table = library.vector_table("other@1")
        assert table.form == (VectorKind.EMBEDDING, 2)
        assert table.vectors.tolist() == [[3, 4]]
        assert library.sentences.table("other@1").form == (VectorKind.EMBEDDING, 2)


@pytest.mark.skipif(sys.platform == "win32", reason="no SIGKILL")
def test_a_migration_that_is_killed_leaves_the_older_version(tmp_path, photos):
    folder = tmp_path / "library"
    make_older(folder, photos, 0)
    done = subprocess.run(
        [
            sys.executable, "-c",
            "import os, signal, sys; from pathlib import Path; from explorer.library import open_library, schema\n"
            "def last(connection):\n"
            "    assert connection.execute('SELECT COUNT(*) FROM sentence_vectors').fetchone() == (0,)\n"
            "    os.kill(os.getpid(), signal.SIGKILL)\n"
            "schema.MIGRATIONS = (*schema.MIGRATIONS, (1, 999, last)); schema.MINOR = 999\n"
            "open_library(Path(sys.argv[1]))",
            folder,
        ],
        check=False,
    )  # fmt: skip
    assert done.returncode == -9
    connection = sqlite3.connect(folder / "library.sqlite")
    assert connection.execute("PRAGMA user_version").fetchone() == (1000,)
    assert connection.execute("SELECT name FROM sqlite_schema WHERE name LIKE 'sentence%'").fetchall() == []
    connection.close()
    with open_library(folder) as library:
        assert library.counts().n_sentences == 3
        assert _encode_sentences(library) == 2


@needs_root
@pytest.mark.parametrize("minor", range(MINOR))
def test_an_older_library_that_cannot_be_written_to_can_be_read(open_place, photos, minor):
    folder = open_place / "library"
    make_older(folder, photos, minor)
    for path in folder.iterdir():
        path.chmod(0o444)
    folder.chmod(0o555)
    printed = run_child(
        "library = open_library(Path(sys.argv[1]))\n"
        "print(library.read_only, library.counts().n_sentences, len(library.item_ids()))\n"
        "print(library.vector_table(MODEL).form, library.describe([1])[0].captions)\n"
        "print(library.sentences.n_without_vector(MODEL), library.sentences.table(MODEL).vectors.shape)\n"
        "print(len(library.thumbnails([1, 1 + (1 << 40)])), library.counts().n_videos)\n"
        "tell(library.sentences.commit, MODEL, WEIGHTS, ['x'], np.zeros((1, 2), 'f4'))\n",
        folder, user=_NOBODY,
    ).splitlines()  # fmt: skip
    assert printed[:3] == ["True 3 5", "embeddings of 8 numbers ('a dog', 'red')", "2 (0, 0)"]
    assert printed[3] == "1 0"
    assert printed[4].startswith("LibraryReadOnlyError")
    assert len(printed) == 5


def test_every_migration_has_a_test():
    text = Path(__file__).read_text("utf-8")
    for major, minor, _ in MIGRATIONS:
        assert f"def test_migration_{major}_{minor}_" in text


def test_a_failed_migration_leaves_nothing(tmp_path, monkeypatch):
    def fail(connection):
        connection.execute("CREATE TABLE half (x)")
        raise sqlite3.OperationalError("stop")

    with monkeypatch.context() as patched:
        patched.setattr("explorer.library.schema.MIGRATIONS", (*MIGRATIONS, (MAJOR, MINOR + 1, fail)))
        patched.setattr("explorer.library.schema.MINOR", MINOR + 1)
        with pytest.raises(sqlite3.OperationalError):
            open_library(tmp_path)
    with open_library(tmp_path) as library, library._connections.reading() as connection:
        assert connection.execute("SELECT name FROM sqlite_schema WHERE name = 'half'").fetchone() is None
