"""What the demo and the tests share. A site owner would copy the Celery and lifecycle sections."""

from datetime import timedelta
from pathlib import Path
from zoneinfo import available_timezones

from django.contrib.messages import constants as message_levels
from django.urls import reverse_lazy

BASE_DIR = Path(__file__).resolve().parent.parent.parent

# Visible on purpose: this site is for demonstrations and tests only.
SECRET_KEY = "insecure-the-quick-publisher-is-a-demo-never-use-this-key"  # noqa: S105

#: Whether the log-in page lists the demo's logins.
DEMO = False
#: Where the demo's mails are read.
DEMO_MAILBOX_URL = ""

INSTALLED_APPS = [
    "demo_site.accounts",
    "demo_site.publication",
    "wagtail_lifecycle",
    "django_celery_beat",
    "wagtail.embeds",
    "wagtail.sites",
    "demo_site.accounts.wagtail_users.PublisherUsersAppConfig",
    "wagtail.snippets",
    "wagtail.documents",
    "wagtail.images",
    "wagtail.search",
    "wagtail.admin",
    "wagtail.contrib.settings",
    "wagtail",
    "modelcluster",
    "taggit",
    "django_filters",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
]

MIDDLEWARE = [
    # On top it sees what is really sent, and the session it looks at is no reason for `Vary: Cookie`.
    "wagtail_lifecycle.middleware.PageViewMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]

ROOT_URLCONF = "demo_site.urls"
WSGI_APPLICATION = "demo_site.wsgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "demo_site" / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]

#: Web server, worker and beat write to one file: WAL lets them read meanwhile, IMMEDIATE and the time-out
#: let a writer wait for its turn, FULL keeps what was committed before a mail left through a power cut.
SQLITE_OPTIONS = {
    "transaction_mode": "IMMEDIATE",
    "timeout": 20,
    "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;",
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

AUTH_USER_MODEL = "accounts.User"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator"},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
]
LOGIN_URL = reverse_lazy("login")
LOGIN_REDIRECT_URL = "/"
LOGOUT_REDIRECT_URL = "/"

LANGUAGE_CODE = "en-gb"
TIME_ZONE = "Europe/Berlin"
USE_I18N = True
# Its campaigns speak German to those of its people who do.
WAGTAIL_I18N_ENABLED = True
WAGTAIL_CONTENT_LANGUAGES = [("en-gb", "English"), ("de", "German")]
USE_TZ = True

STATIC_URL = "/static/"
STATICFILES_DIRS = [BASE_DIR / "demo_site" / "static"]
MEDIA_URL = "/media/"
#: The demo and the tests have no web server in front that would serve the pictures.
SERVE_MEDIA = True

MESSAGE_LEVEL = message_levels.INFO
X_FRAME_OPTIONS = "SAMEORIGIN"  # the preview of the Wagtail editor
DATA_UPLOAD_MAX_NUMBER_FIELDS = 10_000

WAGTAIL_SITE_NAME = "The Quick Publisher"
WAGTAIL_ENABLE_UPDATE_CHECK = False
WAGTAIL_GRAVATAR_PROVIDER_URL = None
# Debian's tzdata lists a zone "localtime" that browsers do not know.
WAGTAIL_USER_TIME_ZONES = sorted(available_timezones() - {"localtime"})
WAGTAILSEARCH_BACKENDS = {"default": {"BACKEND": "wagtail.search.backends.database"}}
WAGTAILIMAGES_MAX_UPLOAD_SIZE = 10 * 1024 * 1024
WAGTAILDOCS_EXTENSIONS = ["csv", "docx", "odt", "pdf", "pptx", "txt", "xlsx"]

# -- Celery -----------------------------------------------------------------------------------------------

CELERY_TIMEZONE = TIME_ZONE
CELERY_ENABLE_UTC = True
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_TASK_SERIALIZER = "json"
CELERY_RESULT_SERIALIZER = "json"
CELERY_RESULT_EXPIRES = timedelta(days=1)
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_TRANSPORT_OPTIONS = {
    # Above the hard time limit of any task, or a running task would be delivered a second time.
    "visibility_timeout": 3600,
    # Messages of a killed worker come back after about ten seconds instead of a hundred.
    "unacked_restore_interval": 10,
    "unacked_restore_throttle": 1,
}
CELERY_BEAT_SCHEDULER = "django_celery_beat.schedulers:DatabaseScheduler"
# A schedule that an editor changes counts after five seconds.
CELERY_BEAT_MAX_LOOP_INTERVAL = 5
# A slot missed for longer is left to wagtail_lifecycle, which knows whether it is still worth sending.
CELERY_BEAT_CRON_STARTING_DEADLINE = 3600

# -- wagtail_lifecycle ------------------------------------------------------------------------------------

WAGTAIL_LIFECYCLE_SENDERS = {
    "news": {
        "label": "Newsroom",
        "from": "The Quick Publisher <news@example.org>",
        "reply_to": "newsroom@example.org",
        "postal_address": "The Quick Publisher, 1 Main St, Springfield",
    },
}
WAGTAIL_LIFECYCLE_MESSAGE_ID_DOMAIN = "example.org"
WAGTAIL_LIFECYCLE_AUTHORS = "demo_site.publication.authors.recipients_of_pages"
# Who signs up gets the mail that asks to verify, and then the welcome.
WAGTAIL_LIFECYCLE_USER_EVENTS = True
WAGTAIL_LIFECYCLE_QUEUES = {"transactional": "lifecycle-transactional", "bulk": "lifecycle-bulk"}
