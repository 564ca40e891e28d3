import { GROUP } from "./group.ts";

/** Groups a target means. kind: "destination", "group" or "credential". */
const TARGET = `
local kind, target = ARGV[2], ARGV[3]
local function targeted()
  if kind == "group" then return { target } end
  return call("SMEMBERS", key(kind == "credential" and "creditgroups" or "groups", target))
end
`;

/** ARGV: kind, target, SADD or SREM, reason. */
const pause = `${TARGET}
alsoWhenFull()
local set, member = key("creditpauses", target), ARGV[5]
if kind ~= "credential" then
  set = key("pauses", kind == "group" and (destinationOf(target)) or target)
  member = kind == "group" and #target .. ":" .. target .. ARGV[5] or "*" .. ARGV[5]
end
call(ARGV[4], set, member)
for _, group in ipairs(targeted()) do
  local g = load(group)
  if g and g.opened then
    g.paused = #reasonsOf(group, g.credential) > 0
    refresh(g)
  end
end
changed()
`;

/**
 * ARGV: kind, target, reason, older than or "", limit, group to go on with or "", places of its queues looked at. Looks at
 * 500 entries that nobody has claimed, whole groups at the most. Answers how many were buried, and where to go on:
 * "" when all was seen, or that more is left than the limit allows.
 */
const buryEntries = `${TARGET}
alsoWhenFull()
expireLeases()
local reason, limit, resume, offset = ARGV[4], tonumber(ARGV[6]), ARGV[7], tonumber(ARGV[8])
local until_ = ARGV[5] == "" and NEVER or now - ARGV[5] - 1
local groups, buried, looked = targeted(), 0, 0
table.sort(groups)
for _, group in ipairs(groups) do
  local g = load(group)
  if g and g.opened and group >= resume then
    if group ~= resume then offset = 0 end
    -- Behind each other: what waits, then what is ready.
    local waiting = call("ZCARD", key("wait", g.gid))
    local seqs = call("ZRANGE", key("wait", g.gid), offset, offset + 499)
    if #seqs < 500 then
      local from = math.max(0, offset - waiting)
      for _, seq in ipairs(call("ZRANGE", key("born", g.gid), from, from + 499 - #seqs)) do seqs[#seqs + 1] = seq end
    end
    local list, names, full = {}, {}, false
    for _, e in ipairs(entriesOf(seqs)) do
      if tonumber(e.created) <= until_ then
        if buried + #list == limit then
          full = true
          break
        end
        list[#list + 1], names[#names + 1] = e, e.seq
      end
    end
    local payloads, progress = fetch(base .. ":payload", names), fetch(base .. ":progress", names)
    for i, e in ipairs(list) do
      if e.claim ~= "-" then forgetClaim(g, e.claim) end
      bury(group, e, -1, reason, payloads[i], progress[i] or "")
    end
    if #list > 0 then
      unqueue(g, names)
      leave(g, list)
      g.lease = leaseOf(g)
      refresh(g)
      changed()
    end
    buried, looked = buried + #list, looked + #seqs
    if full then return { buried, "full", 0 } end
    if #seqs == 500 then return { buried, group, offset + 500 - #list } end
    if looked >= 500 then return { buried, group, offset + #seqs - #list } end
  end
end
return { buried, "", 0 }
`;

const LETTERS = String.raw`
local function remove(seq)
  local m = call("HGET", key("dead", seq), "m")
  if not m then return false end
  local groupBytes, from = match(m, "^[^\n]*\n(%d+):()")
  local group = sub(m, from, from + groupBytes - 1)
  local idBytes, idFrom = match(m, "^(%d+):()", from + groupBytes)
  local destination, reason = destinationOf(group), sub(m, idFrom + idBytes)
  call("UNLINK", key("dead", seq))
  call("ZREM", key("deadof", destination), seq)
  call("ZREM", base .. ":deadage", seq)
  if call("HINCRBY", key("reasons", destination), reason, -1) <= 0 then call("HDEL", key("reasons", destination), reason) end
  return true
end
`;

/** ARGV: destination, before which letter, since when or "", reason with "=" before it or "", limit. Looks at 1,000 at most. */
const listDead = String.raw`
local destination, since, limit = ARGV[2], ARGV[4] == "" and 0 or now - ARGV[4], tonumber(ARGV[6])
local found, last, looked = {}, "", 0
for _, seq in ipairs(call("ZREVRANGEBYSCORE", key("deadof", destination), ARGV[3], "-inf", "LIMIT", 0, 1000)) do
  local letter = call("HMGET", key("dead", seq), "m", "p", "t")
  local groupBytes, from = match(letter[1], "^[^\n]*\n(%d+):()")
  local group = sub(letter[1], from, from + groupBytes - 1)
  local idBytes, idFrom = match(letter[1], "^(%d+):()", from + groupBytes)
  if tonumber(match(letter[1], "^(%d+)")) >= since and (ARGV[5] == "" or ARGV[5] == "=" .. sub(letter[1], idFrom + idBytes)) then
    if #found == limit then return { now, last, found } end
    local g = load(group)
    found[#found + 1] = { seq, letter[1], letter[2], letter[3], g.tenant, g.credential, g.exclusive and 1 or 0 }
  end
  last, looked = seq, looked + 1
end
return { now, looked == 1000 and last or "", found }
`;

/** ARGV: destination, letters …. Answers how many were that destination's. */
const removeDead = `${LETTERS}
alsoWhenFull()
local removed = 0
for i = 3, #ARGV do
  if call("ZSCORE", key("deadof", ARGV[2]), ARGV[i]) and remove(ARGV[i]) then removed = removed + 1 end
end
return removed
`;

/** ARGV: age, limit. Answers how many were removed. */
const expireDead = `${LETTERS}
local old = call("ZRANGEBYSCORE", base .. ":deadage", "-inf", string.format("(%.0f", now - ARGV[2]), "LIMIT", 0, ARGV[3])
for _, seq in ipairs(old) do remove(seq) end
return #old
`;

/** ARGV: destination, limit. 1 if nothing is left. */
const purge = `${LETTERS}
alsoWhenFull()
local destination, left = ARGV[2], tonumber(ARGV[3])
local groups = call("SMEMBERS", key("groups", destination))
changed()
for _, group in ipairs(groups) do
  local g = load(group)
  for _, cid in ipairs(call("SMEMBERS", key("claims", g.gid))) do
    local claim, back = call("HMGET", key("claim", cid), "state", "entries"), batch(g)
    for _, e in ipairs(claim[1] == "open" and entriesOf(seqsOf(claim[2])) or {}) do back.toReady(e) end
    back.done()
    forgetClaim(g, cid)
  end
  local list, seqs = {}, {}
  for _, queue in ipairs({ "wait", "born" }) do
    local part = left > #list and call("ZRANGE", key(queue, g.gid), 0, left - #list - 1) or {}
    for _, e in ipairs(entriesOf(part)) do
      -- Forgotten, not remembered: the group may be opened again and take the same ids.
      e.dedupe = "0"
      list[#list + 1], seqs[#seqs + 1] = e, e.seq
    end
  end
  unqueue(g, seqs)
  leave(g, list)
  left = left - #list
  g.lease = 0
  refresh(g)
  if countsOf(g.gid) > 0 then return 0 end
end
local letters = left > 0 and call("ZRANGE", key("deadof", destination), 0, left - 1) or {}
for _, seq in ipairs(letters) do remove(seq) end
if call("ZCARD", key("deadof", destination)) > 0 then return 0 end
for _, group in ipairs(groups) do
  local g = load(group)
  call("SREM", key("creditgroups", g.credential), group)
  g.opened, g.hold, g.paused = false, 0, false
  refresh(g)
  call("HDEL", base .. ":counts", g.gid)
end
call("UNLINK", key("pauses", destination), key("groups", destination), key("reasons", destination))
call("SREM", base .. ":destinations", destination)
return 1
`;

/** ARGV: destinations …. One row for each group: destination, entries, items, bytes, age of the oldest, reasons; then letters. */
const depth = `
-- The first of each queue and claim stands for the rest.
local function oldestOf(g)
  local seqs = {}
  for _, queue in ipairs({ "born", "wait", "order" }) do
    local seq = call("ZRANGE", key(queue, g.gid), 0, 0)[1]
    if seq then seqs[#seqs + 1] = seq end
  end
  for _, cid in ipairs(call("SMEMBERS", key("claims", g.gid))) do
    local seq = match(call("HGET", key("claim", cid), "entries") or "", "^%d+")
    if seq then seqs[#seqs + 1] = seq end
  end
  local oldest = now
  for _, e in ipairs(entriesOf(seqs)) do oldest = math.min(oldest, e.created) end
  return oldest
end
local rows = {}
for i = 2, #ARGV do
  local destination, entries, items, bytes, oldest, reasons = ARGV[i], 0, 0, 0, now, {}
  local groups = call("SMEMBERS", key("groups", destination))
  for _, group in ipairs(groups) do
    local g = load(group)
    local some, more, size = countsOf(g.gid)
    entries, items, bytes = entries + some, items + more, bytes + size
    if some > 0 then oldest = math.min(oldest, oldestOf(g)) end
    for _, reason in ipairs(reasonsOf(group, g.credential)) do reasons[#reasons + 1] = reason end
  end
  if #groups > 0 then
    rows[#rows + 1] = { destination, entries, items, bytes, now - oldest, reasons, call("HGETALL", key("reasons", destination)) }
  end
end
return rows
`;

const destinations = `
return call("SMEMBERS", base .. ":destinations")
`;

export const KEEPING = {
  pause: GROUP + pause,
  buryEntries: GROUP + buryEntries,
  listDead: GROUP + listDead,
  removeDead: GROUP + removeDead,
  expireDead: GROUP + expireDead,
  purge: GROUP + purge,
  depth: GROUP + depth,
  destinations: GROUP + destinations,
};
