"""One rule about variants of a language, in Python and in SQL."""

from itertools import product

from sqlalchemy import Text, bindparam, select

from livetranslate_store import Store
from livetranslate_store.database.statement import Statement
from livetranslate_store.reading.filters import is_variant as is_variant_in_sql
from livetranslate_store.reading.filters import variant_pattern
from livetranslate_store.values import is_variant

TAGS = ["en", "EN", "enm", "en-GB", "EN-gb", "zh", "zh-Hans", "zh-Hans-CN"]


async def test_sql_and_python_agree_about_every_pair_of_tags(store: Store) -> None:
    rule = select(is_variant_in_sql(bindparam("tag", type_=Text), bindparam("pattern", type_=Text)))
    statement = Statement.compiled("variants", rule)
    for tag, language in product(TAGS, TAGS):
        bound = statement.bind({"tag": tag, "pattern": variant_pattern(language)})
        [row] = await store._database.fetch(bound)
        assert row[0] is is_variant(tag, language), (tag, language)
