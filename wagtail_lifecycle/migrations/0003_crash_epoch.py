"""What PostgreSQL forgets in a crash, so that a crash can be noticed."""

from typing import Any

from django.db import migrations, models

# PostgreSQL empties an UNLOGGED table whenever it recovers from a crash: then commits that were not waited for may be
# lost. No other database needs it.
CREATE = """
    CREATE UNLOGGED TABLE wagtail_lifecycle_crash_epoch (
        only_one boolean PRIMARY KEY DEFAULT true CHECK (only_one),
        value varchar(32) NOT NULL
    )
"""
DROP = "DROP TABLE IF EXISTS wagtail_lifecycle_crash_epoch"


def create(_apps: Any, schema_editor: Any) -> None:
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute(CREATE)


def drop(_apps: Any, schema_editor: Any) -> None:
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute(DROP)


class Migration(migrations.Migration):
    dependencies = [
        ("wagtail_lifecycle", "0002_deliveries_that_survive"),
    ]

    operations = [
        migrations.RunPython(create, drop),
        migrations.AddField(
            model_name="run",
            name="resumed_at",
            field=models.DateTimeField(null=True),
        ),
        migrations.AlterField(
            model_name="delivery",
            name="reason",
            field=models.CharField(
                blank=True,
                choices=[
                    ("no_address", "There is no valid address."),
                    ("duplicate", "Somebody else of this run has the same address."),
                    ("opted_out", "Opted out of the topic."),
                    ("suppressed", "The address is suppressed."),
                    ("gone", "Does not exist, or does not belong to the audience, any more."),
                    ("empty", "There was nothing to report."),
                    ("expired", "It could not be sent for so long that it is of no use any more."),
                    ("refused", "The mail server refused the recipient or the mail."),
                    ("temporary", "The mail server asked to try again later."),
                    ("unreachable", "The mail server could not be reached."),
                    ("render_error", "The mail could not be rendered for this person."),
                    ("site_code", "The site's own code for the audience or its data failed."),
                    ("poison", "The worker died several times while it prepared this mail."),
                    ("lost_reply", "The mail went out, but the server's answer was lost: it may have arrived."),
                ],
                max_length=20,
                verbose_name="reason",
            ),
        ),
    ]
