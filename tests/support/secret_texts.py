"""Texts with Secrets in every place and spelling that is known, drawn by hypothesis among objects that hide nothing."""

import html
import json
import re
from base64 import b64encode
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

from hypothesis import strategies as st

_COPIES: Final = (
    "kubectl.kubernetes.io/last-applied-configuration",
    "kapp.k14s.io/original",
    "objectset.rio.cattle.io/applied",
    "banzaicloud.com/last-applied",
)
_KINDS: Final = (
    "Secret",
    "'Secret'",
    '"Secret"',
    '"\\x53ecret"',
    "!!str Secret",
    "&kind Secret",
    "Secret # here",
)
_SHAPES: Final = (
    "{}",
    "{}",
    "a: {}",
    "# {}",
    "'{}'",
    '"{}\\',
    "ä {} <&'>",
    "{} {} {}",
    "- {}\n",
    "one\n\n  {}\ntwo\n",
    "{}\n---\n{}",
)
_SEPARATORS: Final = ("---\n", "--- # {}\n", "...\n---\n", "---\n# {}\n")
# What is known of a text whose values are in it.
Draw = Callable[[st.SearchStrategy[Any]], Any]


@dataclass
class Text:
    """A text, the cores of the values in it that are hidden, and the words that are shown."""

    written: str = ""
    hidden: list[str] = field(default_factory=list)
    # Of the hidden ones those that agents read, with what is around them.
    spoken: list[str] = field(default_factory=list)
    shown: list[str] = field(default_factory=list)

    def found_in(self, answer: str) -> set[str]:
        """The hidden values that are in an answer, in whatever spelling."""
        answers = {answer, html.unescape(answer), _unescaped(answer)}
        return {
            core for core in self.hidden for one in answers if any(each in one for each in _spellings(core))
        }

    def spellings_of(self, value: str) -> list[str]:
        """How an agent may say a value."""
        encoded = [b64encode(before + value.encode()).decode() for before in (b"", b"user:", b"a:")]
        return [value, json.dumps(value), json.dumps(value, ensure_ascii=False), *encoded]


def _spellings(core: str) -> list[str]:
    encoded = [b64encode(b"x" * before + core.encode()).decode()[4:-4] for before in range(3)]
    return [core, *encoded]


def _unescaped(text: str) -> str:
    return re.sub(r"\\(?:x(\w{2})|u(\w{4}))", lambda found: chr(int(found[1] or found[2], 16)), text)


class _Writer:
    """Draws a text. Blocks of lines are indented by who uses them."""

    def __init__(self, draw: Draw, text: Text, depth: int) -> None:
        self._draw, self._text, self._depth = draw, text, depth

    def among(self, *choices: Any) -> Any:
        return self._draw(st.sampled_from(choices))

    def maybe(self) -> bool:
        return bool(self._draw(st.booleans()))

    def word(self) -> str:
        """A word that is shown."""
        # A text in a text is hidden as a whole.
        self._text.shown.append(f"{'inn3r' if self._depth else 'sh0wn'}{len(self._text.shown):03}")
        return self._text.shown[-1]

    def core(self) -> str:
        self._text.hidden.append(f"h1dd3n{len(self._text.hidden):03}wq")
        return self._text.hidden[-1]

    def value(self) -> str:
        value = str(self.among(*_SHAPES)).replace("{}", self.core())
        self._text.spoken.append(value)
        return value

    # --- Scalars -------------------------------------------------------------------------------

    def scalar(self, value: str, *, in_flow: bool = False, by: int = 0) -> str:
        """The value in one of YAML's spellings, whose further lines are indented by two more than `by`."""
        styles: list[Callable[[str], str]] = [self._double]
        if "\n" not in value:
            styles.append(self._single)
        if re.fullmatch(r"\w+", value):
            styles.append(str)
        if not in_flow:
            # Folding keeps no lines, and one blank between words.
            styles += [self._literal, *([self._folded] if not re.search(r"\n|  ", value) else [])]
        return _continued(self.among("", "", "", "!!str ", "!mine ") + self.among(*styles)(value), by)

    def _single(self, value: str) -> str:
        return "'" + value.replace("'", "''") + "'"

    def _double(self, value: str) -> str:
        escaped = self.among("", "h", "1d")
        spelled = json.dumps(value, ensure_ascii=self.maybe())
        if "\\u" not in spelled:
            for letter in escaped:
                spelled = spelled.replace(letter, self.among("\\x{:02x}", "\\u{:04x}").format(ord(letter)))
        middle = len(spelled) // 2
        is_split = "\\" not in spelled and spelled[middle : middle + 1].isalnum() and self.maybe()
        return f"{spelled[:middle]}\\\n  {spelled[middle:]}" if is_split else spelled

    def _literal(self, value: str) -> str:
        indicator = "2" if value[0] in " \n" else self.among("", "2")
        ending = "+" if value.endswith("\n") and self.maybe() else "" if value.endswith("\n") else "-"
        comment = f" # {self.word_or_core()}" if self.maybe() else ""
        return f"|{indicator}{ending}{comment}\n" + "".join(
            f"  {line}\n" for line in value.split("\n")
        ).rstrip("\n")

    def _folded(self, value: str) -> str:
        return ">-\n" + "\n".join(f"  {word}" for word in value.split(" "))

    # Set while something is written whose comments are hidden.
    _hides_comments = False

    def word_or_core(self) -> str:
        return self.core() if self._hides_comments else self.word()

    # --- Objects -------------------------------------------------------------------------------

    def secret(self, name: str) -> str:
        kind = self.among(*_KINDS)
        lines = ["apiVersion: v1", f"kind: {kind}"]
        metadata = f"metadata:\n  name: {name}\n  labels: {{a: {self.word()}}}"
        self._hides_comments = True
        if self.maybe():
            metadata += "\n  annotations:\n" + _indented(self._copy(name), 4)
        fields = self._fields()
        if self.maybe():
            fields.insert(0, f"# was: {self.core()}")
        self._hides_comments = False
        order = [*lines, metadata]
        if self.maybe():
            order.insert(0, "immutable: true")
        return "\n".join([*order, *fields, *(["type: Opaque"] if self.maybe() else [])]) + "\n"

    def _fields(self) -> list[str]:
        key = self.among("stringData:", '"stringData":', "? stringData\n:")
        forms: list[Callable[[str], list[str]]] = [self._in_braces, self._shared, self._of_another_shape]
        return list(self.among(self._in_lines, self._in_lines, *forms)(key))

    def _in_lines(self, key: str) -> list[str]:
        return [f"{key}\n{self._pairs()}", f"data:\n{self._encoded()}"]

    def _in_braces(self, key: str) -> list[str]:
        pairs = ", ".join(
            f"k{number}: {self.scalar(self.value(), in_flow=True)}" for number in range(self.among(1, 2))
        )
        return [f"{key} {{{pairs}}}" + (f" # {self.core()}" if self.maybe() else "")]

    def _below(self) -> str:
        """A value of a field that is indented by two."""
        return self.scalar(self.value(), by=2)

    def _flow(self) -> str:
        return self.scalar(self.value(), in_flow=True, by=4)

    def _shared(self, key: str) -> list[str]:
        """With anchors and aliases."""
        return list(
            self.among(
                lambda: [f"{key}\n  a: &v1 {self._below()}\n  b: *v1\n  c: [&v2 {self._flow()}]\n  d: *v2"],
                lambda: [f"x: &v3\n  a: {self._below()}\n  b: {self._flow()}", f"{key} *v3"],
                lambda: [f"x: &v4 {{a: {self._flow()}}}", f"{key}\n  <<: *v4\n  b: {self._below()}"],
            )()
        )

    def _of_another_shape(self, key: str) -> list[str]:
        """As no API server takes it."""
        written: str = self.among(
            lambda: f"{key} {self._flow()}",
            lambda: f"{key}\n- {self._flow()}\n- a: {self._below()}",
            lambda: f"{key}\n  a:\n  - {self._flow()}\n  - [{self._flow()}]",
            lambda: (
                f"{key}\n  a:\n    b: [{self._flow()}]\n    # {self.core()}\n    c: d\n  e: {self._below()}"
            ),
        )()
        return [written]

    def _pairs(self) -> str:
        lines = []
        for number in range(self.among(1, 2, 3)):
            if self.maybe():
                lines.append(f"  # {self.core()}")
            key = self.among(f"k{number}", f'"k{number}"', f"'k {number}'")
            written = self.scalar(self.value(), by=2)
            is_plain = "\n" not in written and "#" not in written
            comment = f" # {self.core()}" if is_plain and self.maybe() else ""
            lines.append(f"  {key}: {written}{comment}")
        return "\n".join(lines)

    def _encoded(self) -> str:
        encoded = b64encode(self.value().encode()).decode()
        half = len(encoded) // 2
        written: str = self.among(
            f"  e: {encoded}",
            f'  e: "{encoded}"',
            f"  e: !!binary {encoded}",
            f"  e: !!binary |\n    {encoded[:half]}\n    {encoded[half:]}",
            f"  e: >-\n    {encoded}",
        )
        return written

    def _copy(self, name: str) -> str:
        if self.among(0, 0, 0, 1):
            return f"openshift.io/token-secret.value: {self.scalar(self.value())}"
        return f"{self.among(*_COPIES)}: {_continued(self.scalar(self._as_json(name)), 2)}"

    def _as_json(self, name: str) -> str:
        written = {
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": {"name": name},
            "stringData": {"a": self.value()},
        }
        return json.dumps(written, ensure_ascii=self.maybe(), indent=self.among(None, None, 2))

    def other(self, name: str) -> str:
        """An object that hides nothing, though it may speak of Secrets."""
        copy = json.dumps({"kind": "ConfigMap", "data": {"a": self.word()}})
        head = f"apiVersion: v1\nkind: ConfigMap # {self.word()}\nmetadata:\n  name: {name}\n"
        fields = self.among(
            f"data:\n  # {self.word()}\n  a: {self.scalar(self.word(), by=2)}\n  kind: Secret\n",
            f"  annotations:\n    {_COPIES[0]}: '{copy}'\n",
            f"data:\n  t: |\n    The Secret of {self.word()} has data.\n",
            f"spec:\n  env:\n  - {{valueFrom: {{secretKeyRef: {{name: {self.word()}, key: data}}}}}}\n",
        )
        sealed = f"apiVersion: a.b/v1\nkind: SealedSecret\nmetadata: {{name: {name}}}\ndata: {{a: {self.word()}}}\n"
        return str(self.among(f"{head}{fields}", sealed))

    def holder(self, name: str) -> str:
        """An object with a text that holds a Secret."""
        field_name, head = self.among("data", "stuff"), f"metadata: {{name: {name}}}\n"
        if self.among(0, 0, 1):
            # In base64, the kind of a Secret is found only where it is written as a word.
            encoded = b64encode(self._as_json("inner").encode()).decode()
            return f"apiVersion: v1\nkind: ConfigMap\n{head}binaryData:\n  s: {encoded}\n  t: {self.word()}\n"
        inner = self.among(self._as_json, self._documents_in)("inner")
        written = _continued(self._quoted(inner), 2)
        return (
            f"apiVersion: v1\nkind: ConfigMap\n{head}{field_name}:\n  s.yaml: {written}\n  t: {self.word()}\n"
        )

    def _quoted(self, text: str) -> str:
        # Single quotes would fold its lines.
        return str(self.among(self._literal_text, json.dumps)(text))

    def _literal_text(self, text: str) -> str:
        return "|\n" + "\n".join(f"  {line}" if line else "" for line in text.rstrip("\n").split("\n"))

    def _documents_in(self, _name: str) -> str:
        # All of it is hidden, also what would be shown elsewhere.
        inner = Text(hidden=self._text.hidden, spoken=self._text.spoken)
        return _Writer(self._draw, inner, self._depth + 1).documents()

    def collection(self, name: str) -> str:
        kind, makers = self.among(("List", (self.secret, self.other)), ("SecretList", (self.secret,)))
        items = [self.among(*makers)(f"{name}-{number}") for number in range(self.among(1, 2))]
        written = "".join(f"- {_continued(item, 2)}\n" for item in items)
        return f"apiVersion: v1\nkind: {kind}\nitems:\n{written}"

    def as_json(self, name: str) -> str:
        return self._as_json(name) + "\n"

    def documents(self) -> str:
        makers = [self.secret, self.secret, self.other, self.collection, self.as_json]
        if self._depth < 2:
            makers.append(self.holder)
        pieces = [self.among(*makers)("o0")]
        for number in range(1, self.among(1, 2, 3)):
            separator = self.among(*_SEPARATORS)
            pieces += [separator.format(self.word()), self.among(*makers)(f"o{number}")]
        return "".join(pieces)


def _indented(text: str, by: int) -> str:
    return "\n".join(f"{' ' * by}{line}" if line else "" for line in text.rstrip("\n").split("\n"))


def _continued(text: str, by: int) -> str:
    return _indented(text, by)[by:]


@st.composite
def texts_with_secrets(draw: Draw) -> Text:
    text = Text()
    text.written = _Writer(draw, text, 0).documents()
    if draw(st.integers(0, 9)) == 0:
        text.written = "\ufeff" + text.written
    if draw(st.integers(0, 9)) == 0:
        text.written = text.written.replace("\n", "\r\n")
    return text


@st.composite
def texts_without_secrets(draw: Draw) -> Text:
    text = Text()
    writer = _Writer(draw, text, 0)
    text.written = "---\n".join(writer.other(f"o{number}") for number in range(draw(st.integers(1, 4))))
    return text
