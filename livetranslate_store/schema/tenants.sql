-- Row-level security: a login of a tenant sees and writes that tenant's sessions only, whatever it sends.
--
-- Run it after the script of the roles, as the owner of the schema, in its database; that user must be allowed to
-- create roles. Running it again changes nothing; run it again after an upgrade, so that new tables get policies.
-- It is for a single server: the nodes of a Citus cluster do not know the table of logins.
--
-- Then bind each login to its tenant. It must be in no other role of this package:
--
--     CREATE ROLE acme_bots LOGIN PASSWORD '...' IN ROLE livetranslate_tenant;
--     INSERT INTO livetranslate_tenants.logins (login, tenant_id) VALUES ('acme_bots', 'acme');
--
-- Logins of livetranslate_app and livetranslate_reader see all tenants as before; others see nothing.

DO $$
BEGIN
    IF to_regclass('pg_catalog.pg_dist_partition') IS NOT NULL THEN
        IF EXISTS (
            SELECT FROM pg_catalog.pg_dist_partition WHERE logicalrelid = 'livetranslate.sessions'::regclass
        ) THEN
            RAISE EXCEPTION 'the tables are distributed: row-level security is for a single server';
        END IF;
    END IF;
END
$$;

-- Roles belong to the whole server: a run for another database may have made them, even at this moment.
DO $$
BEGIN
    CREATE ROLE livetranslate_tenant NOLOGIN;
EXCEPTION
    WHEN duplicate_object OR unique_violation THEN NULL;
END
$$;

-- In a schema of its own, in which the roles of this package have no rights: a login cannot bind itself.
CREATE SCHEMA IF NOT EXISTS livetranslate_tenants;
CREATE TABLE IF NOT EXISTS livetranslate_tenants.logins (
    login name PRIMARY KEY,
    tenant_id text NOT NULL CHECK (tenant_id <> '')
);
REVOKE ALL ON SCHEMA livetranslate_tenants FROM PUBLIC;
REVOKE ALL ON livetranslate_tenants.logins FROM PUBLIC;

-- By the user who logged in: SET ROLE does not change that, and no setting is asked.
CREATE OR REPLACE FUNCTION livetranslate_tenants.own_tenant() RETURNS text
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$ SELECT tenant_id FROM livetranslate_tenants.logins WHERE login = session_user $$;
REVOKE ALL ON FUNCTION livetranslate_tenants.own_tenant() FROM PUBLIC;

GRANT USAGE ON SCHEMA livetranslate, livetranslate_tenants TO livetranslate_tenant;
GRANT EXECUTE ON FUNCTION livetranslate_tenants.own_tenant() TO livetranslate_tenant;
GRANT SELECT ON livetranslate.alembic_version TO livetranslate_tenant;
DO $$
BEGIN
    EXECUTE format('GRANT CONNECT, TEMPORARY ON DATABASE %I TO livetranslate_tenant', current_database());
END
$$;

DO $$
DECLARE
    relation name;
    is_own text;
BEGIN
    FOR relation IN
        SELECT relname FROM pg_catalog.pg_class
        WHERE relnamespace = 'livetranslate'::regnamespace AND relkind IN ('r', 'p')
            AND relname <> 'alembic_version'
        ORDER BY relname
    LOOP
        -- Once for a statement, not once for each row.
        is_own := 'tenant_id = (SELECT livetranslate_tenants.own_tenant())';
        IF relation <> 'sessions' THEN
            is_own := format(
                'EXISTS (SELECT FROM livetranslate.sessions s WHERE s.id = %I.session_id AND s.%s)',
                relation, is_own
            );
        END IF;
        EXECUTE format('ALTER TABLE livetranslate.%I ENABLE ROW LEVEL SECURITY', relation);
        EXECUTE format('DROP POLICY IF EXISTS all_tenants ON livetranslate.%I', relation);
        EXECUTE format(
            'CREATE POLICY all_tenants ON livetranslate.%I TO livetranslate_app, livetranslate_reader USING (true)',
            relation
        );
        EXECUTE format('DROP POLICY IF EXISTS own_tenant ON livetranslate.%I', relation);
        EXECUTE format(
            'CREATE POLICY own_tenant ON livetranslate.%I TO livetranslate_tenant USING (%s)', relation, is_own
        );
        EXECUTE format(
            'GRANT SELECT, INSERT, UPDATE, DELETE ON livetranslate.%I TO livetranslate_tenant', relation
        );
    END LOOP;
END
$$;
