"""A mail to the outside world, and what became of it. Knows no campaign, run or delivery."""

from wagtail_lifecycle.transport.limits import take
from wagtail_lifecycle.transport.line import Line
from wagtail_lifecycle.transport.mime import Letter, LifecycleMessage, ListHeaders
from wagtail_lifecycle.transport.outcomes import Fault, Outcome, Scope, Verdict, masked
from wagtail_lifecycle.transport.pool import Lines, lines
from wagtail_lifecycle.transport.rates import Grant

__all__ = [
    "Fault",
    "Grant",
    "Letter",
    "LifecycleMessage",
    "Line",
    "Lines",
    "ListHeaders",
    "Outcome",
    "Scope",
    "Verdict",
    "lines",
    "masked",
    "take",
]
