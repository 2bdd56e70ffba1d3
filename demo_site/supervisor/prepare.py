"""Make the database of the demo ready, in one process: Django starts once instead of three times."""

import os

import django
from django.core.management import call_command

STEPS = ("migrate", "load_demo", "load_sample_views")

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "demo_site.settings.demo")
    django.setup()
    for step in STEPS:
        call_command(step)
