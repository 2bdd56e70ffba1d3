"""System checks: the message names the fault, the hint the remedy. Importing this module registers them."""

from wagtail_lifecycle.checks import celery, mail, site

__all__ = ["celery", "mail", "site"]
