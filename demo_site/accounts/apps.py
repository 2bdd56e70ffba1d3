from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class AccountsAppConfig(AppConfig):
    name = "demo_site.accounts"
    label = "accounts"
    verbose_name = _("Accounts")
