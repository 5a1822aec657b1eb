"""The core against the plain oracle of the tests, on many made patients."""
