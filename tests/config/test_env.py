from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured

from config.env import (
    env_bool,
    env_choice,
    env_choices,
    env_folder,
    env_hex_keys,
    env_int,
    env_list,
    env_networks,
    env_ports,
    env_secret,
    env_str,
)


@pytest.mark.parametrize("text", ["1", "true", "TRUE", "yes", "On", " true "])
def test_a_boolean_is_on_in_many_spellings(monkeypatch: pytest.MonkeyPatch, text: str):
    monkeypatch.setenv("BROKKR_TEST", text)

    assert env_bool("BROKKR_TEST", default=False) is True


@pytest.mark.parametrize("text", ["0", "false", "False", "no", "off"])
def test_a_boolean_is_off_in_many_spellings(monkeypatch: pytest.MonkeyPatch, text: str):
    monkeypatch.setenv("BROKKR_TEST", text)

    assert env_bool("BROKKR_TEST", default=True) is False


@pytest.mark.parametrize("text", ["2", "ture", "yes please"])
def test_a_boolean_that_is_none_is_refused_by_name(monkeypatch: pytest.MonkeyPatch, text: str):
    monkeypatch.setenv("BROKKR_TEST", text)

    with pytest.raises(ImproperlyConfigured, match=r"^BROKKR_TEST is .*; it must be true or false.$"):
        env_bool("BROKKR_TEST", default=False)


@pytest.mark.parametrize("text", ["0", "11", "-1", "1.5", "five", "0x5", "\u0665", "9" * 30])
def test_a_number_out_of_range_or_none_is_refused_by_name(monkeypatch: pytest.MonkeyPatch, text: str):
    monkeypatch.setenv("BROKKR_TEST", text)

    with pytest.raises(
        ImproperlyConfigured, match=r"^BROKKR_TEST is .*; it must be a whole number from 1 to 10.$"
    ):
        env_int("BROKKR_TEST", 5, minimum=1, maximum=10)


@pytest.mark.parametrize("text", ["1", "10"])
def test_a_number_may_be_at_either_end_of_its_range(monkeypatch: pytest.MonkeyPatch, text: str):
    monkeypatch.setenv("BROKKR_TEST", text)

    assert env_int("BROKKR_TEST", 5, minimum=1, maximum=10) == int(text)


def test_a_choice_is_compared_without_regard_to_case(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("BROKKR_TEST", "JSON")

    assert env_choice("BROKKR_TEST", "text", {"text", "json"}) == "json"


def test_a_choice_that_is_none_is_refused_with_the_choices(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("BROKKR_TEST", "xml")

    with pytest.raises(ImproperlyConfigured, match=r"^BROKKR_TEST is 'xml'; it must be one of json, text.$"):
        env_choice("BROKKR_TEST", "text", {"text", "json"})


@pytest.mark.parametrize("text", ["", "  "])
def test_blank_means_the_default(monkeypatch: pytest.MonkeyPatch, text: str):
    monkeypatch.setenv("BROKKR_TEST", text)

    assert env_str("BROKKR_TEST", "default") == "default"
    assert env_int("BROKKR_TEST", 5, minimum=1) == 5
    assert env_bool("BROKKR_TEST", default=True) is True
    assert env_choice("BROKKR_TEST", "text", {"text", "json"}) == "text"
    assert env_list("BROKKR_TEST", "a,b") == ["a", "b"]


def test_a_list_is_split_at_commas_and_drops_blanks(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("BROKKR_TEST", "a, b,,c ,")

    assert env_list("BROKKR_TEST") == ["a", "b", "c"]


def test_a_secret_is_read_from_the_file_that_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    (tmp_path / "secret").write_text("swordfish\n")
    monkeypatch.setenv("BROKKR_TEST_FILE", str(tmp_path / "secret"))

    assert env_secret("BROKKR_TEST") == "swordfish"


def test_a_secret_file_that_cannot_be_read_is_refused_by_name(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    monkeypatch.setenv("BROKKR_TEST_FILE", str(tmp_path / "absent"))

    with pytest.raises(ImproperlyConfigured, match=r"^BROKKR_TEST_FILE names .*absent, which cannot be read"):
        env_secret("BROKKR_TEST")


def test_a_secret_given_twice_is_refused_without_being_shown(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.setenv("BROKKR_TEST", "swordfish")
    monkeypatch.setenv("BROKKR_TEST_FILE", str(tmp_path / "secret"))

    with pytest.raises(ImproperlyConfigured) as refusal:
        env_secret("BROKKR_TEST")

    assert str(refusal.value) == "BROKKR_TEST and BROKKR_TEST_FILE are both set; set only one of them."


def test_a_folder_is_made_for_its_owner_alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.setenv("BROKKR_TEST", str(tmp_path / "new" / "data"))

    folder = env_folder("BROKKR_TEST", tmp_path)

    assert folder == tmp_path / "new" / "data"
    assert folder.stat().st_mode & 0o777 == 0o700


def test_a_folder_that_cannot_be_made_is_refused_by_name(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    (tmp_path / "file").touch()
    monkeypatch.setenv("BROKKR_TEST", str(tmp_path / "file" / "data"))

    with pytest.raises(ImproperlyConfigured, match=r"^BROKKR_TEST names .*data, which cannot be made"):
        env_folder("BROKKR_TEST", tmp_path)


@pytest.mark.parametrize("text", ["https", "HTTPS , http", "http,https"])
def test_choices_are_some_of_those_there_are(monkeypatch: pytest.MonkeyPatch, text: str):
    monkeypatch.setenv("BROKKR_TEST", text)

    chosen = env_choices("BROKKR_TEST", "http", {"http", "https"})

    assert chosen == {choice.strip().lower() for choice in text.split(",")}


@pytest.mark.parametrize("text", ["ftp", "http,ftp", ","])
def test_choices_of_something_else_or_nothing_are_refused_by_name(monkeypatch: pytest.MonkeyPatch, text: str):
    monkeypatch.setenv("BROKKR_TEST", text)

    with pytest.raises(ImproperlyConfigured, match=r"^BROKKR_TEST is .*; it must name some of http, https.$"):
        env_choices("BROKKR_TEST", "http", {"http", "https"})


@pytest.mark.parametrize(("text", "ports"), [("443", {443}), ("1, 65535,1", {1, 65535}), ("*", None)])
def test_ports_are_numbers_or_all(monkeypatch: pytest.MonkeyPatch, text: str, ports: object):
    monkeypatch.setenv("BROKKR_TEST", text)

    assert env_ports("BROKKR_TEST", "80") == ports


@pytest.mark.parametrize("text", ["0", "65536", "http", "80,*", "-1", "80-90", ","])
def test_what_is_no_port_is_refused_by_name(monkeypatch: pytest.MonkeyPatch, text: str):
    monkeypatch.setenv("BROKKR_TEST", text)

    with pytest.raises(ImproperlyConfigured, match=r"^BROKKR_TEST is .*; it must be ports from 1 to 65535"):
        env_ports("BROKKR_TEST", "80")


def test_networks_are_of_both_families_or_single_addresses(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("BROKKR_TEST", "10.0.0.0/8, fd00::/8,127.0.0.1")

    assert [str(network) for network in env_networks("BROKKR_TEST")] == [
        "10.0.0.0/8",
        "fd00::/8",
        "127.0.0.1/32",
    ]


@pytest.mark.parametrize("text", ["10.0.0.1/8", "localhost", "10.0.0.0/33"])
def test_what_is_no_network_is_refused_by_name(monkeypatch: pytest.MonkeyPatch, text: str):
    monkeypatch.setenv("BROKKR_TEST", text)

    with pytest.raises(ImproperlyConfigured, match=r"^BROKKR_TEST does not name networks: "):
        env_networks("BROKKR_TEST")


def test_hex_keys_come_from_the_variable_a_file_or_else_the_default(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    assert env_hex_keys("BROKKR_TEST") == []
    assert env_hex_keys("BROKKR_TEST", default="0f" * 32) == [b"\x0f" * 32]
    (tmp_path / "keys").write_text(f"{'AA' * 32}\n")
    monkeypatch.setenv("BROKKR_TEST_FILE", str(tmp_path / "keys"))
    assert env_hex_keys("BROKKR_TEST", default="0f" * 32) == [b"\xaa" * 32]
    monkeypatch.delenv("BROKKR_TEST_FILE")
    monkeypatch.setenv("BROKKR_TEST", f"{'01' * 32} , {'02' * 32}")
    assert env_hex_keys("BROKKR_TEST") == [b"\x01" * 32, b"\x02" * 32]


@pytest.mark.parametrize("text", ["abc", "0" * 63, "g" * 64, f"{'0' * 64};{'1' * 64}"])
def test_what_is_no_hex_key_is_refused_by_name_and_not_shown(monkeypatch: pytest.MonkeyPatch, text: str):
    monkeypatch.setenv("BROKKR_TEST", text)

    with pytest.raises(ImproperlyConfigured, match=r"^BROKKR_TEST must be 64 hex digits") as refusal:
        env_hex_keys("BROKKR_TEST")
    assert text not in str(refusal.value)
