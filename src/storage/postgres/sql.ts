/**
 * All SQL of the Postgres adapter: the tables, and one function for every call of the ports, so that each call is one
 * statement, one round trip and one transaction of its own. Nothing is kept in a session, so a transaction pooler may
 * stand in between.
 *
 * Who waits for whom. `append` only inserts: the entries, and one row of `signals` that says which groups became due
 * when, and by how much they grew. Whatever else makes a group due signals it the same way. `claim` folds signals into
 * `groups` and `tenants`, takes the tenant whose turn it is with SKIP LOCKED and never waits for a lock. All others lock
 * in the order claim, group, tenant.
 *
 * `due_at` of a group or a tenant is never later than the truth; who holds the tenant's lock looks closely and corrects
 * it. Times are milliseconds since 1970. `_clock` is a test's time; without it the engine's own counts.
 */

/** Rises only with a change older versions of the package cannot live with. */
export const SCHEMA_MAJOR = 1;
/** Later than any time; below 2^53. */
export const NEVER = 9_000_000_000_000_000;

export interface Migration {
  version: number;
  name: string;
  sql: string;
}

/**
 * Of every function. Its names mean our tables whatever the session's path is; and its plans are those of a queue, by
 * index, before and after the tables have statistics.
 */
const SETTINGS = "SET search_path FROM CURRENT SET enable_seqscan = off SET jit = off";

const TABLES = `
CREATE SEQUENCE seq;        -- entries and their positions, claims and their fences, dead letters, journal lines
CREATE SEQUENCE versions;   -- of records
CREATE SEQUENCE turns;      -- claims so far

CREATE TABLE records (
  key text COLLATE "C" PRIMARY KEY,
  value bytea NOT NULL,
  version bigint NOT NULL,
  expires_at bigint NOT NULL
);
CREATE INDEX records_expiry ON records (expires_at) WHERE expires_at < ${NEVER};

CREATE TABLE tenants (
  tid bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  tenant text COLLATE "C" NOT NULL UNIQUE,
  virtual_time bigint NOT NULL DEFAULT 0,
  turns bigint NOT NULL DEFAULT 0,
  served_at bigint NOT NULL DEFAULT 0,           -- turn
  due_at bigint NOT NULL DEFAULT ${NEVER}
) WITH (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.05, autovacuum_vacuum_cost_delay = 0);
CREATE INDEX tenants_turn ON tenants (virtual_time, served_at) WHERE due_at < ${NEVER};
CREATE INDEX tenants_served ON tenants (served_at);

CREATE TABLE groups (
  gid bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  destination text COLLATE "C" NOT NULL,
  name text COLLATE "C" NOT NULL,
  opened boolean NOT NULL,                       -- false: purged
  tid bigint NOT NULL,
  exclusive boolean NOT NULL,
  credential text COLLATE "C" NOT NULL,
  hold_until bigint NOT NULL DEFAULT 0,
  due_at bigint NOT NULL DEFAULT ${NEVER},
  entries bigint NOT NULL DEFAULT 0,             -- as far as signals are folded
  items bigint NOT NULL DEFAULT 0,
  bytes bigint NOT NULL DEFAULT 0,
  UNIQUE (destination, name)
) WITH (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.05, autovacuum_vacuum_cost_delay = 0);
CREATE INDEX groups_due ON groups (tid, due_at) WHERE due_at < ${NEVER};
CREATE INDEX groups_next ON groups (greatest(due_at, hold_until)) WHERE due_at < ${NEVER};
CREATE INDEX groups_credential ON groups (credential);

CREATE TABLE signals (
  sid bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  earliest bigint NOT NULL,                      -- of dues
  gids bigint[] NOT NULL,
  dues bigint[] NOT NULL,
  entries bigint[] NOT NULL,
  items bigint[] NOT NULL,
  bytes bigint[] NOT NULL
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 500, autovacuum_vacuum_cost_delay = 0);

-- The row stays for dedupe_ms after its entry has left, without payload: one unique index knows every id.
CREATE TABLE entries (
  gid bigint NOT NULL,
  id text COLLATE "C" NOT NULL,
  seq bigint NOT NULL,
  position bigint NOT NULL,
  due_at bigint NOT NULL,
  created_at bigint NOT NULL,
  dedupe_ms bigint NOT NULL,
  until bigint,                                  -- gone: when its id is forgotten
  claim bigint,                                  -- that took it last
  items integer NOT NULL,
  claims integer NOT NULL,
  priority smallint NOT NULL,
  state smallint NOT NULL,                       -- 0 ready, 1 waiting for due_at, 2 claimed, 3 gone
  progress bytea,
  payload bytea NOT NULL,
  -- By id first: an entry is looked up by its id, however many a group has.
  PRIMARY KEY (id, gid)
) WITH (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_cost_delay = 0);
-- Sealed bytes do not compress.
ALTER TABLE entries ALTER COLUMN payload SET STORAGE EXTERNAL;
CREATE INDEX entries_ready ON entries (gid, priority, position, seq) WHERE state = 0;
CREATE INDEX entries_waiting ON entries (gid, due_at) WHERE state = 1;
CREATE INDEX entries_claim ON entries (claim) WHERE claim IS NOT NULL;
CREATE INDEX entries_gone ON entries (until) WHERE state = 3;
CREATE INDEX entries_gone_group ON entries (gid) WHERE state = 3;

-- A claim is lost exactly when its row is gone.
CREATE TABLE claims (
  cid bigint PRIMARY KEY,
  gid bigint NOT NULL,
  state smallint NOT NULL,                       -- 0 open, 1 lease over but nothing taken, 2 settled
  lease_until bigint NOT NULL,
  oldest_at bigint NOT NULL
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 500, autovacuum_vacuum_cost_delay = 0);
CREATE INDEX claims_lease ON claims (lease_until) WHERE state <> 1;
CREATE INDEX claims_group ON claims (gid) WHERE state < 2;

CREATE TABLE dead (
  destination text COLLATE "C" NOT NULL,
  seq bigint NOT NULL,
  gid bigint NOT NULL,
  entry_id text COLLATE "C" NOT NULL,
  item_index integer NOT NULL,
  reason text COLLATE "C" NOT NULL,
  died_at bigint NOT NULL,
  claims integer NOT NULL,
  position bigint NOT NULL,
  payload bytea NOT NULL,
  detail bytea NOT NULL,
  PRIMARY KEY (destination, seq)
);
CREATE INDEX dead_reason ON dead (destination, reason, seq);
CREATE INDEX dead_age ON dead (died_at);

CREATE TABLE pauses (
  kind smallint NOT NULL,                        -- 0 destination, 1 group, 2 credential
  target text COLLATE "C" NOT NULL,              -- destination or credential
  name text COLLATE "C" NOT NULL,                -- of the group
  reason text COLLATE "C" NOT NULL,
  PRIMARY KEY (kind, target, name, reason)
);

CREATE TABLE slots (
  key text COLLATE "C" PRIMARY KEY,
  blocked_until double precision NOT NULL DEFAULT 0,
  window_ms double precision NOT NULL DEFAULT 0, -- the widest asked for so far
  per_window double precision NOT NULL DEFAULT 0,
  times double precision[] NOT NULL DEFAULT '{}' -- slots given, ascending
) WITH (fillfactor = 50, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 200);

CREATE TABLE segments (
  sid bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  tenant text COLLATE "C" NOT NULL,
  destination text COLLATE "C" NOT NULL,
  link text COLLATE "C" NOT NULL,
  fence bigint NOT NULL DEFAULT 0,
  changes bigint NOT NULL DEFAULT 0,             -- commits so far: who read before another commit reads again
  UNIQUE (tenant, destination, link)
);
CREATE TABLE members (
  sid bigint NOT NULL,
  kind smallint NOT NULL,
  hash bytea NOT NULL,
  person bytea NOT NULL,                         -- empty: nobody in particular
  present boolean NOT NULL,
  position bigint NOT NULL,
  sent_at bigint NOT NULL,
  run bigint,
  removed_all_at bigint NOT NULL,
  removed_at bigint NOT NULL,
  PRIMARY KEY (sid, kind, hash, person)
);
CREATE INDEX members_removed ON members (removed_at) WHERE NOT present;

CREATE TABLE journal (
  destination text COLLATE "C" NOT NULL,
  seq bigint NOT NULL,
  at bigint NOT NULL,
  data bytea NOT NULL,
  PRIMARY KEY (destination, seq)
);
CREATE INDEX journal_age ON journal (at);
CREATE TABLE journal_ids (
  destination text COLLATE "C" NOT NULL,
  id text COLLATE "C" NOT NULL,
  seq bigint NOT NULL,
  PRIMARY KEY (destination, id, seq)
);
CREATE INDEX journal_ids_seq ON journal_ids (seq);

CREATE FUNCTION engine_ms(_clock bigint) RETURNS bigint LANGUAGE sql VOLATILE AS $$
  SELECT coalesce(_clock, floor(extract(epoch FROM clock_timestamp()) * 1000)::bigint)
$$;
`;

const RECORDS = `
CREATE FUNCTION record_get(_clock bigint, _key text)
RETURNS TABLE (value bytea, version bigint) LANGUAGE plpgsql ${SETTINGS} AS $$
DECLARE _at bigint := engine_ms(_clock);
BEGIN
  RETURN QUERY SELECT r.value, r.version FROM records r WHERE r.key = _key AND r.expires_at > _at;
END $$;

-- known <> if_version: nothing was written. The lock makes versions rise per key also where there is no row to lock.
CREATE FUNCTION record_put(_clock bigint, _key text, _value bytea, _if_version bigint, _ttl_ms bigint)
RETURNS TABLE (known bigint, version bigint) LANGUAGE plpgsql ${SETTINGS} AS $$
DECLARE _at bigint;
BEGIN
  PERFORM pg_advisory_xact_lock(hashtextextended(_key, 4242));
  _at := engine_ms(_clock);
  known := coalesce((SELECT r.version FROM records r WHERE r.key = _key AND r.expires_at > _at), 0);
  IF _if_version IS NULL OR _if_version = known THEN
    version := nextval('versions');
    INSERT INTO records AS r (key, value, version, expires_at)
      VALUES (_key, _value, record_put.version, coalesce(_at + _ttl_ms, ${NEVER}))
      ON CONFLICT (key) DO UPDATE SET value = excluded.value, version = excluded.version, expires_at = excluded.expires_at;
    IF _ttl_ms IS NOT NULL THEN
      DELETE FROM records WHERE key IN (SELECT r.key FROM records r
        WHERE r.expires_at <= _at AND r.expires_at < ${NEVER} LIMIT 50 FOR UPDATE SKIP LOCKED);
    END IF;
  END IF;
  RETURN NEXT;
END $$;

CREATE FUNCTION record_delete(_clock bigint, _key text, _if_version bigint)
RETURNS bigint LANGUAGE plpgsql ${SETTINGS} AS $$
DECLARE _at bigint; _found bigint;
BEGIN
  PERFORM pg_advisory_xact_lock(hashtextextended(_key, 4242));
  _at := engine_ms(_clock);
  _found := coalesce((SELECT r.version FROM records r WHERE r.key = _key AND r.expires_at > _at), 0);
  IF _found > 0 AND (_if_version IS NULL OR _if_version = _found) THEN
    DELETE FROM records WHERE key = _key;
  END IF;
  RETURN _found;
END $$;

CREATE FUNCTION record_list(_clock bigint, _from text, _until text, _after text, _limit bigint)
RETURNS TABLE (key text, value bytea, version bigint) LANGUAGE plpgsql ${SETTINGS} AS $$
DECLARE _at bigint := engine_ms(_clock);
BEGIN
  RETURN QUERY SELECT r.key, r.value, r.version FROM records r
    WHERE r.key >= greatest(_from COLLATE "C", _after COLLATE "C") AND r.key > _after AND r.key < _until
      AND r.expires_at > _at ORDER BY r.key LIMIT _limit;
END $$;
`;

const GROUPS = `
CREATE FUNCTION is_paused(_destination text, _name text, _credential text) RETURNS boolean LANGUAGE plpgsql STABLE
${SETTINGS} AS $$
BEGIN
  RETURN EXISTS (SELECT FROM pauses p WHERE p.kind = 0 AND p.target = _destination)
    OR EXISTS (SELECT FROM pauses p WHERE p.kind = 1 AND p.target = _destination AND p.name = _name)
    OR EXISTS (SELECT FROM pauses p WHERE p.kind = 2 AND p.target = _credential);
END $$;

-- Groups that may have become due, and what they grew by.
CREATE FUNCTION signal_due(_gids bigint[], _due bigint) RETURNS void LANGUAGE plpgsql ${SETTINGS} AS $$
DECLARE _n int := cardinality(_gids);
BEGIN
  IF _n > 0 THEN
    INSERT INTO signals (earliest, gids, dues, entries, items, bytes) VALUES (_due, _gids, array_fill(_due, ARRAY[_n]),
      array_fill(0::bigint, ARRAY[_n]), array_fill(0::bigint, ARRAY[_n]), array_fill(0::bigint, ARRAY[_n]));
  END IF;
END $$;

CREATE FUNCTION groups_open(_clock bigint, _tenants text, _destinations text, _names text, _exclusive text, _credentials text)
RETURNS void LANGUAGE plpgsql ${SETTINGS} AS $$
DECLARE _at bigint := engine_ms(_clock); _gids bigint[];
BEGIN
  INSERT INTO tenants (tenant) SELECT DISTINCT u.tenant FROM unnest(_tenants::text[]) u(tenant)
    WHERE NOT EXISTS (SELECT FROM tenants t WHERE t.tenant = u.tenant) ORDER BY 1 ON CONFLICT DO NOTHING;
  WITH wanted AS (
    SELECT DISTINCT ON (u.destination, u.name) u.destination, u.name, t.tid, u.exclusive, u.credential
    FROM unnest(_tenants::text[], _destinations::text[], _names::text[], _exclusive::boolean[], _credentials::text[])
      WITH ORDINALITY u(tenant, destination, name, exclusive, credential, ord) JOIN tenants t ON t.tenant = u.tenant
    ORDER BY u.destination, u.name, u.ord DESC
  ), saved AS (
    INSERT INTO groups AS g (destination, name, opened, tid, exclusive, credential)
      SELECT w.destination, w.name, true, w.tid, w.exclusive, w.credential FROM wanted w WHERE NOT EXISTS (
        SELECT FROM groups k WHERE k.destination = w.destination AND k.name = w.name AND k.opened AND k.tid = w.tid
          AND k.exclusive = w.exclusive AND k.credential = w.credential)
      ORDER BY w.destination, w.name
      ON CONFLICT (destination, name) DO UPDATE SET opened = true, tid = excluded.tid, exclusive = excluded.exclusive,
        credential = excluded.credential
      RETURNING g.gid
  ) SELECT array_agg(gid) INTO _gids FROM saved;
  PERFORM signal_due(_gids, _at);
END $$;

CREATE FUNCTION groups_meant(_kind smallint, _target text, _name text) RETURNS SETOF bigint LANGUAGE plpgsql STABLE
${SETTINGS} AS $$
BEGIN
  IF _kind = 2 THEN
    RETURN QUERY SELECT g.gid FROM groups g WHERE g.credential = _target AND g.opened;
  ELSE
    RETURN QUERY SELECT g.gid FROM groups g WHERE g.destination = _target AND (_kind = 0 OR g.name = _name) AND g.opened;
  END IF;
END $$;

CREATE FUNCTION pause_set(_kind smallint, _target text, _name text, _reason text)
RETURNS void LANGUAGE sql ${SETTINGS} AS $$
  INSERT INTO pauses (kind, target, name, reason) VALUES (_kind, _target, _name, _reason) ON CONFLICT DO NOTHING
$$;

CREATE FUNCTION pause_end(_clock bigint, _kind smallint, _target text, _name text, _reason text)
RETURNS void LANGUAGE plpgsql ${SETTINGS} AS $$
BEGIN
  DELETE FROM pauses WHERE kind = _kind AND target = _target AND name = _name AND reason = _reason;
  PERFORM signal_due(ARRAY(SELECT groups_meant(_kind, _target, _name)), engine_ms(_clock));
END $$;
`;

const APPEND = `
-- Lists come as text of Postgres's array syntax, payloads in one piece: any driver passes that on unchanged.
-- unknown: that group of the call is not open, and nothing was written.
CREATE FUNCTION entries_append(_clock bigint, _destinations text, _names text, _groups text, _ids text, _priorities text,
  _items text, _offsets text, _sizes text, _payloads bytea, _delays text, _positions text, _dedupes text)
RETURNS TABLE (unknown integer, positions text, duplicates text) LANGUAGE plpgsql ${SETTINGS} AS $$
DECLARE
  _at bigint := engine_ms(_clock);
  __groups int[] := _groups; __ids text[] := _ids; __priorities smallint[] := _priorities; __items int[] := _items;
  __offsets int[] := _offsets; __sizes int[] := _sizes; __delays bigint[] := _delays;
  __positions bigint[] := _positions; __dedupes bigint[] := _dedupes;
  _n int := cardinality(__ids);
  _stored int; _gids bigint[]; _seqs bigint[];
BEGIN
  _gids := ARRAY(SELECT g.gid FROM unnest(_destinations::text[], _names::text[]) WITH ORDINALITY u(destination, name, ord)
    LEFT JOIN groups g ON g.destination = u.destination AND g.name = u.name AND g.opened ORDER BY u.ord);
  unknown := array_position(_gids, NULL);
  IF unknown IS NOT NULL THEN
    RETURN NEXT;
    RETURN;
  END IF;
  _seqs := ARRAY(SELECT nextval('seq') FROM generate_series(1, _n));
  FOR _round IN 1..10 LOOP
    -- Sorted, so that two calls with the same ids wait for each other in one direction only.
    WITH stored AS (
      INSERT INTO entries AS e (gid, id, seq, position, priority, state, due_at, created_at, dedupe_ms, items, claims, payload)
        SELECT _gids[u.g], u.id, _seqs[u.ord], coalesce(u.position, _seqs[u.ord]), u.priority, 0, _at + u.delay, _at,
          u.dedupe, u.items, 0, substring(_payloads FROM u.start FOR u.size)
        FROM unnest(__groups, __ids, __priorities, __items, __offsets, __sizes, __delays, __positions, __dedupes)
          WITH ORDINALITY u(g, id, priority, items, start, size, delay, position, dedupe, ord)
        WHERE _round = 1 OR NOT EXISTS (SELECT FROM entries k WHERE k.gid = _gids[u.g] AND k.id = u.id)
        ORDER BY _gids[u.g], u.id, u.ord
        ON CONFLICT (gid, id) DO NOTHING
        RETURNING e.gid, e.due_at, e.items, octet_length(e.payload) AS bytes
    ), grown AS (
      SELECT gid, min(due_at) AS due, count(*) AS entries, sum(items) AS items, sum(bytes) AS bytes FROM stored GROUP BY gid
    ), signalled AS (
      INSERT INTO signals (earliest, gids, dues, entries, items, bytes)
        SELECT min(due), array_agg(gid), array_agg(due), array_agg(entries), array_agg(items), array_agg(bytes) FROM grown
        HAVING count(*) > 0
    ) SELECT count(*) INTO _stored FROM stored;
    IF _round = 1 AND _stored = _n THEN
      positions := array_to_string(ARRAY(
        SELECT coalesce(u.position, u.seq) FROM unnest(__positions, _seqs) WITH ORDINALITY u(position, seq, ord) ORDER BY u.ord), ',');
      RETURN NEXT;
      RETURN;
    END IF;
    -- An id whose time is over begins anew.
    WITH renewed AS (
      UPDATE entries e SET seq = _seqs[u.ord], position = coalesce(u.position, _seqs[u.ord]), priority = u.priority, state = 0,
          due_at = _at + u.delay, created_at = _at, dedupe_ms = u.dedupe, until = NULL, claim = NULL, items = u.items, claims = 0,
          progress = NULL, payload = substring(_payloads FROM u.start FOR u.size)
        FROM (SELECT DISTINCT ON (_gids[u.g], u.id) u.*, _gids[u.g] AS gid
          FROM unnest(__groups, __ids, __priorities, __items, __offsets, __sizes, __delays, __positions, __dedupes)
            WITH ORDINALITY u(g, id, priority, items, start, size, delay, position, dedupe, ord)
          ORDER BY _gids[u.g], u.id, u.ord) u
        WHERE e.gid = u.gid AND e.id = u.id AND e.state = 3 AND e.until <= _at
        RETURNING e.gid, e.due_at, e.items, octet_length(e.payload) AS bytes
    ), grown AS (
      SELECT gid, min(due_at) AS due, count(*) AS entries, sum(items) AS items, sum(bytes) AS bytes FROM renewed GROUP BY gid
    ) INSERT INTO signals (earliest, gids, dues, entries, items, bytes)
      SELECT min(due), array_agg(gid), array_agg(due), array_agg(entries), array_agg(items), array_agg(bytes) FROM grown
      HAVING count(*) > 0;
    -- A row that was there a moment ago may have left by now.
    EXIT WHEN NOT EXISTS (SELECT FROM unnest(__groups, __ids) u(g, id)
      WHERE NOT EXISTS (SELECT FROM entries e WHERE e.gid = _gids[u.g] AND e.id = u.id));
  END LOOP;
  SELECT array_to_string(array_agg(e.position ORDER BY u.ord), ','),
      array_to_string(array_agg(u.ord ORDER BY u.ord) FILTER (WHERE e.seq <> _seqs[u.ord]), ','), count(*)
    INTO STRICT positions, duplicates, _stored
    FROM unnest(__groups, __ids) WITH ORDINALITY u(g, id, ord) JOIN entries e ON e.gid = _gids[u.g] AND e.id = u.id;
  IF _stored <> _n THEN RAISE EXCEPTION 'other calls came in between' USING ERRCODE = 'serialization_failure'; END IF;
  RETURN NEXT;
END $$;
`;

const CLAIM = `
-- Leases that ran out: their entries are claimable again, the claim may still settle until one of them is taken.
CREATE FUNCTION leases_expire(_at bigint) RETURNS void LANGUAGE plpgsql ${SETTINGS} AS $$
DECLARE _claim record;
BEGIN
  FOR _claim IN SELECT cid, gid, state, lease_until FROM claims WHERE state <> 1 AND lease_until <= _at
    ORDER BY lease_until LIMIT 500 FOR UPDATE SKIP LOCKED
  LOOP
    IF _claim.state = 2 THEN
      DELETE FROM claims WHERE cid = _claim.cid;
    ELSE
      UPDATE claims SET state = 1 WHERE cid = _claim.cid;
      UPDATE entries SET state = 1, due_at = _claim.lease_until WHERE claim = _claim.cid AND state = 2;
      PERFORM signal_due(ARRAY[_claim.gid], _claim.lease_until);
    END IF;
  END LOOP;
END $$;

-- What was signalled comes into groups and tenants. What somebody else holds is left for the next one.
CREATE FUNCTION signals_fold() RETURNS void LANGUAGE plpgsql ${SETTINGS} AS $$
DECLARE
  _sids bigint[]; _gids bigint[]; _dues bigint[]; _entries bigint[]; _items bigint[]; _bytes bigint[];
  _tids bigint[]; _locked bigint[]; _closed bigint[];
BEGIN
  _sids := ARRAY(SELECT sid FROM signals ORDER BY sid LIMIT 500);
  IF cardinality(_sids) = 0 THEN RETURN; END IF;
  _tids := ARRAY(SELECT t.tid FROM tenants t WHERE t.tid IN (SELECT g.tid FROM groups g JOIN (
      SELECT DISTINCT unnest(s.gids) AS gid FROM signals s WHERE s.sid = ANY (_sids)) n ON n.gid = g.gid)
    FOR NO KEY UPDATE SKIP LOCKED);
  _sids := ARRAY(SELECT s.sid FROM signals s WHERE s.sid = ANY (_sids)
      AND EXISTS (SELECT FROM groups g WHERE g.gid = ANY (s.gids) AND g.tid = ANY (_tids)) FOR UPDATE SKIP LOCKED);
  IF cardinality(_sids) = 0 THEN RETURN; END IF;
  SELECT array_agg(gid), array_agg(due), array_agg(entries), array_agg(items), array_agg(bytes)
    INTO _gids, _dues, _entries, _items, _bytes
    FROM (SELECT u.gid, min(u.due) AS due, sum(u.entries) AS entries, sum(u.items) AS items, sum(u.bytes) AS bytes
      FROM signals s, unnest(s.gids, s.dues, s.entries, s.items, s.bytes) u(gid, due, entries, items, bytes)
      WHERE s.sid = ANY (_sids) GROUP BY u.gid) news;
  _locked := ARRAY(SELECT g.gid FROM groups g WHERE g.gid = ANY (_gids) AND g.tid = ANY (_tids) FOR NO KEY UPDATE SKIP LOCKED);
  UPDATE groups g SET due_at = least(g.due_at, u.due), entries = g.entries + u.entries, items = g.items + u.items,
      bytes = g.bytes + u.bytes
    FROM unnest(_gids, _dues, _entries, _items, _bytes) u(gid, due, entries, items, bytes)
    WHERE g.gid = u.gid AND g.gid = ANY (_locked);
  UPDATE tenants t SET due_at = n.due
    FROM (SELECT g.tid, min(u.due) AS due FROM unnest(_gids, _dues) u(gid, due) JOIN groups g ON g.gid = u.gid
      WHERE g.gid = ANY (_locked) GROUP BY g.tid) n
    WHERE t.tid = n.tid AND t.due_at > n.due;
  DELETE FROM signals WHERE sid = ANY (_sids);
  IF cardinality(_locked) < cardinality(_gids) THEN
    INSERT INTO signals (earliest, gids, dues, entries, items, bytes)
      SELECT min(u.due), array_agg(u.gid), array_agg(u.due), array_agg(u.entries), array_agg(u.items), array_agg(u.bytes)
      FROM unnest(_gids, _dues, _entries, _items, _bytes) u(gid, due, entries, items, bytes)
      WHERE u.gid <> ALL (_locked) AND EXISTS (SELECT FROM groups g WHERE g.gid = u.gid) HAVING count(*) > 0;
  END IF;
  -- Appends that a purge did not see belong to nobody.
  _closed := ARRAY(SELECT g.gid FROM groups g WHERE g.gid = ANY (_locked) AND NOT g.opened AND g.entries > 0);
  IF cardinality(_closed) > 0 THEN
    WITH orphans AS (
      DELETE FROM entries WHERE gid = ANY (_closed) AND state = 0 RETURNING gid, items, octet_length(payload) AS bytes
    ), shrunk AS (
      SELECT gid, count(*) AS entries, sum(items) AS items, sum(bytes) AS bytes FROM orphans GROUP BY gid
    ) UPDATE groups g SET entries = g.entries - o.entries, items = g.items - o.items, bytes = g.bytes - o.bytes
      FROM shrunk o WHERE g.gid = o.gid;
    UPDATE groups SET due_at = ${NEVER} WHERE gid = ANY (_closed);
  END IF;
END $$;

-- When a claim may take the group.
CREATE FUNCTION group_due(_gid bigint, _at bigint) RETURNS bigint LANGUAGE plpgsql ${SETTINGS} AS $$
DECLARE _group groups; _own bigint; _wait bigint; _barrier record;
BEGIN
  SELECT * INTO _group FROM groups WHERE gid = _gid;
  IF NOT _group.opened OR is_paused(_group.destination, _group.name, _group.credential) THEN RETURN ${NEVER}; END IF;
  _wait := coalesce((SELECT due_at FROM entries WHERE gid = _gid AND state = 1 ORDER BY due_at LIMIT 1), ${NEVER});
  IF _wait > _at THEN
    -- One that is due is enough to know; only a group in which all linger is read to its end.
    SELECT due_at INTO _own FROM entries WHERE gid = _gid AND state = 0 AND due_at <= _at LIMIT 1;
    IF NOT FOUND THEN _own := coalesce((SELECT min(due_at) FROM entries WHERE gid = _gid AND state = 0), ${NEVER}); END IF;
  END IF;
  _own := least(_own, _wait);
  IF _own < ${NEVER} AND _group.exclusive THEN
    -- A head that waits for its retry holds the group.
    SELECT e.position, e.seq, e.due_at INTO _barrier FROM entries e WHERE e.gid = _gid AND e.state = 1 AND e.due_at > _at
      ORDER BY e.position, e.seq LIMIT 1;
    IF FOUND AND NOT EXISTS (SELECT FROM entries e WHERE e.gid = _gid AND e.state = 0
          AND (e.position, e.seq) < (_barrier.position, _barrier.seq))
        AND NOT EXISTS (SELECT FROM entries e WHERE e.gid = _gid AND e.state = 1 AND e.due_at <= _at
          AND (e.position, e.seq) < (_barrier.position, _barrier.seq))
    THEN _own := _barrier.due_at; END IF;
    _own := greatest(_own, (SELECT max(lease_until) FROM claims WHERE gid = _gid AND state = 0));
  END IF;
  RETURN greatest(_own, _group.hold_until);
END $$;

-- Of the tenant, whose lock is held, the due group of its most urgent or its oldest entry.
CREATE FUNCTION group_next(_tid bigint, _oldest boolean, _skip text[], _at bigint) RETURNS bigint LANGUAGE plpgsql
${SETTINGS} AS $$
DECLARE _group record; _due bigint; _entry record; _gid bigint; _priority smallint; _seq bigint;
BEGIN
  FOR _group IN SELECT g.gid, g.exclusive FROM groups g WHERE g.tid = _tid AND g.due_at <= _at AND g.due_at < ${NEVER}
    AND g.hold_until <= _at AND g.opened AND g.credential <> ALL (_skip) FOR NO KEY UPDATE SKIP LOCKED
  LOOP
    _due := group_due(_group.gid, _at);
    IF _due > _at THEN
      UPDATE groups SET due_at = _due WHERE gid = _group.gid;
      CONTINUE;
    END IF;
    -- Entries whose own time is over join the ready ones.
    UPDATE entries e SET state = 0 FROM (SELECT w.gid, w.id FROM entries w
        WHERE w.gid = _group.gid AND w.state = 1 AND w.due_at <= _at ORDER BY w.due_at
        LIMIT CASE WHEN _group.exclusive THEN NULL ELSE 5000 END FOR NO KEY UPDATE SKIP LOCKED) w
      WHERE e.gid = w.gid AND e.id = w.id;
    IF _oldest THEN
      SELECT first.seq, first.priority INTO _entry FROM generate_series(0, 3) lane(priority), LATERAL (
          SELECT e.seq, e.priority FROM entries e WHERE e.gid = _group.gid AND e.state = 0
          AND e.priority = lane.priority::smallint ORDER BY e.position, e.seq LIMIT 1) first
        ORDER BY first.seq LIMIT 1;
    ELSE
      SELECT e.seq, e.priority INTO _entry FROM entries e WHERE e.gid = _group.gid AND e.state = 0
        ORDER BY e.priority, e.position, e.seq LIMIT 1;
    END IF;
    IF NOT FOUND THEN CONTINUE; END IF;
    IF _gid IS NULL OR (NOT _oldest AND _entry.priority < _priority)
        OR ((_oldest OR _entry.priority = _priority) AND _entry.seq < _seq) THEN
      _gid := _group.gid; _priority := _entry.priority; _seq := _entry.seq;
    END IF;
  END LOOP;
  RETURN _gid;
END $$;

-- As many entries of the group as fit, at least one. One that was claimed five times without a settle comes alone.
CREATE FUNCTION group_take(_gid bigint, _oldest boolean, _at bigint, _max_items bigint, _max_bytes bigint)
RETURNS text[] LANGUAGE plpgsql ${SETTINGS} AS $$
DECLARE
  _strict boolean := (SELECT exclusive FROM groups WHERE gid = _gid);
  _ids text[] := '{}'; _items bigint := 0; _bytes bigint := 0; _entries refcursor; _entry record; _barrier record;
BEGIN
  IF _strict OR _oldest THEN
    OPEN _entries FOR
      SELECT l.* FROM (
        SELECT e.id, e.position, e.seq, e.items, e.claims, octet_length(e.payload) AS bytes FROM entries e WHERE e.gid = _gid AND e.state = 0 AND e.priority = 0
        UNION ALL SELECT e.id, e.position, e.seq, e.items, e.claims, octet_length(e.payload) FROM entries e WHERE e.gid = _gid AND e.state = 0 AND e.priority = 1
        UNION ALL SELECT e.id, e.position, e.seq, e.items, e.claims, octet_length(e.payload) FROM entries e WHERE e.gid = _gid AND e.state = 0 AND e.priority = 2
        UNION ALL SELECT e.id, e.position, e.seq, e.items, e.claims, octet_length(e.payload) FROM entries e WHERE e.gid = _gid AND e.state = 0 AND e.priority = 3
      ) l ORDER BY l.position, l.seq;
  ELSE
    OPEN _entries FOR
      SELECT e.id, e.position, e.seq, e.items, e.claims, octet_length(e.payload) AS bytes FROM entries e
      WHERE e.gid = _gid AND e.state = 0 ORDER BY e.priority, e.position, e.seq;
  END IF;
  IF _strict THEN
    SELECT e.position, e.seq INTO _barrier FROM entries e WHERE e.gid = _gid AND e.state = 1 AND e.due_at > _at
      ORDER BY e.position, e.seq LIMIT 1;
  ELSE
    SELECT NULL::bigint AS position, NULL::bigint AS seq INTO _barrier;
  END IF;
  LOOP
    FETCH _entries INTO _entry;
    EXIT WHEN NOT FOUND OR (_entry.position, _entry.seq) > (_barrier.position, _barrier.seq);
    IF cardinality(_ids) > 0 THEN
      EXIT WHEN _entry.claims >= 5 AND _strict;
      CONTINUE WHEN _entry.claims >= 5;
      EXIT WHEN _items + _entry.items > _max_items OR _bytes + _entry.bytes > _max_bytes;
    END IF;
    _ids := _ids || _entry.id;
    _items := _items + _entry.items;
    _bytes := _bytes + _entry.bytes;
    EXIT WHEN _entry.claims >= 5;
  END LOOP;
  CLOSE _entries;
  RETURN _ids;
END $$;

-- The first row says what came of it: "none" is due; "busy": all that is due is in other hands at this moment; "claim",
-- and then its entries, one row each.
CREATE FUNCTION entries_claim(_clock bigint, _lease_ms bigint, _max_items bigint, _max_bytes bigint, _skip text)
RETURNS TABLE (kind text, at bigint, cid bigint, tenant text, destination text, name text, exclusive boolean, credential text,
  id text, payload bytea, items integer, "position" bigint, seq bigint, claims integer, age_ms bigint, progress bytea)
LANGUAGE plpgsql ${SETTINGS} SET enable_hashjoin = off SET enable_mergejoin = off SET enable_sort = off AS $$
#variable_conflict use_column
DECLARE
  _at bigint := engine_ms(_clock); __skip text[] := _skip;
  _turn record; _tenant tenants; _gid bigint; _ids text[]; _lost bigint[]; _cid bigint; _busy boolean := false; _floor bigint;
BEGIN
  PERFORM leases_expire(_at);
  PERFORM signals_fold();
  -- Joined in loops and not sorted: the index brings tenants by turn, and mostly the first is the one.
  FOR _turn IN SELECT t.tid FROM tenants t WHERE t.due_at <= _at AND t.due_at < ${NEVER}
    AND EXISTS (SELECT FROM groups g WHERE g.tid = t.tid AND g.due_at <= _at AND g.due_at < ${NEVER} AND g.hold_until <= _at
      AND g.opened AND g.credential <> ALL (__skip))
    ORDER BY t.virtual_time, t.served_at
  LOOP
    SELECT * INTO _tenant FROM tenants t WHERE t.tid = _turn.tid AND t.due_at <= _at FOR NO KEY UPDATE SKIP LOCKED;
    IF NOT FOUND THEN
      _busy := true;
      CONTINUE;
    END IF;
    _gid := group_next(_tenant.tid, _tenant.turns % 4 = 3, __skip, _at);
    IF _gid IS NOT NULL THEN
      _ids := group_take(_gid, _tenant.turns % 4 = 3, _at, _max_items, _max_bytes);
      -- Claims whose lease is over and whose entries are taken now, in an exclusive group every one, are lost. One that
      -- is being settled or extended at this moment keeps what it holds.
      _lost := ARRAY(SELECT c.cid FROM claims c WHERE c.gid = _gid AND c.state = 1 AND (
          (SELECT g.exclusive FROM groups g WHERE g.gid = _gid)
          OR c.cid IN (SELECT e.claim FROM entries e WHERE e.gid = _gid AND e.id = ANY (_ids)))
        FOR UPDATE SKIP LOCKED);
      IF EXISTS (SELECT FROM claims c WHERE c.gid = _gid AND c.state < 2 AND c.cid <> ALL (_lost))
          AND (SELECT g.exclusive FROM groups g WHERE g.gid = _gid) THEN
        _busy := true;
        CONTINUE;
      END IF;
      _cid := nextval('seq');
      UPDATE entries e SET state = 2, claims = e.claims + 1, claim = _cid
        WHERE e.gid = _gid AND e.id = ANY (_ids) AND e.state = 0
          AND (e.claim IS NULL OR e.claim = ANY (_lost) OR NOT EXISTS (SELECT FROM claims c WHERE c.cid = e.claim));
      IF FOUND THEN
        DELETE FROM claims c WHERE c.cid = ANY (_lost);
        INSERT INTO claims (cid, gid, state, lease_until, oldest_at)
          SELECT _cid, _gid, 0, _at + _lease_ms, min(e.created_at) FROM entries e WHERE e.claim = _cid;
        EXIT;
      END IF;
      _busy := true;
      _cid := NULL;
    END IF;
    UPDATE tenants t SET due_at = coalesce((SELECT min(greatest(g.due_at, g.hold_until)) FROM groups g
      WHERE g.tid = t.tid AND g.due_at < ${NEVER} AND g.opened), ${NEVER}) WHERE t.tid = _tenant.tid;
  END LOOP;
  IF _cid IS NULL THEN
    kind := CASE WHEN _busy THEN 'busy' ELSE 'none' END;
    at := _at;
    RETURN NEXT;
    RETURN;
  END IF;
  RETURN QUERY SELECT 'claim', _at, _cid, t.tenant, g.destination, g.name, g.exclusive, g.credential,
      NULL, NULL::bytea, NULL::integer, NULL::bigint, NULL::bigint, NULL::integer, NULL::bigint, NULL::bytea
    FROM groups g JOIN tenants t ON t.tid = g.tid WHERE g.gid = _gid;
  RETURN QUERY SELECT 'entry', NULL::bigint, NULL::bigint, NULL, NULL, NULL, NULL::boolean, NULL, e.id, e.payload, e.items, e.position, e.seq, e.claims, _at - e.created_at, e.progress
    FROM entries e WHERE e.claim = _cid;
  UPDATE groups g SET due_at = group_due(_gid, _at) WHERE g.gid = _gid;
  -- One turn more. A tenant that was away starts where the others are, not where it left.
  _floor := coalesce((SELECT t.virtual_time - 1 FROM tenants t WHERE t.served_at > 0 ORDER BY t.served_at DESC LIMIT 1), 0);
  UPDATE tenants t SET virtual_time = greatest(t.virtual_time, _floor) + 1, turns = t.turns + 1, served_at = nextval('turns'),
    due_at = coalesce((SELECT min(greatest(g.due_at, g.hold_until)) FROM groups g
      WHERE g.tid = t.tid AND g.due_at < ${NEVER} AND g.opened), ${NEVER}) WHERE t.tid = _tenant.tid;
END $$;

-- What a worker that found nothing waits for: signals, the next due time behind that moment, the next lease to end.
CREATE FUNCTION next_due(_clock bigint, _after bigint) RETURNS TABLE (at bigint, due_at bigint) LANGUAGE plpgsql
${SETTINGS} AS $$
BEGIN
  at := engine_ms(_clock);
  due_at := least(${NEVER},
    (SELECT min(s.earliest) FROM (SELECT earliest FROM signals ORDER BY sid LIMIT 500) s),
    (SELECT greatest(g.due_at, g.hold_until) FROM groups g WHERE g.due_at < ${NEVER}
      AND greatest(g.due_at, g.hold_until) > _after ORDER BY greatest(g.due_at, g.hold_until) LIMIT 1),
    (SELECT c.lease_until FROM claims c WHERE c.state <> 1 AND c.state = 0 ORDER BY c.lease_until LIMIT 1));
  RETURN NEXT;
END $$;
`;

const SETTLE = `
CREATE FUNCTION claim_extend(_clock bigint, _cid bigint, _lease_ms bigint) RETURNS boolean LANGUAGE plpgsql
${SETTINGS} AS $$
DECLARE _claim claims; _until bigint;
BEGIN
  -- A lease that a power loss takes back belonged to a process that lost its database.
  PERFORM set_config('synchronous_commit', 'off', true);
  SELECT * INTO _claim FROM claims WHERE cid = _cid FOR UPDATE;
  IF NOT FOUND OR _claim.state = 2 THEN RETURN false; END IF;
  UPDATE claims SET state = 0, lease_until = engine_ms(_clock) + _lease_ms WHERE cid = _cid;
  IF _claim.state = 1 THEN UPDATE entries SET state = 2 WHERE claim = _cid; END IF;
  RETURN true;
END $$;

-- The entry is gone; its id still answers "duplicate" for the time it asked for.
CREATE FUNCTION entries_leave(_gid bigint, _ids text[], _at bigint) RETURNS void LANGUAGE plpgsql
${SETTINGS} AS $$
DECLARE _entries bigint; _items bigint; _bytes bigint;
BEGIN
  SELECT count(*), sum(items), sum(octet_length(payload)) INTO _entries, _items, _bytes FROM entries
    WHERE gid = _gid AND id = ANY (_ids);
  IF _entries = 0 THEN RETURN; END IF;
  DELETE FROM entries WHERE gid = _gid AND id = ANY (_ids) AND dedupe_ms <= 0;
  UPDATE entries SET state = 3, until = _at + dedupe_ms, claim = NULL, progress = NULL, payload = ''
    WHERE gid = _gid AND id = ANY (_ids);
  INSERT INTO signals (earliest, gids, dues, entries, items, bytes)
    VALUES (${NEVER}, ARRAY[_gid], ARRAY[${NEVER}], ARRAY[-_entries], ARRAY[-_items], ARRAY[-_bytes]);
  -- As many as leave, and some more, so that they never pile up.
  DELETE FROM entries e USING (SELECT g.gid, g.id FROM entries g WHERE g.state = 3 AND g.until <= _at
    ORDER BY g.until LIMIT 100 + 2 * _entries FOR UPDATE SKIP LOCKED) old WHERE e.gid = old.gid AND e.id = old.id;
END $$;

-- Retries: null for an entry that is gone. claim + 0: entries are looked up by id; by claim would be all for each of them.
CREATE FUNCTION claim_settle(_clock bigint, _cid bigint, _hold_ms bigint, _ids text, _retries text, _offsets text, _sizes text,
  _progress bytea, _dead_ids text, _dead_items text, _dead_reasons text, _dead_offsets text, _dead_sizes text,
  _dead_details text, _dead_bytes bytea)
RETURNS text LANGUAGE plpgsql ${SETTINGS} AS $$
DECLARE
  _at bigint; _claim claims; __ids text[] := _ids; __retries bigint[] := _retries; __offsets int[] := _offsets; __sizes int[] := _sizes;
  _again bigint; _returned boolean;
BEGIN
  SELECT * INTO _claim FROM claims WHERE cid = _cid FOR UPDATE;
  IF NOT FOUND THEN RETURN 'lost'; END IF;
  IF _claim.state = 2 THEN RETURN 'settled'; END IF;
  _at := engine_ms(_clock);
  INSERT INTO dead (seq, destination, gid, entry_id, item_index, reason, died_at, claims, position, payload, detail)
    SELECT nextval('seq'), g.destination, g.gid, e.id, d.item, d.reason, _at, e.claims, e.position,
      substring(_dead_bytes FROM d.start FOR d.size), substring(_dead_bytes FROM d.start + d.size FOR d.detail)
    FROM unnest(_dead_ids::text[], _dead_items::int[], _dead_reasons::text[], _dead_offsets::int[], _dead_sizes::int[], _dead_details::int[])
      d(id, item, reason, start, size, detail)
    JOIN groups g ON g.gid = _claim.gid JOIN entries e ON e.gid = g.gid AND e.id = d.id AND e.claim + 0 = _cid;
  PERFORM entries_leave(_claim.gid, ARRAY(SELECT u.id FROM unnest(__ids, __retries) u(id, retry) WHERE u.retry IS NULL), _at);
  WITH rest AS (
    UPDATE entries e SET state = CASE WHEN u.retry > 0 THEN 1 ELSE 0 END, claims = 0, claim = NULL, due_at = _at + u.retry,
        progress = substring(_progress FROM u.start FOR u.size)
      FROM unnest(__ids, __retries, __offsets, __sizes) u(id, retry, start, size)
      WHERE e.gid = _claim.gid AND e.id = u.id AND e.claim + 0 = _cid AND u.retry IS NOT NULL
      RETURNING e.due_at
  ) SELECT min(due_at) INTO _again FROM rest;
  UPDATE entries SET state = 0, claim = NULL, due_at = least(due_at, _at) WHERE claim = _cid;
  _returned := FOUND;
  UPDATE claims SET state = 2 WHERE cid = _cid;
  IF _returned OR (SELECT exclusive FROM groups WHERE gid = _claim.gid) THEN _again := _at; END IF;
  IF _again IS NOT NULL THEN PERFORM signal_due(ARRAY[_claim.gid], _again); END IF;
  IF _hold_ms IS NOT NULL THEN
    UPDATE groups SET hold_until = greatest(hold_until, _at + _hold_ms) WHERE gid = _claim.gid;
  END IF;
  RETURN 'settled';
END $$;

CREATE FUNCTION claim_release(_clock bigint, _cid bigint, _hold_ms bigint) RETURNS void LANGUAGE plpgsql
${SETTINGS} AS $$
DECLARE _claim claims; _at bigint;
BEGIN
  SELECT * INTO _claim FROM claims WHERE cid = _cid FOR UPDATE;
  IF NOT FOUND OR _claim.state = 2 THEN RETURN; END IF;
  _at := engine_ms(_clock);
  UPDATE entries SET state = 0, claim = NULL, claims = claims - 1, due_at = least(due_at, _at) WHERE claim = _cid;
  DELETE FROM claims WHERE cid = _cid;
  PERFORM signal_due(ARRAY[_claim.gid], _at);
  IF _hold_ms IS NOT NULL THEN
    UPDATE groups SET hold_until = greatest(hold_until, _at + _hold_ms) WHERE gid = _claim.gid;
  END IF;
  UPDATE tenants t SET virtual_time = t.virtual_time - 1, turns = t.turns - 1 FROM groups g
    WHERE g.gid = _claim.gid AND t.tid = g.tid;
END $$;
`;

const KEEPING = `
-- Unclaimed entries become dead letters whole. False until none is left.
CREATE FUNCTION entries_bury(_clock bigint, _kind smallint, _target text, _name text, _reason text, _older_ms bigint, _limit bigint)
RETURNS boolean LANGUAGE plpgsql ${SETTINGS} AS $$
DECLARE _at bigint := engine_ms(_clock); _gid bigint; _left bigint := _limit; _ids text[]; _lost bigint[]; _held bigint[]; _found bigint;
BEGIN
  PERFORM leases_expire(_at);
  FOR _gid IN SELECT m.gid FROM groups_meant(_kind, _target, _name) m(gid) ORDER BY m.gid LOOP
    PERFORM FROM groups WHERE gid = _gid FOR NO KEY UPDATE;
    -- Claims whose lease is over and that are being settled at this moment keep their entries.
    _lost := ARRAY(SELECT cid FROM claims WHERE gid = _gid AND state = 1 FOR UPDATE SKIP LOCKED);
    _held := ARRAY(SELECT cid FROM claims WHERE gid = _gid AND state < 2 AND cid <> ALL (_lost));
    -- "Older than": an entry of exactly that age stays.
    _ids := ARRAY(SELECT u.id FROM (
        SELECT e.id, e.claim, e.created_at FROM entries e WHERE e.gid = _gid AND e.state = 0
        UNION ALL SELECT e.id, e.claim, e.created_at FROM entries e WHERE e.gid = _gid AND e.state = 1) u
      WHERE (_older_ms IS NULL OR u.created_at < _at - _older_ms) AND (u.claim IS NULL OR u.claim <> ALL (_held)) LIMIT _left + 1);
    _found := cardinality(_ids);
    _ids := _ids[1:least(_left, 1000000)::int];
    INSERT INTO dead (seq, destination, gid, entry_id, item_index, reason, died_at, claims, position, payload, detail)
      SELECT nextval('seq'), g.destination, g.gid, e.id, -1, _reason, _at, e.claims, e.position, e.payload, coalesce(e.progress, '')
      FROM groups g JOIN entries e ON e.gid = g.gid WHERE g.gid = _gid AND e.id = ANY (_ids);
    DELETE FROM claims WHERE cid IN (SELECT e.claim FROM entries e WHERE e.gid = _gid AND e.id = ANY (_ids));
    PERFORM entries_leave(_gid, _ids, _at);
    -- What held the others back may be gone.
    PERFORM signal_due(ARRAY[_gid], _at);
    IF _found > _left THEN RETURN false; END IF;
    _left := _left - _found;
  END LOOP;
  RETURN true;
END $$;

-- Forgets a destination, a part per call. True when nothing is left; the groups' rows stay, closed.
CREATE FUNCTION destination_purge(_destination text, _limit bigint) RETURNS boolean LANGUAGE plpgsql
${SETTINGS} AS $$
DECLARE _gids bigint[]; _left bigint := _limit; _claims bigint[]; _n bigint;
BEGIN
  _gids := ARRAY(SELECT gid FROM groups WHERE destination = _destination ORDER BY gid);
  _claims := ARRAY(SELECT cid FROM claims WHERE gid = ANY (_gids) AND state < 2 ORDER BY cid FOR UPDATE);
  PERFORM FROM groups WHERE gid = ANY (_gids) ORDER BY gid FOR NO KEY UPDATE;
  DELETE FROM claims WHERE cid = ANY (_claims);
  WITH removed AS (
    DELETE FROM entries e USING (SELECT u.gid, u.id FROM (
        SELECT k.gid, k.id, NULL AS claim FROM entries k WHERE k.claim = ANY (_claims)
        UNION ALL SELECT k.gid, k.id, k.claim FROM entries k WHERE k.gid = ANY (_gids) AND k.state = 0
        UNION ALL SELECT k.gid, k.id, k.claim FROM entries k WHERE k.gid = ANY (_gids) AND k.state = 1
        UNION ALL SELECT k.gid, k.id, k.claim FROM entries k WHERE k.gid = ANY (_gids) AND k.state = 3) u
        WHERE u.claim IS NULL OR NOT EXISTS (SELECT FROM claims c WHERE c.cid = u.claim) LIMIT _left) old
      WHERE e.gid = old.gid AND e.id = old.id RETURNING e.gid, e.state, e.items, octet_length(e.payload) AS bytes
  ), shrunk AS (
    SELECT gid, count(*) FILTER (WHERE state < 3) AS entries, coalesce(sum(items) FILTER (WHERE state < 3), 0) AS items,
      coalesce(sum(bytes) FILTER (WHERE state < 3), 0) AS bytes FROM removed GROUP BY gid
  ), signalled AS (
    INSERT INTO signals (earliest, gids, dues, entries, items, bytes)
      SELECT ${NEVER}, array_agg(gid), array_agg(${NEVER}::bigint), array_agg(-entries), array_agg(-items), array_agg(-bytes)
      FROM shrunk HAVING count(*) > 0
  ) SELECT count(*) INTO _n FROM removed;
  -- Unclaimed entries of a claim that is gone are nobody's.
  UPDATE entries SET state = 0, claim = NULL WHERE claim = ANY (_claims);
  PERFORM signal_due(_gids, 0);
  _left := _left - _n;
  IF _left <= 0 OR EXISTS (SELECT FROM claims WHERE gid = ANY (_gids) AND state < 2) OR EXISTS (SELECT FROM entries WHERE gid = ANY (_gids) AND state = 0)
      OR EXISTS (SELECT FROM entries WHERE gid = ANY (_gids) AND state = 1)
      OR EXISTS (SELECT FROM entries WHERE gid = ANY (_gids) AND state = 3) THEN RETURN false; END IF;
  DELETE FROM dead d USING (SELECT k.seq FROM dead k WHERE k.destination = _destination ORDER BY k.seq LIMIT _left) old
    WHERE d.destination = _destination AND d.seq = old.seq;
  GET DIAGNOSTICS _n = ROW_COUNT;
  IF _n >= _left THEN RETURN false; END IF;
  DELETE FROM pauses WHERE kind < 2 AND target = _destination;
  UPDATE groups SET opened = false, hold_until = 0, due_at = ${NEVER} WHERE gid = ANY (_gids);
  RETURN true;
END $$;

CREATE FUNCTION dead_expire(_clock bigint, _older_ms bigint, _limit bigint) RETURNS boolean LANGUAGE plpgsql
${SETTINGS} AS $$
DECLARE _at bigint := engine_ms(_clock); _n bigint;
BEGIN
  DELETE FROM dead d USING (SELECT k.destination, k.seq FROM dead k WHERE k.died_at < _at - _older_ms ORDER BY k.died_at LIMIT _limit) old
    WHERE d.destination = old.destination AND d.seq = old.seq;
  GET DIAGNOSTICS _n = ROW_COUNT;
  RETURN _n < _limit;
END $$;

CREATE FUNCTION dead_list(_clock bigint, _destination text, _reason text, _max_age_ms bigint, _before bigint, _limit bigint)
RETURNS TABLE (seq bigint, entry_id text, item_index integer, reason text, age_ms bigint, claims integer, "position" bigint,
  payload bytea, detail bytea, tenant text, name text, exclusive boolean, credential text)
LANGUAGE plpgsql ${SETTINGS} AS $$
#variable_conflict use_column
DECLARE _at bigint := engine_ms(_clock);
BEGIN
  IF _reason IS NULL THEN
    RETURN QUERY SELECT d.seq, d.entry_id, d.item_index, d.reason, _at - d.died_at, d.claims, d.position, d.payload, d.detail,
        t.tenant, g.name, g.exclusive, g.credential
      FROM dead d JOIN groups g ON g.gid = d.gid JOIN tenants t ON t.tid = g.tid
      WHERE d.destination = _destination AND d.seq < _before AND (_max_age_ms IS NULL OR d.died_at >= _at - _max_age_ms)
      ORDER BY d.seq DESC LIMIT _limit;
  ELSE
    RETURN QUERY SELECT d.seq, d.entry_id, d.item_index, d.reason, _at - d.died_at, d.claims, d.position, d.payload, d.detail,
        t.tenant, g.name, g.exclusive, g.credential
      FROM dead d JOIN groups g ON g.gid = d.gid JOIN tenants t ON t.tid = g.tid
      WHERE d.destination = _destination AND d.reason = _reason AND d.seq < _before
        AND (_max_age_ms IS NULL OR d.died_at >= _at - _max_age_ms)
      ORDER BY d.seq DESC LIMIT _limit;
  END IF;
END $$;

CREATE FUNCTION dead_delete(_destination text, _seqs text) RETURNS bigint LANGUAGE plpgsql ${SETTINGS} AS $$
DECLARE _n bigint;
BEGIN
  DELETE FROM dead WHERE seq = ANY (_seqs::bigint[]) AND destination = _destination;
  GET DIAGNOSTICS _n = ROW_COUNT;
  RETURN _n;
END $$;

-- Destinations null: all. Folds first, so that counts are current and signals do not pile up where nobody claims.
CREATE FUNCTION outbox_depth(_clock bigint, _destinations text)
RETURNS TABLE (destination text, entries bigint, items bigint, bytes bigint, oldest_ms bigint, paused text[], dead json)
LANGUAGE plpgsql ${SETTINGS} AS $$
#variable_conflict use_column
DECLARE _at bigint := engine_ms(_clock); __destinations text[] := _destinations;
BEGIN
  PERFORM set_config('synchronous_commit', 'off', true);
  PERFORM signals_fold();
  RETURN QUERY
  WITH open AS (
    SELECT g.* FROM groups g WHERE g.opened AND (__destinations IS NULL OR g.destination = ANY (__destinations))
  ), late AS (
    SELECT u.gid, sum(u.entries) AS entries, sum(u.items) AS items, sum(u.bytes) AS bytes
    FROM signals s, unnest(s.gids, s.entries, s.items, s.bytes) u(gid, entries, items, bytes) GROUP BY u.gid
  ), waiting AS (
    SELECT g.destination, sum(g.entries + coalesce(l.entries, 0))::bigint AS entries, sum(g.items + coalesce(l.items, 0))::bigint AS items,
      sum(g.bytes + coalesce(l.bytes, 0))::bigint AS bytes,
      max(CASE WHEN g.entries + coalesce(l.entries, 0) > 0 THEN _at - least(
        (SELECT min(f.created_at) FROM generate_series(0, 3) lane(priority), LATERAL (SELECT e.created_at FROM entries e
          WHERE e.gid = g.gid AND e.state = 0 AND e.priority = lane.priority::smallint ORDER BY e.position, e.seq LIMIT 1) f),
        (SELECT min(f.created_at) FROM (SELECT e.created_at FROM entries e WHERE e.gid = g.gid AND e.state = 1
          ORDER BY e.due_at LIMIT 1000) f),
        (SELECT min(c.oldest_at) FROM claims c WHERE c.gid = g.gid AND c.state = 0)) END) AS oldest
    FROM open g LEFT JOIN late l ON l.gid = g.gid GROUP BY g.destination
  ), reasons AS (
    SELECT g.destination, array_agg(DISTINCT p.reason) AS paused FROM open g JOIN pauses p ON
      (p.kind = 0 AND p.target = g.destination) OR (p.kind = 1 AND p.target = g.destination AND p.name = g.name)
      OR (p.kind = 2 AND p.target = g.credential) GROUP BY g.destination
  ), letters AS (
    SELECT c.destination, json_object_agg(c.reason, c.n) AS dead FROM (SELECT d.destination, d.reason, count(*) AS n FROM dead d
      WHERE __destinations IS NULL OR d.destination = ANY (__destinations) GROUP BY d.destination, d.reason) c GROUP BY c.destination
  )
  SELECT coalesce(w.destination, l.destination), coalesce(w.entries, 0), coalesce(w.items, 0), coalesce(w.bytes, 0),
    coalesce(greatest(w.oldest, 0), 0), coalesce(r.paused, '{}'), coalesce(l.dead, '{}')
  FROM waiting w FULL JOIN letters l ON l.destination = w.destination LEFT JOIN reasons r ON r.destination = w.destination;
END $$;
`;

const SLOTS = `
-- The first time from _at on that one more slot fits. _per slots that lie within one window of each other forbid every
-- time that would lie within that window of all of them.
CREATE FUNCTION slot_free(_times double precision[], _blocked double precision, _per double precision, _window double precision,
  _at double precision)
RETURNS double precision LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE _candidate double precision := greatest(_at, _blocked); _n int := cardinality(_times); _first int;
BEGIN
  IF _per < 1 THEN RETURN 'Infinity'; END IF;
  _first := 1 + (SELECT count(*) FROM unnest(_times) x WHERE x <= _candidate - _window);
  WHILE _first + _per - 1 <= _n LOOP
    EXIT WHEN _times[(_first + _per - 1)::int] - _window >= _candidate;
    IF _times[(_first + _per - 1)::int] - _times[_first] < _window AND _candidate < _times[_first] + _window THEN
      _candidate := _times[_first] + _window;
    END IF;
    _first := _first + 1;
  END LOOP;
  RETURN _candidate;
END $$;

-- Up to _want slots that keep every scope, or how long to wait and the number of the scope that blocks.
CREATE FUNCTION slots_reserve(_clock bigint, _keys text, _pers text, _windows text, _want integer)
RETURNS TABLE (in_ms text, retry_ms double precision, blocked_by integer) LANGUAGE plpgsql ${SETTINGS} AS $$
DECLARE
  __keys text[] := _keys; __pers double precision[] := _pers; __windows double precision[] := _windows;
  _now double precision; _from double precision; _slot double precision; _next double precision; _moved boolean;
  _given double precision[] := '{}'; _log slots;
BEGIN
  -- Slots need not survive a power loss: the engine is away for longer than any window.
  PERFORM set_config('synchronous_commit', 'off', true);
  INSERT INTO slots (key) SELECT DISTINCT k FROM unnest(__keys) k WHERE NOT EXISTS (SELECT FROM slots s WHERE s.key = k)
    ORDER BY k ON CONFLICT DO NOTHING;
  PERFORM FROM slots WHERE key = ANY (__keys) ORDER BY key FOR UPDATE;
  _now := engine_ms(_clock);
  _from := _now;
  FOR _i IN 1.._want LOOP
    _slot := _from;
    blocked_by := 1;
    LOOP
      -- Each scope moves the time forward only; a round in which none does has found it.
      _moved := false;
      FOR _scope IN 1..cardinality(__keys) LOOP
        SELECT * INTO _log FROM slots WHERE key = __keys[_scope];
        _next := slot_free(_log.times, _log.blocked_until, __pers[_scope], __windows[_scope], _slot);
        IF _next > _slot THEN
          _slot := _next;
          blocked_by := _scope;
          _moved := true;
        END IF;
      END LOOP;
      EXIT WHEN NOT _moved;
    END LOOP;
    IF _slot > _now + 1000 THEN
      EXIT WHEN _i > 1;
      retry_ms := greatest(1, ceil(least(_slot - 1000 - _now, 3600000)));
      RETURN NEXT;
      RETURN;
    END IF;
    UPDATE slots SET times = ARRAY(SELECT x FROM unnest(times || _slot) x ORDER BY x) WHERE key = ANY (__keys);
    _given := _given || _slot - _now;
    _from := _slot;
  END LOOP;
  -- The last _per past slots stay whatever their age: a later call may bring a wider window.
  FOR _scope IN 1..cardinality(__keys) LOOP
    UPDATE slots s SET window_ms = greatest(s.window_ms, __windows[_scope]), per_window = greatest(s.per_window, __pers[_scope]),
      times = s.times[1 + greatest(0, least(
        (SELECT count(*) FROM unnest(s.times) x WHERE x <= _now - greatest(s.window_ms, __windows[_scope])),
        (SELECT count(*) FROM unnest(s.times) x WHERE x <= _now) - greatest(s.per_window, __pers[_scope])))::int:]
      WHERE s.key = __keys[_scope];
  END LOOP;
  in_ms := array_to_string(_given, ',');
  blocked_by := NULL;
  RETURN NEXT;
END $$;

CREATE FUNCTION slots_block(_clock bigint, _key text, _for_ms double precision) RETURNS void LANGUAGE plpgsql
${SETTINGS} AS $$
BEGIN
  PERFORM set_config('synchronous_commit', 'off', true);
  INSERT INTO slots AS s (key, blocked_until) VALUES (_key, engine_ms(_clock) + _for_ms)
    ON CONFLICT (key) DO UPDATE SET blocked_until = greatest(s.blocked_until, excluded.blocked_until);
END $$;
`;

const MEMBERS = `
-- The time and the state of the segment in every row; no hash: the call's hashes have no rows.
CREATE FUNCTION members_rows(_clock bigint, _tenant text, _destination text, _link text, _kinds text, _hashes bytea)
RETURNS TABLE (at bigint, changes bigint, kind smallint, hash bytea, person bytea, present boolean, "position" bigint, sent_at bigint,
  run bigint, removed_all_at bigint, removed_at bigint)
LANGUAGE plpgsql ${SETTINGS} AS $$
#variable_conflict use_column
DECLARE _at bigint := engine_ms(_clock); _segment segments; __kinds smallint[] := _kinds;
BEGIN
  SELECT * INTO _segment FROM segments s WHERE s.tenant = _tenant AND s.destination = _destination AND s.link = _link;
  RETURN QUERY SELECT _at, coalesce(_segment.changes, 0::bigint), m.kind, m.hash, m.person, m.present, m.position, m.sent_at, m.run,
      m.removed_all_at, m.removed_at
    FROM (SELECT) one LEFT JOIN (
      SELECT r.* FROM unnest(__kinds) WITH ORDINALITY u(kind, ord), LATERAL (SELECT k.* FROM members k
        WHERE k.sid = _segment.sid AND k.kind = u.kind AND k.hash = substring(_hashes FROM (u.ord::int - 1) * 32 + 1 FOR 32)) r
    ) m ON true;
END $$;

-- "again": somebody has committed since the rows were read.
CREATE FUNCTION members_commit(_tenant text, _destination text, _link text, _fence bigint, _changes bigint, _kinds text,
  _hashes bytea, _persons text, _present text, _positions text, _sent_at text, _runs text, _removed_all_at text, _removed_at text)
RETURNS text LANGUAGE plpgsql ${SETTINGS} AS $$
DECLARE _segment segments;
BEGIN
  INSERT INTO segments (tenant, destination, link) SELECT _tenant, _destination, _link WHERE NOT EXISTS (SELECT FROM segments s
    WHERE s.tenant = _tenant AND s.destination = _destination AND s.link = _link) ON CONFLICT DO NOTHING;
  SELECT * INTO _segment FROM segments s WHERE s.tenant = _tenant AND s.destination = _destination AND s.link = _link FOR UPDATE;
  IF _fence < _segment.fence THEN RETURN 'lost'; END IF;
  IF _segment.changes <> _changes THEN RETURN 'again'; END IF;
  UPDATE segments SET fence = _fence, changes = changes + 1 WHERE sid = _segment.sid;
  INSERT INTO members (sid, kind, hash, person, present, position, sent_at, run, removed_all_at, removed_at)
    SELECT _segment.sid, u.kind, substring(_hashes FROM (u.ord::int - 1) * 32 + 1 FOR 32), decode(u.person, 'hex'), u.present, u.position,
      u.sent_at, u.run, u.removed_all_at, u.removed_at
    FROM unnest(_kinds::smallint[], _persons::text[], _present::boolean[], _positions::bigint[], _sent_at::bigint[], _runs::bigint[],
      _removed_all_at::bigint[], _removed_at::bigint[])
      WITH ORDINALITY u(kind, person, present, position, sent_at, run, removed_all_at, removed_at, ord)
    ON CONFLICT (sid, kind, hash, person) DO UPDATE SET present = excluded.present, position = excluded.position,
      sent_at = excluded.sent_at, run = excluded.run, removed_all_at = excluded.removed_all_at, removed_at = excluded.removed_at;
  RETURN 'committed';
END $$;

-- _of_person: always null; members_of_person is for that. Looks at _look rows behind the cursor. matches: of a present row that all filters take; the last row looked at always comes.
CREATE FUNCTION members_scan(_clock bigint, _tenant text, _destination text, _link text, _kind smallint, _hash bytea, _person bytea,
  _of_person bytea, _run bigint, _not_seen_in bigint, _position_before bigint, _sent_before_ms bigint, _look integer)
RETURNS TABLE (matches boolean, looked bigint, kind smallint, hash bytea, person bytea, "position" bigint)
LANGUAGE plpgsql ${SETTINGS} SET enable_bitmapscan = off AS $$
#variable_conflict use_column
DECLARE
  _at bigint := engine_ms(_clock);
  _sid bigint := (SELECT s.sid FROM segments s WHERE s.tenant = _tenant AND s.destination = _destination AND s.link = _link);
BEGIN
  RETURN QUERY
  WITH seen AS (
    SELECT m.*, row_number() OVER (ORDER BY m.kind, m.hash, m.person) AS n, count(*) OVER () AS looked FROM (
      SELECT k.* FROM members k WHERE k.sid = _sid AND (k.kind, k.hash, k.person) > (_kind, _hash, _person)
      ORDER BY k.sid, k.kind, k.hash, k.person LIMIT _look) m
  ), judged AS (
    SELECT s.*, s.present AND (_of_person IS NULL OR s.person = _of_person) AND (_run IS NULL OR s.run = _run)
      AND (_not_seen_in IS NULL OR s.run IS DISTINCT FROM _not_seen_in)
      AND (_position_before IS NULL OR s.position < _position_before)
      AND (_sent_before_ms IS NULL OR _at - (SELECT max(o.sent_at) FROM members o
        WHERE o.sid = s.sid AND o.kind = s.kind AND o.hash = s.hash) > _sent_before_ms) AS matches FROM seen s
  ) SELECT coalesce(j.matches, false), j.looked, j.kind, j.hash, j.person, j.position FROM judged j
    WHERE j.matches OR j.n = j.looked ORDER BY j.n;
END $$;

CREATE FUNCTION members_find(_tenant text, _hashes bytea) RETURNS TABLE (destination text, link text, hash bytea)
LANGUAGE plpgsql ${SETTINGS} AS $$
#variable_conflict use_column
BEGIN
  RETURN QUERY SELECT s.destination, s.link, u.hash FROM segments s
    CROSS JOIN (SELECT substring(_hashes FROM n * 32 + 1 FOR 32) AS hash FROM generate_series(0, octet_length(_hashes) / 32 - 1) n) u
    WHERE s.tenant = _tenant AND EXISTS (SELECT FROM generate_series(0, 2) k(kind) JOIN LATERAL (SELECT FROM members m
      WHERE m.sid = s.sid AND m.kind = k.kind::smallint AND m.hash = u.hash AND m.present LIMIT 1) held ON true);
END $$;

-- True when nothing is left.
CREATE FUNCTION members_drop(_tenant text, _destination text, _link text, _limit bigint) RETURNS boolean LANGUAGE plpgsql
${SETTINGS} AS $$
DECLARE _segment segments; _n bigint;
BEGIN
  SELECT * INTO _segment FROM segments s WHERE s.tenant = _tenant AND s.destination = _destination AND s.link = _link FOR UPDATE;
  IF NOT FOUND THEN RETURN true; END IF;
  UPDATE segments SET changes = changes + 1 WHERE sid = _segment.sid;
  DELETE FROM members m USING (SELECT k.kind, k.hash, k.person FROM members k WHERE k.sid = _segment.sid LIMIT _limit) old
    WHERE m.sid = _segment.sid AND m.kind = old.kind AND m.hash = old.hash AND m.person = old.person;
  GET DIAGNOSTICS _n = ROW_COUNT;
  RETURN _n < _limit;
END $$;

CREATE FUNCTION members_expire(_clock bigint, _older_ms bigint, _limit bigint) RETURNS boolean LANGUAGE plpgsql
${SETTINGS} AS $$
DECLARE _at bigint := engine_ms(_clock); _n bigint;
BEGIN
  DELETE FROM members m USING (SELECT k.sid, k.kind, k.hash, k.person FROM members k WHERE NOT k.present
      AND k.removed_at < _at - _older_ms ORDER BY k.removed_at LIMIT _limit FOR UPDATE SKIP LOCKED) old
    WHERE m.sid = old.sid AND m.kind = old.kind AND m.hash = old.hash AND m.person = old.person;
  GET DIAGNOSTICS _n = ROW_COUNT;
  RETURN _n < _limit;
END $$;
`;

/**
 * Of columns that never change, and no row of nobody. Room in each page of the table: a member that a list brings again is
 * then written beside itself, and no index hears of it.
 */
const PERSON = `
ALTER TABLE members SET (fillfactor = 80);
CREATE INDEX members_person ON members (sid, person, kind, hash) WHERE person <> '';

-- As members_scan, of one person alone.
CREATE FUNCTION members_of_person(_clock bigint, _tenant text, _destination text, _link text, _of_person bytea, _kind smallint,
  _hash bytea, _run bigint, _not_seen_in bigint, _position_before bigint, _sent_before_ms bigint, _look integer)
RETURNS TABLE (matches boolean, looked bigint, kind smallint, hash bytea, person bytea, "position" bigint)
LANGUAGE plpgsql ${SETTINGS} SET enable_bitmapscan = off AS $$
#variable_conflict use_column
DECLARE
  _at bigint := engine_ms(_clock);
  _sid bigint := (SELECT s.sid FROM segments s WHERE s.tenant = _tenant AND s.destination = _destination AND s.link = _link);
BEGIN
  RETURN QUERY
  WITH seen AS (
    SELECT m.*, row_number() OVER (ORDER BY m.kind, m.hash) AS n, count(*) OVER () AS looked FROM (
      SELECT k.* FROM members k WHERE k.sid = _sid AND k.person = _of_person AND k.person <> '' AND (k.kind, k.hash) > (_kind, _hash)
      ORDER BY k.sid, k.person, k.kind, k.hash LIMIT _look) m
  ), judged AS (
    SELECT s.*, s.present AND (_run IS NULL OR s.run = _run) AND (_not_seen_in IS NULL OR s.run IS DISTINCT FROM _not_seen_in)
      AND (_position_before IS NULL OR s.position < _position_before)
      AND (_sent_before_ms IS NULL OR _at - (SELECT max(o.sent_at) FROM members o
        WHERE o.sid = s.sid AND o.kind = s.kind AND o.hash = s.hash) > _sent_before_ms) AS matches FROM seen s
  ) SELECT coalesce(j.matches, false), j.looked, j.kind, j.hash, j.person, j.position FROM judged j
    WHERE j.matches OR j.n = j.looked ORDER BY j.n;
END $$;
`;

const JOURNAL = `
-- Best effort: a line may be lost with the power. _lines: of each id, the number of its line.
CREATE FUNCTION journal_write(_clock bigint, _destinations text, _offsets text, _sizes text, _data bytea, _lines text, _ids text)
RETURNS void LANGUAGE plpgsql ${SETTINGS} AS $$
DECLARE
  _at bigint := engine_ms(_clock); __destinations text[] := _destinations;
  _seqs bigint[] := ARRAY(SELECT nextval('seq') FROM generate_series(1, cardinality(__destinations)));
BEGIN
  PERFORM set_config('synchronous_commit', 'off', true);
  INSERT INTO journal (seq, destination, at, data)
    SELECT _seqs[u.ord], u.destination, _at, substring(_data FROM u.start FOR u.size)
    FROM unnest(__destinations, _offsets::int[], _sizes::int[]) WITH ORDINALITY u(destination, start, size, ord);
  INSERT INTO journal_ids (destination, id, seq)
    SELECT __destinations[u.line], u.id, _seqs[u.line] FROM unnest(_lines::int[], _ids::text[]) u(line, id) ON CONFLICT DO NOTHING;
END $$;

-- at + 0: the index on at is no way to the newest lines of one destination.
CREATE FUNCTION journal_find(_clock bigint, _destination text, _id text, _from_age_ms bigint, _to_age_ms bigint, _before bigint, _limit bigint)
RETURNS TABLE (seq bigint, data bytea) LANGUAGE plpgsql ${SETTINGS} AS $$
#variable_conflict use_column
DECLARE _at bigint := engine_ms(_clock);
BEGIN
  IF _id IS NULL THEN
    RETURN QUERY SELECT j.seq, j.data FROM journal j WHERE j.destination = _destination AND j.seq < _before
      AND j.at + 0 BETWEEN _at - _to_age_ms AND _at - _from_age_ms ORDER BY j.seq DESC LIMIT _limit;
  ELSE
    RETURN QUERY SELECT j.seq, j.data FROM journal_ids i JOIN journal j ON j.destination = i.destination AND j.seq = i.seq
      WHERE i.destination = _destination AND i.id = _id AND i.seq < _before
        AND j.at + 0 BETWEEN _at - _to_age_ms AND _at - _from_age_ms ORDER BY i.seq DESC LIMIT _limit;
  END IF;
END $$;

CREATE FUNCTION journal_expire(_clock bigint, _older_ms bigint, _limit bigint) RETURNS boolean LANGUAGE plpgsql
${SETTINGS} AS $$
DECLARE _at bigint := engine_ms(_clock); _seqs bigint[];
BEGIN
  WITH removed AS (
    DELETE FROM journal j USING (SELECT k.destination, k.seq FROM journal k WHERE k.at < _at - _older_ms ORDER BY k.at LIMIT _limit) old
      WHERE j.destination = old.destination AND j.seq = old.seq RETURNING j.seq
  ) SELECT array_agg(seq) INTO _seqs FROM removed;
  DELETE FROM journal_ids WHERE seq = ANY (_seqs);
  RETURN coalesce(cardinality(_seqs), 0) < _limit;
END $$;
`;

/** Of a payload, in one row of an answer. */
const PIECE_BYTES = 48 * 1024;

/**
 * A claim, each payload in pieces: drivers read a row as text, all of it at once, which of a list's page is fifty
 * megabytes. Only a piece at a time is read from where the table keeps what is large.
 */
export const claimInPieces = (claim: string): string => `
SELECT c.kind, c.at, c.cid, c.tenant, c.destination, c.name, c.exclusive, c.credential, c.id, c.items, c.position, c.seq, c.claims,
  c.age_ms, c.progress, p.piece, substring(c.payload FROM p.piece * ${PIECE_BYTES} + 1 FOR ${PIECE_BYTES}) AS payload
FROM ${claim} c, generate_series(0, coalesce((octet_length(c.payload) - 1) / ${PIECE_BYTES}, 0)) p (piece)`;

/** Applied in order, each once. Within a major they only add: an older version of the package works beside a newer one. */
export const MIGRATIONS: readonly Migration[] = [
  {
    version: 1,
    name: "records, outbox, members, journal, slots",
    sql: [TABLES, RECORDS, GROUPS, APPEND, CLAIM, SETTLE, KEEPING, SLOTS, MEMBERS, JOURNAL].join(""),
  },
  { version: 2, name: "the members of one person", sql: PERSON },
];
