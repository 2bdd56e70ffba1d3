"""Our SMTP backend against a real server that misbehaves in every way we know."""

import os
import shutil
import smtplib
import ssl
import subprocess
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.core import mail
from django.core.mail import EmailMessage, EmailMultiAlternatives
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from tests.support.letters import TEXT, letter
from tests.support.mail_checks import faults
from tests.support.smtp_servers import FaultySmtp
from wagtail_lifecycle.exceptions import NoLine
from wagtail_lifecycle.transport import Fault, Line, Lines, Scope, Verdict
from wagtail_lifecycle.transport.mime import octets
from wagtail_lifecycle.transport.session import Envelope
from wagtail_lifecycle.transport.smtp import bare_address

SENDER = letter().sender


@pytest.fixture
def server(faulty_smtp, settings):
    faulty_smtp.use(settings)
    return faulty_smtp


@pytest.fixture
def lines():
    pool = Lines()
    yield pool
    pool.close()


def send(address="ana@reader.example.com", **options):
    with Line() as line:
        return line.send(letter(address=address), **options)


def told(outcome):
    return outcome.verdict, outcome.scope


# -- By recipient --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("domain", "verdict", "scope"),
    [
        ("example.org", Verdict.ACCEPTED, Scope.NONE),
        ("tempfail.test", Verdict.TEMPORARY, Scope.RECIPIENT),
        ("greylist-60.test", Verdict.TEMPORARY, Scope.RECIPIENT),
        ("full.test", Verdict.TEMPORARY, Scope.RECIPIENT),
        ("tempdata-1.test", Verdict.TEMPORARY, Scope.MESSAGE),
        ("permfail.test", Verdict.PERMANENT, Scope.RECIPIENT),
        ("permdata.test", Verdict.PERMANENT, Scope.MESSAGE),
        ("slow-1.test", Verdict.ACCEPTED, Scope.NONE),
        ("slowrcpt-1.test", Verdict.ACCEPTED, Scope.NONE),
    ],
)
@pytest.mark.parametrize("pipelining", [True, False])
def test_a_clear_answer_is_told_and_the_connection_goes_on(server, lines, domain, verdict, scope, pipelining):
    with lines.borrow(SENDER) as line:
        line.send(letter())
        line._channel._session.is_pipelining = pipelining
        assert told(line.send(letter(address=f"ana@{domain}"))) == (verdict, scope)
        assert line.send(letter()).verdict is Verdict.ACCEPTED
    assert server.stats["connections"] == 1


def test_a_connection_closed_at_the_recipient_is_tried_once_more_and_then_told(server):
    assert told(send("ana@reset.test")) == (Verdict.CONNECTION, Scope.CONNECTION)
    assert server.stats["connections"] == 2
    assert server.accepted == []


@pytest.mark.parametrize("domain", ["drop.test", "unacked.test", "garbage.test", "hang.test"])
def test_what_breaks_after_the_dot_is_uncertain_and_never_tried_again_by_itself(server, settings, domain):
    settings.WAGTAIL_LIFECYCLE_DOT_TIMEOUT_SECONDS = 0.5
    with Line() as line:
        assert told(line.send(letter(address=f"ana@{domain}"))) == (Verdict.UNCERTAIN, Scope.AMBIGUOUS)
        assert len(server.accepted) + len(server.events("lost")) == 1
        assert line.send(letter()).verdict is Verdict.ACCEPTED
    assert server.stats["connections"] == 2


def test_a_time_that_is_short_for_django_is_short_for_the_dot_too(server, settings):
    settings.EMAIL_TIMEOUT = 0.5
    assert send("ana@hang.test").verdict is Verdict.UNCERTAIN


# -- The whole server ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("faults_of_server", "verdict", "reason"),
    [
        ({"auth": "fail"}, Verdict.SENDER_FAULT, Fault.AUTHENTICATION),
        ({"auth": "tempfail"}, Verdict.SENDER_FAULT, Fault.AUTHENTICATION),
        ({"mail_reply": "550 5.7.515 sender not authenticated"}, Verdict.SENDER_FAULT, Fault.REJECTED),
        ({"mail_reply": "530 5.7.0 authentication required"}, Verdict.SENDER_FAULT, Fault.AUTHENTICATION),
        ({"mail_reply": "538 5.7.11 encryption required"}, Verdict.SENDER_FAULT, Fault.ENCRYPTION),
        ({"refuse": True}, Verdict.CONNECTION, Fault.UNREACHABLE),
    ],
)
def test_a_fault_of_the_sender_names_what_is_wrong_and_heals_by_itself(
    server, settings, faults_of_server, verdict, reason
):
    if "auth" in faults_of_server:
        settings.EMAIL_HOST_USER, settings.EMAIL_HOST_PASSWORD = "news", "secret"
    server.configure(**faults_of_server)
    outcome = send()
    assert (outcome.verdict, outcome.reason) == (verdict, reason)
    assert server.accepted == []

    server.configure(auth="require" if "auth" in faults_of_server else "off", refuse=False, mail_reply="")
    assert send().verdict is Verdict.ACCEPTED


def test_a_server_that_wants_a_log_in_we_do_not_have_is_a_fault_of_the_sender(server):
    server.configure(auth="require")
    assert send().reason is Fault.AUTHENTICATION


def test_a_log_in_that_the_server_does_not_offer_is_a_fault_of_the_sender(server, settings):
    settings.EMAIL_HOST_USER, settings.EMAIL_HOST_PASSWORD = "news", "secret"
    assert send().reason is Fault.AUTHENTICATION


def test_a_server_that_is_down_is_unreachable(server):
    server.stop()
    outcome = send()
    assert (outcome.verdict, outcome.reason) == (Verdict.UNREACHABLE, Fault.UNREACHABLE)


def test_a_mail_over_the_limit_fails_alone(server):
    server.configure(max_size=100)
    assert told(send()) == (Verdict.PERMANENT, Scope.MESSAGE)


def test_too_much_in_a_second_is_temporary_and_not_the_recipient_s_fault(server, lines):
    server.configure(rate=2)
    with lines.borrow(SENDER) as line:
        outcomes = [line.send(letter()) for _ in range(3)]
    assert told(outcomes[-1]) == (Verdict.TEMPORARY, Scope.SENDER)


def test_a_limit_of_messages_per_connection_costs_nobody_a_mail(server, lines):
    server.configure(max_per_conn=3)
    with lines.borrow(SENDER) as line:
        verdicts = {line.send(letter()).verdict for _ in range(8)}
    assert verdicts == {Verdict.ACCEPTED}
    assert server.stats["connections"] == 3


def test_our_own_limit_ends_connections_in_good_time(server, settings, lines):
    settings.WAGTAIL_LIFECYCLE_MESSAGES_PER_CONNECTION = 3
    with lines.borrow(SENDER) as line:
        for _ in range(7):
            assert line.send(letter(), following=letter().address).verdict is Verdict.ACCEPTED
    assert server.stats["connections"] == 3
    assert server.stats["accepted"] == 7


# -- Octets --------------------------------------------------------------------------------------------------


def test_what_arrives_is_what_was_prepared_and_keeps_every_standard(server):
    dotted = letter(text=".\n..\nfrom a line\n" + TEXT)
    assert send() is not None
    with Line() as line:
        line.send(dotted)
    plain, with_dots = (event["raw"].encode() for event in server.accepted)
    assert plain == octets(letter())
    assert with_dots == octets(dotted)
    assert faults(plain, rcpts=["ana@reader.example.com"]) == []


def test_any_text_arrives_as_it_was_prepared(server):
    lines = st.lists(st.text(alphabet=".\r=ab ", max_size=8).map(lambda line: line.replace("\r", "=0D")), max_size=9)

    @given(lines)
    @hypothesis_settings(max_examples=40, suppress_health_check=[HealthCheck.too_slow])
    def check(found):
        raw = "".join(f"{line}\r\n" for line in ["Subject: x", "", *found]).encode()
        envelope = Envelope("news@example.org", ("ana@reader.example.com",))
        assert session.send(envelope, raw).verdict is Verdict.ACCEPTED
        assert server.accepted[-1]["raw"].encode() == raw

    session = server.backend().connect()
    check()
    session.quit()


# -- Any Django site -----------------------------------------------------------------------------------------


def test_it_is_a_mail_backend_like_any_other(server):
    sent = mail.send_mail(
        "Hellö", "Bödy\n.\nend", "Site <site@example.org>", ["Ana <ana@example.org>", "ben@example.org"]
    )
    assert sent == 1
    [event] = server.accepted
    assert event["from"] == "site@example.org"
    assert event["rcpts"] == ["ana@example.org", "ben@example.org"]


def test_it_sends_many_messages_over_one_connection(server):
    messages = [EmailMultiAlternatives("s", "b", "site@example.org", ["ana@exämple.org"], cc=["ben@example.org"])] * 3
    assert server.backend().send_messages(messages) == 3
    assert server.stats["connections"] == 1
    assert server.accepted[0]["rcpts"] == ["ana@xn--exmple-cua.org", "ben@example.org"]


@pytest.mark.parametrize(
    ("recipient", "error"),
    [
        ("ana@permfail.test", smtplib.SMTPRecipientsRefused),
        ("ana@permdata.test", smtplib.SMTPDataError),
        ("ana@drop.test", smtplib.SMTPServerDisconnected),
    ],
)
def test_it_raises_what_django_s_own_raises_or_nothing_if_asked_to(server, recipient, error):
    message = EmailMessage("s", "b", "site@example.org", [recipient])
    with pytest.raises(error):
        server.backend().send_messages([message])
    assert server.backend(fail_silently=True).send_messages([message]) == 0


def test_a_refused_sender_raises_what_django_s_own_raises(server):
    server.configure(mail_reply="550 5.7.1 no")
    with pytest.raises(smtplib.SMTPSenderRefused):
        server.backend().send_messages([EmailMessage("s", "b", "site@example.org", ["ana@example.org"])])


def test_a_server_that_is_down_is_silent_if_asked_to(server):
    server.stop()
    message = EmailMessage("s", "b", "site@example.org", ["ana@example.org"])
    assert server.backend(fail_silently=True).send_messages([message]) == 0
    with pytest.raises(ConnectionRefusedError):
        server.backend().send_messages([message])


def test_after_a_failed_message_the_next_one_gets_a_new_connection(server):
    backend = server.backend()
    backend.open()
    with pytest.raises(smtplib.SMTPServerDisconnected):
        backend.send_messages([EmailMessage("s", "b", "site@example.org", ["ana@drop.test"])])
    assert backend.send_messages([EmailMessage("s", "b", "site@example.org", ["ana@example.org"])]) == 1
    backend.close()


@pytest.mark.parametrize("value", ["ana@example.org>\r\nRCPT TO:<eve@example.org", "a@example.org, b@example.org", ""])
def test_what_is_not_one_address_never_reaches_the_server(value):
    with pytest.raises(ValueError, match="no address"):
        bare_address(value)


# -- TLS -----------------------------------------------------------------------------------------------------


@pytest.fixture
def certificate(tmp_path):
    """A certificate for localhost and its key, made for this test."""
    if not (openssl := shutil.which("openssl")):
        pytest.skip("no openssl on the PATH to make a certificate with")
    path, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    options = "req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost -addext subjectAltName=DNS:localhost"
    subprocess.run([openssl, *options.split(), "-keyout", key, "-out", path], check=True, capture_output=True)
    return path, key


@pytest.mark.parametrize("implicit", [False, True])
def test_mail_goes_encrypted_where_the_settings_say_so(certificate, tmp_path, settings, monkeypatch, implicit):
    path, key = certificate
    arguments = [f"--tls-cert={path}", f"--tls-key={key}", *["--implicit-tls"] * implicit, "--user=news:secret"]
    monkeypatch.setenv("SSL_CERT_FILE", str(path))
    settings.EMAIL_USE_SSL, settings.EMAIL_USE_TLS = implicit, not implicit
    with FaultySmtp(tmp_path, *arguments, "--auth=require") as server:
        server.use(settings, EMAIL_HOST="localhost", EMAIL_HOST_USER="news", EMAIL_HOST_PASSWORD="secret")
        with Line() as line:
            for _ in range(3):
                assert line.send(letter(), before_dot=lambda: None).verdict is Verdict.ACCEPTED
            assert isinstance(line._channel._session.connection.sock, ssl.SSLSocket)
        assert server.stats["connections"] == 1


def test_a_certificate_nobody_vouches_for_is_a_fault_of_encryption(certificate, tmp_path, settings):
    path, key = certificate
    with FaultySmtp(tmp_path, f"--tls-cert={path}", f"--tls-key={key}") as server:
        server.use(settings, EMAIL_HOST="localhost", EMAIL_USE_TLS=True)
        outcome = send()
    assert (outcome.verdict, outcome.reason) == (Verdict.SENDER_FAULT, Fault.ENCRYPTION)


def test_a_server_without_starttls_is_a_fault_of_encryption(server, settings):
    settings.EMAIL_USE_TLS = True
    assert send().reason is Fault.ENCRYPTION
    assert server.accepted == []


# -- Lines kept between tasks --------------------------------------------------------------------------------


def test_a_connection_is_kept_from_one_task_to_the_next(server, lines):
    for _ in range(3):
        with lines.borrow(SENDER) as line:
            line.send(letter())
    assert server.stats["connections"] == 1


def test_other_settings_mean_another_connection(server, lines, settings):
    with lines.borrow(SENDER) as line:
        line.send(letter())
    settings.EMAIL_TIMEOUT = 7
    with lines.borrow(SENDER) as line:
        line.send(letter())
    assert server.stats["connections"] == 2


def test_a_connection_with_an_announced_letter_is_not_kept(server, lines):
    with lines.borrow(SENDER) as line:
        line.send(letter(), following="ben@reader.example.com")
    with lines.borrow(SENDER) as line:
        assert line.send(letter()).verdict is Verdict.ACCEPTED
    assert server.stats["connections"] == 2
    assert server.stats["accepted"] == 2


def test_a_connection_the_server_has_closed_meanwhile_is_replaced(server, lines):
    server.configure(max_per_conn=1)
    for _ in range(3):
        with lines.borrow(SENDER) as line:
            assert line.send(letter()).verdict is Verdict.ACCEPTED


def test_threads_share_the_lines_and_wait_for_each_other(server, lines, settings):
    settings.WAGTAIL_LIFECYCLE_CONNECTIONS = 2
    server.configure(latency=0.05)

    def work(number):
        with lines.borrow(SENDER) as line:
            return line.send(letter(address=f"ana{number}@example.org")).verdict

    with ThreadPoolExecutor(8) as pool:
        verdicts = list(pool.map(work, range(16)))
    assert set(verdicts) == {Verdict.ACCEPTED}
    assert server.stats["connections"] == 2
    assert server.stats["accepted"] == 16


def test_several_lines_work_a_group_at_once(server, lines, settings):
    settings.WAGTAIL_LIFECYCLE_CONNECTIONS = 3
    assert lines.width(SENDER) == 3
    with lines.borrow_several(SENDER, 5) as several, ThreadPoolExecutor(3) as pool:
        assert len(several) == 3
        assert {outcome.verdict for outcome in pool.map(lambda line: line.send(letter()), several)} == {
            Verdict.ACCEPTED
        }
        assert server.stats["open_connections"] == 3


def test_no_more_lines_are_lent_for_a_while_than_the_server_let_in(server, lines, monkeypatch):
    monkeypatch.setattr("wagtail_lifecycle.transport.pool.CROWDED_SECONDS", 1.0)
    server.configure(max_conns=2)
    with lines.borrow_several(SENDER, 4) as several:
        verdicts = [line.send(letter()).verdict for line in several]
    assert verdicts == [Verdict.ACCEPTED, Verdict.ACCEPTED, Verdict.CONNECTION, Verdict.CONNECTION]
    with lines.borrow_several(SENDER, 4) as several:
        assert [line.is_open for line in several] == [True, True]
    threading.Event().wait(1.1)
    with lines.borrow_several(SENDER, 4) as several:
        assert len(several) == 4


def test_a_server_that_lets_in_nobody_is_not_taken_for_a_crowded_one(server, lines):
    server.configure(refuse=True)
    with lines.borrow(SENDER) as line:
        assert line.send(letter()).verdict is Verdict.CONNECTION
        assert line.is_turned_away
    server.configure(refuse=False)
    with lines.borrow_several(SENDER, 4) as several:
        assert len(several) == 4
        assert several[0].send(letter()).verdict is Verdict.ACCEPTED
        assert not several[0].is_turned_away


def test_who_waits_too_long_for_a_line_is_told(server, lines, settings):
    settings.WAGTAIL_LIFECYCLE_CONNECTIONS = 1
    with lines.borrow(SENDER), pytest.raises(NoLine, match="connections: 1"), lines.borrow(SENDER, wait=0):
        pass


def test_an_error_in_a_task_gives_its_line_back(server, lines, settings):
    settings.WAGTAIL_LIFECYCLE_CONNECTIONS = 1

    def task():
        with lines.borrow(SENDER) as line:
            line.send(letter())
            raise RuntimeError("the task")

    with pytest.raises(RuntimeError):
        task()
    with lines.borrow(SENDER, wait=0) as line:
        assert line.send(letter()).verdict is Verdict.ACCEPTED


#: Python 3.12 and later warn of a fork beside threads; the pool's own waits for idle lines.
forking = pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")


@forking
def test_a_child_process_has_connections_of_its_own(server, lines):
    with lines.borrow(SENDER) as line:
        line.send(letter())
    pid = os.fork()
    if pid == 0:
        with lines.borrow(SENDER) as line:
            outcome = line.send(letter())
        os._exit(0 if outcome.verdict is Verdict.ACCEPTED else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    with lines.borrow(SENDER) as line:
        assert line.send(letter()).verdict is Verdict.ACCEPTED
    assert server.stats["connections"] == 2
    assert server.stats["accepted"] == 3


@forking
def test_a_line_that_is_lent_while_we_are_forked_is_not_the_child_s(server, lines):
    with lines.borrow(SENDER) as line:
        line.send(letter())
        pid = os.fork()
        if pid == 0:
            outcome = line.send(letter())
            os._exit(0 if outcome.verdict is Verdict.ACCEPTED else 1)
        assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
        assert line.send(letter()).verdict is Verdict.ACCEPTED
    assert server.stats["connections"] == 2


def test_an_error_before_the_dot_sends_nothing_and_the_next_mail_goes(server, lines):
    def fail():
        raise RuntimeError("no intent")

    with lines.borrow(SENDER) as line:
        with pytest.raises(RuntimeError, match="no intent"):
            line.send(letter(), before_dot=fail)
        assert line.send(letter(address="ben@example.org")).verdict is Verdict.ACCEPTED
    assert [event["rcpts"] for event in server.accepted] == [["ben@example.org"]]


def test_before_dot_is_called_once_even_if_the_connection_is_replaced(server, lines):
    calls = []
    server.configure(max_per_conn=1)
    with lines.borrow(SENDER) as line:
        for _ in range(3):
            line.send(letter(), before_dot=lambda: calls.append(1))
    assert len(calls) == 3


def test_idle_connections_are_closed(server, lines, monkeypatch):
    monkeypatch.setattr("wagtail_lifecycle.transport.pool.IDLE_SECONDS", 0.05)
    with lines.borrow(SENDER) as line:
        line.send(letter())
    closed = threading.Event()
    for _ in range(100):
        if server.stats["open_connections"] == 0:
            break
        closed.wait(0.05)
    assert server.stats["open_connections"] == 0
