"""Why people hear again of an alert that stands, or that a person closed (specification,
section 7): what the finding says now, beside what they were told."""

from __future__ import annotations

from monitor.core.answer import Finding
from monitor.core.changes import Alert
from monitor.core.ending import PROTOCOL_EDITED, is_edited
from monitor.core.episodes import markedly_worse
from monitor.core.findings import OVERDUE, REDUCING
from monitor.core.protocol import Protocol
from monitor.core.vocabulary import PanelState, Urgency


def urgency_of(finding: Finding, *, only_seen_recovered: bool) -> Urgency:
    """The urgency an alert about this finding has."""
    if only_seen_recovered and finding.recovered and finding.urgency is not Urgency.CRITICAL:
        return Urgency.ROUTINE
    return finding.urgency


def urgency_now(finding: Finding, alert: Alert) -> Urgency:
    """The urgency this alert has by what the finding says now."""
    only_seen_recovered = alert.first_seen_recovered and finding.recovered
    return urgency_of(finding, only_seen_recovered=only_seen_recovered)


def worse_than_told(finding: Finding, alert: Alert, protocol: Protocol) -> str:
    """People hear again at a worse level, or at a value 10 % worse than the worst they know."""
    if alert.told_level is None:
        return ""
    told_level = finding.level if counts_anew(finding, alert, protocol) else alert.told_level
    if finding.level > told_level:
        met = f", {finding.limit_text}" if finding.limit_text else ""
        return f"a further limit is met{met}"
    if finding.worst is None or alert.told_value is None:
        return ""
    if finding.level < told_level and not is_edited(alert, protocol):
        return ""
    if markedly_worse(finding.worst.value, alert.told_value, downward=finding.downward):
        return "at least 10 % worse than the worst that was told"
    return ""


def counts_anew(finding: Finding, alert: Alert, protocol: Protocol) -> bool:
    """Whether an edit put levels before this one or took some away: what is said and asked for
    is the same, and only the number of the level is another."""
    said = (alert.kind, alert.urgency, alert.limit_text)
    says = (finding.kind, urgency_now(finding, alert), finding.limit_text)
    return said == says and is_edited(alert, protocol)


def news(finding: Finding, alert: Alert) -> str:
    """What people are to hear of whatever stands (`Finding.news`), where it is not yet told. Of
    held rows and tasks only one that came: where the newest is gone, the one before it is known."""
    if finding.subjects and set(finding.subjects) <= set(alert.subjects):
        return ""
    return finding.news if finding.news != alert.news and not finding.recovered else ""


def more_panels(finding: Finding, alert: Alert, protocol: Protocol) -> str:
    """An overdue alert is told again when a panel is added or becomes serious."""
    if finding.cause != OVERDUE:
        return ""
    known = dict(alert.panels)
    for panel in finding.panels:
        title = protocol.panel(panel.panel).title
        if panel.panel not in known:
            return f"{title} is overdue too"
        if panel.state is PanelState.SERIOUSLY_OVERDUE and known[panel.panel] is not panel.state:
            return f"{title} is seriously overdue"
    return ""


def more_urgent(finding: Finding, alert: Alert) -> str:
    """What goes out at once goes out also where a routine alert became so: a held row that may
    be critical beside one that is not, a panel that came under a recheck while overdue."""
    urgency = urgency_now(finding, alert)
    return f"{urgency} now, {alert.urgency} before" if urgency.rank > alert.urgency.rank else ""


def asks_for_more(finding: Finding, alert: Alert, protocol: Protocol) -> str:
    """What was a review before the first dose goes on under the drug: the same level, and another
    thing to do. After an edit that is told as one."""
    graver = finding.kind in REDUCING and alert.kind not in REDUCING
    if not (graver and finding.breaches) or is_edited(alert, protocol):
        return ""
    return _asks_now(finding)


def _asks_now(finding: Finding) -> str:
    return f"the protocol now asks for: {finding.kind.replace('_', ' ')}"


def differently(finding: Finding, alert: Alert, protocol: Protocol) -> str:
    """A correction or an edit made it milder, or it asks for something else: people hear it."""
    if not finding.breaches:
        return ""
    if finding.level < alert.level and not counts_anew(finding, alert, protocol):
        edited = is_edited(alert, protocol)
        return (
            PROTOCOL_EDITED if edited else f"a correction made it milder; {_before(finding, alert)}"
        )
    if finding.kind is not alert.kind:
        return _asks_now(finding)
    if _is_milder_than_told(finding, alert):
        return "a corrected result changed the value that was told"
    return ""


def corrected_upwards(finding: Finding, alert: Alert, protocol: Protocol) -> str:
    """Where it is worse by a correction of what was told and not by another result: whoever had a
    message, a milder correction perhaps, knows what is not so."""
    worst = finding.worst
    if worst is None or alert.told_level is None or is_edited(alert, protocol):
        return ""
    if worst.collected_at not in alert.breaches or worst.value == alert.worst_value:
        return ""
    return f"a correction made it worse; {_before(finding, alert)}"


def _before(finding: Finding, alert: Alert) -> str:
    """What it was, in words that tell it from what it is now."""
    asks_the_same = (finding.kind, urgency_now(finding, alert)) == (alert.kind, alert.urgency)
    if asks_the_same and alert.limit_text:
        return f"before: beyond the limit of {alert.limit_text}"
    return f"before: {alert.urgency}, {alert.kind.replace('_', ' ')}"


def _is_milder_than_told(finding: Finding, alert: Alert) -> bool:
    """Whether the worst value is milder than the one people know: without a correction the
    worst of an episode never is."""
    worst = None if finding.worst is None else finding.worst.value
    if worst is None or alert.told_value is None or alert.told_level != finding.level:
        return False
    return worst > alert.told_value if finding.downward else worst < alert.told_value
