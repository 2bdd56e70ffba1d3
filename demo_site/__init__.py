"""The Quick Publisher: a small real Wagtail site, for the demo and for the tests."""

from demo_site.celery import app as celery_app

__all__ = ["celery_app"]
