"""The sentences of the training photos as cached word states, or as rows of a vocabulary."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from explorer.networks.common.language import LanguageModel, WordStates, mean_sentence
from explorer.networks.common.minilm import MiniLM
from explorer.networks.three_shnet.reading import word_ids
from explorer.training.compute import Compute

_CHUNK = 1000


@dataclass(frozen=True, slots=True)
class SentenceBank:
    """Words of every sentence of n photos, sentence by sentence, photo by photo.

    Attributes:
        flat: float16 (all word pieces, width), states of a frozen language model; or int64 (all words,), rows of a
            vocabulary.
        starts: int64 (n_sentences + 1,), where each sentence begins in ``flat``.
        first: int64 (n_photos + 1,), the first sentence of each photo.
        embeddings: float32 (n_sentences, width), the mean of each sentence's states at unit length; width 0 where
            there are no states.
    """

    flat: Tensor
    starts: Tensor
    first: Tensor
    embeddings: Tensor

    def words(self, sentences: Tensor, device: torch.device | None = None) -> WordStates:
        """Padded states, or rows of words, of these sentences, int64 (S,), on a device; the bank is on the CPU."""
        lengths = self.starts[sentences + 1] - self.starts[sentences]
        step = torch.arange(int(lengths.max()))
        valid = step < lengths.unsqueeze(1)
        where = (self.starts[sentences].unsqueeze(1) + step).clamp(max=len(self.flat) - 1)
        words, lengths = self.flat[where].to(device), lengths.to(device)
        valid = valid.to(device)
        if self.flat.ndim == 1:
            return WordStates(words * valid, lengths)
        return WordStates(words.float() * valid.unsqueeze(-1), lengths)

    def draw(self, photos: Tensor, n_each: int) -> tuple[Tensor, Tensor]:
        """Draw ``n_each`` different sentences of each photo (all, if it has fewer).

        Returns the sentences (S,) and the row of each one's photo in ``photos`` (S,).
        """
        sentences, owners = [], []
        for row, photo in enumerate(photos.tolist()):
            first, end = int(self.first[photo]), int(self.first[photo + 1])
            chosen = first + torch.randperm(end - first)[:n_each]
            sentences.append(chosen)
            owners.append(torch.full_like(chosen, row))
        return torch.cat(sentences), torch.cat(owners)


def build_sentence_bank(
    sentences: Sequence[Sequence[str]],
    path: Path,
    model_of: Callable[[torch.device], LanguageModel] = lambda device: MiniLM(device=device),
    compute: Compute | None = None,
) -> SentenceBank:
    """Read all sentences with a frozen model once, and keep the result at ``path`` (a torch file of tensors).

    The model runs on the device of ``compute``, in rank 0; the bank is on the CPU.
    """
    compute = compute or Compute()
    compute.told(lambda: _keep_sentences(sentences, path, model_of, compute.device))
    return SentenceBank(**torch.load(path, weights_only=True, mmap=True))


def _keep_sentences(
    sentences: Sequence[Sequence[str]],
    path: Path,
    model_of: Callable[[torch.device], LanguageModel],
    device: torch.device,
) -> None:
    if path.is_file():
        return
    texts = [text for photo in sentences for text in photo]
    model = model_of(device)
    flat, lengths, embeddings = [], [], []
    for begin in range(0, len(texts), _CHUNK):
        words = model.word_states(texts[begin : begin + _CHUNK])
        valid = torch.arange(words.states.shape[1], device=device) < words.lengths.unsqueeze(1)
        flat.append(words.states[valid].half().cpu())
        lengths.append(words.lengths.cpu())
        embeddings.append(mean_sentence(words).cpu())
    n_each = torch.tensor([0, *map(len, sentences)])
    bank = SentenceBank(
        flat=torch.cat(flat) if flat else torch.zeros(0, model.dim, dtype=torch.float16),
        starts=torch.cat([torch.zeros(1, dtype=torch.int64), *lengths]).cumsum(0),
        first=n_each.cumsum(0),
        embeddings=torch.cat(embeddings) if embeddings else torch.zeros(0, model.dim),
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(".partial")
    torch.save({name: getattr(bank, name).clone() for name in SentenceBank.__slots__}, partial)
    partial.replace(path)


def build_word_bank(sentences: Sequence[Sequence[str]], vocabulary: Mapping[str, int]) -> SentenceBank:
    """All sentences as rows of a vocabulary."""
    rows = [torch.tensor(word_ids(text, vocabulary)) for photo in sentences for text in photo]
    return SentenceBank(
        flat=torch.cat(rows) if rows else torch.zeros(0, dtype=torch.int64),
        starts=torch.tensor([0, *map(len, rows)]).cumsum(0),
        first=torch.tensor([0, *map(len, sentences)]).cumsum(0),
        embeddings=torch.zeros(len(rows), 0),
    )
