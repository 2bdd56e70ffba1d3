"""Settings of `make demo`: every port and path comes from the environment."""

import os
from pathlib import Path

from demo_site.settings.base import *  # noqa: F403
from demo_site.settings.base import BASE_DIR, MIDDLEWARE, SQLITE_OPTIONS

DEMO = True
DEBUG = False

DEMO_HOST = "localhost"
DEMO_PORT = int(os.environ.get("DEMO_PORT", "8000"))
DEMO_SMTP_PORT = int(os.environ.get("DEMO_SMTP_PORT", "8025"))
DEMO_MAILBOX_PORT = int(os.environ.get("DEMO_MAILBOX_PORT", "8026"))
DEMO_MAILBOX_URL = f"http://{DEMO_HOST}:{DEMO_MAILBOX_PORT}/"
DEMO_VALKEY_PORT = int(os.environ.get("DEMO_VALKEY_PORT", "6390"))
DEMO_DIR = BASE_DIR / Path(os.environ.get("DEMO_DIR", ".demo"))

ALLOWED_HOSTS = ["localhost", "127.0.0.1", "[::1]"]

# Static files straight out of the apps, with DEBUG off and without collectstatic.
_after_security = MIDDLEWARE.index("django.middleware.security.SecurityMiddleware") + 1
MIDDLEWARE.insert(_after_security, "whitenoise.middleware.WhiteNoiseMiddleware")
WHITENOISE_USE_FINDERS = True

DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": DEMO_DIR / "db.sqlite3",
        "OPTIONS": SQLITE_OPTIONS,
    }
}
MEDIA_ROOT = DEMO_DIR / "media"

EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
EMAIL_HOST = "127.0.0.1"
EMAIL_PORT = DEMO_SMTP_PORT
EMAIL_TIMEOUT = 30
DEFAULT_FROM_EMAIL = "The Quick Publisher <news@example.org>"

WAGTAILADMIN_BASE_URL = f"http://{DEMO_HOST}:{DEMO_PORT}"
WAGTAIL_LIFECYCLE_BASE_URL = WAGTAILADMIN_BASE_URL

CELERY_BROKER_URL = f"redis://127.0.0.1:{DEMO_VALKEY_PORT}/0"
CELERY_RESULT_BACKEND = f"redis://127.0.0.1:{DEMO_VALKEY_PORT}/1"

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "%(asctime)s %(levelname)s %(name)s %(message)s"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["console"], "level": "INFO"},
    # They report every page and every index entry.
    "loggers": {"django_tasks": {"level": "WARNING"}, "wagtail": {"level": "WARNING"}},
}
