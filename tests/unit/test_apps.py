"""What starting up asks of the project."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
SETTINGS = """
from demo_site.settings.test import *
INSTALLED_APPS = [app for app in INSTALLED_APPS if app != "django_celery_beat"]
"""


def test_a_site_without_django_celery_beat_is_told_what_to_add(tmp_path):
    (tmp_path / "without_beat.py").write_text(SETTINGS)
    environment = os.environ | {
        "DJANGO_SETTINGS_MODULE": "without_beat",
        "PYTHONPATH": os.pathsep.join([str(tmp_path), str(ROOT)]),
    }
    done = subprocess.run(
        [sys.executable, "-c", "import django; django.setup()"],
        cwd=ROOT, env=environment, text=True, capture_output=True, check=False, timeout=60,
    )  # fmt: skip
    *_trace, last = done.stderr.strip().splitlines()
    assert done.returncode == 1
    assert "ImproperlyConfigured" in last
    assert 'Add "django_celery_beat" to INSTALLED_APPS' in last
