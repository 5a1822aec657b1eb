"""The gene of a result that any gene may have, as messages name it beside the result.

A genotype (`84413-4`) or its effect on metabolism (`53040-2`) says by itself of no gene; what gene
it is of stands in a segment, a component or an extension beside it. Sources: HL7 FHIR Genomics
Reporting; HL7 v2.5.1 LRI, Clinical Genomics; docs/hl7.md and docs/fhir.md tell which places count.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable

from monitor.core.catalogue import Catalogue, name_key
from monitor.intake.vocabulary import key_of, vocabulary

_WORD = re.compile(r"\w+")


def gene_in(texts: Iterable[str]) -> str:
    """The one gene of ours that codes or words name; empty where they name none, or several."""
    names = vocabulary().gene_names
    said = (part for text in texts for part in (text, *_WORD.findall(text)))
    return the_one({names[key] for part in said if (key := key_of(part)) in names})


def the_one(genes: Collection[str]) -> str:
    """The gene that all these are; empty where there is none, or there are several."""
    return next(iter(genes)) if len(genes) == 1 else ""


def names_gene(codes: Iterable[str]) -> bool:
    """Whether one of these codes says that the value beside it is the gene studied."""
    return not vocabulary().genes_studied.isdisjoint(map(key_of, codes))


def is_of_any_gene(called: Collection[str]) -> bool:
    """Whether a result with these codes and names is a genotype or phenotype of whatever gene."""
    known = vocabulary()
    words = [key_of(word) for text in called for word in _WORD.findall(text)]
    if any(word.startswith(known.gene_parts) for word in words):
        return False
    return not known.gene_results.isdisjoint(map(key_of, called))


def named_by_gene(
    names: tuple[str, ...],
    called: Collection[str],
    gene_of: Callable[[], str],
    catalogue: Catalogue,
    mapped: Collection[str],
) -> tuple[str, ...]:
    """The names of a result, which are those of the gene where nothing but what stands beside it
    tells of what it is. A source's mapping and a name of the catalogue come before."""
    if any(catalogue.find(name) is not None for name in names) or not is_of_any_gene(called):
        return names
    if not {name_key(it) for it in mapped}.isdisjoint(map(name_key, [*names, *called])):
        return names
    gene = gene_of()
    return (gene,) if gene else names
