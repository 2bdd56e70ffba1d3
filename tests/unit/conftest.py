"""What lies in the queues of the broker in memory."""

import json

import pytest
from celery import current_app


@pytest.fixture
def received(settings):
    """Read what lies in a queue of the in-memory broker, which starts empty."""
    settings.WAGTAIL_LIFECYCLE_QUEUES = {"transactional": "quick", "bulk": "slow"}
    with current_app.connection_for_write() as connection:

        def read(name):
            queue = connection.SimpleQueue(name)
            found = []
            while queue.qsize():
                message = queue.get_nowait()
                message.ack()
                found.append((message.headers["task"], json.loads(message.body)[0]))
            queue.close()
            return found

        for name in ("quick", "slow"):
            read(name)
        yield read
