"""The check beside agents, kubectl and the API server: where they part, it speaks; where they agree, it does not."""

import json
from pathlib import Path

import pytest

from stacks.manifests import Code, Finding, ManifestError, check_manifest
from tests.fuzz.manifests.readers import CASES, READERS

ANSWERS = json.loads(READERS.read_text())
TABLE = (Path(__file__).parents[3] / "docs" / "reference" / "manifests.md").read_text()
# The readers agree on these, and yet agents do not do what they say.
ABOUT_AGENTS = {Code.NAME_MISSING, Code.METADATA_INVALID, Code.GENERATE_NAME, Code.LIST_NOT_EXPANDED}


def findings(case: str) -> list[Finding] | ManifestError:
    try:
        return check_manifest(CASES[case])
    except ManifestError as error:
        return error


def cells(case: str) -> list[str]:
    """The case's row of the table."""
    (row,) = [line for line in TABLE.splitlines() if line.startswith(f"| {case} |")]
    return [cell.strip() for cell in row.strip("| ").split(" | ")]


def test_each_case_was_asked():
    assert list(ANSWERS) == list(CASES)


def test_what_agents_refuse_or_cannot_load_is_found(subtests):
    for case in CASES:
        with subtests.test(case):
            verdict, _ = ANSWERS[case]["agents"]
            found = findings(case)
            if verdict == "refused":
                assert isinstance(found, ManifestError)
            elif verdict == "unloadable":
                assert isinstance(found, list)
                assert not all(each.is_loadable for each in found)


@pytest.mark.parametrize("case", [case for case in CASES if ANSWERS[case]["agents"][0] == "loaded"])
def test_something_is_said_just_where_kubectl_or_the_server_part_from_agents(case):
    agents, kubectl, server = (ANSWERS[case][reader] for reader in ("agents", "kubectl", "server"))
    parts = (
        kubectl[0] == "refuses"
        or server[0] == "refuses"
        or json.loads(agents[1]) != json.loads(kubectl[1]) | {"metadata": json.loads(agents[1])["metadata"]}
    )
    found = findings(case)
    if isinstance(found, list):
        assert bool([each for each in found if each.code not in ABOUT_AGENTS]) == parts
    else:
        assert parts


def test_the_table_says_what_the_check_does(subtests):
    for case in CASES:
        with subtests.test(case):
            assert cells(case)[-1] == _outcome(findings(case))


def _outcome(found: list[Finding] | ManifestError) -> str:
    if isinstance(found, ManifestError):
        return "refuses"
    if not found:
        return "accepts"
    return ", ".join(f"{'warns' if each.is_loadable else 'strict'}: `{each.code}`" for each in found)


def test_the_table_says_what_the_others_do(subtests):
    for case in CASES:
        with subtests.test(case):
            _assert_table_says_what_the_others_do(case)


def _assert_table_says_what_the_others_do(case: str) -> None:
    _, agents, kubectl, server, _ = cells(case)
    words = {"refused": "refuse", "unloadable": "cannot load", "loaded": "load"}
    assert agents.partition(":")[0] == words[ANSWERS[case]["agents"][0]]
    assert kubectl.partition(":")[0] == ANSWERS[case]["kubectl"][0]
    assert server == ANSWERS[case]["server"][0]
    for cell, reader in ((agents, "agents"), (kubectl, "kubectl")):
        # The value as the reader has it, somewhere in the object.
        value = cell.partition(": `")[2].rstrip("`")
        assert value in json.dumps(json.loads(ANSWERS[case][reader][1])) if value else True
