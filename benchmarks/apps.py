import os

from django.apps import AppConfig
from django.db.backends.signals import connection_created


class BenchmarksConfig(AppConfig):
    name = "benchmarks"

    def ready(self) -> None:
        if path := os.environ.get("BENCH_STATEMENTS"):
            count_statements(path)


def count_statements(path: str) -> None:
    """Append one octet to the file for each statement of this process and of those it forks."""
    from wagtail_lifecycle.dispatch import pipe  # noqa: PLC0415 - it imports models

    counter = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT)

    def count(execute, sql, params, many, context):
        os.write(counter, b".")
        return execute(sql, params, many, context)

    def wrap(connection, **_kwargs):
        connection.execute_wrappers[:] = [count]

    connection_created.connect(wrap, weak=False)
    # These go past Django's cursors.
    send = pipe.Pipe.send

    def counted_send(self, *args, **kwargs):
        os.write(counter, b".")
        return send(self, *args, **kwargs)

    pipe.Pipe.send = counted_send
