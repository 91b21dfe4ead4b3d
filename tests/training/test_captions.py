"""The bank of word states: what goes in comes out, and draws are fair."""

import torch

from explorer.networks.common.language import mean_sentence
from explorer.networks.common.minilm import MiniLM
from explorer.training.captions import build_sentence_bank

SENTENCES = [["a dog runs", "two dogs play in the deep snow of the mountains"], ["red"], ["a", "b c", "d e f"]]


def test_the_bank_gives_back_the_word_states_of_each_sentence(tmp_path):
    bank = build_sentence_bank(SENTENCES, tmp_path / "bank")
    flat = [text for photo in SENTENCES for text in photo]
    model = MiniLM()
    expected = model.word_states(flat)
    got = bank.words(torch.tensor([4, 1]))
    assert got.lengths.tolist() == expected.lengths[[4, 1]].tolist()
    for row, sentence in enumerate((4, 1)):
        n = int(got.lengths[row])
        torch.testing.assert_close(got.states[row, :n], expected.states[sentence, :n], atol=2e-3, rtol=2e-3)
        assert (got.states[row, n:] == 0).all()
    torch.testing.assert_close(bank.embeddings, mean_sentence(expected))
    again = build_sentence_bank(SENTENCES, tmp_path / "bank")
    assert torch.equal(again.flat, bank.flat)


def test_one_sentence_alone_equals_the_same_sentence_among_longer_ones():
    model = MiniLM()
    alone, among = model.word_states(["red"]), model.word_states(["red", "two dogs play in the deep snow"])
    n = int(alone.lengths[0])
    torch.testing.assert_close(alone.states[0, :n], among.states[0, :n], atol=1e-5, rtol=1e-4)


def test_drawn_sentences_belong_to_their_photos_and_do_not_repeat(tmp_path):
    bank = build_sentence_bank(SENTENCES, tmp_path / "bank")
    torch.manual_seed(0)
    seen = set()
    for _ in range(30):
        sentences, owners = bank.draw(torch.tensor([2, 0]), 2)
        assert owners.tolist() == [0, 0, 1, 1]
        assert len(set(sentences.tolist())) == 4
        assert set(sentences[:2].tolist()) <= {3, 4, 5}
        assert set(sentences[2:].tolist()) == {0, 1}
        seen |= set(sentences.tolist())
    assert seen == {0, 1, 3, 4, 5}
    sentences, owners = bank.draw(torch.tensor([1]), 5)
    assert (sentences.tolist(), owners.tolist()) == ([2], [0])
