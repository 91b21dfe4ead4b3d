"""Visual tokens: every number of a region's token, against loops."""

import pytest
import torch

from explorer.networks.three_shnet.tokens import (
    TokenConfig,
    box_peaks,
    label_scores,
    positions_of,
    quarters_of,
    standardised,
    token_statistics,
    visual_tokens,
    with_whole_picture,
)
from explorer.vision.features import Regions

T, G, SIDE = 3, 5, 4


@pytest.fixture
def maps():
    generator = torch.Generator().manual_seed(1)
    grid = torch.randn(2, G, SIDE, SIDE, generator=generator)
    return grid, torch.randn(2, T, 2 * SIDE, 2 * SIDE, generator=generator)


@pytest.fixture
def regions():
    boxes = torch.tensor([[[0.1, 0.2, 0.6, 0.9], [0.0, 0.0, 1.0, 1.0]], [[0.5, 0.5, 0.75, 1.0], [0.0, 0.0, 1.0, 1.0]]])
    return Regions(
        boxes, torch.tensor([[0.9, 0.4], [0.7, 0.0]]), torch.tensor([[1, 4], [2, 4]]), torch.tensor([2, 1])
    )


def test_a_whole_picture_token_holds_the_means_of_the_maps(maps, regions):
    grid, trunk = maps
    tokens = visual_tokens(TokenConfig(kind="regions", positions=False), grid, trunk, regions)
    torch.testing.assert_close(tokens.values[:, 0], grid.mean(dim=(2, 3)))
    assert tokens.lengths.tolist() == [3, 2]
    assert tokens.regions.boxes[:, 0].tolist() == [[0, 0, 1, 1]] * 2


def test_quarters_of_the_whole_picture_are_the_means_of_the_trunks_quarters(maps, regions):
    grid, trunk = maps
    config = TokenConfig(kind="regions", trunk_cells=True, positions=False)
    values = visual_tokens(config, grid, trunk, regions).values
    assert values.shape == (2, 3, G + 4 * T)
    for number, (rows, columns) in enumerate(((0, 0), (0, SIDE), (SIDE, 0), (SIDE, SIDE))):
        quarter = trunk[:, :, rows : rows + SIDE, columns : columns + SIDE]
        got = values[:, 0, G + number * T : G + (number + 1) * T]
        # The outermost points of a quarter read across its inner edge, as bilinear reading does.
        torch.testing.assert_close(got, _sampled_mean(trunk, (rows, columns)), atol=1e-5, rtol=1e-4)
        assert (got - quarter.mean(dim=(2, 3))).abs().max() < 1.0


def _sampled_mean(trunk, corner):
    total, n = torch.zeros(2, T), 2 * SIDE
    for i in range(n):
        for j in range(n):
            y, x = corner[0] + (i + 0.5) * SIDE / n - 0.5, corner[1] + (j + 0.5) * SIDE / n - 0.5
            y, x = min(max(y, 0.0), n - 1.0), min(max(x, 0.0), n - 1.0)
            y0, x0 = int(y), int(x)
            y1, x1 = min(y0 + 1, n - 1), min(x0 + 1, n - 1)
            top = trunk[:, :, y0, x0] * (1 - x + x0) + trunk[:, :, y0, x1] * (x - x0)
            bottom = trunk[:, :, y1, x0] * (1 - x + x0) + trunk[:, :, y1, x1] * (x - x0)
            total += top * (1 - y + y0) + bottom * (y - y0)
    return total / n**2


def test_peaks_are_the_largest_values_of_the_cells_in_a_box(maps):
    grid, _ = maps
    generator = torch.Generator().manual_seed(4)
    low = torch.rand(2, 9, 2, generator=generator)
    boxes = torch.cat([low, low + (1 - low) * torch.rand(2, 9, 2, generator=generator)], dim=-1)
    boxes[0, 0] = torch.tensor([0.0, 0.0, 1.0, 1.0])
    boxes[0, 1] = torch.tensor([0.3, 0.55, 0.3, 0.56])  # less than a cell
    peaks = box_peaks(grid, boxes)
    torch.testing.assert_close(peaks[0, 0], grid[0].amax(dim=(1, 2)))
    torch.testing.assert_close(peaks[0, 1], grid[0, :, 2, 1])
    for picture in range(2):
        for row, (x1, y1, x2, y2) in enumerate((boxes[picture] * SIDE).tolist()):
            columns = [c for c in range(SIDE) if c + 0.5 > x1 and c + 0.5 < x2] or [min(round(x1), SIDE - 1)]
            lines = [c for c in range(SIDE) if c + 0.5 > y1 and c + 0.5 < y2] or [min(round(y1), SIDE - 1)]
            expected = torch.stack([grid[picture, :, y, x] for y in lines for x in columns]).amax(dim=0)
            torch.testing.assert_close(peaks[picture, row], expected)


def test_positions_are_corners_and_area(regions):
    places = positions_of(regions.boxes)
    assert places[0, 0].tolist() == pytest.approx([0.1, 0.2, 0.6, 0.9, 0.35])
    assert quarters_of(regions.boxes)[0, 0, 1].tolist() == pytest.approx([0.35, 0.2, 0.6, 0.55])


def test_a_label_has_its_score_in_its_own_place(regions):
    scores = label_scores(with_whole_picture(regions), 4)
    expected = torch.zeros(2, 3, 4)
    expected[0, 1, 1], expected[1, 1, 2] = 0.9, 0.7
    torch.testing.assert_close(scores, expected)


def test_statistics_are_those_of_valid_tokens(maps, regions):
    grid, trunk = maps
    config = TokenConfig(kind="regions", n_labels=4)
    tokens = visual_tokens(config, grid, trunk, regions)
    mean, scale = token_statistics(config, tokens)
    rows = torch.cat([tokens.values[0, :3], tokens.values[1, :2]])
    torch.testing.assert_close(mean, rows.mean(dim=0))
    torch.testing.assert_close(scale[:-4], rows.std(dim=0)[:-4] + 1e-3)
    assert (scale[-4:] >= 0.1).all()
    torch.testing.assert_close(standardised(tokens, mean, scale).values, (tokens.values - mean) / scale)


def test_lengths_are_left_out_where_every_picture_is_full(maps, regions):
    full = Regions(regions.boxes, regions.scores, regions.labels, torch.tensor([2, 2]))
    config = TokenConfig(kind="regions", whole=False)
    assert visual_tokens(config, *maps, full).lengths is None
    assert visual_tokens(config, *maps, regions).lengths.tolist() == [2, 1]


def test_features_without_regions_are_refused(maps):
    with pytest.raises(ValueError, match="no regions"):
        visual_tokens(TokenConfig(kind="regions"), *maps)
    assert visual_tokens(TokenConfig(trunk_cells=True), *maps).values.shape == (2, SIDE**2, G + 4 * T)
