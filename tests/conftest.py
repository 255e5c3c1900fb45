"""What all tests share."""

from hypothesis import settings

# A loaded machine is no reason to fail: no test asserts a duration.
settings.register_profile("steelyard", deadline=None)
settings.load_profile("steelyard")
