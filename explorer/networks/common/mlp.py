"""Two-layer block of VSE-infinity and 3SHNet (3SHNet 3.3): Linear, BatchNorm over all rows, ReLU, Linear."""

import torch.nn.functional as F
from torch import Tensor, nn


class TokenMLP(nn.Module):
    """``Linear(in, hidden) -> BatchNorm1d(hidden) -> ReLU -> Linear(hidden, out)`` on every valid token.

    The published layout also allocates a second BatchNorm that nothing calls (``bns.1``); it is kept so that parameter
    counts and keys agree with the authors' files.
    """

    def __init__(self, n_in: int, n_hidden: int, n_out: int) -> None:
        super().__init__()
        self._n_out = n_out
        self.layers = nn.ModuleList([nn.Linear(n_in, n_hidden), nn.Linear(n_hidden, n_out)])
        self.bns = nn.ModuleList([nn.BatchNorm1d(n_hidden), nn.BatchNorm1d(n_out)])

    def forward(self, tokens: Tensor, valid: Tensor | None = None) -> Tensor:
        """Map tokens (B, N, in) to (B, N, out).

        valid: bool (B, N), or None if all are. Padding takes no part in the batch statistics and gives zeros.
        """
        if valid is None:
            return self._rows(tokens.reshape(-1, tokens.shape[-1])).view(*tokens.shape[:-1], self._n_out)
        rows = self._rows(tokens[valid])
        out = rows.new_zeros(*tokens.shape[:-1], self._n_out)  # under autocast rows are of another type than tokens
        out[valid] = rows
        return out

    def _rows(self, rows: Tensor) -> Tensor:
        hidden: Tensor = self.layers[0](rows)
        result: Tensor = self.layers[1](F.relu(self.bns[0](hidden)))
        return result
