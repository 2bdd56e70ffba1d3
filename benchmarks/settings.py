"""A site that only sends; everything that differs between contestants comes from the environment."""

import os

from demo_site.settings.base import *  # noqa: F403
from demo_site.settings.base import INSTALLED_APPS
from demo_site.settings.databases import database_from_url

DEBUG = False
ALLOWED_HOSTS = ["testserver"]
INSTALLED_APPS = ["benchmarks.apps.BenchmarksConfig", "post_office", *INSTALLED_APPS]

DATABASES = {"default": database_from_url(os.environ["BENCH_DATABASE_URL"])}
DATABASES["default"]["OPTIONS"] = {"connect_timeout": 10}

EMAIL_BACKEND = os.environ.get("BENCH_EMAIL_BACKEND", "wagtail_lifecycle.transport.smtp.EmailBackend")
EMAIL_HOST = "127.0.0.1"
EMAIL_PORT = int(os.environ["BENCH_SMTP_PORT"])
EMAIL_TIMEOUT = 30
DEFAULT_FROM_EMAIL = "The Quick Publisher <news@example.org>"

WAGTAILADMIN_BASE_URL = "https://publisher.example.org"
WAGTAIL_LIFECYCLE_BASE_URL = WAGTAILADMIN_BASE_URL
WAGTAIL_LIFECYCLE_QUEUES = {"transactional": None, "bulk": None}
if connections := os.environ.get("BENCH_CONNECTIONS"):
    WAGTAIL_LIFECYCLE_CONNECTIONS = int(connections)

CELERY_BROKER_URL = os.environ["BENCH_REDIS_URL"]
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_DEFAULT_QUEUE = os.environ.get("BENCH_QUEUE", "celery")

POST_OFFICE = {
    "BACKENDS": {"default": "django.core.mail.backends.smtp.EmailBackend"},
    "DEFAULT_PRIORITY": "medium",
    "CELERY_ENABLED": False,
}
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "handlers": {"console": {"class": "logging.StreamHandler"}},
    "root": {"handlers": ["console"], "level": "WARNING"},
    "loggers": {"post_office": {"level": "WARNING", "handlers": [], "propagate": True}},
}
