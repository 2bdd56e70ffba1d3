from importlib import import_module

from django.apps import AppConfig, apps
from django.core.exceptions import ImproperlyConfigured
from django.utils.module_loading import module_has_submodule
from django.utils.translation import gettext_lazy as _

#: modules of ours that register something, or listen, when they are imported
REGISTERING = ("audiences", "data_sources", "blocks", "events", "starters", "preflight", "checks")


class WagtailLifecycleConfig(AppConfig):
    name = "wagtail_lifecycle"
    verbose_name = _("Lifecycle")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        if not apps.is_installed("django_celery_beat"):
            raise ImproperlyConfigured(
                "wagtail_lifecycle keeps its schedules in django-celery-beat, which is not installed. "
                'Add "django_celery_beat" to INSTALLED_APPS, then run `python manage.py migrate`.'
            )
        for module in REGISTERING:
            import_module(f"{self.name}.{module}")
        import_module(f"{self.name}.signal_handlers").connect()
        import_module(f"{self.name}.localizing").teach_wagtail_localize(self.get_model("Campaign"))
        import_lifecycle_modules()


def import_lifecycle_modules() -> None:
    """Import `<app>/lifecycle.py` of every installed app, where sites register what is theirs."""
    for config in apps.get_app_configs():
        if config.module is not None and module_has_submodule(config.module, "lifecycle"):
            import_module(f"{config.name}.lifecycle")
