from tera import engine, template_for


def test_the_same_source_is_compiled_once():
    assert template_for("{{ a }} once") is template_for("{{ a }} once")


def test_the_cache_forgets_what_was_used_longest_ago():
    cache = engine._Cache(size=2)
    first, second = cache.get("1"), cache.get("2")
    assert cache.get("1") is first
    cache.get("3")
    assert cache.get("1") is first
    assert cache.get("2") is not second


def test_a_template_keeps_nothing_from_one_rendering_to_the_next():
    template = template_for(
        "{% set x = 1 %}{{ x }}{% if y is defined %}{{ y }}{% endif %}{% set_global y = 2 %}"
    )
    assert [template.render({}), template.render({})] == ["1", "1"]
