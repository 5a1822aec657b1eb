"""A week of a country in virtual time, disturbed and in peace: both must end alike."""
