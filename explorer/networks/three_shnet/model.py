"""3SHNet: segmentation of a picture guides its visual tokens, semantically and spatially (README.md 3.3 to 3.7).

The image side never looks at the sentence, so embeddings can be indexed. Section numbers below are those of the
README.md of this folder; steps are numbered as in its 3.3.
"""

# B pictures, N visual tokens, M token set, D joint space, C classes, S cells of the score grid, K cells of the map

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from explorer.networks.common.gpo import GeneralizedPooling, MeanPooling, sinusoidal_codes
from explorer.networks.common.mlp import TokenMLP
from explorer.networks.three_shnet.config import ImageEncoderConfig, TextEncoderConfig

_POSITION_CHANNELS = 8
_SOFTMAX_TEMPERATURE = 4.0


@dataclass(frozen=True, slots=True)
class EncodedImages:
    """What one forward pass gives.

    Attributes:
        embedding: (B, D), unit length.
        vsem_gates: (B, N) in (0, 1), 0 on padding: the weights that made the embedding; None without VSeM.
        vspm_attention: (B, N, map_size * map_size), rows sum to 1; None without VSpM.
        vsem_logits: (B, N) the gates before their activation; None without VSeM.
        tokens: (B, M, D) what was pooled, the N visual and then the N fused tokens last where nothing is padded.
        n_visual: N.
    """

    embedding: Tensor
    vsem_gates: Tensor | None
    vspm_attention: Tensor | None
    vsem_logits: Tensor | None = None
    tokens: Tensor | None = None
    n_visual: int = 0


class ClassEmbedding(nn.Module):
    """``LayerNorm(Dropout(ReLU(Linear(C, D))))``: a vector of class scores becomes a token."""

    def __init__(self, n_classes: int, embed_dim: int, dropout: float) -> None:
        super().__init__()
        self.linear = nn.Linear(n_classes, embed_dim)
        self.dropout = nn.Dropout(dropout)
        self.norm = nn.LayerNorm(embed_dim)

    def forward(self, scores: Tensor) -> Tensor:
        """Embed (..., C) as (..., D)."""
        embedded: Tensor = self.norm(self.dropout(F.relu(self.linear(scores))))
        return embedded


class SemanticGuidance(nn.Module):
    """VSeM: each token is gated by how well it fits the picture's mean class scores (README.md 3.4)."""

    def __init__(self, config: ImageEncoderConfig) -> None:
        super().__init__()
        d, h = config.embed_dim, config.hidden_dim
        self.gate = config.gate
        self.embed_scores = ClassEmbedding(config.n_classes, d, config.dropout)
        self.score_mlp = TokenMLP(d, h, d)
        self.image_mlp = TokenMLP(d, h, d)
        self.linear1 = nn.Linear(d, d)
        self.linear2 = nn.Linear(d, d)

    def forward(self, tokens: Tensor, scores: Tensor, valid: Tensor | None) -> tuple[Tensor, Tensor, Tensor]:
        """Guide tokens (B, N, D) by scores (B, S, C); returns (B, N, D), the gates (B, N) and their logits."""
        q_B1D = self.embed_scores(scores.mean(dim=1, keepdim=True))
        q_B1D = self.score_mlp(q_B1D) + q_B1D
        k_BND = self.image_mlp(tokens, valid) + tokens
        fit_BN = (k_BND * q_B1D).sum(dim=-1) / math.sqrt(tokens.shape[-1])
        if valid is not None:
            fit_BN = fit_BN.masked_fill(~valid, float("-inf"))
        gates_BN = torch.sigmoid(fit_BN) if self.gate == "sigmoid" else _competing_gates(fit_BN, valid)
        w_BND = gates_BN.unsqueeze(-1) * k_BND
        query = q_B1D if valid is None else q_B1D * valid.unsqueeze(-1)
        guided = F.relu(self.linear1(w_BND * torch.tanh(self.linear2(w_BND)) + query))
        return guided, gates_BN, fit_BN


def _competing_gates(fit: Tensor, valid: Tensor | None) -> Tensor:
    """Softmax over the valid tokens of (B, N), 0 on padding; a picture without any token has no gate at all."""
    if valid is None:
        return torch.softmax(_SOFTMAX_TEMPERATURE * fit, dim=1)
    finite = fit.masked_fill(~valid, torch.finfo(fit.dtype).min / (2 * _SOFTMAX_TEMPERATURE))
    return torch.softmax(_SOFTMAX_TEMPERATURE * finite, dim=1) * valid


class SpatialGuidance(nn.Module):
    """VSpM: each token attends to places of the class map (README.md 3.5)."""

    position_codes: Tensor

    def __init__(self, config: ImageEncoderConfig) -> None:
        super().__init__()
        d, h, k = config.embed_dim, config.hidden_dim, config.spatial_dim
        self.map_size = config.map_size
        self.image_mlp = TokenMLP(d, h, k)
        self.conv = nn.Conv2d(1 + _POSITION_CHANNELS, k, 3, padding=1)
        self.norm = nn.BatchNorm2d(k)
        self.fusion = TokenMLP(k, h, d)
        codes = sinusoidal_codes(config.map_size**2, _POSITION_CHANNELS)
        plane = codes.T.reshape(1, _POSITION_CHANNELS, config.map_size, config.map_size).contiguous()
        self.register_buffer("position_codes", plane, persistent=False)

    def forward(self, tokens: Tensor, class_map: Tensor, valid: Tensor | None) -> tuple[Tensor, Tensor]:
        """Guide tokens (B, N, D) by a map (B, m, m); returns (B, N, D) and the attention (B, N, m * m)."""
        codes = self.position_codes.expand(len(class_map), -1, -1, -1)
        p_BKmm = F.relu(self.norm(self.conv(torch.cat([class_map.unsqueeze(1), codes], dim=1))))
        p_BKm = p_BKmm.flatten(2)
        q_BNK = self.image_mlp(tokens, valid)
        scores_BNm = q_BNK @ p_BKm / math.sqrt(q_BNK.shape[-1])
        attention_BNm = torch.softmax(_SOFTMAX_TEMPERATURE * scores_BNm, dim=-1)
        context_BNK = attention_BNm @ p_BKm.transpose(1, 2)
        if valid is not None:
            context_BNK = context_BNK * valid.unsqueeze(-1)
        return self.fusion(context_BNK + q_BNK, valid), attention_BNm


class ImageEncoder(nn.Module):
    """Visual tokens and a segmentation become one unit vector (README.md 3.3).

    At ``ImageEncoderConfig()`` it has 11,615,008 parameters, as the published layout.
    """

    def __init__(self, config: ImageEncoderConfig) -> None:
        super().__init__()
        self.config = config
        d, h, c = config.embed_dim, config.hidden_dim, config.n_classes
        self.project = nn.Linear(config.visual_dim, d)
        nn.init.xavier_uniform_(self.project.weight)
        nn.init.zeros_(self.project.bias)
        self.feature_mlp = TokenMLP(config.visual_dim, h, d)
        self.category = ClassEmbedding(c, d, config.dropout) if config.category_token else None
        self.cells = ClassEmbedding(c, d, config.dropout) if config.segmentation_cells else None
        self.cells_mlp = TokenMLP(d, h, d) if config.segmentation_cells else None
        self.semantic = SemanticGuidance(config) if config.vsem else None
        self.spatial = SpatialGuidance(config) if config.vspm else None
        self.fusion_mlp = TokenMLP(d, h, d)
        self.pool: GeneralizedPooling | MeanPooling = (
            GeneralizedPooling() if config.pooling == "gpo" else MeanPooling()
        )

    def forward(
        self,
        regions: Tensor,
        semantic_scores: Tensor,
        class_map: Tensor,
        presence: Tensor,
        lengths: Tensor | None = None,
        *,
        without: frozenset[str] = frozenset(),
    ) -> EncodedImages:
        """Embed a batch of pictures.

        regions: float (B, N, visual_dim), the valid tokens of each picture first.
        semantic_scores: float (B, C, s, s), class logits by cell.
        class_map: float (B, map_size, map_size), normalised (see ``preprocess.normalise_class_map``).
        presence: float (B, C) in [0, 1], which classes are in the picture.
        lengths: integer (B,), valid tokens of each picture, 0 where it has none; None if all are.
        without: ``"vsem"``, ``"vspm"``: guidance that is left out although the network was trained with it.
        """
        lengths = None if lengths is None else lengths.to(regions.device, torch.int64)
        regions = F.dropout(regions, self.config.feature_dropout, self.training)
        regions, lengths = self._drop_tokens(regions, lengths)
        valid = None if lengths is None else _valid_mask(lengths, regions.shape[1])
        scores_BSC = semantic_scores.flatten(2).transpose(1, 2)

        v0_BND = self.project(regions)  # step 1
        gates = attention = logits = None
        guided_BND = self.feature_mlp(regions, valid) + v0_BND  # step 6
        visual_BND = guided_BND
        if self.semantic is not None and "vsem" not in without:  # step 4
            semantic_BND, gates, logits = self.semantic(v0_BND, scores_BSC, valid)
            guided_BND = guided_BND + semantic_BND
        if self.spatial is not None and "vspm" not in without:  # step 5
            spatial_BND, attention = self.spatial(v0_BND, class_map, valid)
            guided_BND = guided_BND + spatial_BND
        fused_BND = self.fusion_mlp(guided_BND, valid)  # step 7

        always = self._segmentation_tokens(scores_BSC, presence)  # steps 2 and 3
        tokens_BMD, counts_B = _token_set(always, [visual_BND, fused_BND], lengths)  # step 8
        pooled_BD = self.pool(tokens_BMD, counts_B)
        norm = pooled_BD.norm(dim=1, keepdim=True) + 1e-8
        n_visual = visual_BND.shape[1]
        return EncodedImages(pooled_BD / norm, gates, attention, logits, tokens_BMD, n_visual)  # step 9

    def _segmentation_tokens(self, scores: Tensor, presence: Tensor) -> list[Tensor]:
        tokens = []
        if self.category is not None:
            tokens.append(self.category(presence).unsqueeze(1))
        if self.cells is not None and self.cells_mlp is not None:
            cells_BSD = self.cells(scores)
            tokens.append(self.cells_mlp(cells_BSD) + cells_BSD)
        return tokens

    def _drop_tokens(self, regions: Tensor, lengths: Tensor | None) -> tuple[Tensor, Tensor | None]:
        """In training, drop visual tokens at random.

        Published: each token on its own with the same probability. Here (reconstructed) the share that is dropped is
        itself drawn for each batch, uniform between none and twice the probability, so that pooling, whose weights
        depend on the number of tokens, knows full pictures, too. A batch of full pictures loses the same number of
        tokens everywhere, which needs no padding. One token of a picture always stays.
        """
        probability = self.config.token_dropout
        if not self.training or probability == 0.0:
            return regions, lengths
        b, n, _ = regions.shape
        chance = torch.rand(b, n, device=regions.device)
        share = min(1.0, 2 * probability * float(torch.rand(())))
        if lengths is None:
            order = chance.argsort(dim=1)[:, : max(1, n - int(share * n))]
            return regions.gather(1, order.unsqueeze(-1).expand(-1, -1, regions.shape[-1])), None
        keep = (chance >= share) & _valid_mask(lengths, n)
        keep[:, 0] |= ~keep.any(dim=1)
        return _kept_first(regions, keep)


class TextEncoder(nn.Module):
    """Word states become one unit vector: linear, GPO, L2 (README.md 3.7). 800,160 parameters with BERT's 768."""

    def __init__(self, config: TextEncoderConfig) -> None:
        super().__init__()
        self.config = config
        self.linear = nn.Linear(config.word_dim, config.embed_dim)
        self.pool: GeneralizedPooling | MeanPooling = (
            GeneralizedPooling() if config.pooling == "gpo" else MeanPooling()
        )

    def forward(self, words: Tensor, lengths: Tensor) -> Tensor:
        """Embed word states (B, L, word_dim) with valid lengths (B,) as (B, D)."""
        words = F.dropout(words, self.config.feature_dropout, self.training)
        if self.training and self.config.word_dropout:
            words, lengths = self._drop_words(words, lengths)
        pooled_BD: Tensor = self.pool(self.linear(words), lengths)
        unit_BD: Tensor = pooled_BD / (pooled_BD.norm(dim=1, keepdim=True) + 1e-8)
        return unit_BD

    def _drop_words(self, words: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        b, n, _ = words.shape
        keep = torch.rand(b, n, device=words.device) >= self.config.word_dropout
        keep &= _valid_mask(lengths, n)
        keep[:, 0] = True  # the first state stands for the whole sentence
        return _kept_first(words, keep)


def _kept_first(tokens: Tensor, keep: Tensor) -> tuple[Tensor, Tensor]:
    """Move the kept tokens of (B, N, D) to the front and cut to the longest; returns them and their number (B,)."""
    order = torch.argsort((~keep).to(torch.uint8), dim=1, stable=True)
    n_kept = keep.sum(dim=1)
    order = order[:, : int(n_kept.max())]
    return tokens.gather(1, order.unsqueeze(-1).expand(-1, -1, tokens.shape[-1])), n_kept


def _valid_mask(lengths: Tensor, n_tokens: int) -> Tensor:
    return torch.arange(n_tokens, device=lengths.device) < lengths.unsqueeze(1)


def _token_set(always: list[Tensor], visual: list[Tensor], lengths: Tensor | None) -> tuple[Tensor, Tensor]:
    """Join tokens so that the valid ones come first; returns them (B, M, D) and their number (B,)."""
    tokens_BMD = torch.cat([*always, *visual], dim=1)
    b, m, d = tokens_BMD.shape
    if lengths is None:
        return tokens_BMD, torch.full((b,), m, dtype=torch.int64, device=tokens_BMD.device)
    n_always = sum(part.shape[1] for part in always)
    masks = [torch.ones(b, n_always, dtype=torch.bool, device=lengths.device)]
    masks += [_valid_mask(lengths, part.shape[1]) for part in visual]
    valid_BM = torch.cat(masks, dim=1)
    order_BM = torch.argsort((~valid_BM).to(torch.uint8), dim=1, stable=True)
    return tokens_BMD.gather(1, order_BM.unsqueeze(-1).expand(-1, -1, d)), valid_BM.sum(dim=1)
