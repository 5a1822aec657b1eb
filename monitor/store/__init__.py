"""Where everything is kept: SQLite for one clinic, PostgreSQL for many, the same code."""
