"""Which gene an Observation is of, as it says it: in a component that names the gene studied, in
HL7's extension for it, or in the words of its code.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from monitor.intake.fhir_json import Body
from monitor.intake.fhir_parts import codings, objects, text_of
from monitor.intake.genes import gene_in, names_gene

_OF_GENE = "observation-geneticsgene"
"""How the address of the extension ends, without case."""


def own_gene(body: Body) -> str:
    """The gene that an Observation itself names; empty where it names none of ours, or several."""
    texts = list(texts_of(body.get("code")))
    for component in objects(body.get("component")):
        if names_gene(texts_of(component.get("code"))):
            texts += _value_of(component)
    for extension in objects(body.get("extension")):
        if text_of(extension, "url").casefold().endswith(_OF_GENE):
            texts += _value_of(extension)
    return gene_in(texts)


def sources_of(body: Body) -> Iterator[str]:
    """What an Observation was derived from; STU3 calls that related."""
    for one in objects(body.get("derivedFrom")):
        yield text_of(one, "reference")
    for one in objects(body.get("related")):
        if text_of(one, "type") == "derived-from":
            yield text_of(one.get("target"), "reference")


def texts_of(concept: Any) -> Iterator[str]:
    """The codes and words of a CodeableConcept."""
    for one in codings(concept):
        yield from (text_of(one, "code"), text_of(one, "display"))
    yield text_of(concept, "text")


def gene_in_value(part: Body) -> str:
    """The gene that the value of an Observation or a component names: `TPMT *1/*3A`."""
    return gene_in(_value_of(part))


def _value_of(part: Body) -> list[str]:
    return [*texts_of(part.get("valueCodeableConcept")), text_of(part, "valueString")]
