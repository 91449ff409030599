"""Connection: the applications of households, their queue, and a verdict for each."""

from gridcheck.connection.applications import Application, parse_applications, read_applications
from gridcheck.connection.decide import QueueResult, decide_queue, decide_queue_in_all_cases
from gridcheck.connection.decision import Blocker, Decision, Verdict, clause_of
from gridcheck.connection.queue_rules import QueueRule, in_order

__all__ = [
    "Application",
    "Blocker",
    "Decision",
    "QueueResult",
    "QueueRule",
    "Verdict",
    "clause_of",
    "decide_queue",
    "decide_queue_in_all_cases",
    "in_order",
    "parse_applications",
    "read_applications",
]
