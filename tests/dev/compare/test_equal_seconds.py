"""Best of N gets the fewest pictures that take at least LiDAR's seconds."""

import math

import pytest

from devtools.compare.equal_seconds import count_for


@pytest.mark.parametrize("guess", [1, 3, 40, 500])
@pytest.mark.parametrize(("start", "each"), [(0.0, 0.7), (2.5, 0.31), (5.0, 1.0)])
@pytest.mark.parametrize("seconds", [0.1, 6.0, 7.3, 19.99])
def test_count_is_the_smallest_that_takes_as_long(guess, start, each, seconds):
    truth = next(count for count in range(1, 65) if start + each * count >= seconds)
    found = count_for(seconds, lambda count: start + each * count, guess=guess, least=1, most=64)
    assert found == truth


def test_time_that_goes_in_batches_of_four_is_not_undercut():
    def seconds_of(count):
        return 1 + 3 * math.ceil(count / 4)

    for seconds in (3.5, 6.9, 10.0, 15.2):
        found = count_for(seconds, seconds_of, guess=2, least=1, most=64)
        assert seconds_of(found) >= seconds
        assert seconds_of(found) <= seconds + 3


def test_times_that_do_not_lie_on_a_line_are_closed_in_from_both_sides():
    times = {1: 0.5, 2: 0.59, 3: 0.7, 4: 0.757, 5: 1.05, 6: 1.4, 7: 1.69}
    assert count_for(1.0, times.__getitem__, guess=2, least=1, most=7) == 5
    assert count_for(1.0, times.__getitem__, guess=7, least=1, most=7) == 5


def test_bounds_hold_where_the_time_asks_for_more_or_less():
    assert count_for(0.1, lambda count: count, guess=9, least=4, most=64) == 4
    assert count_for(1000.0, lambda count: count, guess=9, least=4, most=64) == 64
