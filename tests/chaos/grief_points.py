"""The named points of the send path, for those who have not set Django up."""

#: Passed for every mail; the others are passed for every group or seldomer.
OFTEN = frozenset({"before_dot", "after_dot", "before_outcome", "after_outcome"})
NAMES = (
    "while_planning",
    "after_claim",
    "before_rendering",
    "before_intent",
    "after_intent",
    "while_rescuing",
    "while_recovering",
    "before_closing",
    *sorted(OFTEN),
)
