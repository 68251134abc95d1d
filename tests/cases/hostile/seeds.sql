-- What nobody should ask, and what everybody may: a statement each, an empty line between.
-- tests/paths/test_hostile.py asks them as they are and mutated, in all three languages.

SELECT objectId, ra, dec FROM plain.Object WHERE objectId = 7

SELECT COUNT(*) FROM plain.Source WHERE flux > 0.5

SELECT o.objectId, COUNT(*) AS n FROM plain.Object AS o JOIN plain.Source AS s ON s.objectId = o.objectId GROUP BY o.objectId ORDER BY n DESC

SELECT objectId FROM plain.Object WHERE 1 = CONTAINS(POINT(ra, dec), CIRCLE(10.0, 20.0, 0.5))

SELECT TOP 3 * FROM plain.Note ORDER BY noteId

WITH near AS (SELECT objectId FROM plain.Object WHERE gMag < 20) SELECT COUNT(*) FROM near

SELECT table_name FROM tap_schema.tables WHERE schema_name = 'plain'

SELECT name FROM plain.Filter UNION SELECT band FROM plain.Object

SELECT COUNT(*) FROM vault.Object

SELECT text FROM vault.Note

SELECT text FROM mixed.Note

SELECT n.text FROM mixed.Source AS s JOIN mixed.Note AS n ON n.sourceId = s.sourceId

SELECT (SELECT MAX(text) FROM mixed.Note) FROM plain.Filter

SELECT objectId FROM plain.Object WHERE EXISTS (SELECT 1 FROM vault.Object AS v WHERE v.objectId = plain.Object.objectId)

SELECT 1; DROP TABLE parts.p1

SELECT objectId FROM plain.Object; DELETE FROM skyshard.catalog; --

SELECT 1 FROM plain.Filter; SELECT pg_sleep(30)

SELECT objectId FROM plain.Object WHERE objectId = 1; COMMIT; UPDATE skyshard.principal SET scopes = '{admin}'

SELECT /* hidden */ objectId /*! FROM vault.Object */ FROM plain.Object

SELECT objectId FROM plain.Object -- WHERE nothing
UNION SELECT objectId FROM vault.Object

SELECT $$vault$$ FROM plain.Object

SELECT $tag$; DROP TABLE parts.p1; $tag$ FROM plain.Filter

SELECT E'\x27; DROP TABLE parts.p1; --' FROM plain.Filter

SELECT U&'\0027; DROP TABLE parts.p1; --' FROM plain.Filter

SELECT 'it''s' || ' "quoted" ' || name FROM plain.Filter WHERE name <> ''' OR 1 = 1 --'

SELECT "objectId""; DROP TABLE parts.p1; --" FROM plain.Object

SELECT `objectId``; DROP TABLE parts.p1; --` FROM plain.Object

SELECT * FROM pg_catalog.pg_class

SELECT * FROM pg_class

SELECT rolname, rolpassword FROM pg_authid

SELECT usename, passwd FROM pg_shadow

SELECT table_name FROM information_schema.tables

SELECT * FROM skyshard.token

SELECT password FROM skyshard.principal

SELECT * FROM parts.p1

SELECT * FROM p1

SELECT * FROM public.p1

SELECT * FROM sqlite_master

SELECT * FROM duckdb_settings()

SELECT * FROM duckdb_secrets()

SELECT * FROM pragma_database_list

SELECT version(), current_user, current_database(), inet_server_addr()

SELECT current_setting('data_directory')

SELECT set_config('log_statement', 'none', false)

SELECT pg_sleep(10)

SELECT pg_sleep(10) FROM plain.Filter

SELECT sleep(10), benchmark(100000000, md5('x'))

SELECT pg_read_file('/etc/passwd')

SELECT pg_read_binary_file('/etc/passwd') FROM plain.Filter

SELECT pg_ls_dir('/')

SELECT pg_stat_file('postgresql.conf')

SELECT lo_import('/etc/passwd')

SELECT lo_export(1, '/tmp/out')

SELECT dblink_connect('host=127.0.0.1 user=skyshard')

SELECT * FROM dblink('dbname=postgres', 'SELECT 1') AS t(a INTEGER)

SELECT pg_terminate_backend(1)

SELECT pg_cancel_backend(pid) FROM pg_stat_activity

SELECT query_to_xml('SELECT * FROM skyshard.token', true, true, '')

SELECT database_to_xml(true, true, '')

SELECT table_to_xml('skyshard.token', true, true, '')

SELECT ts_stat('SELECT 1')

SELECT nextval('skyshard.part_part_id_seq')

SELECT pg_advisory_lock(1)

SELECT pg_reload_conf()

SELECT pg_file_write('/tmp/x', 'x', false)

SELECT load_file('/etc/passwd')

SELECT * FROM plain.Filter INTO OUTFILE '/tmp/out'

SELECT name INTO stolen FROM plain.Filter

COPY (SELECT 1) TO PROGRAM 'id'

COPY plain.Object TO '/tmp/out.csv'

COPY parts.p1 FROM '/etc/passwd'

INSERT INTO plain.Filter VALUES (9, 'x')

UPDATE plain.Object SET ra = 0

DELETE FROM plain.Object

DROP TABLE plain.Object

TRUNCATE plain.Object

ALTER TABLE plain.Object ADD COLUMN x INTEGER

CREATE TABLE plain.stolen AS SELECT * FROM plain.Object

GRANT ALL ON ALL TABLES IN SCHEMA parts TO public

CREATE EXTENSION dblink

DO $$ BEGIN PERFORM pg_sleep(10); END $$

EXECUTE IMMEDIATE 'DROP TABLE parts.p1'

PREPARE q AS SELECT 1

SET statement_timeout = 0

SET ROLE postgres

RESET ALL

BEGIN; SELECT 1; ROLLBACK

LISTEN anything

VACUUM FULL

EXPLAIN ANALYZE SELECT text FROM mixed.Note

EXPLAIN SELECT objectId FROM vault.Object

EXPLAIN ANALYZE DELETE FROM plain.Object

DESCRIBE vault.Object

SHOW TABLES FROM vault

SHOW TABLES FROM plain LIKE '%'

SHOW FULL PROCESSLIST

SHOW GRANTS

SHOW VARIABLES

SHOW CREATE TABLE plain.Object

SELECT * FROM read_csv('/etc/passwd')

SELECT * FROM read_csv_auto('/etc/passwd')

SELECT * FROM read_text('/etc/passwd')

SELECT * FROM read_blob('/etc/passwd')

SELECT * FROM read_parquet('/tmp/*.parquet')

SELECT * FROM read_json('http://169.254.169.254/latest/meta-data')

SELECT * FROM parquet_metadata('/tmp/x.parquet')

SELECT * FROM '/etc/passwd'

SELECT * FROM "/etc/passwd"

SELECT * FROM glob('/*')

SELECT * FROM sniff_csv('/etc/passwd')

SELECT * FROM query('SELECT 1')

SELECT * FROM query_table('p1')

SELECT * FROM postgres_scan('host=127.0.0.1', 'skyshard', 'token')

SELECT * FROM sqlite_scan('/tmp/x.db', 'x')

SELECT getenv('PATH')

ATTACH '/tmp/x.db' AS x

INSTALL httpfs

LOAD httpfs

PRAGMA database_list

CALL pragma_version()

EXPORT DATABASE '/tmp/x'

SELECT * FROM range(1000000000)

SELECT * FROM generate_series(1, 10000000000)

SELECT repeat('x', 2000000000) FROM plain.Filter

SELECT lpad('x', 2000000000) FROM plain.Filter

SELECT power(10.0, 400) / 0, exp(1000), log(-1) FROM plain.Filter

SELECT 9223372036854775807 + 1 FROM plain.Filter

SELECT 1e999, -1e999, 0e-999 FROM plain.Filter

SELECT CAST('x' AS INTEGER) FROM plain.Filter

SELECT name FROM plain.Filter WHERE name LIKE '%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%x'

SELECT name FROM plain.Filter WHERE name ~ '(a+)+$'

SELECT a.objectId FROM plain.Object a, plain.Object b, plain.Object c, plain.Source d, plain.Source e WHERE a.objectId = -1

SELECT objectId FROM plain.Object ORDER BY (SELECT text FROM mixed.Note)

SELECT DISTINCT ON (kind) * FROM plain.Object

SELECT * FROM plain.Object TABLESAMPLE SYSTEM (10)

SELECT * FROM plain.Object FOR UPDATE

SELECT * FROM ONLY plain.Object

TABLE vault.Object

VALUES (1), (2)

WITH RECURSIVE t(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM t) SELECT n FROM t

WITH x AS (DELETE FROM plain.Object RETURNING *) SELECT * FROM x

SELECT * FROM plain.Object, LATERAL (SELECT text FROM mixed.Note) AS n

SELECT xmin, ctid, tableoid FROM plain.Object

SELECT _healpix_29, _ingest FROM plain.Object

SELECT plain.Object FROM plain.Object

SELECT row_to_json(o) FROM plain.Object AS o

SELECT (o).ra FROM plain.Object AS o

SELECT ra::regclass FROM plain.Object

SELECT 'skyshard.token'::regclass

SELECT name COLLATE "C" FROM plain.Filter

SELECT @@version, @@datadir

SELECT @x := 1

SELECT :x, ?, $1, %s, {0} FROM plain.Filter

SELECT ﬀobjectId FROM plain.Object

SELECT ｏｂｊｅｃｔＩｄ FROM plain．Object

SELECT objectId FROM plain.Object WHERE 1=1 ‎OR 2=2

SELECT 'null � byte' FROM plain.Filter

SELECT '𝕊𝔼𝕃𝔼ℂ𝕋 💫' FROM plain.Filter

ＳＥＬＥＣＴ 1

SELECT ivo_hashlist_has('a', 'b'), gavo_to_mjd(1) FROM plain.Filter

SELECT objectId FROM TAP_UPLOAD.mine

SELECT * FROM skyshard..token

SELECT * FROM "vault"."Object"

SELECT * FROM "VAULT"."OBJECT"

SELECT * FROM vault . Object

SELECT * FROM postgres.skyshard.token

SELECT * FROM a.b.c.d

SELECT :x ?, $1, %s, {0} `,` plain.
