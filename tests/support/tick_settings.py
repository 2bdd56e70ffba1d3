"""Settings of the test suite for processes of their own, which hand their mails to a real SMTP server."""

import os

from demo_site.settings.test import *  # noqa: F403

EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
EMAIL_HOST = "127.0.0.1"
EMAIL_PORT = int(os.environ["LIFECYCLE_TEST_SMTP_PORT"])
EMAIL_TIMEOUT = 30

# What a worker would take from the broker is done at once.
CELERY_TASK_ALWAYS_EAGER = True
CELERY_TASK_EAGER_PROPAGATES = True
WAGTAIL_LIFECYCLE_BATCH_SIZE = 7
