"""What a migration must not do to a table that is in use, by the statements that it sends to PostgreSQL.

While the previous release runs on, a statement must not keep requests waiting for long, nor take away what that release
uses. The rules see what Django's operations send; statements inside RunPython they do not see.
"""

import re
from collections.abc import Collection, Iterable, Iterator

# By what a statement begins with: the trouble, and what relieves of it.
_RULES = [
    (r'CREATE (?:UNIQUE )?INDEX (?!CONCURRENTLY)\S+ ON "(\w+)"', "builds an index while nobody can write"),
    (r'ALTER TABLE "(\w+)" ALTER COLUMN \S+ TYPE ', "writes the whole table anew while nobody can use it"),
    (r'ALTER TABLE "(\w+)" ALTER COLUMN \S+ SET NOT NULL', "reads the whole table while nobody can use it"),
    (r'ALTER TABLE "(\w+)" ADD CONSTRAINT (?!.* NOT VALID)', "reads the whole table while nobody can write"),
    (
        r'ALTER TABLE "(\w+)" ADD COLUMN (?=.* (?:UNIQUE|PRIMARY KEY))',
        "builds an index while nobody can use the table",
    ),
    (r'ALTER TABLE "(\w+)" ADD COLUMN (?=.* NOT NULL)(?!.* DEFAULT )', "fails on rows that are there"),
    (r'ALTER TABLE "(\w+)" ALTER COLUMN \S+ DROP DEFAULT', "leaves the previous release unable to insert"),
    (r'ALTER TABLE "(\w+)" (?:DROP COLUMN|RENAME)', "takes away what the previous release uses"),
    (r'DROP TABLE "(\w+)"', "takes away what the previous release uses"),
]
_RULES_COMPILED = [(re.compile(pattern), trouble) for pattern, trouble in _RULES]
_CHANGED = re.compile(r'(?:CREATE (?:UNIQUE )?INDEX .*? ON|ALTER TABLE|DROP TABLE|REFERENCES) "(\w+)"')


def troubles(
    statements: Iterable[str], *, in_use: Collection[str], locked_first: Collection[str]
) -> Iterator[str]:
    """What is wrong with the statements of one migration, as sentences about tables.

    `in_use` are the tables of the previous release; `locked_first` those that the migration locks before all else.
    """
    changed: set[str] = set()
    for statement in statements:
        changed |= {table for table in _CHANGED.findall(statement) if table in in_use}
        for pattern, trouble in _RULES_COMPILED:
            found = pattern.match(statement)
            if found and found[1] in in_use:
                yield f"{found[1]}: {trouble}: {statement}"
    if len(changed) > 1 and (missing := sorted(changed - set(locked_first))):
        yield f"{', '.join(missing)}: locked one after the other; begin with LockTables"
