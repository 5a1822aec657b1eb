"""The one road from what is known of a patient to alerts and messages."""

from monitor.review.batch import BATCH, SET_ASIDE, Failed, Tally, judge, review_batch
from monitor.review.due import Progress, review_due

__all__ = [
    "BATCH",
    "SET_ASIDE",
    "Failed",
    "Progress",
    "Tally",
    "judge",
    "review_batch",
    "review_due",
]
