"""TVDB: images as regions read by an LSTM, sentences by a text CNN, both as binary codes (README.md)."""
