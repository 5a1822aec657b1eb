"""How fast the monitor is, beside what the machine can do and what one would take instead.

`make bench` runs every module here that has a `run`, at a chosen scale, and writes the table of
`docs/performance.md`. A bench and its peers run in turn, in one run, on the same data: machines
differ and are noisy, so ratios are what counts.
"""
