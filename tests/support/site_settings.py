"""Settings of the test suite for a site in processes of its own; see `tests.support.site`."""

import json
import os

from demo_site.settings.demo import LOGGING  # noqa: F401
from demo_site.settings.test import *  # noqa: F403

EMAIL_BACKEND = "wagtail_lifecycle.transport.smtp.EmailBackend"
EMAIL_HOST = "127.0.0.1"
EMAIL_PORT = int(os.environ["LIFECYCLE_TEST_SMTP_PORT"])

# What was changed is noticed after a second, not after five.
CELERY_BEAT_MAX_LOOP_INTERVAL = 1

globals().update(json.loads(os.environ["LIFECYCLE_TEST_SETTINGS"]))
