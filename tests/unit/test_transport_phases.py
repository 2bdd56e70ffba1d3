"""What a failure means, told from the phase it happened in."""

import smtplib
import ssl

import pytest

from wagtail_lifecycle.models import SenderState
from wagtail_lifecycle.transport import Fault, Scope, Verdict
from wagtail_lifecycle.transport.phases import Lost, Phase, Refused, of_connecting, of_loss, of_refusal
from wagtail_lifecycle.transport.replies import Reply

TEMPORARY, PERMANENT, SENDER = Verdict.TEMPORARY, Verdict.PERMANENT, Verdict.SENDER_FAULT


@pytest.mark.parametrize(
    ("phase", "said", "verdict", "scope", "reason"),
    [
        (Phase.RCPT, "450 4.2.1 busy", TEMPORARY, Scope.RECIPIENT, ""),
        (Phase.RCPT, "451 4.7.1 greylisted", TEMPORARY, Scope.RECIPIENT, ""),
        (Phase.RCPT, "452 4.2.2 mailbox full", TEMPORARY, Scope.RECIPIENT, ""),
        (Phase.RCPT, "550 5.1.1 no such user", PERMANENT, Scope.RECIPIENT, ""),
        (Phase.RCPT, "550 5.7.1 we know you", PERMANENT, Scope.RECIPIENT, ""),
        (Phase.DATA, "554 5.7.1 no", PERMANENT, Scope.MESSAGE, ""),
        (Phase.DATA, "451 4.3.0 later", TEMPORARY, Scope.MESSAGE, ""),
        (Phase.DOT, "554 5.7.1 spam", PERMANENT, Scope.MESSAGE, ""),
        (Phase.DOT, "552 5.3.4 too big", PERMANENT, Scope.MESSAGE, ""),
        (Phase.DOT, "451 4.3.0 later", TEMPORARY, Scope.MESSAGE, ""),
        (Phase.MAIL, "552 5.3.4 too big", PERMANENT, Scope.MESSAGE, ""),
        (Phase.MAIL, "550 5.3.4 too big", PERMANENT, Scope.MESSAGE, ""),
        (Phase.MAIL, "451 4.7.1 rate exceeded", TEMPORARY, Scope.SENDER, ""),
        (Phase.MAIL, "550 5.7.1 sender refused", SENDER, Scope.SENDER, "rejected"),
        (Phase.MAIL, "553 5.1.8 no such domain", SENDER, Scope.SENDER, "rejected"),
        (Phase.MAIL, "501 5.5.4 what", SENDER, Scope.SENDER, "rejected"),
        (Phase.MAIL, "530 5.7.0 authentication required", SENDER, Scope.SENDER, "authentication"),
        (Phase.MAIL, "530 5.7.0 Must issue a STARTTLS command first", SENDER, Scope.SENDER, "encryption"),
        (Phase.RCPT, "530 5.7.0 authentication required", SENDER, Scope.SENDER, "authentication"),
        (Phase.RCPT, "454 4.7.0 TLS not available", SENDER, Scope.SENDER, "encryption"),
        (Phase.RCPT, "538 5.7.11 encryption required", SENDER, Scope.SENDER, "encryption"),
        (Phase.MAIL, "550 5.7.515 not authenticated", SENDER, Scope.SENDER, "rejected"),
        (Phase.RCPT, "550 5.7.515 not authenticated", SENDER, Scope.SENDER, "rejected"),
        (Phase.DOT, "550 5.7.515 not authenticated", SENDER, Scope.SENDER, "rejected"),
        *((phase, "421 4.3.2 closing", Verdict.CONNECTION, Scope.CONNECTION, "unreachable") for phase in Phase),
    ],
)
def test_a_refusal_has_the_scope_of_what_was_named_last(phase, said, verdict, scope, reason):
    code, _, text = said.partition(" ")
    outcome = of_refusal(Refused(phase, Reply(int(code), text)))
    assert (outcome.verdict, outcome.scope, outcome.reason) == (verdict, scope, reason)
    assert outcome.detail == said


@pytest.mark.parametrize("phase", [Phase.MAIL, Phase.RCPT, Phase.DATA, Phase.BODY])
@pytest.mark.parametrize("cause", [TimeoutError(), ConnectionResetError(), smtplib.SMTPServerDisconnected("x")])
def test_a_session_that_breaks_before_the_dot_has_sent_nothing(phase, cause):
    assert of_loss(Lost(phase, cause)).verdict is Verdict.CONNECTION
    assert of_loss(Lost(Phase.DOT, cause)).verdict is Verdict.UNCERTAIN


@pytest.mark.parametrize(
    ("phase", "error", "verdict", "reason"),
    [
        (Phase.CONNECT, ConnectionRefusedError(), Verdict.UNREACHABLE, "unreachable"),
        (Phase.CONNECT, TimeoutError(), Verdict.UNREACHABLE, "unreachable"),
        (Phase.CONNECT, smtplib.SMTPConnectError(421, b"busy"), Verdict.CONNECTION, "unreachable"),
        (Phase.CONNECT, smtplib.SMTPConnectError(450, b"later"), Verdict.UNREACHABLE, "unreachable"),
        (Phase.CONNECT, smtplib.SMTPConnectError(554, b"go away"), SENDER, "rejected"),
        (Phase.CONNECT, ssl.SSLCertVerificationError(), SENDER, "encryption"),
        (Phase.ENCRYPT, smtplib.SMTPNotSupportedError("STARTTLS"), SENDER, "encryption"),
        (Phase.ENCRYPT, smtplib.SMTPResponseException(454, "no TLS"), SENDER, "encryption"),
        (Phase.ENCRYPT, ConnectionResetError(), SENDER, "encryption"),
        (Phase.LOGIN, smtplib.SMTPAuthenticationError(535, b"bad"), SENDER, "authentication"),
        (Phase.LOGIN, smtplib.SMTPAuthenticationError(454, b"later"), SENDER, "authentication"),
        (Phase.LOGIN, smtplib.SMTPAuthenticationError(421, b"bye"), Verdict.CONNECTION, "unreachable"),
        (Phase.LOGIN, smtplib.SMTPNotSupportedError("AUTH"), SENDER, "authentication"),
        (Phase.LOGIN, smtplib.SMTPServerDisconnected("gone"), Verdict.UNREACHABLE, "unreachable"),
        (Phase.LOGIN, smtplib.SMTPHeloError(550, b"bad name"), SENDER, "rejected"),
    ],
)
def test_what_goes_wrong_before_the_first_mail_is_nobody_s_fault_among_the_recipients(phase, error, verdict, reason):
    outcome = of_connecting(phase, error)
    assert (outcome.verdict, outcome.reason) == (verdict, reason)
    assert outcome.scope in {Scope.SENDER, Scope.CONNECTION}


def test_every_fault_is_a_reason_a_sender_can_be_paused_for():
    assert {fault.value for fault in Fault if fault} < set(SenderState.Reason.values)
