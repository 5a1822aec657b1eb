"""Reading `[genes]` of analytes.toml: what alleles do, what two make, what laboratories call it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from monitor.core.phenotypes import GENES, Genes
from monitor.core.plain_words import plain_words
from monitor.core.vocabulary import Metaboliser

_KEYS = ("source", "functions", "pairs", "words", "fillers")
_FUNCTIONS = ("normal", "no", "uncertain", "unknown")

Fault = Callable[[str, object, str, str], None]


def read_genes(table: Any, fault: Fault) -> Genes:
    """`[genes]`; without it no genotype can be read."""
    if not isinstance(table, dict):
        fault("genes", table, "is no table", "[genes]")
        return Genes()
    for key in table:
        if key not in _KEYS:
            fault(f"genes.{key}", "", "unknown key", f"one of {', '.join(_KEYS)}")
    return Genes(
        functions={
            gene: _functions(gene, alleles, fault)
            for gene, alleles in _mapping("functions", table, fault).items()
            if _is_gene(gene, fault)
        },
        pairs=_pairs(_mapping("pairs", table, fault), fault),
        words=_words(_mapping("words", table, fault), fault),
        fillers=frozenset(
            word
            for text in _texts("genes.fillers", table.get("fillers", []), fault)
            for word in plain_words(text)
        ),
    )


def _is_gene(gene: str, fault: Fault) -> bool:
    if gene not in GENES:
        fault(f"genes.functions.{gene}", "", "is no gene that is read", f"one of {GENES}")
    return gene in GENES


def _functions(gene: str, functions: Any, fault: Fault) -> dict[str, str]:
    """Alleles by what they do: `no = ["*2", "*3A"]`."""
    found: dict[str, str] = {}
    key = f"genes.functions.{gene}"
    for function, alleles in functions.items() if isinstance(functions, dict) else ():
        if function not in _FUNCTIONS:
            fault(f"{key}.{function}", "", "is no function", f"one of {', '.join(_FUNCTIONS)}")
        for allele in _texts(f"{key}.{function}", alleles, fault):
            if found.setdefault(allele, function) != function:
                fault(f"{key}.{function}", allele, "has two functions", "one function an allele")
    return found


def _pairs(pairs: Mapping[str, Any], fault: Fault) -> dict[frozenset[str], Metaboliser]:
    found = {}
    for phenotype, members in pairs.items():
        for text in _texts(f"genes.pairs.{phenotype}", members, fault):
            one, _, other = text.partition("/")
            if not {one, other} <= set(_FUNCTIONS) or phenotype not in tuple(Metaboliser):
                fault(f"genes.pairs.{phenotype}", text, "is no pair", 'such as "normal/no"')
            else:
                found[frozenset({one, other})] = Metaboliser(phenotype)
    return found


def _words(words: Mapping[str, Any], fault: Fault) -> dict[tuple[str, ...], Metaboliser]:
    found = {}
    for phenotype, texts in words.items():
        if phenotype not in tuple(Metaboliser):
            valid = f"one of {', '.join(Metaboliser)}"
            fault(f"genes.words.{phenotype}", "", "is no phenotype", valid)
            continue
        for text in _texts(f"genes.words.{phenotype}", texts, fault):
            found[tuple(plain_words(text))] = Metaboliser(phenotype)
    return found


def _mapping(part: str, table: Mapping[str, Any], fault: Fault) -> Mapping[str, Any]:
    value = table.get(part, {})
    if isinstance(value, dict):
        return value
    fault(f"genes.{part}", value, "is no table", f"[genes.{part}]")
    return {}


def _texts(key: str, value: Any, fault: Fault) -> list[str]:
    if isinstance(value, list) and all(isinstance(text, str) for text in value):
        return value
    fault(key, value, "is no list of texts", 'a list such as ["*2", "*3A"]')
    return []
