"""A throw-away clinic of made-up patients. Its numbers are sample data, not rules."""
