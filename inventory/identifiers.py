"""Ids that follow from what they identify, so that rows can refer to a dictionary without asking it. Pure."""

from hashlib import blake2b
from uuid import UUID

from stacks.manifests import ManifestObject
from stacks.manifests.images import Image
from stacks.manifests.kinds import compared_namespace


def resource_id(obj: ManifestObject) -> UUID:
    return _id("resource", obj.group, obj.version, obj.kind, obj.namespace, obj.name)


def object_key(obj: ManifestObject) -> UUID:
    """Equal for what is one object in a cluster: the version of the API makes no difference."""
    namespace = compared_namespace(obj.group, obj.kind, obj.namespace)
    return _id("object", obj.group, obj.kind, namespace, obj.name)


def image_id(image: Image) -> UUID:
    return _id("image", *image)


def _id(*parts: str) -> UUID:
    whole = blake2b(digest_size=16)
    for part in parts:
        encoded = part.encode()
        whole.update(len(encoded).to_bytes(4, "big") + encoded)
    return UUID(bytes=whole.digest())
