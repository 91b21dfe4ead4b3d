"""3SHNet's image and text encoders: the published size, and the properties three_shnet/README.md 3.3 promises."""

import math
from dataclasses import replace

import pytest
import torch
import torch.nn.functional as F

from explorer.networks.common.loading import join_parts, split_parts
from explorer.networks.three_shnet import ImageEncoder, ImageEncoderConfig, TextEncoder, TextEncoderConfig
from explorer.networks.three_shnet.preprocess import cells_as_tokens, normalise_class_map
from explorer.networks.three_shnet.state_dict import from_published_key

SMALL = ImageEncoderConfig(visual_dim=12, embed_dim=16, n_classes=7, map_size=6, hidden_dim=10, spatial_dim=8)


def count(module):
    return sum(parameter.numel() for parameter in module.parameters())


def inputs(config=SMALL, n_pictures=3, n_tokens=9, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return {
        "regions": torch.randn(n_pictures, n_tokens, config.visual_dim, generator=generator),
        "semantic_scores": torch.randn(n_pictures, config.n_classes, 7, 7, generator=generator),
        "class_map": torch.randn(n_pictures, config.map_size, config.map_size, generator=generator),
        "presence": torch.rand(n_pictures, config.n_classes, generator=generator),
        "lengths": torch.tensor([n_tokens, 4, 1])[:n_pictures],
    }


def encoder(config=SMALL, seed=0):
    torch.manual_seed(seed)
    model = ImageEncoder(config)
    # Fresh normalisations are the identity; give them something to do.
    for module in model.modules():
        if isinstance(module, torch.nn.BatchNorm1d | torch.nn.BatchNorm2d):
            module.running_mean.normal_()
            module.running_var.uniform_(0.5, 2.0)
    return model.eval()


def test_the_published_layout_has_the_published_number_of_parameters():
    model = ImageEncoder(ImageEncoderConfig())
    assert count(model) == 11_615_008
    assert count(model.semantic) == 4_344_832
    assert count(model.spatial) == 1_196_928
    assert count(TextEncoder(TextEncoderConfig(word_dim=768))) == 800_160


def test_every_published_key_has_a_place():
    ours = set(ImageEncoder(SMALL).state_dict())
    assert from_published_key("module.crossmodalfusion_sm.fc_1.weight") in ours
    assert from_published_key("module.seg_mlp.bns.1.weight") in ours
    assert from_published_key("embed_category.3.bias") in ours
    assert from_published_key("gpool.gru.weight_ih_l0_reverse") in ours
    assert from_published_key("crossmodalfusion_sp.embedding_Seg.1.running_mean") in ours
    with pytest.raises(KeyError):
        from_published_key("nonsense.weight")


def test_output_shapes_and_units():
    out = encoder()(**inputs())
    assert out.embedding.shape == (3, 16)
    torch.testing.assert_close(out.embedding.norm(dim=1), torch.ones(3))
    assert out.vsem_gates.shape == (3, 9)
    assert out.vspm_attention.shape == (3, 9, 36)
    torch.testing.assert_close(out.vspm_attention.sum(dim=-1), torch.ones(3, 9))
    assert ((out.vsem_gates[0] > 0) & (out.vsem_gates[0] < 1)).all()
    assert (out.vsem_gates[1, 4:] == 0).all()


def naive_forward(model, regions, scores, class_map, presence):
    """One picture without padding, written from three_shnet/README.md 3.3 to 3.6."""
    def mlp(block, rows):
        hidden = F.relu(block.bns[0](block.layers[0](rows)))
        return block.layers[1](hidden)

    def embed(block, rows):
        return block.norm(F.relu(block.linear(rows)))

    v0 = model.project(regions)
    c = embed(model.category, presence)[None]
    gs = embed(model.cells, scores.flatten(1).T)
    gs = mlp(model.cells_mlp, gs) + gs
    sem, spa = model.semantic, model.spatial
    q = embed(sem.embed_scores, scores.mean(dim=(1, 2)))[None]
    q = mlp(sem.score_mlp, q) + q
    k = mlp(sem.image_mlp, v0) + v0
    a = torch.sigmoid((k @ q.T)[:, 0] / math.sqrt(k.shape[1]))
    w = a[:, None] * k
    se = F.relu(sem.linear1(w * torch.tanh(sem.linear2(w)) + q))
    stack = torch.cat([class_map[None, None], spa.position_codes], dim=1)
    p = F.relu(spa.norm(spa.conv(stack)))[0].flatten(1)
    query = mlp(spa.image_mlp, v0)
    attention = torch.softmax(4 * query @ p / math.sqrt(query.shape[1]), dim=1)
    sp = mlp(spa.fusion, attention @ p.T + query)
    v = mlp(model.feature_mlp, regions) + v0
    f = mlp(model.fusion_mlp, se + sp + v)
    tokens = torch.cat([c, v, f, gs])
    e = model.pool(tokens[None], torch.tensor([len(tokens)]))[0]
    return e / (e.norm() + 1e-8), a, attention


def test_forward_equals_the_equations_for_each_picture():
    model, given = encoder(), inputs()
    with torch.inference_mode():
        out = model(**given)
        for row, length in enumerate(given["lengths"].tolist()):
            embedding, gates, attention = naive_forward(
                model, given["regions"][row, :length], given["semantic_scores"][row], given["class_map"][row],
                given["presence"][row],
            )
            torch.testing.assert_close(out.embedding[row], embedding, atol=1e-5, rtol=1e-4)
            torch.testing.assert_close(out.vsem_gates[row, :length], gates, atol=1e-5, rtol=1e-4)
            torch.testing.assert_close(out.vspm_attention[row, :length], attention, atol=1e-5, rtol=1e-4)


def test_order_of_regions_and_padding_leave_the_embedding_unchanged():
    model, given = encoder(), inputs()
    with torch.inference_mode():
        expected = model(**given).embedding
        longer = torch.cat([given["regions"], torch.full((3, 2, 12), 50.0)], dim=1)
        longer[1, 4:] = -50.0
        longer[0, :9] = given["regions"][0, torch.randperm(9, generator=torch.Generator().manual_seed(1))]
        torch.testing.assert_close(
            model(**{**given, "regions": longer}).embedding, expected, atol=1e-5, rtol=1e-4
        )


def test_padding_takes_no_part_in_training_statistics():
    config = replace(SMALL, dropout=0.0, token_dropout=0.0)
    given = inputs(config)
    noisy = dict(given, regions=given["regions"].clone())
    noisy["regions"][1, 4:], noisy["regions"][2, 1:] = 1000.0, -1000.0
    results = [encoder(config).train()(**case).embedding for case in (given, noisy)]
    torch.testing.assert_close(results[0], results[1])


@pytest.mark.parametrize("off", ["vsem", "vspm", "category_token", "segmentation_cells"])
def test_each_switch_removes_its_module_and_its_influence(off):
    model = encoder(replace(SMALL, **{off: False}))
    given = inputs()
    given["lengths"] = None
    with torch.inference_mode():
        out = model(**given)
        assert count(model) < count(encoder())
        assert (out.vsem_gates is None) == (off == "vsem")
        assert (out.vspm_attention is None) == (off == "vspm")
        if off == "vspm":
            changed = model(**{**given, "class_map": given["class_map"] + 3.0})
            assert torch.equal(changed.embedding, out.embedding)
        if off == "category_token":
            changed = model(**{**given, "presence": 1 - given["presence"]})
            assert torch.equal(changed.embedding, out.embedding)


def test_softmax_gates_compete():
    out = encoder(replace(SMALL, gate="softmax"))(**inputs())
    torch.testing.assert_close(out.vsem_gates.sum(dim=1), torch.ones(3))


def test_mean_pooling_has_no_recurrent_weights():
    model = encoder(replace(SMALL, pooling="mean"))
    assert not [key for key in model.state_dict() if key.startswith("pool.")]
    assert model(**inputs()).embedding.shape == (3, 16)


def test_dropping_tokens_changes_training_only():
    model, given = encoder(replace(SMALL, token_dropout=0.4, dropout=0.0)), inputs()
    given["lengths"] = None
    assert torch.equal(model(**given).embedding, model(**given).embedding)
    model.train()
    widths = {model(**given).vsem_gates.shape[1] for _ in range(20)}
    assert len(widths) > 1
    assert max(widths) <= 9


def test_word_dropout_keeps_at_least_one_word():
    torch.manual_seed(0)
    text = TextEncoder(TextEncoderConfig(word_dim=5, embed_dim=6, word_dropout=0.9)).train()
    out = text(torch.randn(4, 3, 5), torch.tensor([3, 1, 2, 3]))
    assert torch.isfinite(out).all()


@pytest.mark.parametrize("wrong", [{"embed_dim": 0}, {"map_std": 0.0}, {"dropout": 1.0}, {"token_dropout": -0.1}])
def test_nonsense_sizes_are_refused(wrong):
    with pytest.raises(ValueError, match="must be"):
        replace(SMALL, **wrong)


def test_cells_become_tokens_row_by_row_with_their_own_finer_cells():
    grid = torch.arange(2 * 9.0).view(1, 2, 3, 3)
    trunk = torch.arange(36.0).view(1, 1, 6, 6)
    tokens = cells_as_tokens(grid, trunk)
    assert tokens.shape == (1, 9, 6)
    row, column = 2, 1
    token = tokens[0, row * 3 + column]
    assert token[:2].tolist() == grid[0, :, row, column].tolist()
    fine = trunk[0, 0, 2 * row : 2 * row + 2, 2 * column : 2 * column + 2]
    assert sorted(token[2:].tolist()) == sorted(fine.flatten().tolist())


def test_class_maps_are_normalised_as_published():
    config = ImageEncoderConfig(map_size=2)
    ids = torch.tensor([[[0, 0, 132, 132], [0, 0, 132, 132], [5, 5, 7, 7], [5, 5, 7, 7]]])
    expected = (torch.tensor([[[0.0, 132.0], [5.0, 7.0]]]) / 133 - 0.3342) / 0.0621
    torch.testing.assert_close(normalise_class_map(ids, config), expected)


def test_parts_are_split_and_joined():
    tensors = {"image.a.b": 1, "image.c": 2, "tail.0.weight": 3}
    assert join_parts(split_parts(tensors)) == tensors
