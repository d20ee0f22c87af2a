"""Which values are plainly a number, and to the last digit which."""

import math
from fractions import Fraction

import numpy as np
import pytest
import torch

SEED = 2**64 - 3  # no float holds it


@pytest.fixture
def plain_numbers(nodes_room):
    return nodes_room("values.plain_numbers")


@pytest.mark.parametrize(
    "value", [SEED, str(SEED), f" {SEED}\n", np.uint64(SEED), np.array(SEED, dtype=np.uint64), torch.tensor(SEED, dtype=torch.uint64)]
)  # fmt: skip
def test_a_seed_keeps_every_digit(plain_numbers, value):
    assert plain_numbers.whole_number(value) == SEED


@pytest.mark.parametrize(
    "value", [6, 6.0, "6", "6.0", "6e0", np.float16(6), torch.tensor(6.0), Fraction(6), np.array("6")]
)
def test_six_is_six(plain_numbers, value):
    found = plain_numbers.whole_number(value)
    assert found == 6 and type(found) is int


@pytest.mark.parametrize(
    "value", [None, "", "six", "6,0", [6], (6,), torch.tensor([6]), np.array([6]), 6j, {}, object(), b"6", "9" * 5000, 6.5, math.nan]
)  # fmt: skip
def test_what_is_no_whole_number_is_none(plain_numbers, value):
    assert plain_numbers.whole_number(value) is None


def test_numbers_that_are_not_finite_are_numbers_all_the_same(plain_numbers):
    assert plain_numbers.number("inf") == math.inf and math.isnan(plain_numbers.number(np.float32("nan")))
    assert plain_numbers.number("0.25") == 0.25 and plain_numbers.number(2**2000) == 2**2000


@pytest.mark.parametrize("values", ["31", 3, None, torch.tensor(3), [3, None], torch.tensor([[3]])])
def test_what_is_no_row_of_numbers_is_none(plain_numbers, values):
    assert plain_numbers.whole_numbers(values) is None


def test_a_row_keeps_its_order(plain_numbers):
    assert (
        plain_numbers.whole_numbers(torch.tensor([3, 1, 2])) == [3, 1, 2] == plain_numbers.whole_numbers(["3", 1.0, 2])
    )
    assert plain_numbers.whole_numbers([]) == []
