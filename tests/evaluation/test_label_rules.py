"""Who answers whom by their labels, beside loops over pairs."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from explorer.errors import ConfigError
from explorer.evaluation.label_rules import LabelRule

NAMES = ("kind:ball", "kind:car", "motion:left", "motion:right", "motion", "plain")


@given(st.integers(0, 9999), st.sampled_from(["any", "equal", "kind", "motion", "kind+motion"]))
def test_equal_to_a_loop_over_pairs(seed: int, rule: str) -> None:
    rng = np.random.default_rng(seed)
    queries, gallery = (rng.random((n, len(NAMES))) < rng.choice([0.15, 0.4]) for n in (5, 7))
    found = LabelRule(rule).between(NAMES)(queries, gallery)(slice(1, 4))
    for row, ours in zip(found, queries[1:4], strict=True):
        for answers, theirs in zip(row, gallery, strict=True):
            a, b = ({name for name, has in zip(NAMES, each, strict=True) if has} for each in (ours, theirs))
            if rule == "any":
                expected = bool(a & b)
            elif rule == "equal":
                expected = a == b and bool(a)
            else:
                expected = all(any(name.startswith(f"{group}:") for name in a & b) for group in rule.split("+"))
            assert answers == expected


@pytest.mark.parametrize("rule", ["colour", "kind+", "", "plain", "kind+colour", "motion:left"])
def test_groups_that_are_not_there(rule: str) -> None:
    with pytest.raises(ConfigError, match=r"No label is of the group .* Groups: kind, motion\."):
        LabelRule(rule).between(NAMES)
    with pytest.raises(ConfigError, match="These labels have no groups"):
        LabelRule("kind").between(("a", "b"))


def test_words_for_people() -> None:
    assert LabelRule().said == "shares a label"
    assert LabelRule("equal").said == "shares all labels"
    assert LabelRule("motion").said == "shares a label of the group motion"
    assert LabelRule("kind+colour+motion").said == "shares a label of each of the groups kind, colour and motion"
