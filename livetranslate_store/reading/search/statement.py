"""The one statement that answers a search.

Texts are ordered by their meeting, the newest first, and hits are ranked in blocks of that order: ranking all
hits of a common word would read all of them.

Every text is tried with the query as its own language reads it. The index is asked for any of these readings.
"""

from collections.abc import Sequence
from functools import lru_cache

from livetranslate_store.database.statement import Statement
from livetranslate_store.reading.search.hits import hits_in
from livetranslate_store.reading.search.parts import (
    TRANSCRIPTS,
    TRANSLATIONS,
    Binder,
    Shape,
    Source,
    its_speaker,
    read_by,
)


@lru_cache(maxsize=256)
def search_statement(shape: Shape) -> Statement:
    """Return the text, with the names of its parameters in the order of their numbers."""
    sources = [each for each in (TRANSCRIPTS, TRANSLATIONS) if each.kind in shape.kinds]
    binder = Binder()
    parts = [_readings(binder)]
    for source in sources:
        parts += hits_in(source, shape, binder)
    parts.append(_block(sources, shape, binder))
    text = f"WITH {', '.join(parts)}\n{_page(sources, shape, binder)}"
    return Statement("search", text, tuple(binder.names))


def _readings(bind: Binder) -> str:
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


def _block(sources: Sequence[Source], shape: Shape, bind: Binder) -> str:
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


def _page(sources: Sequence[Source], shape: Shape, bind: Binder) -> str:
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
{its_speaker("spoken")}
LEFT JOIN reading ON {read_by(language, shape)}{shown}
ORDER BY page.rank DESC, page.started_at DESC, page.session_id DESC, page.id DESC"""
