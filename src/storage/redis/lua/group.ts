import { PRELUDE } from "./prelude.ts";

/**
 * The outbox of one partition: what its scripts share. "group" stands for "<bytes of the destination>:<destination><name>".
 *
 *   counters            hash  seq (entries, claims, groups, dead letters), floor (virtual time of the last turn), changes
 *   groups              hash  group → row: see readRow(); one command reads those of a whole append
 *   counts              hash  gid → "entries items bytes"
 *   meta, payload, progress  hashes  of entries by seq; meta: see parse()
 *   ready:<gid>         zset  entries a claim may take, by priority and position
 *   born:<gid>          zset  the same by the end of their first delay
 *   wait:<gid>          zset  entries that wait for a retry or were left by a lease that ran out, by the time they come
 *   order:<gid>         zset  the same by position: in an exclusive group nothing overtakes them
 *   ids                 hash  "<gid>:<entry id>" → "position", or "position until" once the entry has left
 *   left                zset  ids that have left, by the end of their dedupe time
 *   claim:<cid>         hash  group, tenant, state (open, expired, settled), entries ("seq,seq,…")
 *   claims:<gid>        set   claims that are open or expired
 *   leases              zset  claims by the end of their lease, settled ones by when they may be forgotten
 *   due                 zset  groups that may be due, by when; those that are due stand in
 *   duegroups:<tenant>  set   and their tenants in
 *   turns               zset  tenants with a due group, by virtual time
 *   tenant:<tenant>     hash  time (virtual), turns
 *   pauses:<destination>, creditpauses:<credential>              sets of reasons
 *   destinations, groups:<destination>, creditgroups:<credential>  sets: who there is
 *   dead:<seq>, deadof:<destination>, deadage, reasons:<destination>  dead letters: see bury()
 */
export const GROUP = `${PRELUDE}${String.raw`
local LANE, NEVER = 2251799813685248, 9e15
local counters = base .. ":counters"

local function pad(seq) return string.format("%015d", seq) end
local function nextSeq(count) return call("HINCRBY", counters, "seq", count or 1) end
local function changed() call("HINCRBY", counters, "changes", 1) end
local function destinationOf(group)
  local bytes, from = match(group, "^(%d+):()")
  return sub(group, from, from + bytes - 1), sub(group, from + bytes)
end
-- Lua's unpack has a limit: long lists go in parts. Nothing is called for an empty list.
local function each(command, id, list)
  for from = 1, #list, 1000 do call(command, id, unpack(list, from, math.min(from + 999, #list))) end
end
local function fetch(id, fields)
  local values = {}
  for from = 1, #fields, 1000 do
    local part = call("HMGET", id, unpack(fields, from, math.min(from + 999, #fields)))
    for i = 1, #part do values[from + i - 1] = part[i] end
  end
  return values
end

local function readRow(group, row)
  local gid, opened, exclusive, paused, up, fence, hold, lease, split, from =
    match(row, "^(%d+) (%d) (%d) (%d) (%d) (%d+) (%d+) (%d+) (%d+)\n()")
  return { id = group, gid = gid, opened = opened == "1", exclusive = exclusive == "1", paused = paused == "1", up = up == "1",
    fence = tonumber(fence), hold = tonumber(hold), lease = tonumber(lease), tenant = sub(row, from, from + split - 1),
    credential = sub(row, from + split) }
end
local function writeRow(g)
  local function bit(value) return value and 1 or 0 end
  return string.format("%s %d %d %d %d %.0f %.0f %.0f %d\n", g.gid, bit(g.opened), bit(g.exclusive), bit(g.paused), bit(g.up),
    g.fence, g.hold, g.lease, #g.tenant) .. g.tenant .. g.credential
end
local function load(group)
  local row = call("HGET", base .. ":groups", group)
  return row and readRow(group, row)
end
local function save(g) call("HSET", base .. ":groups", g.id, writeRow(g)) end
local function countsOf(gid)
  local entries, items, bytes = match(call("HGET", base .. ":counts", gid) or "0 0 0", "^(%d+) (%d+) (%d+)$")
  return tonumber(entries), tonumber(items), tonumber(bytes)
end

local function parse(m)
  local created, due, position, priority, items, bytes, dedupe, claims, claim, id =
    match(m, "^(%d+) (%d+) (%d+) (%d) (%d+) (%d+) (%d+) (%d+) (%S+)\n(.*)$")
  return { created = created, due = due, position = position, priority = priority, items = tonumber(items),
    bytes = tonumber(bytes), dedupe = dedupe, claims = tonumber(claims), claim = claim, id = id }
end
-- Not with %s for the id: it would end at a zero byte.
local function pack(e)
  return table.concat({ e.created, e.due, e.position, e.priority, e.items, e.bytes, e.dedupe, e.claims, e.claim }, " ") ..
    "\n" .. e.id
end
-- The entries, as { seq =, … }.
local function entriesOf(seqs)
  local list = {}
  for i, m in ipairs(fetch(base .. ":meta", seqs)) do
    local e = m and parse(m)
    if e then list[#list + 1], e.seq = e, seqs[i] end
  end
  return list
end

-- Changes of a group's queues and of entries, collected and done at once.
local function batch(g)
  local b = { ready = {}, born = {}, wait = {}, order = {}, meta = {} }
  function b.toReady(e)
    local ready, born = b.ready, b.born
    ready[#ready + 1], ready[#ready + 2] = e.priority * LANE + e.position, e.seq
    born[#born + 1], born[#born + 2] = e.due, e.seq
  end
  function b.toWait(e, due)
    local wait, order = b.wait, b.order
    wait[#wait + 1], wait[#wait + 2] = due, e.seq
    order[#order + 1], order[#order + 2] = e.position, e.seq
  end
  function b.rewrite(e) b.meta[#b.meta + 1], b.meta[#b.meta + 2] = e.seq, pack(e) end
  function b.done()
    for _, queue in ipairs({ "ready", "born", "wait", "order" }) do each("ZADD", key(queue, g.gid), b[queue]) end
    each("HSET", base .. ":meta", b.meta)
  end
  return b
end
local function unqueue(g, seqs)
  for _, queue in ipairs({ "ready", "born", "wait", "order" }) do each("ZREM", key(queue, g.gid), seqs) end
end
-- Entries whose own time is over join the ready ones.
local function promote(g, limit)
  local seqs = call("ZRANGEBYSCORE", key("wait", g.gid), "-inf", now, "LIMIT", 0, limit)
  if #seqs == 0 then return end
  local moved = batch(g)
  for _, e in ipairs(entriesOf(seqs)) do moved.toReady(e) end
  moved.done()
  each("ZREM", key("wait", g.gid), seqs)
  each("ZREM", key("order", g.gid), seqs)
end

-- First ready entry of a lane: seq, position.
local function head(g, priority)
  local found = call("ZRANGEBYSCORE", key("ready", g.gid), priority * LANE, "(" .. string.format("%.0f", (priority + 1) * LANE),
    "WITHSCORES", "LIMIT", 0, 1)
  if found[1] then return found[1], found[2] - priority * LANE end
end
local function before(positionA, seqA, positionB, seqB)
  return positionA < positionB or (positionA == positionB and seqA < seqB)
end
-- In an exclusive group: the waiting entry that nothing may overtake. Those that are due have been promoted.
local function barrier(g)
  local found = call("ZRANGE", key("order", g.gid), 0, 0, "WITHSCORES")
  if found[1] then return { seq = found[1], position = tonumber(found[2]) } end
end

local function first(zset)
  local found = call("ZRANGE", zset, 0, 0, "WITHSCORES")
  return found[1] and tonumber(found[2])
end
-- When a claim may take the group; NEVER if nothing but a call can make it due.
local function dueOf(g)
  if not g.opened or g.paused then return NEVER end
  if g.exclusive then promote(g, -1) end
  local own = math.min(first(key("wait", g.gid)) or NEVER, first(key("born", g.gid)) or NEVER)
  if g.exclusive then
    local stop = barrier(g)
    if stop then
      local free = false
      for priority = 0, 3 do
        local seq, position = head(g, priority)
        free = free or (seq and before(position, seq, stop.position, stop.seq))
      end
      if not free then own = tonumber(call("ZSCORE", key("wait", g.gid), stop.seq)) end
    end
    own = math.max(own, g.lease)
  end
  return own >= NEVER and NEVER or math.max(own, g.hold)
end
-- Puts the group where its due time says. It may stand there for an earlier time, never for a later one: a claim looks again.
local function index(g, due)
  if g.up then
    if due <= now then return end
    g.up = false
    call("SREM", key("duegroups", g.tenant), g.id)
    if call("EXISTS", key("duegroups", g.tenant)) == 0 then call("ZREM", base .. ":turns", g.tenant) end
  end
  if due >= NEVER then call("ZREM", base .. ":due", g.id) else call("ZADD", base .. ":due", due, g.id) end
end
local function refresh(g)
  index(g, dueOf(g))
  save(g)
end

-- Lease of an exclusive group's open claims; 0 if there is none.
local function leaseOf(g)
  local ends = 0
  if not g.exclusive then return ends end
  for _, cid in ipairs(call("SMEMBERS", key("claims", g.gid))) do
    if call("HGET", key("claim", cid), "state") == "open" then
      ends = math.max(ends, tonumber(call("ZSCORE", base .. ":leases", cid)) or 0)
    end
  end
  return ends
end
local function seqsOf(list)
  local seqs = {}
  for seq in string.gmatch(list, "%d+") do seqs[#seqs + 1] = seq end
  return seqs
end
-- From now on the claim can neither settle nor be extended.
local function forgetClaim(g, cid)
  call("UNLINK", key("claim", cid))
  call("SREM", key("claims", g.gid), cid)
  call("ZREM", base .. ":leases", cid)
end
-- Leases that ran out: their entries are claimable again, the claim may still settle until one of them is taken.
local function expireLeases()
  local moved = 0
  while moved < 3000 do
    local over = call("ZRANGEBYSCORE", base .. ":leases", "-inf", now, "WITHSCORES", "LIMIT", 0, 100)
    if #over == 0 then return end
    for i = 1, #over, 2 do
      local cid, ends = over[i], tonumber(over[i + 1])
      local claim = call("HMGET", key("claim", cid), "group", "state", "entries")
      call("ZREM", base .. ":leases", cid)
      if claim[2] ~= "open" then
        call("UNLINK", key("claim", cid))
      else
        call("HSET", key("claim", cid), "state", "expired")
        local g = load(claim[1])
        local left = batch(g)
        for _, e in ipairs(entriesOf(seqsOf(claim[3]))) do
          e.claims, e.claim, e.due = e.claims + 1, cid, string.format("%.0f", math.min(e.due, ends))
          left.rewrite(e)
          left.toWait(e, ends)
          moved = moved + 1
        end
        left.done()
        g.lease = leaseOf(g)
        refresh(g)
      end
    end
  end
end

-- The entries leave: their ids still answer "duplicate" for the time they asked for.
local function leave(g, list)
  if #list == 0 then return end
  local seqs, gone, kept, left = {}, {}, {}, {}
  local entries, items, bytes = countsOf(g.gid)
  for i, e in ipairs(list) do
    local id = g.gid .. ":" .. e.id
    seqs[i] = e.seq
    entries, items, bytes = entries - 1, items - e.items, bytes - e.bytes
    if e.dedupe == "0" then
      gone[#gone + 1] = id
    else
      local ends = string.format("%.0f", now + e.dedupe)
      kept[#kept + 1], kept[#kept + 2] = id, e.position .. " " .. ends
      left[#left + 1], left[#left + 2] = ends, id
    end
  end
  call("HSET", base .. ":counts", g.gid, string.format("%.0f %.0f %.0f", entries, items, bytes))
  for _, hash in ipairs({ "meta", "payload", "progress" }) do each("HDEL", base .. ":" .. hash, seqs) end
  each("HSET", base .. ":ids", kept)
  each("ZADD", base .. ":left", left)
  -- Swept faster than they come.
  local old = call("ZRANGEBYSCORE", base .. ":left", "-inf", now, "LIMIT", 0, 2 * #list + 10)
  for i, value in ipairs(fetch(base .. ":ids", old)) do
    local ends = value and match(value, " (%d+)$")
    if ends and tonumber(ends) <= now then gone[#gone + 1] = old[i] end
  end
  each("ZREM", base .. ":left", old)
  each("HDEL", base .. ":ids", gone)
end

-- A dead letter: m "died claims position item\n<bytes of the group>:<group><bytes of the id>:<id><reason>", p payload, t detail.
local function bury(group, e, item, reason, payload, detail)
  local seq, destination = nextSeq(), destinationOf(group)
  call("HSET", key("dead", seq), "m", table.concat({ string.format("%.0f", now), e.claims, e.position, item }, " ") .. "\n" ..
    #group .. ":" .. group .. #e.id .. ":" .. e.id .. reason, "p", payload, "t", detail)
  call("ZADD", key("deadof", destination), seq, seq)
  call("ZADD", base .. ":deadage", now, seq)
  call("HINCRBY", key("reasons", destination), reason, 1)
end

local function reasonsOf(group, credential)
  local reasons = {}
  for _, pause in ipairs(call("SMEMBERS", key("pauses", (destinationOf(group))))) do
    local bytes, from = match(pause, "^(%d+):()")
    if not bytes then
      reasons[#reasons + 1] = sub(pause, 2)
    elseif sub(pause, from, from + bytes - 1) == group then
      reasons[#reasons + 1] = sub(pause, from + bytes)
    end
  end
  for _, reason in ipairs(call("SMEMBERS", key("creditpauses", credential))) do reasons[#reasons + 1] = reason end
  return reasons
end
`}`;
