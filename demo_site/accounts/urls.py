from django.contrib.auth.views import LogoutView
from django.urls import path

from demo_site.accounts.views import Account, LogIn, SignUp

urlpatterns = [
    path("log-in/", LogIn.as_view(), name="login"),
    path("log-out/", LogoutView.as_view(), name="logout"),
    path("account/", Account.as_view(), name="account"),
    path("sign-up/", SignUp.as_view(), name="sign_up"),
]
