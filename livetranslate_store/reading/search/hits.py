"""The hits of a block in one table, found in one of two ways.

Where the planner's statistics say that a word is common, the newest texts are walked through until there are
enough hits, within bounds; where it is rare, or the walk found too few, the index of words tells all that
match. Both give the same hits.
"""

from collections.abc import Sequence

from livetranslate_store.reading.search.parts import (
    TRANSCRIPTS,
    TRANSLATIONS,
    Binder,
    Shape,
    Source,
    its_speaker,
    read_by,
)

# A walk reads no more texts than that, about 20 ms, and not where the index finds this few anyway.
WALKED_TEXTS = 20_000
FEW_HITS = 1_000
# So many times the texts that hold a block's hits on average: hits are not spread evenly.
WALK_MARGIN = 3
# Comparing trigrams takes longer than comparing words.
WALKED_ALIKE = 2_000
# The share of a word's trigrams that another one must have. A letter left out, added, changed or swapped in a
# word of six leaves half of them.
ALIKE = 0.5


def hits_in(source: Source, shape: Shape, bind: Binder) -> list[str]:
    """Return the hits in one table: those of the walk if there were enough, those of the index if not."""
    if "end" not in shape.given:
        return [_walk_length(source, shape, bind), _walked(source, shape, bind), _found(source, shape, bind)]
    # A block that has been read before is read again in the same way.
    return [(_walked if source.kind in shape.walked else _found)(source, shape, bind)]


def _walk_length(source: Source, shape: Shape, bind: Binder) -> str:
    """Return how many texts the walk may read; none where the index finds the hits sooner."""
    name = source.table
    if shape.similar:
        # The server has no statistics of mistyped words.
        return f"{name}_walk AS MATERIALIZED (SELECT {WALKED_ALIKE}::bigint AS texts)"
    texts = f"ceil({WALK_MARGIN} * {bind('block', 'int')} * stored / matching)"
    if "session_ids" in shape.given:
        texts = f"{WALKED_TEXTS}"
    return f"""
{name}_walk AS MATERIALIZED (
    SELECT CASE WHEN matching > {FEW_HITS} AND {texts} <= {WALKED_TEXTS} THEN {texts} ELSE 0 END::bigint
               AS texts
    FROM asked, livetranslate.search_estimate('livetranslate.{name}', query)
)"""


def _walked(source: Source, shape: Shape, bind: Binder) -> str:
    name = source.table
    rows = ["entry.session_id = session.id", *_row_filters(source, shape, bind), *_place(shape, bind)]
    sessions = _session_filters(shape, bind)
    texts, enough = "", ""
    if "end" not in shape.given:
        sessions.append(f"(SELECT texts FROM {name}_walk) > 0")
        texts = f"LIMIT (SELECT texts FROM {name}_walk)"
        enough = f"LIMIT {bind('block', 'int')} + 1"
    # Only the meetings are sorted: a nested loop keeps their order and that of the texts in each, so that all
    # steps stop when the last one has enough. OFFSET and LIMIT keep the subqueries what they are.
    return f"""
{name}_walked AS MATERIALIZED (
    SELECT started_at, session_id, id, {_rank(shape, bind)} AS rank
    FROM (
        SELECT session.started_at, session.id AS session_id, entry.*
        FROM (
            SELECT session.id, session.started_at FROM livetranslate.sessions AS session
            WHERE {_all(sessions)} ORDER BY session.started_at DESC, session.id DESC OFFSET 0
        ) AS session
        CROSS JOIN LATERAL (
            SELECT entry.id, entry.search, entry.text, entry.{source.language} AS language
            FROM {_joined(source, shape)}
            WHERE {_all(rows)}
            ORDER BY entry.id DESC LIMIT {WALKED_TEXTS}
        ) AS entry
        {texts}
    ) AS entry
    CROSS JOIN LATERAL (
        SELECT query, rests FROM reading WHERE {read_by("entry.language", shape)} LIMIT 1
    ) AS reading
    WHERE {_may_match(shape, bind)} AND ({_matches(shape, bind)})
    {enough}
)"""


def _found(source: Source, shape: Shape, bind: Binder) -> str:
    name = source.table
    sessions = ["session.id = entry.session_id", *_session_filters(shape, bind)]
    conditions = [_may_match(shape, bind), f"({_matches(shape, bind)}) IS TRUE"]
    conditions += [*_row_filters(source, shape, bind), *_place(shape, bind)]
    if "session_ids" in shape.given:
        conditions.append(f"entry.session_id = ANY ({bind('session_ids', 'uuid[]')})")
    # The end of a block that has been read before bounds it, whatever came into it meanwhile.
    limit = ""
    if "end" not in shape.given:
        block = bind("block", "int")
        conditions.append(f"(SELECT count(*) FROM {name}_walked) <= {block}")
        limit = f"LIMIT {block} + 1"
    return f"""
{name}_found AS MATERIALIZED (
    SELECT started_at, session_id, id, {_rank(shape, bind)} AS rank
    FROM (
        SELECT session.started_at, entry.session_id, entry.id, entry.search, entry.text, reading.query
        FROM {_joined(source, shape)}
        CROSS JOIN LATERAL (
            SELECT session.id, session.started_at FROM livetranslate.sessions AS session
            WHERE {_all(sessions)} OFFSET 0
        ) AS session
        JOIN reading ON {read_by(f"entry.{source.language}", shape)}
        WHERE {_all(conditions)}
        ORDER BY session.started_at DESC, session.id DESC, entry.id DESC {limit}
    ) AS hit
)"""


def _may_match(shape: Shape, bind: Binder) -> str:
    """Return what the index is asked: any of the readings, or how words that are alike begin."""
    beginnings = [_begins(branch, bind) for branch, words in enumerate(shape.similar, 1) if words]
    return f"({' OR '.join(['entry.search @@ (SELECT query FROM asked)', *beginnings])})"


def _begins(branch: int, bind: Binder) -> str:
    return f"entry.search @@ to_tsquery('pg_catalog.simple', {bind(f'beginnings_{branch}', 'text')})"


def _matches(shape: Shape, bind: Binder) -> str:
    """Return whether a text matches as its language reads the query."""
    alike = [
        f"({text} AND (reading.rests[{branch}]::text = '' OR entry.search @@ reading.rests[{branch}]))"
        for branch, text in _alike(shape, bind).items()
    ]
    return " OR ".join(["entry.search @@ reading.query", *alike])


def _alike(shape: Shape, bind: Binder) -> dict[int, str]:
    """Return for each branch whether its words that may be mistyped are all similar to some in the text."""
    return {
        branch: " AND ".join(
            [
                _begins(branch, bind),
                *(
                    f"{_similarity(branch, word, 'entry.text', bind)} >= {ALIKE}"
                    for word in range(1, words + 1)
                ),
            ]
        )
        for branch, words in enumerate(shape.similar, 1)
        if words
    }


def _rank(shape: Shape, bind: Binder) -> str:
    """Return a rank: what matches as it is comes first, then what is most alike."""
    exact = "ts_rank(search, query, 1)::float8"
    if not shape.similar:
        return exact
    branches = [
        ", ".join(_similarity(branch, word, "text", bind) for word in range(1, words + 1))
        for branch, words in enumerate(shape.similar, 1)
        if words
    ]
    alike = ", ".join(f"least({each})" for each in branches)
    return f"CASE WHEN search @@ query THEN 1 + {exact} ELSE greatest({alike})::float8 END"


def _similarity(branch: int, word: int, text: str, bind: Binder) -> str:
    return f"livetranslate.search_similarity({bind(f'similar_{branch}_{word}', 'text')}, {text})"


def _joined(source: Source, shape: Shape) -> str:
    text = f"livetranslate.{source.table} AS entry"
    if source is TRANSLATIONS and (shape.finals_only or "speakers" in shape.given):
        text += (
            " JOIN livetranslate.transcripts AS spoken"
            " ON spoken.session_id = entry.session_id AND spoken.id = entry.transcript_id"
        )
    if "speakers" in shape.given:
        text += f" {its_speaker(_spoken(source))}"
    return text


def _spoken(source: Source) -> str:
    return "entry" if source is TRANSCRIPTS else "spoken"


def _row_filters(source: Source, shape: Shape, bind: Binder) -> list[str]:
    conditions = []
    if "languages" in shape.given:
        conditions.append(f"lower(entry.{source.language}) LIKE ANY ({bind('languages', 'text[]')})")
    if shape.finals_only:
        conditions.append(f"{_spoken(source)}.is_final")
    if "speakers" in shape.given:
        speakers = bind("speakers", "text[]")
        conditions.append(
            f"({_spoken(source)}.speaker_label = ANY ({speakers}) OR speaker.name = ANY ({speakers}))"
        )
    return conditions


def _session_filters(shape: Shape, bind: Binder) -> list[str]:
    conditions = []
    if "session_ids" in shape.given:
        conditions.append(f"session.id = ANY ({bind('session_ids', 'uuid[]')})")
    if "started_from" in shape.given:
        conditions.append(f"session.started_at >= {bind('started_from', 'timestamptz')}")
    if "started_before" in shape.given:
        conditions.append(f"session.started_at < {bind('started_before', 'timestamptz')}")
    # Of the place in a block, what the index of sessions can answer.
    for name, comparison in (("before", "<="), ("end", ">=")):
        if name in shape.given:
            started_at = bind(f"{name}_started_at", "timestamptz")
            session_id = bind(f"{name}_session_id", "uuid")
            conditions.append(f"(session.started_at, session.id) {comparison} ({started_at}, {session_id})")
    return conditions


def _place(shape: Shape, bind: Binder) -> list[str]:
    key = "(session.started_at, session.id, entry.id)"
    return [
        f"{key} {comparison} {bind.key(name)}"
        for name, comparison in (("before", "<"), ("end", ">="))
        if name in shape.given
    ]


def _all(conditions: Sequence[str]) -> str:
    return " AND ".join(conditions)
