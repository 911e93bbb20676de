-- Least privilege: one role writes, the other only reads. Neither can change the schema.
--
-- Run it as the owner of the schema, in its database, after `livetranslate-store upgrade`; that user must be
-- allowed to create roles. Running it again changes nothing. Tables of later migrations get the same privileges
-- automatically. Then grant a role to the users that log in:
--
--     CREATE ROLE bots LOGIN PASSWORD '...' IN ROLE livetranslate_app;
--     CREATE ROLE reports LOGIN PASSWORD '...' IN ROLE livetranslate_reader;

-- Roles belong to the whole server: a run for another database may have made them, even at this moment.
DO $$
BEGIN
    CREATE ROLE livetranslate_app NOLOGIN;
EXCEPTION
    WHEN duplicate_object OR unique_violation THEN NULL;
END
$$;
DO $$
BEGIN
    CREATE ROLE livetranslate_reader NOLOGIN;
EXCEPTION
    WHEN duplicate_object OR unique_violation THEN NULL;
END
$$;

-- An import merges through temporary tables; a reader needs none.
DO $$
BEGIN
    EXECUTE format('GRANT CONNECT, TEMPORARY ON DATABASE %I TO livetranslate_app', current_database());
    EXECUTE format('GRANT CONNECT ON DATABASE %I TO livetranslate_reader', current_database());
END
$$;

GRANT USAGE ON SCHEMA livetranslate TO livetranslate_app, livetranslate_reader;
GRANT SELECT ON ALL TABLES IN SCHEMA livetranslate TO livetranslate_app, livetranslate_reader;
GRANT INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA livetranslate TO livetranslate_app;
-- Only the owner records which migrations have run.
REVOKE INSERT, UPDATE, DELETE ON livetranslate.alembic_version FROM livetranslate_app;

ALTER DEFAULT PRIVILEGES IN SCHEMA livetranslate
    GRANT SELECT ON TABLES TO livetranslate_app, livetranslate_reader;
ALTER DEFAULT PRIVILEGES IN SCHEMA livetranslate
    GRANT INSERT, UPDATE, DELETE ON TABLES TO livetranslate_app;
