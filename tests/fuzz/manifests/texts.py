"""Texts for the comparison with agents' parser: near YAML, near manifests, and about what readers disagree on."""

from collections.abc import Iterator
from random import Random
from typing import Final

_NUMBERS: Final = [
    "0", "-0", "+1", "1", "01", "007", "0644", "1.0", "1.20", "1.2", "1e3", "1E+3", ".5", "5.", "1_000", "0x1", "0X1",
    "0x01", "-0x1", "+0x1", "0o17", "0o8", "-0o7", "0b11", "0b2", "-0b1", "0x", "--1", "+-1", "-+1", "1e400", "-1e400",
    "1e-400", ".inf", "-.INF", "+.Inf", ".nan", ".NaN", "1.", ".", "-", "+", "1:30", "9" * 19, "9" * 20, "9" * 38,
    "9" * 39, "9" * 40, "18446744073709551615", "18446744073709551616", "-9223372036854775808",
    "-9223372036854775809", "340282366920938463463374607431768211455", "340282366920938463463374607431768211456",
    "-170141183460469231731687303715884105728", "-170141183460469231731687303715884105729", "0x" + "f" * 16,
    "0x" + "f" * 17, "0x" + "f" * 32, "0x" + "f" * 33, "0x" + "0" * 40 + "1", "0b" + "1" * 65, "0o" + "7" * 30,
    "-0x8000000000000000", "-0x8000000000000001", "00000000000000000000001", "1" + "0" * 30 + ".0", "-" + "9" * 25,
]  # fmt: skip
_WORDS: Final = [
    "a", "b", "yes", "no", "on", "Off", "y", "N", "true", "True", "FALSE", "false", "null", "Null", "~", "''", '""',
    "'1'", '"1"', '"true"', "<<", "=", "2001-01-01", "2001-01-01T00:00:00Z", "'null'", "a b", "é", "x: y", "- z",
    "infinity", "nan", "inf", "|", ">", "|-\n    text\n", '"\\u00e9"', '"\\x41"', "'it''s'", "@a", "`a`", "%a", "#a",
    "a#b", "a: ", "a:b", "&a", "*a", "!", "!a", "?", ":", ",", "{{ a }}", "{% if a %}",
]  # fmt: skip
_TAGS: Final = [
    "!!int", "!!float", "!!bool", "!!null", "!!str", "!!binary", "!!timestamp", "!!map", "!!seq", "!!set", "!!omap",
    "!", "!a", "!b", "!a!b", "!<tag:yaml.org,2002:int>", "!<!a>", "!<!!a>", "!<tag:example.com,2000:a>",
]  # fmt: skip
_MANIFEST: Final = """\
apiVersion: v1
kind: ConfigMap
metadata:
  name: shop
  namespace: default
  labels: {app: shop, tier: "1"}
  annotations:
    example.com/note: text
data:
  a: one
  b: |
    two
---
apiVersion: apps/v1
kind: Deployment
metadata:
  name: shop
  creationTimestamp: null
  finalizers: [example.com/a]
spec:
  replicas: 2
  template:
    metadata: &m
      labels: {app: shop}
    spec:
      containers:
      - name: web
        image: "registry.example.com/shop:1"
        ports: [{containerPort: 8080}]
        resources: &r {limits: {cpu: 500m}}
      - name: side
        resources: *r
"""
_PIECES: Final = [
    "- ", "? ", ": ", "a: ", "b:\n", "\n", "\n  ", "\n    ", "---\n", "...\n", "[", "]", "{", "}", ", ", "&a ", "*a",
    "*b ", "&b ", "# c\n", "|\n", ">-\n", "'", '"', "\t", " ", "\r\n", "%YAML 1.2\n---\n", "%YAML 1.1\n---\n",
    "%TAG ! !x\n---\n",
    "\ufeff", "\x85", "\u2028", "\x7f", "\\", "<<: ", "1: ", "? [a]\n: 1\n", "? {a: 1}\n: 1\n",
]  # fmt: skip


def texts(seed: int) -> Iterator[str]:
    """Without end, the same for the same seed."""
    random = Random(seed)  # noqa: S311  # for tests
    makers = [
        _soup,
        _mutated,
        _valued,
        _valued,
        _keyed,
        _anchored,
        _object,
        _stream,
        _block,
        _quoted,
        _long_key,
    ]
    while True:
        yield random.choice(makers)(random)


def _scalar(random: Random) -> str:
    text = random.choice(_NUMBERS if random.random() < 0.5 else _WORDS)
    return f"{random.choice(_TAGS)} {text}" if random.random() < 0.15 else text


def _value(random: Random, depth: int = 0) -> str:
    """A value in flow style."""
    choice = random.random()
    if depth > 3 or choice < 0.6:
        return (
            random.choice(["a", "b", "1", "0x1", "1.2", "1.20", "null", "'a'", "true"])
            if depth
            else _scalar(random)
        )
    parts = random.randrange(3)
    tag = f"{random.choice(_TAGS)} " if random.random() < 0.1 else ""
    if choice < 0.8:
        return f"{tag}[{', '.join(_value(random, depth + 1) for _ in range(parts))}]"
    return (
        tag
        + "{"
        + ", ".join(f"{_value(random, depth + 1)}: {_value(random, depth + 1)}" for _ in range(parts))
        + "}"
    )


def _soup(random: Random) -> str:
    pool = _PIECES + _WORDS + _TAGS
    return "".join(
        random.choice(pool) + random.choice(["", " ", "\n"]) for _ in range(random.randrange(1, 14))
    )


def _mutated(random: Random) -> str:
    text = _MANIFEST
    for _ in range(random.randrange(1, 4)):
        at = random.randrange(len(text))
        cut = random.randrange(4)
        text = text[:at] + random.choice([*_PIECES, *_NUMBERS, *_WORDS, ""]) + text[at + cut :]
    return text


def _valued(random: Random) -> str:
    lines = _MANIFEST.splitlines()
    places = [number for number, line in enumerate(lines) if ": " in line]
    for number in random.sample(places, random.randrange(1, 3)):
        name = lines[number].partition(": ")[0]
        lines[number] = f"{name}: {_scalar(random) if random.random() < 0.7 else _value(random)}"
    return "\n".join(lines) + "\n"


def _keyed(random: Random) -> str:
    return "".join(f"? {_value(random, random.randrange(2))}\n: {n}\n" for n in range(random.randrange(1, 5)))


def _anchored(random: Random) -> str:
    names = ["a", "b", "c"]
    parts = []
    for _ in range(random.randrange(2, 7)):
        name = names.pop(0) if names and random.random() < 0.9 else random.choice("abc")
        parts.append(
            f"&{name} {_value(random, 1)}"
            if random.random() < 0.5
            else random.choice([f"*{name}", f"{{*{name} : 1}}"])
        )
    return "".join(f"- {part}\n" for part in parts)


def _object(random: Random) -> str:
    fields = ["apiVersion: v1", f"kind: {random.choice(['ConfigMap', 'Secret', 'Foo', 'List', '1', ''])}"]
    metadata = [f"{name}: {_value(random)}" for name in random.sample(_METADATA, random.randrange(4))]
    fields.append(f"metadata: {{{', '.join(['name: a', *metadata])}}}")
    fields += [
        f"{name}: {_value(random)}" for name in random.sample(["data", "spec", "x", "1"], random.randrange(3))
    ]
    if random.random() < 0.2:
        fields.pop(random.randrange(len(fields)))
    return "\n".join(fields) + "\n"


def _stream(random: Random) -> str:
    """Documents with all that may be between them, empty ones too."""
    parts = [random.choice(_DOCUMENTS) + random.choice(_BETWEEN) for _ in range(random.randrange(1, 5))]
    return (
        random.choice(["", "\ufeff", "\n", "#c\n"])
        + "".join(parts)
        + random.choice(["", _NAMED, f"{_NAMED}..."])
    )


def _block(random: Random) -> str:
    """A value in block style."""
    head = (
        random.choice("|>")
        + random.choice(["", "1", "2", "9", "0"])
        + random.choice(["", "+", "-", " #c", "\t"])
    )
    lines = [
        random.choice(["", " ", "  ", "   ", "\t", " \t"])
        + random.choice(["a", "", "# x", "---", "...", "- a", "é"])
        for _ in range(random.randrange(5))
    ]
    before = random.choice(["data:\n  k: ", "x: ", "- ", "? ", "x: !!str &a "])
    return f"{_NAMED}{before}{head}\n" + "\n".join(lines) + random.choice(["\n", "", "\n\n"])


def _quoted(random: Random) -> str:
    """A value or a key in quotes, with escapes."""
    quote = random.choice("'\"")
    said = "".join(random.choice(_ESCAPES) for _ in range(random.randrange(6)))
    after = random.choice(["\n", ": 1\n", " #c\n", "#c\n", " x\n", "\n:\n"])
    return f"{_NAMED}{random.choice(['x: ', '? ', '- ', ''])}{quote}{said}{quote}{after}"


def _long_key(random: Random) -> str:
    """A key about as long as keys may be, in characters or in bytes."""
    letter = random.choice(["a", "é", "語", "😀"])
    word = letter * (random.randrange(1_016, 1_032) // random.choice([1, len(letter.encode())]))
    key = random.choice([word, f"'{word[:-2]}'", f"{{{word}: 1}}", f"[{word}]", f"&a {word}"])
    before = random.choice(["", "? ", "x: {", "- ", "x:\n  "])
    return f"{_NAMED}{before}{key}{random.choice([': 1', ':', '  : 1', ': 1}'])}\n"


_NAMED: Final = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\n"
_DOCUMENTS: Final = [
    _NAMED, "# c\n", "", "null\n", "--- # c\n", "...\n", "---\n...\n", "a: 1\n", "'x'\n", "!!null ''\n", "\t\n",
    "%YAML 1.2\n---\n", "%YAML 1.3\n---\n", "%FOO bar\n---\n", "--- |\n x\n", "---\ta: 1\n", "... x\n", "---x: 1\n",
]  # fmt: skip
_BETWEEN: Final = [
    "", "---\n", "...\n", "---\r\n", "---\t\n", "... #c\n", "\ufeff", "\ufeff---\n", "---\n---\n", "...\n...\n",
]  # fmt: skip
_ESCAPES: Final = [
    "a", " ", "#", ": ", "\n", "\n\n  ", "\n---\n", "\t", "é", "\x85", "\u2028", "\ufeff", "'", "''", "\"", "\\n",
    "\\x41", "\\x", "\\u0041", "\\ud800", "\\ud83d\\ude00", "\\U0001F600", "\\U00110000", "\\/", "\\ ", "\\\n",
    "\\_", "\\N", "\\0", "\\q", "\\\\",
]  # fmt: skip
_METADATA: Final = [
    "name", "namespace", "labels", "annotations", "generateName", "creationTimestamp", "deletionTimestamp",
    "generation", "finalizers", "ownerReferences", "managedFields", "uid", "resourceVersion", "selfLink",
    "deletionGracePeriodSeconds", "other",
]  # fmt: skip
