"""TPMT and NUDT15 as laboratories write them: a diplotype, a phenotype in words.

The functions of the alleles, what two functions together make and the words are those of
`[genes]` in `analytes.toml` (CPIC). A coded result is stored as the number of its code.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from monitor.core.plain_words import plain_words
from monitor.core.vocabulary import Metaboliser

GENES = ("tpmt", "nudt15")
CLASS_OF_ACTIVITY = "tpmt_activity_class"
CODED: Mapping[str, str] = {"tpmt": "tpmt", "nudt15": "nudt15", CLASS_OF_ACTIVITY: "tpmt"}
"""Coded analytes, and the gene each speaks of."""
ACTIVITY = "tpmt_activity"
OF_GENES = frozenset({*CODED, ACTIVITY})
"""Analytes that are read for every patient; one that cannot be read is urgent."""
_CODES = (
    Metaboliser.POOR,
    Metaboliser.INTERMEDIATE,
    Metaboliser.NORMAL,
    Metaboliser.INDETERMINATE,
)
_DIPLOTYPE = re.compile(r"\*\s?(\d+[A-Z]?)\s*/\s*\*?\s?(\d+[A-Z]?)(?![\w*])", re.IGNORECASE)


def code_of(phenotype: Metaboliser) -> Decimal:
    """The number a phenotype is stored as: the smaller, the slower; 3 says nothing."""
    return Decimal(_CODES.index(phenotype))


def phenotype_of_code(value: Decimal) -> Metaboliser:
    return _CODES[int(value)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Genes:
    """`[genes]` of analytes.toml."""

    functions: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """Of each gene: allele -> function."""
    pairs: Mapping[frozenset[str], Metaboliser] = field(default_factory=dict)
    words: Mapping[tuple[str, ...], Metaboliser] = field(default_factory=dict)
    fillers: frozenset[str] = frozenset()

    def read(self, gene: str, text: str) -> Metaboliser | None:
        """The phenotype that a text means for a gene; None where it cannot be read: an allele
        that CPIC does not know, words that are not listed, parts that contradict each other, the
        name of another gene."""
        if any(re.search(rf"{it}(?![a-z])", text.casefold()) for it in GENES if it != gene):
            return None
        # TPMT*1/TPMT*3A: the gene before each of its alleles.
        text = re.sub(rf"/\s*{gene}\s*(?=\*)", "/", text, flags=re.IGNORECASE)
        found = []
        for one, other in _DIPLOTYPE.findall(text):
            phenotype = self.of_diplotype(gene, f"*{one.upper()}", f"*{other.upper()}")
            if phenotype is None:
                return None
            found.append(phenotype)
        rest = _DIPLOTYPE.sub(" ", text)
        if "*" in rest:
            return None
        words = tuple(it for it in plain_words(rest) if it not in self.fillers and it != gene)
        if words:
            known = self.words.get(words)
            if known is None:
                return None
            found.append(known)
        return found[0] if len(set(found)) == 1 else None

    def of_diplotype(self, gene: str, one: str, other: str) -> Metaboliser | None:
        """The order of the two alleles says nothing."""
        functions = self.functions.get(gene, {})
        if one not in functions or other not in functions:
            return None
        return self.pairs.get(frozenset({functions[one], functions[other]}))
