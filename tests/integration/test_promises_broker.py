"""Redis stops, or falls silent, while people sign up over HTTP; a view raises after a registration."""

import contextlib
import subprocess
import sys
from pathlib import Path
from urllib.request import Request, urlopen

import pytest
from django.contrib.auth import get_user_model
from django.db import transaction
from django.urls import path

from demo_site.accounts.views import SignUp
from demo_site.supervisor import services
from demo_site.urls import urlpatterns as demo_urls
from tests.support.embedded import free_port
from tests.support.events import verification_campaign
from tests.support.site import RECOVERED, WORKER, Visitor, until
from wagtail_lifecycle.models import Delivery

pytestmark = [
    pytest.mark.long,
    pytest.mark.services,
    pytest.mark.redis,
    pytest.mark.django_db(transaction=True),
    pytest.mark.timeout(120),
]

PROXY = Path(__file__).parents[1] / "support" / "chaos_proxy.py"


class Broker:
    """A Redis of our own behind a proxy; both can be made to fail."""

    def __init__(self, folder):
        self._folder, self._port, self._control = folder, free_port(), free_port()
        listen = free_port()
        self.url = f"redis://127.0.0.1:{listen}/0"
        target = f"--target=127.0.0.1:{self._port}"
        command = [sys.executable, str(PROXY), f"--listen={listen}", target, f"--control={self._control}"]
        self._proxy = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
        self._proxy.stderr.readline()
        self.start()

    def start(self):
        command = services.valkey(port=self._port, directory=self._folder).command
        self._server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        for line in self._server.stdout:
            if "Ready to accept connections" in line:
                return
        raise AssertionError("Redis did not start.")

    def stop(self):
        self._server.terminate()
        self._server.communicate(timeout=10)

    def fall_silent(self):
        self._tell("blackhole")

    def speak_again(self):
        self._tell("ok")

    def _tell(self, mode):
        url = f"http://127.0.0.1:{self._control}/mode/{mode}"
        with urlopen(Request(url, method="POST"), timeout=10) as answer:
            answer.read()

    def close(self):
        self.stop()
        self._proxy.terminate()
        self._proxy.communicate(timeout=10)


@pytest.fixture
def broker(tmp_path):
    with contextlib.closing(Broker(tmp_path)) as broker:
        yield broker


@pytest.fixture
def broker_url(broker):
    return broker.url


@pytest.fixture
def site(site, settings):
    site.configure(settings, WAGTAIL_LIFECYCLE_USER_EVENTS=True)
    verification_campaign()
    return site


def arrived(server, address):
    return sum(address in mail["rcpts"] for mail in server.accepted)


@pytest.mark.parametrize(("fail", "heal"), [("stop", "start"), ("fall_silent", "speak_again")])
def test_while_redis_is_stopped_or_silent_a_registration_answers_and_its_mail_arrives_afterwards(
    site, faulty_smtp, broker, fail, heal
):
    worker, _beat, web = site.start(WORKER, services.BEAT, site.web)
    assert Visitor(site).sign_up("before@example.org")[0] == 302
    until(lambda: arrived(faulty_smtp, "before@example.org"))

    getattr(broker, fail)()
    for number in range(3):
        status, seconds = Visitor(site).sign_up(f"ines{number}@example.org")
        sys.stdout.write(f"registration {number} with Redis out of reach ({fail}): {seconds:.3f} s\n")
        assert status == 302
        assert seconds < 2
    assert web.count("broker out of reach")

    getattr(broker, heal)()
    workers = [worker]
    until(lambda: supervised(site, workers) and Delivery.objects.filter(status="sent").count() == 4)
    assert [arrived(faulty_smtp, f"ines{number}@example.org") for number in range(3)] == [1, 1, 1]
    workers[-1].until_it_says(RECOVERED, workers[-1].count(RECOVERED) + 1)
    assert len(faulty_smtp.accepted) == 4


def supervised(site, workers):
    """Start another worker if the last one has ended: Celery's may, if Redis goes while it gives messages back."""
    if workers[-1].has_ended:
        workers += site.start(WORKER)
    return True


# -- A view that raises ----------------------------------------------------------------------------------------


class FailingSignUp(SignUp):
    @transaction.atomic
    def form_valid(self, form):
        super().form_valid(form)
        raise RuntimeError("something after the registration")


urlpatterns = [path("failing/", FailingSignUp.as_view()), *demo_urls]


def test_a_view_that_raises_after_registering_sends_nothing(site, settings, faulty_smtp):
    site.configure(settings, ROOT_URLCONF=__name__)
    worker, _beat, _web = site.start(WORKER, services.BEAT, site.web)
    assert Visitor(site).sign_up("never@example.org", "/failing/")[0] == 500
    assert not get_user_model().objects.filter(email="never@example.org").exists()
    assert not Delivery.objects.exists()

    # What comes later arrives, and only that.
    assert Visitor(site).sign_up("ines@example.org")[0] == 302
    until(lambda: arrived(faulty_smtp, "ines@example.org"))
    worker.until_it_says(RECOVERED, worker.count(RECOVERED) + 2)
    assert [mail["rcpts"] for mail in faulty_smtp.accepted] == [["ines@example.org"]]
