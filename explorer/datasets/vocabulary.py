"""The word tables of VSE++ and SCAN (``f30k_precomp_vocab.json``), and how a caption becomes their rows.

The published code cuts captions with NLTK's ``word_tokenize``; the rules here follow the Penn Treebank conventions that
it implements (reconstructed: sentence ends are found by punctuation, without its trained model).
"""

import re
from collections.abc import Mapping
from pathlib import Path

import msgspec

from explorer.errors import DatasetError

START, END, UNKNOWN = "<start>", "<end>", "<unk>"

_RULES = tuple(
    (re.compile(pattern), replacement)
    for pattern, replacement in (
        (r"[«“„]|^\"|(?<=[ (\[{<])(?:\"|'')", " `` "),
        (r"'(?!re|ve|ll|m|t|s|d|n)(?=\w\b)", "' "),
        (r"[»”\"]", " '' "),
        (r"([:,])(?!\d)", r" \1 "),
        (r"\.{2,}", lambda found: f" {found.group()} "),
        (r"[;@#$%&?!\[\](){}<>]", lambda found: f" {found.group()} "),
        (r"--", " -- "),
        (r"(?<=[^.])\.(?=[\])}>\"' ]*$)", " . "),
        (r"(?<=[^' ])('(?:ll|re|ve|s|m|d)\b|'(?!\w))", r" \1 "),
        (r"(?<=\w)(n't)\b", r" \1 "),
        (r"\bcan(?=not\b)", "can "),
        (r"\b(gon|wan)(?=na\b)", r"\1 "),
        (r"\bgot(?=ta\b)", "got "),
    )
)
_SENTENCE_END = re.compile(r"(?<=[.?!])\s+")
_ABBREVIATIONS = ("mr.", "mrs.", "ms.", "dr.", "st.", "jr.", "sr.", "vs.", "e.g.", "i.e.", "u.s.")


class _File(msgspec.Struct):
    word2idx: dict[str, int]


def read_vocabulary(path: Path) -> dict[str, int]:
    """Word to row of the word table, from the published json (its ``idx2word`` says the same and is not read).

    Raises
    ------
    DatasetError
        the file cannot be read, is not of this form, gives two words one row, or lacks a special word.
    """
    try:
        rows = msgspec.json.decode(path.read_bytes(), type=_File).word2idx
    except OSError as error:
        raise DatasetError(
            f"The vocabulary {path} cannot be read: {error.strerror or error}.", "Check the path of the json file."
        ) from error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise DatasetError(
            f"{path.name} is no vocabulary of VSE++ or SCAN: {error}.", "It needs word2idx, from words to numbers."
        ) from error
    missing = [word for word in (START, END, UNKNOWN) if word not in rows]
    if missing or len(set(rows.values())) != len(rows) or min(rows.values()) < 0:
        problem = f"it lacks {', '.join(missing)}" if missing else "two words share a row, or a row is negative"
        raise DatasetError(f"{path.name} is no vocabulary of VSE++ or SCAN: {problem}.", "Download it again.")
    return rows


def caption_words(caption: str) -> list[str]:
    """Words and marks of a caption in lower case, by Treebank conventions."""
    words: list[str] = []
    for sentence in _sentences(caption.lower()):
        for pattern, replacement in _RULES:
            sentence = pattern.sub(replacement, sentence)
        words += sentence.split()
    return words


def caption_rows(caption: str, vocabulary: Mapping[str, int]) -> list[int]:
    """Rows of the word table for a caption, start and end included; a word that is not there is ``<unk>``."""
    unknown = vocabulary[UNKNOWN]
    rows = [vocabulary.get(word, unknown) for word in caption_words(caption)]
    return [vocabulary[START], *rows, vocabulary[END]]


def _sentences(text: str) -> list[str]:
    sentences: list[str] = []
    for part in _SENTENCE_END.split(text.strip()):
        if sentences and sentences[-1].endswith(_ABBREVIATIONS):
            sentences[-1] += " " + part
        else:
            sentences.append(part)
    return sentences
