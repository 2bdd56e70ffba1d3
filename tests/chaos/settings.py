"""The demo's site under chaos: real services, and seconds where a site has minutes."""

import os

from demo_site.settings.test import *  # noqa: F403

QUEUE = os.environ.get("CHAOS_QUEUE", "lifecycle-chaos")
GIVE_UP = float(os.environ.get("CHAOS_GIVE_UP", "120"))
#: Many more than fail by design, so that only the faults of a round decide about it.
NEVER = {"share": 0.9, "after": 10_000, "alike": 10_000}

EMAIL_BACKEND = "wagtail_lifecycle.transport.smtp.EmailBackend"
EMAIL_HOST, EMAIL_PORT = "127.0.0.1", int(os.environ.get("CHAOS_SMTP_PORT", "0"))
EMAIL_TIMEOUT = 10

CELERY_TASK_DEFAULT_QUEUE = QUEUE
WAGTAIL_LIFECYCLE_QUEUES = {"transactional": f"{QUEUE}-transactional", "bulk": f"{QUEUE}-bulk"}
# The crew asks its workers whether they answer.
CELERY_WORKER_ENABLE_REMOTE_CONTROL = True
CELERY_BEAT_MAX_LOOP_INTERVAL = 1

WAGTAIL_LIFECYCLE_LEASE_SECONDS = 5
WAGTAIL_LIFECYCLE_DOT_TIMEOUT_SECONDS = 2
WAGTAIL_LIFECYCLE_RECOVER_SECONDS = 1
WAGTAIL_LIFECYCLE_PROBE_SECONDS = 0.3
WAGTAIL_LIFECYCLE_GROUP_REST_SECONDS = 0.5
WAGTAIL_LIFECYCLE_BROKER_REST_SECONDS = 0.5
WAGTAIL_LIFECYCLE_BATCH_SECONDS = 2
WAGTAIL_LIFECYCLE_BULK_RETRIES = {"base_seconds": 0.3, "cap_seconds": 1.5, "give_up_seconds": GIVE_UP}
WAGTAIL_LIFECYCLE_TRANSACTIONAL_RETRIES = WAGTAIL_LIFECYCLE_BULK_RETRIES
WAGTAIL_LIFECYCLE_CONNECTIONS = int(os.environ.get("CHAOS_LINES", "2"))
WAGTAIL_LIFECYCLE_BATCH_SIZE = int(os.environ.get("CHAOS_BATCH", "100"))
WAGTAIL_LIFECYCLE_MESSAGES_PER_CONNECTION = int(os.environ.get("CHAOS_PER_CONNECTION", "100"))
WAGTAIL_LIFECYCLE_BREAKER = NEVER
