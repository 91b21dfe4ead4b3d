"""When a run whose codes say nothing is stopped."""

import pytest
import torch

from explorer.training.code_measures import CodesCollapsedError, CollapseWatch

SAME = torch.ones(60, 8)
DIFFERENT = torch.tensor([[1.0 if number >> bit & 1 else -1.0 for bit in range(8)] for number in range(60)])


def look(watch, codes, *, after_steps=True):
    watch.is_new = watch.is_new or after_steps
    return watch.look(codes, None, 60, "Change something.")


def test_two_epochs_in_a_row_are_too_many():
    watch = CollapseWatch()
    look(watch, SAME)
    look(watch, DIFFERENT)
    look(watch, SAME)
    with pytest.raises(CodesCollapsedError, match="differ") as error:
        look(watch, SAME)
    assert error.value.remedy == "Change something."


def test_codes_that_are_looked_at_twice_count_once():
    watch = CollapseWatch()
    first = look(watch, SAME)
    assert look(watch, SAME, after_steps=False) == first
    assert watch.n_collapsed == 1


@pytest.mark.parametrize("looked", [True, False], ids=["after the look", "before it"])
def test_a_watch_that_is_taken_up_again_counts_as_if_it_had_never_been_left(looked):
    first, second = CollapseWatch(), CollapseWatch()
    look(first, SAME)
    if not looked:
        first.is_new = True
    second.restore(first.state())
    if looked:
        look(second, SAME, after_steps=False)
    else:
        with pytest.raises(CodesCollapsedError):
            look(second, SAME, after_steps=False)


def test_bits_are_told_as_shares_of_the_items():
    watch = CollapseWatch()
    look(watch, torch.tensor([[1.0, -1.0], [0.5, -0.1], [0.2, 0.3], [0.1, -0.2]]))
    assert watch.bit_shares == (1.0, 0.25)
