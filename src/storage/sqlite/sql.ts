/**
 * All SQL of the SQLite adapter.
 *
 * Order of a claim: `tenants` whose `due_at` has come, by virtual time; in the tenant its `groups` whose `due_at` has
 * come; in the group its ready entries. `due_at` of a group is kept up to date by every call that changes the group, and
 * a tenant's is the earliest of its groups'. {@link NEVER} stands for "not due by itself".
 */

/** Marks a file as ours: "SNAP" in ASCII, so that another program's database is recognised. */
export const APPLICATION_ID = 0x534e4150;
/** Rises only with a change older versions of the package cannot live with. */
export const SCHEMA_MAJOR = 1;
/** Later than any time; below 2^53. */
export const NEVER = 9_000_000_000_000_000;

/** Applied in order, each once. Within a major they only add: an older version of the package works beside a newer one. */
export const MIGRATIONS: readonly { version: number; name: string; sql: string }[] = [
  {
    version: 1,
    name: "records, outbox, members, journal, slots",
    sql: `
CREATE TABLE counters (
  one INTEGER PRIMARY KEY CHECK (one = 1),
  seq INTEGER NOT NULL,      -- entries, claims, dead letters and journal lines; also the position of an entry
  version INTEGER NOT NULL,  -- of records
  turn INTEGER NOT NULL,     -- claims so far
  floor INTEGER NOT NULL     -- virtual time of the last turn
) STRICT;
INSERT INTO counters VALUES (1, 0, 0, 0, 0);

CREATE TABLE records (key TEXT PRIMARY KEY, value BLOB NOT NULL, version INTEGER NOT NULL, expires_at INTEGER NOT NULL) STRICT;
CREATE INDEX records_expiry ON records (expires_at) WHERE expires_at < ${NEVER};

CREATE TABLE tenants (
  tid INTEGER PRIMARY KEY,
  tenant TEXT NOT NULL UNIQUE,
  virtual_time INTEGER NOT NULL,
  turns INTEGER NOT NULL,
  served_at INTEGER NOT NULL,  -- turn
  due_at INTEGER NOT NULL
) STRICT;
CREATE INDEX tenants_turn ON tenants (virtual_time, served_at) WHERE due_at < ${NEVER};

CREATE TABLE groups (
  gid INTEGER PRIMARY KEY,
  destination TEXT NOT NULL,
  name TEXT NOT NULL,
  opened INTEGER NOT NULL,       -- 0: purged; the row keeps the fence
  tid INTEGER NOT NULL,
  exclusive INTEGER NOT NULL,
  credential TEXT NOT NULL,
  fence INTEGER NOT NULL,
  paused INTEGER NOT NULL,       -- a row of pauses matches
  hold_until INTEGER NOT NULL,
  lease_until INTEGER NOT NULL,  -- of the open claim of an exclusive group
  ready_at INTEGER NOT NULL,     -- earliest time of a ready entry
  wait_at INTEGER NOT NULL,      -- earliest time of a waiting entry
  due_at INTEGER NOT NULL,
  entries INTEGER NOT NULL,
  items INTEGER NOT NULL,
  bytes INTEGER NOT NULL,
  UNIQUE (destination, name)
) STRICT;
CREATE INDEX groups_due ON groups (tid, due_at) WHERE due_at < ${NEVER};
CREATE INDEX groups_credential ON groups (credential);

CREATE TABLE entries (
  seq INTEGER PRIMARY KEY,
  gid INTEGER NOT NULL,
  id TEXT NOT NULL,
  position INTEGER NOT NULL,
  priority INTEGER NOT NULL,
  state INTEGER NOT NULL,        -- 0 ready, 1 waiting for due_at, 2 claimed
  due_at INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  items INTEGER NOT NULL,
  claims INTEGER NOT NULL,
  claim INTEGER,                 -- that took it last
  progress BLOB,
  payload BLOB NOT NULL
) STRICT;
CREATE INDEX entries_ready ON entries (gid, priority, position, seq, due_at) WHERE state = 0;
CREATE INDEX entries_waiting ON entries (gid, due_at, created_at) WHERE state = 1;

-- One row per entry id, stored or gone less than its dedupe time ago.
CREATE TABLE entry_ids (
  gid INTEGER NOT NULL,
  id TEXT NOT NULL,
  position INTEGER NOT NULL,
  dedupe_ms INTEGER NOT NULL,
  until INTEGER,                 -- null while stored
  PRIMARY KEY (gid, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX entry_ids_until ON entry_ids (until) WHERE until IS NOT NULL;

-- A claim is lost exactly when its row is gone.
CREATE TABLE claims (
  cid INTEGER PRIMARY KEY,
  gid INTEGER NOT NULL,
  state INTEGER NOT NULL,        -- 0 open, 1 lease over but nothing taken, 2 settled
  lease_until INTEGER NOT NULL,
  oldest_at INTEGER NOT NULL,
  seqs TEXT NOT NULL             -- JSON
) STRICT;
CREATE INDEX claims_lease ON claims (lease_until) WHERE state <> 1;
CREATE INDEX claims_group ON claims (gid);

CREATE TABLE dead (
  seq INTEGER PRIMARY KEY,
  destination TEXT NOT NULL,
  gid INTEGER NOT NULL,
  entry_id TEXT NOT NULL,
  item_index INTEGER NOT NULL,
  reason TEXT NOT NULL,
  died_at INTEGER NOT NULL,
  claims INTEGER NOT NULL,
  position INTEGER NOT NULL,
  payload BLOB NOT NULL,
  detail BLOB NOT NULL
) STRICT;
CREATE INDEX dead_newest ON dead (destination, seq, reason);
CREATE INDEX dead_age ON dead (died_at);

CREATE TABLE pauses (
  kind INTEGER NOT NULL,         -- 0 destination, 1 group, 2 credential
  target TEXT NOT NULL,          -- destination or credential
  name TEXT NOT NULL,            -- of the group
  reason TEXT NOT NULL,
  PRIMARY KEY (kind, target, name, reason)
) STRICT, WITHOUT ROWID;

CREATE TABLE slots (
  key TEXT PRIMARY KEY,
  blocked_until INTEGER NOT NULL,
  window_ms INTEGER NOT NULL,
  per_window INTEGER NOT NULL,
  times BLOB NOT NULL            -- 64-bit floats, ascending
) STRICT;

CREATE TABLE segments (
  sid INTEGER PRIMARY KEY,
  tenant TEXT NOT NULL,
  destination TEXT NOT NULL,
  link TEXT NOT NULL,
  fence INTEGER NOT NULL,
  UNIQUE (tenant, destination, link)
) STRICT;

CREATE TABLE members (
  sid INTEGER NOT NULL,
  kind INTEGER NOT NULL,
  hash BLOB NOT NULL,
  person BLOB NOT NULL,          -- empty: nobody in particular
  present INTEGER NOT NULL,
  position INTEGER NOT NULL,
  sent_at INTEGER NOT NULL,
  run INTEGER,
  removed_all_at INTEGER NOT NULL,
  removed_at INTEGER NOT NULL,
  PRIMARY KEY (sid, kind, hash, person)
) STRICT, WITHOUT ROWID;
CREATE INDEX members_removed ON members (removed_at) WHERE present = 0;

CREATE TABLE journal (seq INTEGER PRIMARY KEY, destination TEXT NOT NULL, at INTEGER NOT NULL, data BLOB NOT NULL) STRICT;
CREATE INDEX journal_newest ON journal (destination, seq, at);
CREATE TABLE journal_ids (destination TEXT NOT NULL, id TEXT NOT NULL, seq INTEGER NOT NULL, PRIMARY KEY (destination, id, seq)) STRICT, WITHOUT ROWID;
CREATE INDEX journal_ids_seq ON journal_ids (seq);
`,
  },
  {
    version: 2,
    name: "the members of one person",
    // Of columns that never change: a member that is seen again costs nothing here.
    sql: "CREATE INDEX IF NOT EXISTS members_person ON members (sid, person, kind, hash) WHERE person <> x'';",
  },
];

const ENTRY_COLUMNS = "seq, id, position, created_at, items, claims, claim, progress, payload";
const LANE = (priority: number) =>
  `SELECT ${ENTRY_COLUMNS} FROM entries WHERE gid = ?1 AND state = 0 AND priority = ${priority}`;
const GROUP_COLUMNS = `gid, destination, name, opened, tid, exclusive, credential, fence, paused, hold_until, lease_until,
  ready_at, wait_at, due_at, entries, items, bytes`;
const MEMBER_COLUMNS = `kind, hash, person, present, position, run,
  (SELECT max(s.sent_at) FROM members s WHERE s.sid = m.sid AND s.kind = m.kind AND s.hash = m.hash) AS sent_at`;
const IN_JSON = "IN (SELECT value FROM json_each(?))";

export const SQL = {
  now: "SELECT CAST(round(unixepoch('subsec') * 1000) AS INTEGER) AS at",
  dataVersion: "PRAGMA data_version",
  counters: "SELECT seq, version, turn, floor FROM counters",
  saveCounters: "UPDATE counters SET seq = ?, version = ?, turn = ?, floor = ?",

  // Records
  getRecord: "SELECT value, version FROM records WHERE key = ? AND expires_at > ?",
  recordVersion: "SELECT version FROM records WHERE key = ? AND expires_at > ?",
  putRecord: `INSERT INTO records (key, value, version, expires_at) VALUES (?, ?, ?, ?)
    ON CONFLICT (key) DO UPDATE SET value = excluded.value, version = excluded.version, expires_at = excluded.expires_at`,
  deleteRecord: "DELETE FROM records WHERE key = ?",
  sweepRecords: "DELETE FROM records WHERE key IN (SELECT key FROM records WHERE expires_at <= ? LIMIT 50)",
  listRecords: `SELECT key, value, version FROM records
    WHERE key >= ? AND key > ? AND (key < ? OR ?3 = '') AND key < '~' AND expires_at > ? ORDER BY key LIMIT ?`,

  // Groups and tenants
  group: `SELECT ${GROUP_COLUMNS} FROM groups WHERE destination = ? AND name = ?`,
  groupByGid: `SELECT ${GROUP_COLUMNS} FROM groups WHERE gid = ?`,
  groupsOfDestination: "SELECT gid FROM groups WHERE destination = ? AND opened = 1",
  groupsOfCredential: "SELECT gid FROM groups WHERE credential = ? AND opened = 1",
  groupsAll: "SELECT gid FROM groups WHERE opened = 1",
  addGroup: `INSERT INTO groups (${GROUP_COLUMNS}) VALUES (NULL, ?, ?, 0, 0, 0, '', 0, 0, 0, 0, ${NEVER}, ${NEVER}, ${NEVER}, 0, 0, 0)`,
  saveGroup: `UPDATE groups SET opened = ?, tid = ?, exclusive = ?, credential = ?, fence = ?, paused = ?, hold_until = ?,
    lease_until = ?, ready_at = ?, wait_at = ?, due_at = ?, entries = ?, items = ?, bytes = ? WHERE gid = ?`,
  tenant: "SELECT tid, tenant, virtual_time, turns, served_at, due_at FROM tenants WHERE tenant = ?",
  tenantByTid: "SELECT tid, tenant, virtual_time, turns, served_at, due_at FROM tenants WHERE tid = ?",
  addTenant: `INSERT INTO tenants (tid, tenant, virtual_time, turns, served_at, due_at) VALUES (NULL, ?, 0, 0, 0, ${NEVER})`,
  saveTenant: "UPDATE tenants SET virtual_time = ?, turns = ?, served_at = ?, due_at = ? WHERE tid = ?",
  tenantDueAt: `SELECT min(due_at) AS due_at FROM groups WHERE tid = ? AND due_at < ${NEVER}`,
  addPause: "INSERT OR IGNORE INTO pauses (kind, target, name, reason) VALUES (?, ?, ?, ?)",
  removePause: "DELETE FROM pauses WHERE kind = ? AND target = ? AND name = ? AND reason = ?",
  removePausesOfDestination: "DELETE FROM pauses WHERE kind < 2 AND target = ?",
  pauseReasons: `SELECT reason FROM pauses WHERE (kind = 0 AND target = ?1) OR (kind = 1 AND target = ?1 AND name = ?2)
    OR (kind = 2 AND target = ?3)`,

  // Append
  addId: `INSERT INTO entry_ids (gid, id, position, dedupe_ms) VALUES (?1, ?2, ?3, ?4)
    ON CONFLICT (gid, id) DO UPDATE SET position = ?3, dedupe_ms = ?4, until = NULL WHERE until <= ?5`,
  idPosition: "SELECT position FROM entry_ids WHERE gid = ? AND id = ?",
  addEntry: `INSERT INTO entries (seq, gid, id, position, priority, state, due_at, created_at, items, claims, payload)
    VALUES (?, ?, ?, ?, ?, 0, ?, ?, ?, 0, ?)`,

  // Claim
  anyDue: `SELECT EXISTS (SELECT 1 FROM tenants WHERE due_at < ${NEVER} AND due_at <= ?1)
    OR EXISTS (SELECT 1 FROM claims WHERE state <> 1 AND lease_until <= ?1) AS due`,
  nextDue: `SELECT min(due_at) AS due_at FROM groups WHERE due_at < ${NEVER} AND due_at > ?`,
  nextLease: "SELECT min(lease_until) AS lease_until FROM claims WHERE state = 0",
  overdueClaims:
    "SELECT cid, gid, state, lease_until, seqs FROM claims WHERE state <> 1 AND lease_until <= ? LIMIT 500",
  expireClaim: "UPDATE claims SET state = 1 WHERE cid = ?",
  returnEntries: `UPDATE entries SET state = 1, due_at = ? WHERE state = 2 AND seq ${IN_JSON}`,
  dueTenants: `SELECT tid, virtual_time, served_at FROM tenants WHERE due_at < ${NEVER} AND due_at <= ?1
    AND (virtual_time, served_at) > (?2, ?3) ORDER BY virtual_time, served_at LIMIT 50`,
  dueGroups: `SELECT gid FROM groups WHERE tid = ? AND due_at < ${NEVER} AND due_at <= ?`,
  promote: `UPDATE entries SET state = 0 WHERE seq IN
    (SELECT seq FROM entries WHERE gid = ? AND state = 1 AND due_at <= ? ORDER BY due_at LIMIT ?)`,
  mostUrgent: `SELECT seq, priority FROM entries WHERE gid = ? AND state = 0 ORDER BY priority, position, seq LIMIT 1`,
  firstOfPriority: `SELECT seq, position, created_at FROM entries WHERE gid = ? AND state = 0 AND priority = ?
    ORDER BY position, seq LIMIT 1`,
  byPriority: `SELECT ${ENTRY_COLUMNS} FROM entries WHERE gid = ?1 AND state = 0 ORDER BY priority, position, seq`,
  byPosition: `${LANE(0)} UNION ALL ${LANE(1)} UNION ALL ${LANE(2)} UNION ALL ${LANE(3)} ORDER BY position, seq`,
  firstWaiting: `SELECT seq, position, due_at FROM entries WHERE gid = ? AND state = 1 AND due_at > ? ORDER BY position, seq LIMIT 1`,
  takeEntries: `UPDATE entries SET state = 2, claims = claims + 1, claim = ? WHERE seq ${IN_JSON}`,
  takeAgain: `UPDATE entries SET state = 2 WHERE seq ${IN_JSON}`,
  addClaim: "INSERT INTO claims (cid, gid, state, lease_until, oldest_at, seqs) VALUES (?, ?, 0, ?, ?, ?)",
  claim: "SELECT cid, gid, state, lease_until, seqs FROM claims WHERE cid = ?",
  claimsOfGroup: "SELECT cid, state, lease_until, oldest_at FROM claims WHERE gid = ?",
  extendClaim: "UPDATE claims SET state = 0, lease_until = ? WHERE cid = ?",
  settleClaim: "UPDATE claims SET state = 2, seqs = '[]' WHERE cid = ?",
  removeClaim: "DELETE FROM claims WHERE cid = ?",
  readyNow: "SELECT 1 AS found FROM entries WHERE gid = ? AND state = 0 AND due_at <= ? LIMIT 1",
  readyAt: "SELECT min(due_at) AS due_at FROM entries WHERE gid = ? AND state = 0",
  waitAt: "SELECT due_at FROM entries WHERE gid = ? AND state = 1 ORDER BY due_at LIMIT 1",

  // Settle, release, bury
  entry: "SELECT id, position, claims FROM entries WHERE seq = ?",
  entryIds: `SELECT seq, id FROM entries WHERE seq ${IN_JSON}`,
  entryPayload: "SELECT payload, progress FROM entries WHERE seq = ?",
  sumEntries: `SELECT count(*) AS entries, total(items) AS items, total(length(payload)) AS bytes FROM entries WHERE seq ${IN_JSON}`,
  readyEntries: `UPDATE entries SET state = 0, claims = claims - ?, claim = NULL, due_at = min(due_at, ?) WHERE seq ${IN_JSON}`,
  retryEntry: "UPDATE entries SET state = ?, claims = 0, claim = NULL, due_at = ?, progress = ? WHERE seq = ?",
  removeEntries: `DELETE FROM entries WHERE seq ${IN_JSON}`,
  leaveIds: `UPDATE entry_ids SET until = ? + dedupe_ms WHERE gid = ? AND id ${IN_JSON}`,
  removeIds: `DELETE FROM entry_ids WHERE (gid, id) IN (SELECT gid, id FROM entry_ids WHERE gid = ? LIMIT ?)`,
  sweepIds: `DELETE FROM entry_ids WHERE (gid, id) IN (SELECT gid, id FROM entry_ids WHERE until IS NOT NULL AND until <= ? LIMIT ?)`,
  addDead: `INSERT INTO dead (seq, destination, gid, entry_id, item_index, reason, died_at, claims, position, payload, detail)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
  unclaimed: `SELECT seq, id, claim FROM entries WHERE gid = ?1 AND state = 0 AND created_at <= ?2
    UNION ALL SELECT seq, id, claim FROM entries WHERE gid = ?1 AND state = 1 AND created_at <= ?2 LIMIT ?3`,
  anyEntries: `SELECT seq, id, claim FROM entries WHERE seq IN (SELECT value FROM claims, json_each(claims.seqs) WHERE gid = ?1)
    UNION SELECT seq, id, claim FROM entries WHERE gid = ?1 AND state IN (0, 1) LIMIT ?2`,

  // Dead letters
  listDead: `SELECT d.seq, d.entry_id, d.item_index, d.reason, d.died_at, d.claims, d.position, d.payload, d.detail, d.gid
    FROM dead d WHERE d.destination = ?1 AND d.seq < ?2 AND (?3 IS NULL OR d.reason = ?3) AND d.died_at >= ?4
    ORDER BY d.seq DESC LIMIT ?5`,
  removeDead: "DELETE FROM dead WHERE seq = ? AND destination = ?",
  removeDeadOfDestination: "DELETE FROM dead WHERE seq IN (SELECT seq FROM dead WHERE destination = ? LIMIT ?)",
  expireDead: "DELETE FROM dead WHERE seq IN (SELECT seq FROM dead WHERE died_at < ? LIMIT ?)",
  countDead: "SELECT reason, count(*) AS count FROM dead WHERE destination = ? GROUP BY reason",
  deadDestinations: "SELECT DISTINCT destination FROM dead",

  // Depth
  oldestWaiting: "SELECT min(created_at) AS created_at FROM entries WHERE gid = ? AND state = 1",

  // Slots
  slotLog: "SELECT blocked_until, window_ms, per_window, times FROM slots WHERE key = ?",
  saveSlotLog: `INSERT INTO slots (key, blocked_until, window_ms, per_window, times) VALUES (?, ?, ?, ?, ?)
    ON CONFLICT (key) DO UPDATE SET blocked_until = excluded.blocked_until, window_ms = excluded.window_ms,
    per_window = excluded.per_window, times = excluded.times`,

  // Members
  segment: "SELECT sid, fence FROM segments WHERE tenant = ? AND destination = ? AND link = ?",
  addSegment: "INSERT INTO segments (tenant, destination, link, fence) VALUES (?, ?, ?, 0) RETURNING sid, fence",
  saveFence: "UPDATE segments SET fence = ? WHERE sid = ?",
  segmentsOfTenant: "SELECT sid, destination, link FROM segments WHERE tenant = ?",
  rowsOfHash: `SELECT lower(hex(person)) AS person, present, position, sent_at, run, removed_all_at, removed_at FROM members
    WHERE sid = ? AND kind = ? AND hash = ?`,
  saveMember: `INSERT INTO members (sid, kind, hash, person, present, position, sent_at, run, removed_all_at, removed_at)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (sid, kind, hash, person) DO UPDATE SET present = excluded.present,
    position = excluded.position, sent_at = excluded.sent_at, run = excluded.run, removed_all_at = excluded.removed_all_at,
    removed_at = excluded.removed_at`,
  scanMembers: `SELECT ${MEMBER_COLUMNS} FROM members m WHERE sid = ?1 AND (kind, hash, person) > (?2, ?3, ?4)
    ORDER BY kind, hash, person LIMIT ?5`,
  scanPerson: `SELECT ${MEMBER_COLUMNS} FROM members m INDEXED BY members_person
    WHERE sid = ?1 AND person = ?2 AND person <> x'' AND (kind, hash) > (?3, ?4)
    ORDER BY kind, hash LIMIT ?5`,
  isHeld: "SELECT 1 AS found FROM members WHERE sid = ? AND kind = ? AND hash = ? AND present = 1 LIMIT 1",
  dropMembers:
    "DELETE FROM members WHERE (sid, kind, hash, person) IN (SELECT sid, kind, hash, person FROM members WHERE sid = ? LIMIT ?)",
  expireMembers: `DELETE FROM members WHERE (sid, kind, hash, person) IN
    (SELECT sid, kind, hash, person FROM members WHERE present = 0 AND removed_at < ? LIMIT ?)`,

  // Journal
  addLine: "INSERT INTO journal (seq, destination, at, data) VALUES (?, ?, ?, ?)",
  addLineId: "INSERT OR IGNORE INTO journal_ids (destination, id, seq) VALUES (?, ?, ?)",
  findLines: `SELECT seq, data FROM journal WHERE destination = ? AND seq < ? AND at <= ? AND at >= ? ORDER BY seq DESC LIMIT ?`,
  findLinesById: `SELECT j.seq, j.data FROM journal_ids i JOIN journal j ON j.seq = i.seq
    WHERE i.destination = ? AND i.seq < ? AND j.at <= ? AND j.at >= ? AND i.id = ? ORDER BY i.seq DESC LIMIT ?`,
  oldLines: "SELECT seq, at FROM journal ORDER BY seq LIMIT ?",
  removeLines: `DELETE FROM journal WHERE seq ${IN_JSON}`,
  removeLineIds: `DELETE FROM journal_ids WHERE seq ${IN_JSON}`,
} as const;
