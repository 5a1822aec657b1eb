"""Which gene the results of an order are of, as the order says it.

A segment `48018-6` names the gene for the results of its group (OBX-4, the same or the part before
its first point); without groups, for all. Else the name of the order does (OBR-4), or the value
itself (`TPMT *1/*3A`).
"""

from __future__ import annotations

from collections import defaultdict

from monitor.intake.genes import gene_in, names_gene, the_one
from monitor.intake.hl7_orders import Order
from monitor.intake.hl7_text import Segment


def gene_of(obx: Segment, order: Order) -> str:
    """The gene of a result; empty where none of ours is named for it, or several are."""
    said: defaultdict[str, set[str]] = defaultdict(set)
    for result in order.results:
        if names_gene(called(result.obx)):
            said[_group_of(result.obx)].add(gene_in(_values_of(result.obx)))
    group = _group_of(obx)
    found = said.get(group) or said.get(group.partition(".")[0])
    if found:
        return the_one(found)
    of_order = "" if said or order.obr is None else gene_in(_parts(order.obr, 4))
    return gene_in(_values_of(obx)) or of_order


def called(obx: Segment) -> list[str]:
    """The codes and names of a result."""
    return [part for part in _parts(obx, 3) if part]


def _parts(segment: Segment, number: int) -> list[str]:
    repeats = segment.repeats(number)
    return list(segment.components(repeats[0])) if repeats else []


def _values_of(obx: Segment) -> list[str]:
    return [part for it in obx.repeats(5) for part in obx.components(it)]


def _group_of(obx: Segment) -> str:
    return obx.component(4)
