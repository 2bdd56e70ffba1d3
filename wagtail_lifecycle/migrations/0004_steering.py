"""Who may pause, resume and cancel runs has a permission of its own."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [
        ("wagtail_lifecycle", "0003_crash_epoch"),
    ]

    operations = [
        migrations.AlterModelOptions(
            name="run",
            options={
                "ordering": ["-slot", "-pk"],
                "permissions": [("steer_run", "Can pause, resume, cancel and repeat runs")],
                "verbose_name": "run",
                "verbose_name_plural": "runs",
            },
        ),
    ]
