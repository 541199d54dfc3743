"""Random numbers from keys."""

import numpy as np

from unmask.core.randomness import seed_for, uniform


def test_a_number_depends_on_its_own_key_alone():
    rows = np.arange(1000)
    together = uniform(3, 5, rows)
    np.testing.assert_array_equal(together[::-1], uniform(3, 5, rows[::-1]))
    np.testing.assert_array_equal(together[17], uniform(3, 5, 17)[0])


def test_every_part_of_the_key_matters():
    numbers = {
        uniform(*key).item() for key in [(1, 2, 3), (2, 2, 3), (1, 3, 3), (1, 2, 4), (3, 2, 1)]
    }
    assert len(numbers) == 5


def test_numbers_are_uniform_and_uncorrelated():
    numbers = uniform(1, np.arange(100_000))
    counts, _ = np.histogram(numbers, bins=20, range=(0, 1))
    # Each count is binomial with standard deviation 69.
    assert abs(counts - 5000).max() < 6 * 69
    assert abs(np.corrcoef(numbers[:-1], numbers[1:])[0, 1]) < 0.02
    assert numbers.min() >= 0
    assert numbers.max() < 1


def test_seeds_fit_any_generator():
    assert all(0 <= seed_for(1, epoch) < 2**63 for epoch in range(100))
    assert len({seed_for(1, epoch) for epoch in range(100)}) == 100
