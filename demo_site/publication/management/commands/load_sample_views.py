from django.core.management.base import BaseCommand
from django.utils import timezone

from demo_site.publication.models import SAMPLE_SOURCE
from demo_site.publication.sample_views import WHOLE_MONTHS, load_sample_views


class Command(BaseCommand):
    help = 'Replaces the views of invented readers, kept with the source "sample": two months, and this one so far.'

    def handle(self, **options: object) -> None:  # noqa: ARG002 - Django's signature
        count = load_sample_views(timezone.localdate())
        self.stdout.write(
            f'{count} views of the last {WHOLE_MONTHS} months and this one until today, marked as "{SAMPLE_SOURCE}".'
        )
