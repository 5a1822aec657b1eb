"""The one road from what is known of a patient to alerts and messages."""

from monitor.review.batch import BATCH, SET_ASIDE, WITH_ALL_READ, Tally, decided, review_batch
from monitor.review.due import Progress, review_due
from monitor.review.judging import Failed, judge, judge_batch
from monitor.review.program import wake_judged_otherwise
from monitor.review.recall import judged_by
from monitor.review.routes_read import RoutesRead, wake_for_other_routes

__all__ = [
    "BATCH",
    "SET_ASIDE",
    "WITH_ALL_READ",
    "Failed",
    "Progress",
    "RoutesRead",
    "Tally",
    "decided",
    "judge",
    "judge_batch",
    "judged_by",
    "review_batch",
    "review_due",
    "wake_for_other_routes",
    "wake_judged_otherwise",
]
