"""What becomes of a mail, told from what the site's backend does."""

import smtplib
import socket
import ssl

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.core.mail.backends.base import BaseEmailBackend

from tests.support.letters import letter
from wagtail_lifecycle.transport import Line, Lines, Scope, Verdict, masked
from wagtail_lifecycle.transport.outcomes import of_opening, of_sending

ANA = "ana@reader.example.com"


def refused(code, text=b"no"):
    return smtplib.SMTPRecipientsRefused({ANA: (code, text)})


@pytest.mark.parametrize(
    ("error", "verdict"),
    [
        (refused(450), Verdict.TEMPORARY),
        (refused(451), Verdict.TEMPORARY),
        (refused(452, b"4.2.2 mailbox full"), Verdict.TEMPORARY),
        (refused(550, b"5.1.1 no such user"), Verdict.PERMANENT),
        (smtplib.SMTPDataError(451, b"later"), Verdict.TEMPORARY),
        (smtplib.SMTPDataError(554, b"5.7.1 spam"), Verdict.PERMANENT),
        (smtplib.SMTPSenderRefused(552, b"too big", "news@example.org"), Verdict.PERMANENT),
        (refused(421), Verdict.CONNECTION),
        (smtplib.SMTPSenderRefused(421, b"too many", "news@example.org"), Verdict.CONNECTION),
        (smtplib.SMTPDataError(421, b"closing"), Verdict.CONNECTION),
        (smtplib.SMTPSenderRefused(550, b"5.7.515 not authenticated", "news@example.org"), Verdict.SENDER_FAULT),
        (refused(550, b"5.7.515 not authenticated"), Verdict.SENDER_FAULT),
        (refused(530, b"5.7.0 authentication required"), Verdict.SENDER_FAULT),
        (refused(454, b"4.7.0 TLS not available"), Verdict.SENDER_FAULT),
        (smtplib.SMTPAuthenticationError(535, b"bad"), Verdict.SENDER_FAULT),
        (ImproperlyConfigured("no key"), Verdict.SENDER_FAULT),
        (ConnectionRefusedError(), Verdict.UNREACHABLE),
        (socket.gaierror(), Verdict.UNREACHABLE),
        (ssl.SSLCertVerificationError(), Verdict.UNREACHABLE),
        (smtplib.SMTPServerDisconnected("gone"), Verdict.UNCERTAIN),
        (TimeoutError(), Verdict.UNCERTAIN),
        (ConnectionResetError(), Verdict.UNCERTAIN),
        (BrokenPipeError(), Verdict.UNCERTAIN),
        (smtplib.SMTPDataError(-1, b"garbage"), Verdict.UNCERTAIN),
        (refused(250), Verdict.UNCERTAIN),
        (RuntimeError("a foreign backend"), Verdict.UNCERTAIN),
    ],
)
def test_only_a_clear_refusal_counts_as_one(error, verdict):
    assert of_sending(error).verdict is verdict


@pytest.mark.parametrize(
    ("error", "verdict"),
    [
        (smtplib.SMTPAuthenticationError(535, b"bad"), Verdict.SENDER_FAULT),
        (smtplib.SMTPHeloError(501, b"bad name"), Verdict.SENDER_FAULT),
        (smtplib.SMTPHeloError(421, b"busy"), Verdict.UNREACHABLE),
        (smtplib.SMTPNotSupportedError("STARTTLS"), Verdict.SENDER_FAULT),
        (smtplib.SMTPConnectError(421, b"busy"), Verdict.UNREACHABLE),
        (smtplib.SMTPServerDisconnected("gone"), Verdict.UNREACHABLE),
        (TimeoutError(), Verdict.UNREACHABLE),
        (ConnectionRefusedError(), Verdict.UNREACHABLE),
    ],
)
def test_before_the_first_mail_nothing_is_ambiguous(error, verdict):
    assert of_opening(error).verdict is verdict


@pytest.mark.parametrize(
    ("error", "scope", "reason"),
    [
        (refused(451), Scope.RECIPIENT, ""),
        (refused(550), Scope.RECIPIENT, ""),
        (smtplib.SMTPDataError(554, b"5.7.1 spam"), Scope.MESSAGE, ""),
        (smtplib.SMTPSenderRefused(552, b"too big", "news@example.org"), Scope.MESSAGE, ""),
        (refused(421), Scope.CONNECTION, "unreachable"),
        (refused(530, b"5.7.0 authentication required"), Scope.SENDER, "authentication"),
        (refused(454, b"4.7.0 TLS not available"), Scope.SENDER, "encryption"),
        (refused(550, b"5.7.515 not authenticated"), Scope.SENDER, "rejected"),
        (smtplib.SMTPAuthenticationError(535, b"bad"), Scope.SENDER, "authentication"),
        (ssl.SSLCertVerificationError(), Scope.SENDER, "encryption"),
        (ConnectionRefusedError(), Scope.SENDER, "unreachable"),
        (TimeoutError(), Scope.AMBIGUOUS, ""),
    ],
)
def test_a_foreign_backend_s_error_tells_whose_it_is(error, scope, reason):
    outcome = of_sending(error)
    assert (outcome.scope, outcome.reason) == (scope, reason)


def test_what_the_server_says_is_kept_without_addresses():
    outcome = of_sending(refused(550, b"5.1.1 <ana@reader.example.com>:\r\n user ana@x.example unknown"))
    assert outcome.detail == "550 5.1.1 <…@…>: user …@… unknown"


def test_the_text_of_an_error_that_no_server_said_is_not_kept():
    assert of_sending(RuntimeError("mail to ana@reader.example.com")).detail == "RuntimeError"


def test_a_detail_is_never_longer_than_its_column():
    assert len(masked("no " * 1000)) == 500


class ScriptedBackend(BaseEmailBackend):
    """A foreign backend that does what the test has written down for it."""

    script: list = []
    log: list = []

    def open(self):
        self.log.append("open")
        return True

    def close(self):
        self.log.append("close")

    def send_messages(self, messages):
        self.log.append("send")
        answer = self.script.pop(0) if self.script else len(messages)
        if isinstance(answer, Exception):
            raise answer
        return answer


@pytest.fixture
def scripted(settings):
    settings.EMAIL_BACKEND = f"{__name__}.ScriptedBackend"
    ScriptedBackend.script, ScriptedBackend.log = [], []
    return ScriptedBackend


def test_one_connection_carries_several_mails_one_per_call(scripted):
    with Line() as line:
        outcomes = [line.send(letter()) for _ in range(3)]
    assert [outcome.verdict for outcome in outcomes] == [Verdict.ACCEPTED] * 3
    assert scripted.log == ["open", "send", "send", "send", "close"]


def test_a_line_without_a_letter_opens_nothing(scripted):
    with Line():
        pass
    assert scripted.log == []


def test_a_refusal_of_one_recipient_keeps_the_connection(scripted):
    scripted.script = [refused(550)]
    with Line() as line:
        assert line.send(letter()).verdict is Verdict.PERMANENT
        assert line.send(letter()).verdict is Verdict.ACCEPTED
    assert scripted.log == ["open", "send", "send", "close"]


def test_a_connection_with_an_unclear_end_is_never_used_again(scripted):
    scripted.script = [TimeoutError()]
    with Line() as line:
        assert line.send(letter()).verdict is Verdict.UNCERTAIN
        assert line.send(letter()).verdict is Verdict.ACCEPTED
    assert scripted.log == ["open", "send", "close", "open", "send", "close"]


def test_a_server_that_ends_the_session_gets_the_same_mail_on_a_new_connection(scripted):
    scripted.script = [smtplib.SMTPSenderRefused(421, b"too many messages", "news@example.org")]
    with Line() as line:
        assert line.send(letter()).verdict is Verdict.ACCEPTED
    assert scripted.log == ["open", "send", "close", "open", "send", "close"]


def test_a_server_that_ends_every_session_is_not_asked_for_ever(scripted):
    scripted.script = [refused(421), refused(421), refused(421)]
    with Line() as line:
        assert line.send(letter()).verdict is Verdict.CONNECTION
    assert scripted.log.count("send") == 2


def test_a_backend_that_says_it_sent_nothing_is_believed(scripted):
    scripted.script = [0]
    with Line() as line:
        assert line.send(letter()).verdict is Verdict.UNREACHABLE


def test_a_backend_that_counts_nothing_is_taken_to_have_sent(scripted):
    scripted.script = [None]
    with Line() as line:
        assert line.send(letter()).verdict is Verdict.ACCEPTED


def test_a_server_nobody_listens_at_is_unreachable(settings):
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        settings.EMAIL_HOST, settings.EMAIL_PORT = unused.getsockname()
        with Line() as line:
            outcome = line.send(letter())
    assert outcome.verdict is Verdict.UNREACHABLE
    assert outcome.detail == "ConnectionRefusedError"


def test_a_backend_that_cannot_be_made_is_our_own_fault(settings):
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_USE_TLS = settings.EMAIL_USE_SSL = True
    with Line() as line:
        assert line.send(letter()).verdict in {Verdict.SENDER_FAULT, Verdict.UNREACHABLE}


def test_django_s_smtp_backend_never_waits_for_ever(settings, smtp_sink):
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT, settings.EMAIL_TIMEOUT = smtp_sink.host, smtp_sink.port, None
    with Line() as line:
        assert line.send(letter()).verdict is Verdict.ACCEPTED
        assert line._channel._backend.connection.sock.gettimeout() == 600


def test_a_foreign_backend_hears_of_the_letter_after_before_dot(scripted):
    with Line() as line:
        line.send(letter(), before_dot=lambda: scripted.log.append("before"))
        assert not line.is_ours
    assert scripted.log == ["open", "before", "send", "close"]


def test_an_error_in_before_dot_keeps_the_letter_from_a_foreign_backend(scripted):
    def fail():
        raise RuntimeError("no intent")

    with Line() as line, pytest.raises(RuntimeError, match="no intent"):
        line.send(letter(), before_dot=fail)
    assert "send" not in scripted.log


def test_a_foreign_backend_gets_one_line_per_group(scripted):
    pool = Lines()
    assert pool.width(letter().sender) == 1
    for _ in range(2):
        with pool.borrow(letter().sender) as line:
            line.send(letter())
    assert scripted.log == ["open", "send", "close"] * 2
