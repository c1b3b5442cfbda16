"""What the tests of the check share."""

import pytest

from stacks.manifests import ManifestError, check_manifest


def refusal(text: str, *, allow_blank: bool = False) -> ManifestError:
    with pytest.raises(ManifestError) as caught:
        check_manifest(text, allow_blank=allow_blank)
    return caught.value
