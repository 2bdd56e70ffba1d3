"""Settings of the test suite; real services only where the environment names them."""

import os
import tempfile
from pathlib import Path

from demo_site.settings.base import *  # noqa: F403
from demo_site.settings.databases import database_from_url

DEBUG = False
ALLOWED_HOSTS = ["localhost", "127.0.0.1", "testserver"]
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]

DATABASES = {"default": database_from_url(os.environ.get("LIFECYCLE_TEST_DATABASE_URL") or "sqlite://")}
MEDIA_ROOT = Path(tempfile.gettempdir()) / "quick-publisher-test-media"

EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
DEFAULT_FROM_EMAIL = "The Quick Publisher <news@example.org>"

WAGTAILADMIN_BASE_URL = "https://publisher.example.org"
WAGTAIL_LIFECYCLE_BASE_URL = WAGTAILADMIN_BASE_URL

# Tests make people all the time; those of the demo's own flow switch it on.
WAGTAIL_LIFECYCLE_USER_EVENTS = False

CELERY_BROKER_URL = os.environ.get("LIFECYCLE_TEST_BROKER_URL") or "memory://"

TASKS = {
    "default": {
        "BACKEND": "django_tasks.backends.immediate.ImmediateBackend",
        "ENQUEUE_ON_COMMIT": False,
    }
}
