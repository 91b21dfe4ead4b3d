"""Ridge regression in closed form: the only "training" this family has."""

import torch
from torch import Tensor


def fit_ridge(features: Tensor, targets: Tensor, *, penalty: float) -> tuple[Tensor, Tensor]:
    """Least squares with a penalty on the squared weights; features are standardised first, the bias is free.

    features: float (n, F).   targets: float (n, D).
    penalty: weight of the squared weights, as a multiple of the number of rows.
    Returns weights (F, D) and bias (D,) that apply to the features as they came in.
    """
    x, y = features.double(), targets.double()
    mean_x, mean_y = x.mean(dim=0), y.mean(dim=0)
    scale = x.std(dim=0).clamp(min=1e-6)
    z = (x - mean_x) / scale
    gram = z.T @ z
    gram.diagonal().add_(penalty * len(x))
    weights = torch.linalg.solve(gram, z.T @ (y - mean_y)) / scale.unsqueeze(1)
    return weights.float(), (mean_y - mean_x @ weights).float()
