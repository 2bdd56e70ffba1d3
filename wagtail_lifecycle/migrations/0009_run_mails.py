"""The page of a run lists its mails, by status, from the index that counts them."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("wagtail_lifecycle", "0008_send_test_permission"),
    ]

    operations = [
        migrations.AddIndex(
            model_name="delivery",
            index=models.Index(fields=["run", "status", "id"], name="lifecycle_run_mails"),
        ),
        migrations.RemoveIndex(
            model_name="delivery",
            name="lifecycle_run_balance",
        ),
    ]
