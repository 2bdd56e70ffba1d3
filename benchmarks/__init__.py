"""Ours and the usual ways of sending, side by side on one machine: ``make bench``."""
