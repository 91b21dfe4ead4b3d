"""Generalized pooling operator: learned weights over the sorted values of each dimension (three_shnet/README.md 3.6).

Source: Chen et al. 2021, "Learning the Best Pooling Strategy for Visual Semantic Embedding", section 3.2:
``v_i = sum_k theta_k * max_k(phi_i)``, ``sum theta = 1``, ``theta = g(k, N)``.
"""

# B samples, N tokens, D dimensions, P size of a position code

import math

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from explorer.networks.common.sorting import sort_descending

_PAD_SCORE = -10_000.0
_PAD_FEATURE = -10_000.0


def sinusoidal_codes(n_positions: int, size: int) -> Tensor:
    """Position codes of positions 0..n-1, float32 (n, size): sine on even, cosine on odd channels, base 10000."""
    position_N1 = torch.arange(n_positions, dtype=torch.float32).unsqueeze(1)
    rate_P = torch.exp(torch.arange(0, size, 2, dtype=torch.float32) * (-math.log(10_000.0) / size))
    codes_NP = torch.zeros(n_positions, size)
    codes_NP[:, 0::2] = torch.sin(position_N1 * rate_P)
    codes_NP[:, 1::2] = torch.cos(position_N1 * rate_P)
    return codes_NP


class GeneralizedPooling(nn.Module):
    """Pools a set of tokens into one vector; the order of the tokens does not matter.

    The weights of the sorted values depend on the number of valid tokens alone, so they are computed once for each
    distinct length in a batch. 12,704 parameters at the published sizes.
    """

    def __init__(self, code_size: int = 32, hidden: int = 32, temperature: float = 0.1) -> None:
        super().__init__()
        self.code_size = code_size
        self.temperature = temperature
        self.gru = nn.GRU(code_size, hidden, num_layers=1, batch_first=True, bidirectional=True)
        self.linear = nn.Linear(hidden, 1, bias=False)

    def forward(self, tokens: Tensor, lengths: Tensor) -> Tensor:
        """Pool valid tokens.

        tokens: float (B, N, D), the valid ones of each sample first.   lengths: int64 (B,), each in 1..N.
        Returns float (B, D).
        """
        if torch.is_autocast_enabled(tokens.device.type):
            # Softmax at temperature 0.1 and the order of values need all digits.
            with torch.autocast(tokens.device.type, enabled=False):
                return self.forward(tokens.float(), lengths)
        n_tokens = tokens.shape[1]
        distinct_U, which_B = torch.unique(lengths, return_inverse=True)
        theta_BN = self.weights(distinct_U, n_tokens)[which_B].to(tokens.dtype)
        if int(distinct_U[0]) < n_tokens:
            pad_BN = torch.arange(n_tokens, device=tokens.device) >= lengths.unsqueeze(1)
            tokens = tokens.masked_fill(pad_BN.unsqueeze(-1), _PAD_FEATURE)
        sorted_BDN = sort_descending(tokens.transpose(1, 2))
        # Weights of padding are exactly zero, so the published second masking is not needed.
        return torch.einsum("bdn,bn->bd", sorted_BDN, theta_BN)

    def weights(self, lengths: Tensor, n_positions: int) -> Tensor:
        """Weights theta (U, n_positions) of the sorted values for each of U lengths; zero beyond a length.

        The recurrent network runs packed, so that its backward direction starts at the last valid position.
        """
        codes_NP = sinusoidal_codes(n_positions, self.code_size).to(self.linear.weight)
        packed = pack_padded_sequence(
            codes_NP.expand(len(lengths), -1, -1), lengths.cpu(), batch_first=True, enforce_sorted=False
        )
        states_UNH, _ = pad_packed_sequence(self.gru(packed)[0], batch_first=True, total_length=n_positions)
        forward, backward = states_UNH.chunk(2, dim=-1)
        scores_UN = self.linear((forward + backward) / 2).squeeze(-1)
        pad_UN = torch.arange(n_positions, device=lengths.device) >= lengths.unsqueeze(1)
        return torch.softmax(scores_UN.masked_fill(pad_UN, _PAD_SCORE) / self.temperature, dim=1)


class MeanPooling(nn.Module):
    """The mean over valid tokens, with the call of :class:`GeneralizedPooling`."""

    def forward(self, tokens: Tensor, lengths: Tensor) -> Tensor:
        """Mean of the first ``lengths`` tokens of (B, N, D), (B, D)."""
        valid_BN = torch.arange(tokens.shape[1], device=tokens.device) < lengths.unsqueeze(1)
        weights_BN = valid_BN.to(tokens.dtype) / lengths.unsqueeze(1)
        return torch.einsum("bnd,bn->bd", tokens, weights_BN)
