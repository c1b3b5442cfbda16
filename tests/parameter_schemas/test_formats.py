import pytest

from tests.parameter_schemas.checking import DRAFT_4, DRAFT_6, DRAFT_7, DRAFT_2019, DRAFT_2020, violations_of


@pytest.mark.parametrize(
    ("name", "good", "bad"),
    [
        ("date", "2024-02-29", "2023-02-29"),
        ("date-time", "2024-02-29T10:00:00.5+01:00", "2024-02-29 10:00"),
        ("time", "10:00:00Z", "10:00:00"),
        ("email", "a.b+c@example.com", "a@"),
        ("idn-email", "ä@bücher.example", "ä"),
        ("hostname", "a-b.example", "-a.example"),
        ("idn-hostname", "bücher.example", "-ä-"),
        ("ipv4", "10.0.0.1", "10.0.0.256"),
        ("ipv6", "2001:db8::1", "2001:db8:::1"),
        ("uri", "http://[::1]:80/a?b#c", "/a"),
        ("uri-reference", "../a", "a\\b"),
        ("iri", "http://bücher.example/ä", "ä b"),
        ("uri-template", "/a/{b}", "/a/{b"),
        ("json-pointer", "/a/~0~1", "a"),
        ("relative-json-pointer", "1/a", "/a"),
        ("regex", "^\\d+(?:a|b)$", "("),
    ],
)
def test_formats_are_asserted(name, good, bad):
    assert violations_of({"format": name}, good) == []
    assert len(violations_of({"format": name}, bad)) == 1


@pytest.mark.parametrize(
    "authority",
    ["a:b", "a:8 0", "a:1:2", "[::1]a", "[::1", "a]", "::1", "a b@c", "ä@c", "a@b@c", "%zz@c", "%zz"],
)
@pytest.mark.parametrize("end", ["", "/d", "?d", "#d"])
def test_what_follows_two_slashes_is_a_user_a_host_and_a_port(authority, end):
    assert len(violations_of({"format": "uri"}, f"http://{authority}{end}")) == 1
    assert len(violations_of({"format": "uri-reference"}, f"//{authority}{end}")) == 1


@pytest.mark.parametrize(
    "uri",
    [
        "http://a:b@c:80/d:e@f//g",
        "http://a:/",
        "file:///a",
        "mailto:a@b",
        "urn:a:b",
        "a:/b",
        "//a",
        "http://[::1]?a:b",
    ],
)
def test_uris_may_have_colons_and_slashes_elsewhere(uri):
    assert violations_of({"format": "uri-reference"}, uri) == []


@pytest.mark.parametrize("template", ["{a,b.c}", "{?a:3,b*}", "{%20a}", "a%20{+b}", "{=a}", "ä"])
def test_expressions_of_uri_templates_name_variables(template):
    assert violations_of({"format": "uri-template"}, template) == []


@pytest.mark.parametrize(
    "template", ["{%zz}", "{a,}", "{,}", "{a..b}", "{.}", "{a:0}", "{a:12345}", "{a**}", "%zz", "{*}"]
)
def test_and_nothing_else(template):
    assert len(violations_of({"format": "uri-template"}, template)) == 1


def test_formats_are_asserted_in_the_drafts_that_have_them():
    schema = {"format": "uuid"}
    assert violations_of(schema, "x") == []
    assert len(violations_of({**schema, "$schema": DRAFT_2019}, "x")) == 1


def test_unknown_formats_are_ignored():
    assert violations_of({"format": "colour"}, "x") == []


@pytest.mark.parametrize("draft", [DRAFT_4, DRAFT_6])
@pytest.mark.parametrize(
    ("name", "bad"), [("date", "2024-13-01"), ("time", "25:00:00Z"), ("regex", "("), ("idn-email", "ä")]
)
def test_four_formats_are_asserted_in_old_drafts_though_newer_than_these(name, bad, draft):
    assert len(violations_of({"$schema": draft, "format": name}, bad)) == 1


@pytest.mark.parametrize("draft", [DRAFT_4, DRAFT_6, DRAFT_7])
@pytest.mark.parametrize("name", ["duration", "uuid"])
def test_the_newest_formats_mean_nothing_in_older_drafts(name, draft):
    assert violations_of({"$schema": draft, "format": name}, "x") == []


@pytest.mark.parametrize("draft", [DRAFT_2019, DRAFT_2020])
@pytest.mark.parametrize(("name", "bad"), [("duration", "1h"), ("uuid", "x")])
def test_the_newest_formats_are_asserted_in_drafts_that_have_them(name, bad, draft):
    assert len(violations_of({"$schema": draft, "format": name}, bad)) == 1


@pytest.mark.parametrize("good", ["23:59:60Z", "22:59:60-01:00", "00:29:60+00:30", "23:59:59.9Z"])
def test_a_leap_second_is_the_last_of_a_day(good):
    assert violations_of({"format": "time"}, good) == []
    assert violations_of({"format": "date-time"}, f"2016-12-31T{good}") == []


@pytest.mark.parametrize("bad", ["00:00:60Z", "23:59:60+01:00", "22:59:60Z", "23:59:61Z"])
def test_a_leap_second_anywhere_else_is_none(bad):
    assert len(violations_of({"format": "time"}, bad)) == 1
    assert len(violations_of({"format": "date-time"}, f"2016-12-31T{bad}")) == 1


def test_there_is_a_year_zero():
    assert violations_of({"format": "date"}, "0000-02-29") == []
    assert len(violations_of({"format": "date"}, "0000-02-30")) == 1


@pytest.mark.parametrize("bad", ["a@", "a b@c.de", "a@b@c", "a@b_c.de"])
def test_addresses_are_those_that_mail_servers_take(bad):
    assert len(violations_of({"format": "email"}, bad)) == 1
