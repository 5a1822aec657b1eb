"""A longitudinal monitor for azathioprine and other drugs that need regular blood tests."""
