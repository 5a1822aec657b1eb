"""Hypothesis profiles: `default` for every run, `deep` (HYPOTHESIS_PROFILE=deep) for a night."""

import os

from hypothesis import HealthCheck, settings

_QUIET = (HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much)
settings.register_profile(
    "default", max_examples=50, deadline=None, derandomize=True, suppress_health_check=_QUIET
)
settings.register_profile(
    "deep", max_examples=20_000, deadline=None, suppress_health_check=_QUIET, print_blob=True
)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "default"))
