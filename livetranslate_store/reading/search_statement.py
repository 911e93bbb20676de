"""The one statement that answers a search.

Texts are ordered by their meeting, the newest first, and hits are ranked in blocks of that order: ranking all
hits of a common word would read all of them. A block is found in one of two ways. Where the planner's
statistics say that a word is common, the newest texts are walked through until there are enough hits, within
bounds; where it is rare, or the walk found too few, the index of words tells all that match. Both give the
same hits.

Every text is tried with the query as its own language reads it. The index is asked for any of these readings.
"""

from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

from livetranslate_store.database.compiling import CompiledStatement
from livetranslate_store.values import EntryKind

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


class Shape(NamedTuple):
    """What the text of a statement depends on.

    `similar` has the number of words that may be mistyped for each branch; `walked` the kinds whose hits were
    found by walking when the block was read first.
    """

    given: frozenset[str]
    kinds: frozenset[EntryKind]
    finals_only: bool
    one_reading: bool
    similar: tuple[int, ...]
    walked: frozenset[EntryKind]


class _Source(NamedTuple):
    table: str
    kind: EntryKind
    language: str


_TRANSCRIPTS = _Source("transcripts", "transcript", "language")
_TRANSLATIONS = _Source("translations", "translation", "target_language")


@lru_cache(maxsize=256)
def search_statement(shape: Shape) -> CompiledStatement:
    """Return the text, with the names of its parameters in the order of their numbers."""
    sources = [each for each in (_TRANSCRIPTS, _TRANSLATIONS) if each.kind in shape.kinds]
    binder = _Binder()
    parts = [_readings(binder)]
    for source in sources:
        parts += _hits(source, shape, binder)
    parts.append(_block(sources, shape, binder))
    text = f"WITH {', '.join(parts)}\n{_page(sources, shape, binder)}"
    return CompiledStatement(text, tuple(binder.names))


class _Binder:
    """Numbers the parameters in the order in which they first appear."""

    def __init__(self) -> None:
        self.names: list[str] = []

    def __call__(self, name: str, kind: str) -> str:
        if name not in self.names:
            self.names.append(name)
        return f"${self.names.index(name) + 1}::{kind}"

    def key(self, name: str) -> str:
        started_at = self(f"{name}_started_at", "timestamptz")
        return f"({started_at}, {self(f'{name}_session_id', 'uuid')}, {self(f'{name}_id', 'uuid')})"


def _readings(bind: _Binder) -> str:
    """Return how each configuration reads the query, what it highlights, and any of the readings."""
    return f"""
reading AS MATERIALIZED (
    SELECT configuration, string_agg('(' || query::text || ')', ' | ')::tsquery AS query,
           coalesce(string_agg(nullif(shown::text, ''), ' | '), '')::tsquery AS shown,
           array_agg(rest ORDER BY branch) AS rests
    FROM unnest({bind("configurations", "text[]")}::regconfig[], {bind("stopping", "text[]")}::regconfig[])
        AS way (configuration, stopping)
    CROSS JOIN unnest(
        {bind("plain", "text[]")}, {bind("strict", "text[]")}, {bind("shown_plain", "text[]")},
        {bind("shown_strict", "text[]")}, {bind("rest", "text[]")}
    ) WITH ORDINALITY AS side (plain, strict, shown_plain, shown_strict, rest_text, branch)
    CROSS JOIN LATERAL (
        SELECT {_read("configuration", "strict")} AS strictly, {_read("stopping", "plain")} AS shortly,
               {_read("configuration", "rest_text")} AS rest
    ) AS asked
    -- A language may leave out every word that must be there: then it leaves out none.
    CROSS JOIN LATERAL (
        SELECT CASE WHEN querytree(shortly && strictly) IN ('', 'T')
                   THEN configuration ELSE stopping
               END AS chosen
    ) AS choice
    CROSS JOIN LATERAL (
        SELECT CASE chosen WHEN stopping THEN shortly ELSE {_read("configuration", "plain")} END && strictly
                   AS query,
               {_read("chosen", "shown_plain")} || {_read("configuration", "shown_strict")} AS shown
    ) AS read
    GROUP BY configuration
),
asked AS MATERIALIZED (
    SELECT string_agg(DISTINCT '(' || query::text || ')', ' | ')::tsquery AS query FROM reading
)"""


def _read(configuration: str, words: str) -> str:
    # Without words the server would send a notice each time.
    return f"CASE {words} WHEN '' THEN ''::tsquery ELSE to_tsquery({configuration}, {words}) END"


def _hits(source: _Source, shape: Shape, bind: _Binder) -> list[str]:
    """Return the hits in one table: those of the walk if there were enough, those of the index if not."""
    if "end" not in shape.given:
        return [_walk_length(source, shape, bind), _walked(source, shape, bind), _found(source, shape, bind)]
    # A block that has been read before is read again in the same way.
    return [(_walked if source.kind in shape.walked else _found)(source, shape, bind)]


def _walk_length(source: _Source, shape: Shape, bind: _Binder) -> str:
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


def _walked(source: _Source, shape: Shape, bind: _Binder) -> str:
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
        SELECT query, rests FROM reading WHERE {_read_by("entry.language", shape)} LIMIT 1
    ) AS reading
    WHERE {_may_match(shape, bind)} AND ({_matches(shape, bind)})
    {enough}
)"""


def _found(source: _Source, shape: Shape, bind: _Binder) -> str:
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
        JOIN reading ON {_read_by(f"entry.{source.language}", shape)}
        WHERE {_all(conditions)}
        ORDER BY session.started_at DESC, session.id DESC, entry.id DESC {limit}
    ) AS hit
)"""


def _may_match(shape: Shape, bind: _Binder) -> str:
    """Return what the index is asked: any of the readings, or how words that are alike begin."""
    beginnings = [_begins(branch, bind) for branch, words in enumerate(shape.similar, 1) if words]
    return f"({' OR '.join(['entry.search @@ (SELECT query FROM asked)', *beginnings])})"


def _begins(branch: int, bind: _Binder) -> str:
    return f"entry.search @@ to_tsquery('pg_catalog.simple', {bind(f'beginnings_{branch}', 'text')})"


def _matches(shape: Shape, bind: _Binder) -> str:
    """Return whether a text matches as its language reads the query."""
    alike = [
        f"({text} AND (reading.rests[{branch}]::text = '' OR entry.search @@ reading.rests[{branch}]))"
        for branch, text in _alike(shape, bind).items()
    ]
    return " OR ".join(["entry.search @@ reading.query", *alike])


def _alike(shape: Shape, bind: _Binder) -> dict[int, str]:
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


def _rank(shape: Shape, bind: _Binder) -> str:
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


def _similarity(branch: int, word: int, text: str, bind: _Binder) -> str:
    return f"livetranslate.search_similarity({bind(f'similar_{branch}_{word}', 'text')}, {text})"


def _read_by(language: str, shape: Shape) -> str:
    if shape.one_reading:
        return "true"
    return f"reading.configuration = livetranslate.search_configuration({language})"


def _joined(source: _Source, shape: Shape) -> str:
    text = f"livetranslate.{source.table} AS entry"
    if source is _TRANSLATIONS and (shape.finals_only or "speakers" in shape.given):
        text += (
            " JOIN livetranslate.transcripts AS spoken"
            " ON spoken.session_id = entry.session_id AND spoken.id = entry.transcript_id"
        )
    if "speakers" in shape.given:
        text += f" {_its_speaker(_spoken(source))}"
    return text


def _its_speaker(spoken: str) -> str:
    # Both from one table: with the meeting from another one, the planner takes the label alone to the index.
    return (
        "LEFT JOIN livetranslate.speakers AS speaker"
        f" ON speaker.session_id = {spoken}.session_id AND speaker.label = {spoken}.speaker_label"
    )


def _spoken(source: _Source) -> str:
    return "entry" if source is _TRANSCRIPTS else "spoken"


def _row_filters(source: _Source, shape: Shape, bind: _Binder) -> list[str]:
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


def _session_filters(shape: Shape, bind: _Binder) -> list[str]:
    conditions = []
    if "session_ids" in shape.given:
        conditions.append(f"session.id = ANY ({bind('session_ids', 'uuid[]')})")
    if "started_after" in shape.given:
        conditions.append(f"session.started_at >= {bind('started_after', 'timestamptz')}")
    if "started_before" in shape.given:
        conditions.append(f"session.started_at < {bind('started_before', 'timestamptz')}")
    # Of the place in a block, what the index of sessions can answer.
    for name, comparison in (("before", "<="), ("end", ">=")):
        if name in shape.given:
            started_at = bind(f"{name}_started_at", "timestamptz")
            session_id = bind(f"{name}_session_id", "uuid")
            conditions.append(f"(session.started_at, session.id) {comparison} ({started_at}, {session_id})")
    return conditions


def _place(shape: Shape, bind: _Binder) -> list[str]:
    key = "(session.started_at, session.id, entry.id)"
    return [
        f"{key} {comparison} {bind.key(name)}"
        for name, comparison in (("before", "<"), ("end", ">="))
        if name in shape.given
    ]


def _block(sources: Sequence[_Source], shape: Shape, bind: _Binder) -> str:
    parts = []
    for source in sources:
        select = f"SELECT '{source.kind}' AS kind, started_at, session_id, id, rank FROM {source.table}"
        if "end" in shape.given:
            parts.append(f"{select}_{'walked' if source.kind in shape.walked else 'found'}")
        else:
            enough = f"(SELECT count(*) FROM {source.table}_walked) > {bind('block', 'int')}"
            parts += [f"{select}_walked WHERE {enough}", f"{select}_found"]
    inside = "true" if "end" in shape.given else f"place <= {bind('block', 'int')}"
    return f"""
numbered AS MATERIALIZED (
    SELECT *, row_number() OVER (ORDER BY started_at DESC, session_id DESC, id DESC) AS place
    FROM ({" UNION ALL ".join(parts)}) AS hit
),
block AS MATERIALIZED (SELECT * FROM numbered WHERE {inside}),
block_end AS MATERIALIZED (
    SELECT started_at, session_id, id, place < (SELECT max(place) FROM numbered) AS more
    FROM block ORDER BY place DESC LIMIT 1
)"""


def _page(sources: Sequence[_Source], shape: Shape, bind: _Binder) -> str:
    after = ""
    if "end" in shape.given:
        rank, key = bind("after_rank", "float8"), bind.key("after")
        after = f"WHERE (rank, started_at, session_id, id) < ({rank}, {key[1:]}"
    shown = ""
    if "translation_language" in shape.given:
        patterns = bind("translation_language", "text[]")
        shown = f"""
LEFT JOIN LATERAL (
    SELECT text, target_language, transcript_revision FROM livetranslate.translations AS each
    WHERE each.session_id = page.session_id AND each.transcript_id = spoken.id
        AND lower(each.target_language) LIKE ANY ({patterns})
    ORDER BY lower(each.target_language) <> ({patterns})[1], each.target_language, each.id LIMIT 1
) AS asked_for ON true"""
    chosen = ("asked_for", "translated") if shown else ("translated",)
    shown_text, shown_language, shown_revision = (
        f"coalesce({', '.join(f'{source}.{column}' for source in chosen)})"
        for column in ("text", "target_language", "transcript_revision")
    )
    language = "coalesce(translated.target_language, spoken.language)"
    walked = "NULL::text[]"
    if "end" not in shape.given:
        enough = (
            f"CASE WHEN (SELECT count(*) FROM {source.table}_walked) > {bind('block', 'int')}"
            f" THEN '{source.kind}' END"
            for source in sources
        )
        walked = f"array_remove(ARRAY[{', '.join(enough)}], NULL)"
    return f"""
SELECT page.session_id, session.title, session.meeting_id, page.started_at, page.kind, page.id,
       spoken.id AS transcript_id, coalesce(translated.timestamp, spoken.timestamp) AS timestamp,
       spoken.speaker_label, speaker.name AS speaker_name, spoken.text, spoken.language,
       {shown_text} AS translation, {shown_language} AS translation_language,
       spoken.is_final, coalesce({shown_revision} <> spoken.revision, false) AS is_stale, page.rank,
       coalesce(translated.text, spoken.text) AS matched,
       ARRAY(
           SELECT position FROM unnest(coalesce(translated.search, spoken.search)) AS word
           CROSS JOIN unnest(word.positions) AS position
           WHERE array_to_tsvector(ARRAY[word.lexeme]) @@ reading.shown
       ) AS positions,
       block_end.started_at AS end_started_at, block_end.session_id AS end_session_id, block_end.id AS end_id,
       block_end.more, {walked} AS walked
FROM (
    SELECT * FROM block {after}
    ORDER BY rank DESC, started_at DESC, session_id DESC, id DESC LIMIT {bind("limit", "int")} + 1
) AS page
CROSS JOIN block_end
LEFT JOIN livetranslate.translations AS translated
    ON page.kind = 'translation' AND translated.session_id = page.session_id AND translated.id = page.id
JOIN livetranslate.transcripts AS spoken
    ON spoken.session_id = page.session_id AND spoken.id = coalesce(translated.transcript_id, page.id)
JOIN livetranslate.sessions AS session ON session.id = page.session_id
{_its_speaker("spoken")}
LEFT JOIN reading ON {_read_by(language, shape)}{shown}
ORDER BY page.rank DESC, page.started_at DESC, page.session_id DESC, page.id DESC"""


def _all(conditions: Sequence[str]) -> str:
    return " AND ".join(conditions)
