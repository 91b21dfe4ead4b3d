"""Several packages as one model: the weighted mean of their similarities (README.md)."""
