"""The identity of a file's content, by which a moved file is recognised."""

import hashlib

from explorer.cancellation import CancellationToken

_CHUNK_BYTES = 1 << 20
_DIGEST_BYTES = 16


def hash_content(content: bytes) -> bytes:
    """BLAKE2b of the content, 16 bytes: enough that two different photos never share one by accident."""
    return hashlib.blake2b(content, digest_size=_DIGEST_BYTES).digest()


def hash_file(path: bytes, token: CancellationToken | None = None) -> bytes:
    """The same of a file, without holding it in memory. Raises OSError; Cancelled once ``token`` says so."""
    digest = hashlib.blake2b(digest_size=_DIGEST_BYTES)
    with open(path, "rb") as stream:
        while chunk := stream.read(_CHUNK_BYTES):
            digest.update(chunk)
            if token is not None:
                token.check()
    return digest.digest()
