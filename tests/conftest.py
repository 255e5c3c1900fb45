"""What all tests share."""

import gc
import os

from hypothesis import settings

# A loaded machine is no reason to fail: no test asserts a duration. A few dozen examples find what
# a change has broken within seconds; `thorough`, for CI and for releases, looks for the rare rest.
settings.register_profile("steelyard", deadline=None, max_examples=30)
settings.register_profile("thorough", deadline=None, max_examples=300)
settings.load_profile(os.environ.get("STEELYARD_HYPOTHESIS", "steelyard"))


def pytest_collection_finish() -> None:
    """Leave what was imported out of all later garbage collections: timed code asks for many."""
    gc.collect()
    gc.freeze()
