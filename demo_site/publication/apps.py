from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class PublicationAppConfig(AppConfig):
    name = "demo_site.publication"
    label = "publication"
    verbose_name = _("Publication")
