from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured

from brokkr_site.env import env_bool, env_choice, env_folder, env_int, env_list, env_secret, env_str


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
