"""Reading what a protocol file says of genotypes and doses."""

from __future__ import annotations

from collections.abc import Mapping

from monitor.core.protocol import Advice, Genotypes
from monitor.core.toml_reader import Table

GENOTYPE_KEYS: Mapping[str, tuple[str, ...]] = {
    "genotypes": ("poor",),
    "genotypes.poor": ("say", "source"),
}


def read_genotypes(top: Table) -> Genotypes:
    """`[genotypes]`; a file without it has nothing to add."""
    if "genotypes" not in top:
        return Genotypes()
    table = top.table("genotypes", GENOTYPE_KEYS["genotypes"])
    return Genotypes(poor=_advice(table, "poor"))


def _advice(table: Table, key: str) -> Advice:
    if key not in table:
        return Advice()
    inner = table.table(key, GENOTYPE_KEYS[f"genotypes.{key}"])
    return Advice(say=inner.text("say", ""), source=inner.text("source"))
