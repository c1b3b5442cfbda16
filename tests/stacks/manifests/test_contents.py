"""The objects of a manifest and the images that they name."""

import json

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from stacks.manifests import read_manifest
from stacks.manifests.images import Image, normalised_image
from tests.support.inventory import POD_SPECS, obj, text_of, with_pods

SHA = "sha256:" + "0a" * 32


def images_in(text: str) -> dict[str, bool]:
    return {
        str(image): guessed for each in read_manifest(text).objects for image, guessed in each.images.items()
    }


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("nginx", "docker.io/library/nginx:latest"),
        ("nginx:1.27", "docker.io/library/nginx:1.27"),
        ("acme/web", "docker.io/acme/web:latest"),
        ("docker.io/nginx", "docker.io/library/nginx:latest"),
        ("index.docker.io/library/nginx:1", "docker.io/library/nginx:1"),
        ("ghcr.io/acme/web:1.2", "ghcr.io/acme/web:1.2"),
        ("localhost/web", "localhost/web:latest"),
        ("localhost:5000/web", "localhost:5000/web:latest"),
        ("registry:5000/a/b/c:2", "registry:5000/a/b/c:2"),
        (f"nginx@{SHA}", f"docker.io/library/nginx@{SHA}"),
        (f"nginx:1@{SHA}", f"docker.io/library/nginx:1@{SHA}"),
        (f"host:1/a@{SHA}", f"host:1/a@{SHA}"),
    ],
)
def test_an_image_has_one_name(written, meant):
    assert str(normalised_image(written)) == meant


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        ":",
        "a b",
        "$(IMAGE)",
        "{{ image }}",
        "nginx:",
        "nginx@",
        "nginx@sha256:12",
        "Nginx/",
        "a//b",
        "-a",
    ],
)
def test_what_is_no_name_of_an_image_is_none(text):
    assert normalised_image(text) is None


_words = st.from_regex(r"\A[a-z0-9]{1,8}(?:[_-][a-z0-9]{1,8}){0,2}\Z")
_hosts = st.sampled_from(["", "ghcr.io/", "localhost/", "registry.example:5000/", "docker.io/"])
_tags = st.from_regex(r"\A(?::[A-Za-z0-9_][A-Za-z0-9_.-]{0,8})?\Z")
_names = st.builds(
    lambda host, path, tag, digest: host + "/".join(path) + tag + digest,
    _hosts,
    st.lists(_words, min_size=1, max_size=3),
    _tags,
    st.sampled_from(["", f"@{SHA}"]),
)


@settings(max_examples=100)
@given(_names)
def test_normalising_keeps_tag_and_digest_and_is_done_once(text):
    image = normalised_image(text)
    assert image is not None
    assert normalised_image(str(image)) == image
    assert image.digest == text.partition("@")[2]
    assert image.tag or image.digest
    assert ":" not in image.repository.rpartition("/")[2]


@settings(max_examples=100)
@given(st.text(max_size=40))
def test_any_text_is_an_image_or_none(text):
    assert isinstance(normalised_image(text), Image | None)


_pods = st.fixed_dictionaries(
    {},
    optional={
        name: st.lists(st.fixed_dictionaries({"name": _words, "image": _names}), max_size=2)
        for name in ("containers", "initContainers", "ephemeralContainers")
    }
    | {
        "volumes": st.lists(
            st.fixed_dictionaries(
                {"name": _words, "image": st.fixed_dictionaries({"reference": _names, "pullPolicy": _words})}
            ),
            max_size=2,
        ),
        # Fields of these names elsewhere are no images.
        "image": _names,
        "other": st.fixed_dictionaries({"image": _names, "reference": _names}),
    },
)


def expected_in(pod) -> set[str]:
    named = [
        each["image"]
        for field in ("containers", "initContainers", "ephemeralContainers")
        for each in pod.get(field, [])
    ]
    named += [each["image"]["reference"] for each in pod.get("volumes", [])]
    return {str(normalised_image(name)) for name in named}


@settings(max_examples=60)
@given(st.sampled_from(sorted(POD_SPECS)), _pods, st.booleans(), st.booleans())
def test_all_images_of_the_pods_of_built_in_kinds_are_found_and_no_others(kind, pod, in_list, as_yaml):
    api_version, name = kind
    each = with_pods(api_version, name, pod)
    if in_list:
        each = {
            "apiVersion": "v1",
            "kind": "List",
            "items": [each, obj("ConfigMap", "c", data={"image": "a"})],
        }
    text = yaml.safe_dump(each) if as_yaml else json.dumps(each)
    assert images_in(text) == dict.fromkeys(expected_in(pod), False)


def test_aliases_count_where_they_repeat():
    text = (
        "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\n"
        "x: &all [{image: &one redis:7}, {image: ghcr.io/a/b}]\n"
        "spec: {template: {spec: {containers: *all, initContainers: [{image: *one}, &two {image: c}],"
        " ephemeralContainers: [*two]}}}\n"
    )
    names = {"docker.io/library/redis:7", "ghcr.io/a/b:latest", "docker.io/library/c:latest"}
    assert set(images_in(text)) == names


def test_containers_of_unknown_kinds_are_guessed_and_of_other_built_in_kinds_are_not():
    spec = {"a": {"containers": [{"image": "nginx"}]}, "image": "redis"}
    assert images_in(text_of(obj("Thing", "t", api_version="example.com/v1", spec=spec))) == {
        "docker.io/library/nginx:latest": True
    }
    assert images_in(text_of(obj("ConfigMap", "c", spec=spec))) == {}
    assert images_in(text_of(obj("Secret", "s", stringData=spec))) == {}


@pytest.mark.parametrize(
    "fields",
    [
        {"items": [obj("Secret", "s", stringData={"containers": [{"image": "hidden"}]})]},
        {"copies": {"containers": [{"image": "hidden"}]}, "secret": {"kind": "Secret"}},
    ],
)
def test_no_image_is_taken_from_an_object_that_holds_a_secret(fields):
    assert images_in(text_of(obj("Thing", "t", api_version="example.com/v1", **fields))) == {}
    assert images_in(text_of(obj("Secret", "t", api_version="example.com/v1", **fields))) == {}


def test_no_image_is_taken_from_an_object_into_which_an_alias_brings_a_secret():
    text = (
        "apiVersion: example.com/v1\nkind: Thing\nmetadata: {name: t}\n"
        "x: {containers: &a [{image: hidden}]}\ny: {kind: &k Secret}\nz: {kind: *k, stringData: {containers: *a}}\n"
    )
    assert images_in(text) == {}


def test_objects_without_a_name_or_with_one_that_no_cluster_takes_are_left_out():
    text = text_of(
        {"apiVersion": "v1", "kind": "Pod", "metadata": {"generateName": "a-"}},
        obj("Pod", "a\0b"),
        obj("Pod", "n" * 300),
        obj("Pod", "kept"),
    )
    assert [each.name for each in read_manifest(text).objects] == ["kept"]


def test_a_digest_is_equal_where_an_object_is_written_alike():
    one, other, third = read_manifest(text_of(obj("Pod", "a"), obj("Pod", "a"), obj("Pod", "b"))).objects
    assert one.digest == other.digest != third.digest
