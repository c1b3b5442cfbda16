from tests.parameter_schemas.fuzz import run


def test_generated_schemas_are_refused_or_check_any_instance():
    outcomes = run(2_000)
    assert outcomes["checked"] > 500
    assert outcomes["refused"] > 50
    assert sum(outcomes.values()) == 2_000
