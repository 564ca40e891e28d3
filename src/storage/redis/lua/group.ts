import { PRELUDE } from "./prelude.ts";

/**
 * The outbox of one partition: what its scripts share. "group" stands for "<bytes of the destination>:<destination><name>".
 *
 *   counters          hash  seq (entries, claims and dead letters), floor (virtual time of the last turn), changes
 *   group:<group>     hash  its row: see load()
 *   entry:<seq>       hash  m: see parse(); p: payload; g: progress
 *   all:<group>       zset  every stored entry by the time it was appended
 *   ready:<group>     zset  entries a claim may take, by priority and position
 *   linger:<group>    zset  those of the ready ones with a first delay, by the time it ends
 *   wait:<group>      zset  entries that wait for a retry or were left by a lease that ran out, by the time they come
 *   order:<group>     zset  the same by position: in an exclusive group nothing overtakes them
 *   ids:<group>       hash  entry id → "position", or "position until" once the entry has left
 *   left              zset  ids that have left, by the end of their dedupe time
 *   claim:<cid>       hash  group, tenant, state (open, expired, settled), entries ("seq,seq,…")
 *   claims:<group>    set   claims that are open or expired
 *   leases            zset  claims by the end of their lease, settled ones by when they may be forgotten
 *   due               zset  groups that will be due, by when; those that are due stand in
 *   duegroups:<tenant> set, and their tenants in
 *   turns             zset  tenants with a due group, by virtual time
 *   tenant:<tenant>   hash  time (virtual), turns
 *   pauses:<destination>, creditpauses:<credential>   sets of reasons
 *   destinations, groups:<destination>, creditgroups:<credential>   sets: who there is
 *   dead:<seq>, deadof:<destination>, deadage, reasons:<destination>   dead letters: see keeping.ts
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
-- Lua's unpack has a limit: long lists go in parts.
local function each(command, id, list)
  for from = 1, #list, 1000 do call(command, id, unpack(list, from, math.min(from + 999, #list))) end
end
local function load(group)
  local v = call("HMGET", key("group", group), "opened", "tenant", "credential", "exclusive", "paused", "fence", "hold",
    "lease", "due", "up", "items", "bytes")
  if not v[1] then return end
  return { id = group, opened = v[1] == "1", tenant = v[2], credential = v[3], exclusive = v[4] == "1",
    paused = v[5] == "1", fence = tonumber(v[6]), hold = tonumber(v[7]), lease = tonumber(v[8]), due = tonumber(v[9]),
    up = v[10] == "1", items = tonumber(v[11]), bytes = tonumber(v[12]) }
end
local function save(g)
  call("HSET", key("group", g.id), "paused", g.paused and 1 or 0, "fence", g.fence, "hold", g.hold, "lease", g.lease,
    "due", g.due, "up", g.up and 1 or 0, "items", g.items, "bytes", g.bytes)
end

local function parse(m)
  local created, due, position, priority, items, bytes, dedupe, claims, claim, id =
    match(m, "^(%d+) (%d+) (%d+) (%d) (%d+) (%d+) (%d+) (%d+) (%S+)\n(.*)$")
  return { created = created, due = tonumber(due), position = position, priority = priority, items = tonumber(items),
    bytes = tonumber(bytes), dedupe = dedupe, claims = tonumber(claims), claim = claim, id = id }
end
-- Not with %s for the id: it would end at a zero byte.
local function pack(e)
  return table.concat({ e.created, string.format("%.0f", e.due), e.position, e.priority, e.items, e.bytes, e.dedupe,
    e.claims, e.claim }, " ") .. "\n" .. e.id
end
local function entry(seq)
  local m = call("HGET", key("entry", seq), "m")
  return m and parse(m)
end
local function rewrite(seq, e) call("HSET", key("entry", seq), "m", pack(e)) end

local function makeReady(group, seq, e) call("ZADD", key("ready", group), e.priority * LANE + e.position, seq) end
local function makeWait(group, seq, e, due)
  call("ZADD", key("wait", group), due, seq)
  call("ZADD", key("order", group), e.position, seq)
end
local function unqueue(group, seqs)
  for _, queue in ipairs({ "ready", "linger", "wait", "order" }) do each("ZREM", key(queue, group), seqs) end
end
-- Entries whose own time is over join the ready ones.
local function promote(group, limit)
  local seqs = call("ZRANGEBYSCORE", key("wait", group), "-inf", now, "LIMIT", 0, limit)
  for _, seq in ipairs(seqs) do
    local e = entry(seq)
    if e then makeReady(group, seq, e) end
  end
  each("ZREM", key("wait", group), seqs)
  each("ZREM", key("order", group), seqs)
end

-- First ready entry of a lane: seq, position.
local function head(group, priority)
  local found = call("ZRANGEBYSCORE", key("ready", group), priority * LANE, "(" .. string.format("%.0f", (priority + 1) * LANE),
    "WITHSCORES", "LIMIT", 0, 1)
  if found[1] then return found[1], found[2] - priority * LANE end
end
local function before(positionA, seqA, positionB, seqB)
  return positionA < positionB or (positionA == positionB and seqA < seqB)
end
-- In an exclusive group: the waiting entry that nothing may overtake. Those that are due have been promoted.
local function barrier(group)
  local found = call("ZRANGE", key("order", group), 0, 0, "WITHSCORES")
  if found[1] then return { seq = found[1], position = tonumber(found[2]) } end
end

local function first(zset)
  local found = call("ZRANGE", zset, 0, 0, "WITHSCORES")
  return found[1] and tonumber(found[2])
end
-- When a claim may take the group; NEVER if nothing but a call can make it due.
local function dueOf(g)
  if not g.opened or g.paused then return NEVER end
  if g.exclusive then promote(g.id, -1) end
  local own = first(key("wait", g.id)) or NEVER
  local ready = call("ZCARD", key("ready", g.id))
  if ready > 0 then
    local lingering = call("ZCARD", key("linger", g.id))
    own = lingering < ready and 0 or math.min(own, first(key("linger", g.id)))
  end
  if g.exclusive then
    local stop = barrier(g.id)
    if stop then
      local free = false
      for priority = 0, 3 do
        local seq, position = head(g.id, priority)
        free = free or (seq and before(position, seq, stop.position, stop.seq))
      end
      if not free then own = tonumber(call("ZSCORE", key("wait", g.id), stop.seq)) end
    end
    own = math.max(own, g.lease)
  end
  return own >= NEVER and NEVER or math.max(own, g.hold)
end
-- Puts the group where its due time says.
local function index(g, due)
  local was = g.due
  g.due = due
  if g.up then
    if due <= now then return end
    g.up = false
    call("SREM", key("duegroups", g.tenant), g.id)
    if call("EXISTS", key("duegroups", g.tenant)) == 0 then call("ZREM", base .. ":turns", g.tenant) end
  elseif due == was then
    return
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
  for _, cid in ipairs(call("SMEMBERS", key("claims", g.id))) do
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
local function forgetClaim(group, cid)
  call("UNLINK", key("claim", cid))
  call("SREM", key("claims", group), cid)
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
        for _, seq in ipairs(seqsOf(claim[3])) do
          local e = entry(seq)
          if e then
            e.claims, e.claim = e.claims + 1, cid
            rewrite(seq, e)
            makeWait(claim[1], seq, e, ends)
            moved = moved + 1
          end
        end
        local g = load(claim[1])
        g.lease = leaseOf(g)
        refresh(g)
      end
    end
  end
end

-- The entries leave: their ids still answer "duplicate" for the time they asked for. list: { seq =, e = }
local function leave(g, list)
  local seqs, keys, gone = {}, {}, {}
  for _, one in ipairs(list) do
    seqs[#seqs + 1] = one.seq
    keys[#keys + 1] = key("entry", one.seq)
    g.items, g.bytes = g.items - one.e.items, g.bytes - one.e.bytes
    if one.e.dedupe == "0" then
      gone[#gone + 1] = one.e.id
    else
      local ends = string.format("%.0f", now + one.e.dedupe)
      call("HSET", key("ids", g.id), one.e.id, one.e.position .. " " .. ends)
      call("ZADD", base .. ":left", ends, #g.id .. ":" .. g.id .. one.e.id)
    end
  end
  for from = 1, #keys, 1000 do call("UNLINK", unpack(keys, from, math.min(from + 999, #keys))) end
  each("ZREM", key("all", g.id), seqs)
  each("HDEL", key("ids", g.id), gone)
  -- Swept faster than they come.
  for _, old in ipairs(call("ZRANGEBYSCORE", base .. ":left", "-inf", now, "LIMIT", 0, 2 * #list + 10)) do
    local bytes, from = match(old, "^(%d+):()")
    local group, id = sub(old, from, from + bytes - 1), sub(old, from + bytes)
    local ends = match(call("HGET", key("ids", group), id) or "", " (%d+)$")
    if ends and tonumber(ends) <= now then call("HDEL", key("ids", group), id) end
    call("ZREM", base .. ":left", old)
  end
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
