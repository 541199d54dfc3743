"""How many cases Hypothesis tries: 200 in every test run, 10,000 with `make fuzz`."""

from hypothesis import HealthCheck, settings

CASES, NIGHTLY = 200, 10_000

_SLOW = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.function_scoped_fixture]


def register() -> None:
    """Register both profiles with Hypothesis and load the smaller one."""
    # The same cases every time: a pull request must not fail over something it did not change.
    settings.register_profile(
        "tests", max_examples=CASES, derandomize=True, deadline=None, suppress_health_check=_SLOW
    )
    settings.register_profile(
        "nightly", max_examples=NIGHTLY, deadline=None, suppress_health_check=_SLOW, print_blob=True
    )
    settings.load_profile("tests")
