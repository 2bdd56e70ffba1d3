"""Every change of status writes to every index of a delivery: without those that others make up for."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("wagtail_lifecycle", "0004_steering"),
    ]

    operations = [
        migrations.AlterField(
            model_name="delivery",
            name="address_hash",
            field=models.CharField(max_length=64),
        ),
        migrations.AlterField(
            model_name="delivery",
            name="campaign",
            field=models.ForeignKey(
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="wagtail_lifecycle.campaign",
            ),
        ),
        migrations.AlterField(
            model_name="delivery",
            name="message_id",
            field=models.CharField(max_length=255, verbose_name="Message-ID"),
        ),
        migrations.AlterField(
            model_name="delivery",
            name="run",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="deliveries",
                to="wagtail_lifecycle.run",
            ),
        ),
        migrations.AddIndex(
            model_name="delivery",
            index=models.Index(fields=["address_hash"], name="lifecycle_mailboxes"),
        ),
        migrations.AddIndex(
            model_name="delivery",
            index=models.Index(
                condition=models.Q(("campaign__isnull", False)), fields=["campaign"], name="lifecycle_of_campaign"
            ),
        ),
        migrations.AddConstraint(
            model_name="delivery",
            constraint=models.UniqueConstraint(fields=("message_id",), name="lifecycle_one_delivery_per_message"),
        ),
    ]
