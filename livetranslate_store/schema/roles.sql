-- Least privilege: a role for what writes, and one for what only reads. Neither can change the schema.
--
-- Run by the user who owns the schema, in its database, once it is there (`livetranslate-store upgrade`); that
-- user must be allowed to create roles. Running it again changes nothing, and tables that this user adds in a
-- later migration get the same privileges by themselves. Then give a role to those who log in:
--
--     CREATE ROLE bots LOGIN PASSWORD '...' IN ROLE livetranslate_app;
--     CREATE ROLE reports LOGIN PASSWORD '...' IN ROLE livetranslate_reader;

-- Roles belong to the whole server: another database, or somebody at this very moment, may have made them.
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

-- An import merges by way of temporary tables; a reader needs none.
DO $$
BEGIN
    EXECUTE format('GRANT CONNECT, TEMPORARY ON DATABASE %I TO livetranslate_app', current_database());
    EXECUTE format('GRANT CONNECT ON DATABASE %I TO livetranslate_reader', current_database());
END
$$;

GRANT USAGE ON SCHEMA livetranslate TO livetranslate_app, livetranslate_reader;
GRANT SELECT ON ALL TABLES IN SCHEMA livetranslate TO livetranslate_app, livetranslate_reader;
GRANT INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA livetranslate TO livetranslate_app;
-- Which migrations have run is for those to say who run them.
REVOKE INSERT, UPDATE, DELETE ON livetranslate.alembic_version FROM livetranslate_app;

ALTER DEFAULT PRIVILEGES IN SCHEMA livetranslate
    GRANT SELECT ON TABLES TO livetranslate_app, livetranslate_reader;
ALTER DEFAULT PRIVILEGES IN SCHEMA livetranslate
    GRANT INSERT, UPDATE, DELETE ON TABLES TO livetranslate_app;
