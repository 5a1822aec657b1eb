"""How many alerts the protocol in force raises in people who are well: a clinic lived day by day
through the functions of the commands, and its alerts counted.

Three clinics: `simulated` (made up from published variation), `nhanes` (real blood counts as the
usual values of its patients) and `cdisc` (the placebo arm of a trial as it happened).
"""
