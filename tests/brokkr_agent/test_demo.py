"""The demonstration comes to its end."""

import pytest

from tests.support.demo import running_demo

pytestmark = pytest.mark.kubernetes


def test_the_good_version_reaches_both_clusters_and_the_bad_one_is_undone():
    with running_demo() as demo:
        demo.play()
        assert demo.greetings() == {"hamburg": "hello", "munich": "hello"}
