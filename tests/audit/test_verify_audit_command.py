"""manage.py verify_audit, audit_restored and erase_audit."""

import pytest

from audit.models import AuditKey, AuditLog, AuditSeal
from audit.services import seal_new_entries
from tests.support.commands import manage, refused_command
from tests.support.sealed_log import ADDRESS, PERSON, make_sealed_log, seal_entries

pytestmark = pytest.mark.django_db


def test_it_says_that_all_seals_hold():
    newest = make_sealed_log(2, 2)[-1]
    outcome = manage("verify_audit", "--expect", newest.hash)
    assert outcome.code == 0
    assert outcome.out.strip() == (
        f"All 2 seals hold, with 4 entries, 0 of them erased. The newest has the hash {newest.hash}."
    )
    assert manage("verify_audit", "--json").json["head"] == newest.hash


def test_it_names_the_seal_that_does_not_hold():
    make_sealed_log(2, 2)
    AuditLog.objects.filter(seal=1)[0].delete()
    refused_command(manage("verify_audit"), 1, "Seal 1: missing.", "2 entries were sealed, and there are 1")


@pytest.mark.parametrize("option", ["--expect", "--trust"])
def test_what_can_be_no_hash_and_no_key_is_wrong_usage_and_no_alarm(option):
    newest = make_sealed_log(1, 1)[-1]
    refused_command(manage("verify_audit", option, newest.hash[:-1]), 2, "64 hex digits")
    assert manage("verify_audit", "--expect", newest.hash.upper()).code == 0


def test_an_empty_log_has_nothing_to_verify():
    assert manage("verify_audit").out.strip() == "There is no seal yet."


def test_a_key_is_trusted_that_is_named():
    make_sealed_log(1, 1)
    refused_command(manage("verify_audit", "--trust", "0" * 64), 1, "Seal 1: changed.")
    assert manage("verify_audit", "--trust", AuditKey.objects.get().public_key).code == 0


def test_after_a_restore_a_new_chain_names_the_lost_head():
    make_sealed_log(1, 1)
    lost = "ab" * 32
    outcome = manage("audit_restored", "--lost-head", lost, "--reason", "the disk died", "--json")
    assert (outcome.json["seal"], outcome.json["chain"]) == (2, 2)
    seal_entries(1)
    assert manage("verify_audit", "--expect", lost).code == 0
    row = AuditLog.objects.get(action="audit.restored")
    assert (row.reason, row.details["lost_head"]) == ("the disk died", lost)
    assert AuditSeal.objects.get(number=3).chain == 2


@pytest.mark.parametrize("reason", ["", " \n", "x" * 501])
@pytest.mark.parametrize(
    "command",
    [
        ["audit_restored", "--lost-head", "ab" * 32],
        ["erase_audit", "--sequence", "1", "--part", "author"],
        ["pause_rollouts"],
    ],
    ids=lambda command: command[0],
)
def test_a_reason_that_says_nothing_or_too_much_is_wrong_usage(command, reason):
    refused_command(manage(*command, "--reason", reason), 2, "say why, in 1 to 500 characters")


def test_a_lost_head_is_a_hash():
    refused_command(manage("audit_restored", "--lost-head", "none", "--reason", "x"), 1, "64 hex digits")


def test_a_lost_key_is_replaced_after_a_restore(settings, now):
    make_sealed_log(1, 1)
    settings.AUDIT_SIGNING_KEYS = [b"3" * 32]
    assert manage("audit_restored", "--lost-head", "ab" * 32, "--reason", "the key is lost").code == 0
    assert seal_new_entries(now=now) == 1
    assert manage("verify_audit").code == 0


@pytest.mark.parametrize(
    ("part", "gone"),
    [("author", (PERSON, ADDRESS, "curl/8")), ("content", ("because", "old 0", "new 0", "ø"))],
)
def test_what_is_erased_is_gone_with_its_salt_and_the_seals_hold(part, gone):
    make_sealed_log(2, 2)
    chosen = AuditLog.objects.filter(seal__isnull=False)
    outcome = manage("erase_audit", "--actor", PERSON, "--part", part, "--reason", "she asked")
    assert outcome.out.strip() == "Erased: 4 entries."
    for row in chosen:
        assert [word for word in gone if word in str(vars(row))] == []
        assert getattr(row, f"{part}_salt") is None
    assert "4 of them erased" in manage("verify_audit").out
    audited = AuditLog.objects.get(action="audit.erased")
    assert (audited.reason, audited.details["entries"]) == ("she asked", 4)


def test_an_erased_value_that_is_filled_in_again_does_not_hold():
    make_sealed_log(1, 2)
    row = AuditLog.objects.filter(seal=1)[0]
    manage("erase_audit", "--sequence", str(row.sequence), "--part", "author", "--reason", "x")
    AuditLog.objects.filter(pk=row.pk).update(erased=None, actor_label=PERSON)
    refused_command(manage("verify_audit"), 1, "Seal 1: changed.")


def test_what_the_log_says_of_itself_is_not_erased():
    make_sealed_log(1, 1)
    manage("erase_audit", "--actor", PERSON, "--part", "content", "--reason", "x")
    label = AuditLog.objects.get(action="audit.erased").actor_label
    outcome = manage("erase_audit", "--actor", label, "--part", "author", "--reason", "y")
    assert outcome.out.strip() == "Erased: 0 entries."
