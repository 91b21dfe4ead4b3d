"""The published computation, one sample at a time, in numpy and double precision, from the authors' own tensor names.

Written from the equations alone (README.md 3.3 to 3.7 of ``networks/three_shnet``), with nothing of the project in it,
so that a mistake of the project's networks cannot be made here as well. Below it: random checkpoints in the authors'
layout.
"""

import argparse
import math
from collections import OrderedDict

import numpy as np
import torch
from numpy.lib.stride_tricks import sliding_window_view


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def softmax(x):
    e = np.exp(x - x.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


def linear(t, name, x):
    return x @ t[f"{name}.weight"].T + t.get(f"{name}.bias", 0.0)


def layer_norm(t, name, x, eps=1e-5):
    centred = x - x.mean(axis=-1, keepdims=True)
    return centred / np.sqrt((centred**2).mean(axis=-1, keepdims=True) + eps) * t[f"{name}.weight"] + t[f"{name}.bias"]


def batch_norm(t, name, x):
    """Channels last, with the running statistics."""
    scaled = (x - t[f"{name}.running_mean"]) / np.sqrt(t[f"{name}.running_var"] + 1e-5)
    return scaled * t[f"{name}.weight"] + t[f"{name}.bias"]


def mlp(t, name, x):
    hidden = batch_norm(t, f"{name}.bns.0", linear(t, f"{name}.layers.0", x))
    return linear(t, f"{name}.layers.1", np.maximum(hidden, 0))


def class_embedding(t, name, first, last, x):
    return layer_norm(t, f"{name}.{last}", np.maximum(linear(t, f"{name}.{first}", x), 0))


def position_codes(n, size):
    codes = np.zeros((n, size))
    for position in range(n):
        for channel in range(0, size, 2):
            angle = position / 10_000 ** (channel / size)
            codes[position, channel], codes[position, channel + 1] = math.sin(angle), math.cos(angle)
    return codes


def gru(t, name, rows, suffix):
    hidden = np.zeros(t[f"{name}.weight_hh_l0{suffix}"].shape[1])
    states = []
    for row in rows:
        gi = t[f"{name}.weight_ih_l0{suffix}"] @ row + t[f"{name}.bias_ih_l0{suffix}"]
        gh = t[f"{name}.weight_hh_l0{suffix}"] @ hidden + t[f"{name}.bias_hh_l0{suffix}"]
        ri, zi, ni = np.split(gi, 3)
        rh, zh, nh = np.split(gh, 3)
        z = sigmoid(zi + zh)
        hidden = (1 - z) * np.tanh(ni + sigmoid(ri + rh) * nh) + z * hidden
        states.append(hidden)
    return np.array(states)


def both_ways(t, name, rows):
    return (gru(t, name, rows, "") + gru(t, name, rows[::-1], "_reverse")[::-1]) / 2


def gpo(t, tokens):
    scores = linear(t, "gpool.linear", both_ways(t, "gpool.gru", position_codes(len(tokens), 32)))[:, 0]
    pooled = softmax(scores / 0.1) @ np.sort(tokens, axis=0)[::-1]
    return pooled / (np.sqrt((pooled**2).sum()) + 1e-8)


def vsem(t, v0, scores):
    name = "crossmodalfusion_sm."
    q = class_embedding(t, name + "embed_seg_HW", 2, 5, scores.mean(axis=(1, 2)))
    q = mlp(t, name + "MLP_seg", q) + q
    k = mlp(t, name + "MLP_image", v0) + v0
    rows = []
    for k_i in k:
        w = sigmoid(k_i @ q / math.sqrt(len(q))) * k_i
        rows.append(np.maximum(linear(t, name + "fc_1", w * np.tanh(linear(t, name + "fc_scale", w)) + q), 0))
    return np.array(rows).reshape(len(v0), len(q))


def vspm(t, v0, class_map):
    name = "crossmodalfusion_sp."
    side = len(class_map)
    codes = position_codes(side * side, 8).reshape(side, side, 8)
    stacked = np.pad(np.concatenate([class_map[..., None], codes], axis=2), ((1, 1), (1, 1), (0, 0)))
    windows = sliding_window_view(stacked, (3, 3), axis=(0, 1))  # y, x, channel, 3, 3
    convolved = np.einsum("yxcij,kcij->yxk", windows, t[name + "embedding_Seg.0.weight"])
    convolved = convolved + t[name + "embedding_Seg.0.bias"]
    p = np.maximum(batch_norm(t, name + "embedding_Seg.1", convolved), 0).reshape(side * side, -1)
    q = mlp(t, name + "MLP_image", v0)
    attention = softmax(4 * (q @ p.T / math.sqrt(p.shape[1])))
    return mlp(t, name + "embed_fusion", attention @ p + q)


def embed_image(t, regions, scores, class_map, presence):
    """One picture: regions (n, V), scores (C, 7, 7), map (64, 64), presence (C,)."""
    v0 = linear(t, "fc", regions)
    c = class_embedding(t, "embed_category", 0, 3, presence)
    cells = np.array([scores[:, y, x] for y in range(7) for x in range(7)])
    g = class_embedding(t, "embed_seg_C", 1, 4, cells)
    g = mlp(t, "seg_mlp", g) + g
    v = mlp(t, "mlp", regions) + v0
    f = mlp(t, "fusion_mlp", vsem(t, v0, scores) + vspm(t, v0, class_map) + v)
    return gpo(t, np.concatenate([c[None], v, f, g]))


def bert_states(t, ids, n_heads):
    """Last hidden states of one sentence without padding, post-norm encoder, exact GELU, eps 1e-12."""
    erf = np.vectorize(math.erf)
    at = "bert.embeddings."
    x = t[at + "word_embeddings.weight"][ids] + t[at + "position_embeddings.weight"][: len(ids)]
    x = layer_norm(t, at + "LayerNorm", x + t[at + "token_type_embeddings.weight"][0], 1e-12)
    n_layers = len({key.split(".")[3] for key in t if key.startswith("bert.encoder.layer.")})
    for i in range(n_layers):
        at = f"bert.encoder.layer.{i}."
        q, k, v = (linear(t, f"{at}attention.self.{part}", x) for part in ("query", "key", "value"))
        heads = [
            softmax(q[:, head] @ k[:, head].T / math.sqrt(len(head))) @ v[:, head]
            for head in np.split(np.arange(x.shape[1]), n_heads)
        ]
        attended = linear(t, at + "attention.output.dense", np.concatenate(heads, axis=1))
        x = layer_norm(t, at + "attention.output.LayerNorm", x + attended, 1e-12)
        h = linear(t, at + "intermediate.dense", x)
        h = h * 0.5 * (1 + erf(h / math.sqrt(2)))
        x = layer_norm(t, at + "output.LayerNorm", x + linear(t, at + "output.dense", h), 1e-12)
    return x


def embed_bert_sentence(t, ids, n_heads):
    return gpo(t, linear(t, "linear", bert_states(t, ids, n_heads)))


def embed_bigru_sentence(t, ids):
    return gpo(t, both_ways(t, "rnn", t["embed.weight"][ids]))


# --- random checkpoints in the authors' layout ------------------------------------------------------------------------


class Layout:
    """Random tensors by the authors' names; statistics of BatchNorm are random, too."""

    def __init__(self, seed):
        self._random = np.random.default_rng(seed)
        self.tensors = OrderedDict()

    def normal(self, name, *shape, scale=1.0):
        self.tensors[name] = torch.from_numpy((scale * self._random.standard_normal(shape)).astype(np.float32))

    def linear(self, name, n_in, n_out, *, bias=True, gain=1.0):
        self.normal(f"{name}.weight", n_out, n_in, scale=gain / math.sqrt(n_in))
        if bias:
            self.normal(f"{name}.bias", n_out, scale=0.3)

    def norm(self, name, n, *, statistics):
        self.normal(f"{name}.weight", n, scale=0.3)
        self.tensors[f"{name}.weight"] += 1
        self.normal(f"{name}.bias", n, scale=0.3)
        if statistics:
            self.normal(f"{name}.running_mean", n, scale=0.5)
            self.tensors[f"{name}.running_var"] = torch.from_numpy(self._random.uniform(0.3, 2, n).astype(np.float32))
            self.tensors[f"{name}.num_batches_tracked"] = torch.tensor(1234)

    def mlp(self, name, n_in, n_hidden, n_out):
        self.linear(f"{name}.layers.0", n_in, n_hidden)
        self.linear(f"{name}.layers.1", n_hidden, n_out)
        self.norm(f"{name}.bns.0", n_hidden, statistics=True)
        self.norm(f"{name}.bns.1", n_out, statistics=True)

    def class_embedding(self, name, first, last, n_classes, d):
        self.linear(f"{name}.{first}", n_classes, d)
        self.norm(f"{name}.{last}", d, statistics=False)

    def recurrent(self, name, n_in, n_hidden):
        for suffix in ("", "_reverse"):
            self.normal(f"{name}.weight_ih_l0{suffix}", 3 * n_hidden, n_in, scale=1 / math.sqrt(n_in))
            self.normal(f"{name}.weight_hh_l0{suffix}", 3 * n_hidden, n_hidden, scale=1 / math.sqrt(n_hidden))
            self.normal(f"{name}.bias_ih_l0{suffix}", 3 * n_hidden, scale=0.2)
            self.normal(f"{name}.bias_hh_l0{suffix}", 3 * n_hidden, scale=0.2)

    def gpo(self):
        self.recurrent("gpool.gru", 32, 32)
        self.linear("gpool.linear", 32, 1, bias=False, gain=0.5)


def random_image_part(*, visual=2048, d=1024, n_classes=133, spatial=128, seed=0):
    layout = Layout(seed)
    h = d // 2
    layout.class_embedding("embed_seg_C", 1, 4, n_classes, d)
    layout.class_embedding("embed_category", 0, 3, n_classes, d)
    for name in ("MLP_image", "MLP_seg"):
        layout.mlp(f"crossmodalfusion_sm.{name}", d, h, d)
    layout.class_embedding("crossmodalfusion_sm.embed_seg_HW", 2, 5, n_classes, d)
    layout.linear("crossmodalfusion_sm.fc_scale", d, d)
    layout.linear("crossmodalfusion_sm.fc_1", d, d)
    layout.mlp("crossmodalfusion_sp.MLP_image", d, h, spatial)
    layout.normal("crossmodalfusion_sp.embedding_Seg.0.weight", spatial, 9, 3, 3, scale=0.15)
    layout.normal("crossmodalfusion_sp.embedding_Seg.0.bias", spatial, scale=0.3)
    layout.norm("crossmodalfusion_sp.embedding_Seg.1", spatial, statistics=True)
    layout.mlp("crossmodalfusion_sp.embed_fusion", spatial, h, d)
    layout.linear("fc", visual, d)
    layout.mlp("mlp", visual, h, d)
    layout.mlp("seg_mlp", d, h, d)
    layout.gpo()
    layout.mlp("fusion_mlp", d, h, d)
    return layout.tensors


def random_bert_part(*, d=1024, words=200, width=128, layers=2, feed_forward=96, positions=40, seed=1):
    layout = Layout(seed)
    at = "bert.embeddings."
    for name, n in (("word", words), ("position", positions), ("token_type", 2)):
        layout.normal(f"{at}{name}_embeddings.weight", n, width)
    layout.norm(at + "LayerNorm", width, statistics=False)
    for i in range(layers):
        at = f"bert.encoder.layer.{i}."
        for part in ("query", "key", "value"):
            layout.linear(f"{at}attention.self.{part}", width, width)
        layout.linear(at + "attention.output.dense", width, width)
        layout.norm(at + "attention.output.LayerNorm", width, statistics=False)
        layout.linear(at + "intermediate.dense", width, feed_forward)
        layout.linear(at + "output.dense", feed_forward, width)
        layout.norm(at + "output.LayerNorm", width, statistics=False)
    layout.linear("bert.pooler.dense", width, width)
    layout.linear("linear", width, d)
    layout.gpo()
    return layout.tensors


def random_bigru_part(*, d=1024, words=50, width=300, seed=2):
    layout = Layout(seed)
    layout.normal("embed.weight", words, width)
    layout.recurrent("rnn", width, d)
    layout.gpo()
    return layout.tensors


def checkpoint(image, text, *, prefix="module."):
    """What the authors' training saves."""
    parts = [OrderedDict((prefix + key, value) for key, value in part.items()) for part in (image, text)]
    options = argparse.Namespace(data_name="f30k", embed_size=1024, learning_rate=5e-4, no_imgnorm=False, workers=None)
    return {"epoch": 17, "model": parts, "best_rsum": 501.25, "opt": options, "Eiters": 4321}


def doubles(part):
    return {key: value.double().numpy() for key, value in part.items()}
