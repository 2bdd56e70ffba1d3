"""What Celery does about one campaign, in one process: python -m tests.support.eager_worker CAMPAIGN_ID.

Needs DJANGO_SETTINGS_MODULE=tests.support.tick_settings, where a task is done by whoever enqueues it.
"""

import sys

import django


def main(campaign_id: int) -> None:
    django.setup()
    # Only now can models be imported.
    from demo_site import celery  # noqa: F401, PLC0415 - makes it the current app
    from wagtail_lifecycle import tasks  # noqa: PLC0415

    tasks.tick.delay(campaign_id)
    tasks.recover.delay()


if __name__ == "__main__":
    main(int(sys.argv[1]))
