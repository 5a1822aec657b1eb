"""Public laboratory data sets as a clinic would get them: enrolled, loaded, checked.

`python -m tools.real_data SET FOLDER --out DIR` turns one set (see `sets.py`) into enrolments,
events and results, runs them through the `monitor` commands in a database of its own, and
compares what the monitor says with what plain pandas makes of the very same rows. Values,
units and codes go in exactly as the source has them; what differs from the long form is said
in `sources.toml`, as a clinic would say it in its `config.toml`.
"""
