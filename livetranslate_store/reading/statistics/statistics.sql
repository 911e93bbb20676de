-- A meeting in figures, as one JSON object with the fields of SessionStatistics; no row for an unknown session.
--
-- The server keeps a plan that it may have made while the tables were empty. So tables are looked up row by row, by
-- a whole index, and long results are not joined.
--
-- $1 the session, $2 the pattern of a word, $3 the pattern of text that is not counted, $4 the most minutes.
WITH
spoken AS (
    SELECT
        id,
        language,
        speaker_label,
        segment_index,
        timestamp,
        start_time,
        is_final,
        confidence,
        least(start_time, end_time) AS earliest,
        greatest(start_time, end_time) AS latest,
        CASE WHEN start_time IS NOT NULL OR end_time IS NOT NULL THEN timestamp END AS begins,
        -- Only segments with a length are speech.
        CASE WHEN end_time > start_time THEN end_time END AS until,
        regexp_count(coalesce(text, draft), $2) AS words,
        length(regexp_replace(coalesce(text, draft), $3, '', 'g')) AS characters
    FROM livetranslate.transcripts
    WHERE session_id = $1
),
-- For each segment, how far the segments before it reach: in the whole meeting, by the same speaker, in the same
-- language. The part that the segment adds to their union begins there.
ordered AS (
    SELECT
        *,
        greatest(start_time, max(until) OVER before) AS news,
        greatest(start_time, max(until) OVER before_by_speaker) AS speaker_news,
        greatest(start_time, max(until) OVER before_in_language) AS language_news,
        row_number() OVER timeline = 1
            OR lag(speaker_label) OVER timeline IS DISTINCT FROM speaker_label AS is_turn
    FROM spoken
    WINDOW
        timeline AS (ORDER BY timestamp, segment_index, id),
        before AS (timeline ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING),
        before_by_speaker AS (
            PARTITION BY speaker_label ORDER BY timestamp, segment_index, id
            ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
        ),
        before_in_language AS (
            PARTITION BY language ORDER BY timestamp, segment_index, id
            ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
        )
),
totals AS (
    SELECT
        count(*) AS segments,
        count(*) FILTER (WHERE is_final) AS final_segments,
        coalesce(max(latest) - min(earliest), 0) AS duration,
        coalesce(sum(until - news) FILTER (WHERE until > news), 0) AS speech_seconds,
        coalesce(sum(words), 0) AS words,
        coalesce(sum(characters), 0) AS characters,
        avg(confidence) AS mean_confidence
    FROM ordered
),
audio AS (
    SELECT
        count(*) AS files,
        coalesce(sum(coalesce(duration, end_time - start_time)), 0) AS seconds,
        coalesce(sum(size_bytes), 0) AS bytes
    FROM livetranslate.audio_files
    WHERE session_id = $1
),
languages AS (
    SELECT
        language,
        count(*) AS segments,
        coalesce(sum(until - language_news) FILTER (WHERE until > language_news), 0) AS speech_seconds,
        sum(words) AS words,
        sum(characters) AS characters
    FROM ordered
    GROUP BY language
),
talk AS (
    SELECT
        speaker_label AS label,
        count(*) AS segments,
        coalesce(sum(until - speaker_news) FILTER (WHERE until > speaker_news), 0) AS seconds,
        sum(words) AS words,
        sum(words) FILTER (WHERE until IS NOT NULL) AS timed_words,
        sum(characters) AS characters,
        count(*) FILTER (WHERE is_turn) AS turns,
        -- Another speaker is still speaking.
        count(*) FILTER (WHERE is_turn AND news > start_time AND speaker_news = start_time) AS interruptions,
        array_agg(DISTINCT language ORDER BY language) AS languages
    FROM ordered
    GROUP BY speaker_label
),
-- Translations, each with the language of its transcript.
translated AS (
    SELECT transcripts.language, made.*
    FROM livetranslate.transcripts
    CROSS JOIN LATERAL (
        SELECT
            transcript_id,
            target_language,
            transcript_revision <> transcripts.revision AS is_stale
        FROM livetranslate.translations
        WHERE translations.session_id = $1 AND translations.transcript_id = transcripts.id
        OFFSET 0
    ) AS made
    WHERE transcripts.session_id = $1
),
tags AS (
    SELECT DISTINCT target_language AS tag FROM translated
),
targets AS (
    SELECT DISTINCT target COLLATE "C" AS language
    FROM livetranslate.sessions, unnest(target_languages) AS target
    WHERE id = $1 AND target IS NOT NULL
),
-- Each tag with the languages that it is, or is a variant of; the case of letters does not matter.
variants AS (
    SELECT known.language, tag
    FROM (SELECT language FROM targets UNION SELECT tag FROM tags) AS known
    JOIN (SELECT tag FROM tags UNION SELECT language FROM languages) AS variant
        ON starts_with(lower(tag) || '-', lower(known.language) || '-')
),
wanted AS (
    SELECT language FROM targets
    UNION ALL
    SELECT tag FROM tags
    WHERE tag NOT IN (SELECT variants.tag FROM variants JOIN targets ON targets.language = variants.language)
),
-- For each language, the transcripts that need no translation into it.
spoken_in AS (
    SELECT wanted.language, languages.language AS source, languages.segments
    FROM wanted
    JOIN variants ON variants.language = wanted.language
    JOIN languages ON languages.language = variants.tag
),
places AS (
    SELECT
        wanted.language,
        tags.tag,
        row_number() OVER (PARTITION BY wanted.language ORDER BY tags.tag) AS place
    FROM wanted
    JOIN variants ON variants.language = wanted.language
    JOIN tags ON tags.tag = variants.tag
),
-- The lowest place wins, and of two in one place the one that is not stale: an odd number is a stale one.
done AS (
    SELECT
        places.language,
        min(places.place * 2 + translated.is_stale::integer) AS winner
    FROM translated
    JOIN places ON places.tag = translated.target_language
    WHERE (places.language, translated.language) NOT IN (SELECT language, source FROM spoken_in)
    GROUP BY places.language, translated.transcript_id
),
done_counts AS (
    SELECT language, count(*) AS translated, count(*) FILTER (WHERE winner % 2 = 1) AS stale
    FROM done
    GROUP BY language
),
coverage AS (
    SELECT
        wanted.language,
        totals.segments - coalesce(exempt.segments, 0) AS needed,
        coalesce(done_counts.translated, 0) AS translated,
        coalesce(done_counts.stale, 0) AS stale
    FROM wanted
    CROSS JOIN totals
    LEFT JOIN done_counts ON done_counts.language = wanted.language
    LEFT JOIN (SELECT language, sum(segments) AS segments FROM spoken_in GROUP BY language) AS exempt
        ON exempt.language = wanted.language
),
-- The minutes of a meeting: from 0, or from its first one if that is not in the first days.
span AS (
    SELECT first_minute, least(last_minute, first_minute + $4 - 1) AS last_minute
    FROM (
        SELECT
            CASE
                WHEN min(earliest) >= 0 AND min(earliest) < $4 * 60.0 THEN 0
                ELSE floor(min(earliest) / 60.0)::bigint
            END AS first_minute,
            greatest(floor(max(begins) / 60.0), ceil(max(until) / 60.0) - 1)::bigint AS last_minute
        FROM spoken
    ) AS whole
),
parts_of_minutes AS (
    SELECT minute, 0 AS segments, 0.0::double precision AS seconds, 0 AS words, 0 AS characters
    FROM span
    CROSS JOIN generate_series(first_minute, last_minute) AS minute
    UNION ALL
    SELECT floor(begins / 60.0)::bigint, 1, 0, words, characters
    FROM spoken
    CROSS JOIN span
    WHERE floor(begins / 60.0) BETWEEN first_minute AND last_minute
    UNION ALL
    SELECT minute, 0, least(until, (minute + 1) * 60.0) - greatest(news, minute * 60.0), 0, 0
    FROM ordered
    CROSS JOIN span
    CROSS JOIN generate_series(
        greatest(floor(news / 60.0)::bigint, first_minute), least(ceil(until / 60.0)::bigint - 1, last_minute)
    ) AS minute
    WHERE until > news
),
minutes AS (
    SELECT
        minute,
        sum(segments) AS segments,
        sum(seconds) AS speech_seconds,
        sum(words) AS words,
        sum(characters) AS characters
    FROM parts_of_minutes
    GROUP BY minute
)
SELECT json_build_object(
    'session_id', sessions.id,
    'segments', totals.segments,
    'final_segments', totals.final_segments,
    'duration', totals.duration,
    'speech_seconds', totals.speech_seconds,
    'counts', json_build_object('words', totals.words, 'characters', totals.characters),
    'mean_confidence', totals.mean_confidence,
    'audio_files', audio.files,
    'audio_seconds', audio.seconds,
    'audio_bytes', audio.bytes,
    'languages', ARRAY(
        SELECT json_build_object(
            'language', language,
            'segments', segments,
            'speech_seconds', speech_seconds,
            'counts', json_build_object('words', words, 'characters', characters)
        )
        FROM languages
        ORDER BY language
    ),
    'translations', ARRAY(
        SELECT json_build_object(
            'language', language,
            'needed', needed,
            'translated', translated,
            'stale', stale,
            'missing', needed - translated,
            'coverage', coalesce(translated::double precision / nullif(needed, 0), 1)
        )
        FROM coverage
        ORDER BY language
    ),
    'speakers', ARRAY(
        SELECT json_build_object(
            'label', talk.label,
            'name', (SELECT name FROM livetranslate.speakers WHERE session_id = $1 AND label = talk.label),
            'segments', talk.segments,
            'talk_seconds', talk.seconds,
            'share', coalesce(talk.seconds / nullif(sum(talk.seconds) OVER (), 0), 0),
            'counts', json_build_object('words', talk.words, 'characters', talk.characters),
            'words_per_minute', coalesce(talk.timed_words, 0) / nullif(talk.seconds / 60.0, 0),
            'turns', talk.turns,
            'interruptions', talk.interruptions,
            'languages', talk.languages
        )
        FROM talk
        ORDER BY talk.label COLLATE "C"
    ),
    'minutes', ARRAY(
        SELECT json_build_object(
            'minute', minute,
            'segments', segments,
            'speech_seconds', speech_seconds,
            'counts', json_build_object('words', words, 'characters', characters)
        )
        FROM minutes
        ORDER BY minute
    )
)::text
FROM livetranslate.sessions, totals, audio
WHERE sessions.id = $1
