"""Reading the marks of writes: what an answer rests on, named by a few numbers.

Read before and after the statements of an answer, equal marks say that no write to these tables was committed
in between: all the statements saw one state, and whoever finds the same marks again finds the same state.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final

from django.db import connection

Marks = Mapping[str, int]

#: Tables whose marks name the language model written to; all others have marks of the table alone.
_READ: Final = """
SELECT kind, bit_xor(value) FROM catalog_factmark
WHERE kind = ANY(%(kinds)s) AND {subjects}
GROUP BY kind
"""
_ALL: Final = _READ.format(subjects="true")
# A name that is no slug may stand for any model.
_OF_MODELS: Final = _READ.format(
    subjects="""(
        subject = 0
        OR subject = ANY(ARRAY(SELECT id FROM catalog_languagemodel WHERE slug = ANY(%(models)s)))
        OR (SELECT count(*) FROM catalog_languagemodel WHERE slug = ANY(%(models)s)) <> %(count)s
    )"""
)


def read_marks(kinds: Collection[str], models: Sequence[str] = ()) -> Marks:
    """The mark of each table that has been written to: one statement.

    `models` narrows the tables that are marked by language model to these slugs; a model that comes by
    another slug is a write to the models' table, which is to be among the kinds.
    """
    wanted = sorted(set(models))
    parameters: dict[str, Any] = {"kinds": list(kinds), "models": wanted, "count": len(wanted)}
    with connection.cursor() as cursor:
        cursor.execute(_OF_MODELS if wanted else _ALL, parameters)
        return dict(cursor.fetchall())
