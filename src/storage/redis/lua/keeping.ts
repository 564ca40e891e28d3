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
 * ARGV: kind, target, reason, older than or "", limit. Answers how many were buried, and 1 if none is left.
 * Done in parts of a hundred entries looked at, claimed ones among them, so that one call stays short.
 */
const buryEntries = `${TARGET}
alsoWhenFull()
expireLeases()
local reason, limit, buried = ARGV[4], tonumber(ARGV[6]), 0
local to = ARGV[5] == "" and "+inf" or string.format("(%.0f", now - ARGV[5])
for _, group in ipairs(targeted()) do
  local g = load(group)
  local offset, page, list = 0, nil, {}
  if g and g.opened then
    repeat
      page = call("ZRANGEBYSCORE", key("all", group), "-inf", to, "LIMIT", offset, 100)
      for _, seq in ipairs(page) do
        if call("ZSCORE", key("ready", group), seq) or call("ZSCORE", key("wait", group), seq) then
          if buried + #list == limit then
            offset = -1
            break
          end
          list[#list + 1] = { seq = seq, e = entry(seq) }
        end
      end
      if offset >= 0 then offset = offset + 100 end
    until offset < 0 or #page < 100
  end
  local seqs = {}
  for i, one in ipairs(list) do
    seqs[i] = one.seq
    if one.e.claim ~= "-" then forgetClaim(group, one.e.claim) end
    local stored = call("HMGET", key("entry", one.seq), "p", "g")
    bury(group, one.e, -1, reason, stored[1], stored[2] or "")
  end
  if #list > 0 then
    unqueue(group, seqs)
    leave(g, list)
    g.lease = leaseOf(g)
    refresh(g)
    buried = buried + #list
    changed()
  end
  if offset < 0 then return { buried, 0 } end
end
return { buried, 1 }
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
    local row = call("HMGET", key("group", group), "tenant", "credential", "exclusive")
    found[#found + 1] = { seq, letter[1], letter[2], letter[3], row[1], row[2], row[3] }
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
  for _, cid in ipairs(call("SMEMBERS", key("claims", group))) do
    local claim = call("HMGET", key("claim", cid), "state", "entries")
    for _, seq in ipairs(claim[1] == "open" and seqsOf(claim[2]) or {}) do makeReady(group, seq, entry(seq)) end
    forgetClaim(group, cid)
  end
  local seqs, list = left > 0 and call("ZRANGE", key("all", group), 0, left - 1) or {}, {}
  for i, seq in ipairs(seqs) do
    list[i] = { seq = seq, e = entry(seq) }
    -- Forgotten, not remembered: the group may be opened again and take the same ids.
    list[i].e.dedupe = "0"
  end
  unqueue(group, seqs)
  leave(g, list)
  left = left - #list
  g.lease = 0
  refresh(g)
  if call("ZCARD", key("all", group)) > 0 then return 0 end
end
local letters = left > 0 and call("ZRANGE", key("deadof", destination), 0, left - 1) or {}
for _, seq in ipairs(letters) do remove(seq) end
if call("ZCARD", key("deadof", destination)) > 0 then return 0 end
for _, group in ipairs(groups) do
  local g = load(group)
  call("UNLINK", key("ids", group))
  call("SREM", key("creditgroups", g.credential), group)
  g.opened, g.hold, g.paused = false, 0, false
  call("HSET", key("group", group), "opened", 0)
  refresh(g)
end
call("UNLINK", key("pauses", destination), key("groups", destination), key("reasons", destination))
call("SREM", base .. ":destinations", destination)
return 1
`;

/** ARGV: destinations …. One row for each group: destination, entries, items, bytes, age of the oldest, reasons; then letters. */
const depth = `
local rows = {}
for i = 2, #ARGV do
  local destination, entries, items, bytes, oldest, reasons = ARGV[i], 0, 0, 0, now, {}
  local groups = call("SMEMBERS", key("groups", destination))
  for _, group in ipairs(groups) do
    local g = load(group)
    entries, items, bytes = entries + call("ZCARD", key("all", group)), items + g.items, bytes + g.bytes
    oldest = math.min(oldest, first(key("all", group)) or now)
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
