"""White space control: what `-` in a tag removes from the text beside it.

This is a pass over the finished tree, as in Tera, because its exceptions come from there: the `else` of a
`for` neither trims nor is trimmed, and a text node is only trimmed when it directly precedes the tag.
"""

from tera.nodes import Enclosing, If, Node, Raw, Single, Text, Trim
from tera.values import WHITE_SPACE


def trimmed(nodes: list[Node], around: Trim = Trim()) -> list[Node]:  # noqa: B008  (immutable)
    """Return `nodes` without the white space that their tags remove.

    `around` tells whether the tag before the first node trims to its right, and the one after the last
    node to its left.
    """
    result: list[Node] = []
    after_text = False
    trim_next = around.left
    for node in nodes:
        if isinstance(node, Text):
            text = node.text.lstrip(WHITE_SPACE) if trim_next else node.text
            trim_next = False
            after_text = True
            if text:
                result.append(Text(node.position, text))
            continue
        start, end = _trims(node)
        if start.left and after_text:
            _trim_last(result)
        after_text = False
        if end is not None:
            trim_next = end.right
        result.append(_with_trimmed_bodies(node))
    if around.right:
        _trim_last(result)
    return result


def _trims(node: Node) -> tuple[Trim, Trim | None]:
    """Return the trims of the first and the last tag of `node`; a `super` call leaves the last one open."""
    if isinstance(node, Single):
        return node.trim, node.trim
    if isinstance(node, Raw | Enclosing):
        return node.start, node.end
    if isinstance(node, If):
        return node.branches[0].trim, node.end
    return Trim(), None


def _trim_last(nodes: list[Node]) -> None:
    if nodes and isinstance(last := nodes[-1], Text):
        nodes.pop()
        if text := last.text.rstrip(WHITE_SPACE):
            nodes.append(Text(last.position, text))


def _with_trimmed_bodies(node: Node) -> Node:
    if isinstance(node, Enclosing):
        node.body = trimmed(node.body, Trim(node.start.right, node.end.left))
    elif isinstance(node, If):
        _trim_branches(node)
    elif isinstance(node, Raw):
        if node.start.right:
            node.text = node.text.lstrip(WHITE_SPACE)
        if node.end.left:
            node.text = node.text.rstrip(WHITE_SPACE)
    return node


def _trim_branches(node: If) -> None:
    for number, branch in enumerate(node.branches):
        if branch.trim.left and number > 0:
            _trim_last(node.branches[number - 1].body)
        branch.body = trimmed(branch.body, Trim(left=branch.trim.right))
    if node.end.left:
        _trim_last(node.branches[-1].body)
