import { GROUP } from "./group.ts";

/** ARGV: group, destination, tenant, credential, exclusive, … */
const open = `
for i = 2, #ARGV, 5 do
  local group, destination, tenant, credential, exclusive = unpack(ARGV, i, i + 4)
  local g = load(group) or { id = group, fence = 0, hold = 0, lease = 0 }
  index(g, NEVER)
  if g.credential and g.credential ~= credential then call("SREM", key("creditgroups", g.credential), group) end
  -- A new number: what a purge forgot is not found again.
  if not g.opened then g.gid = pad(nextSeq()) end
  g.opened, g.tenant, g.credential, g.exclusive = true, tenant, credential, exclusive == "1"
  call("SADD", base .. ":destinations", destination)
  call("SADD", key("groups", destination), group)
  call("SADD", key("creditgroups", credential), group)
  g.paused = #reasonsOf(group, credential) > 0
  g.lease = leaseOf(g)
  refresh(g)
end
changed()
`;

/**
 * ARGV: the entries, no id twice in a group, framed as "group bytes(id) bytes(payload) delay position priority items
 * dedupe\n" id payload, "-" for the next position; then the groups they name by number. Answers the number of a group that
 * is not open, or the first entry's seq, which is its position too, the next entry's being the next, and behind it a line
 * "entry position" for each duplicate.
 */
const append = String.raw`
local blob, gids, groups = ARGV[2], {}, { unpack(ARGV, 3) }
for i, row in ipairs(fetch(base .. ":groups", groups)) do
  local gid, opened = match(row or "", "^(%d+) (%d)")
  if opened ~= "1" then return i - 1 end
  gids[i] = gid
end
local count, at = match(blob, "^(%d+)\n()")
count = tonumber(count)
-- A list for each field: a table for each entry would cost more than all that is done with it.
local ids, numbers, delays, positions, priorities, items, dedupes, from, to = {}, {}, {}, {}, {}, {}, {}, {}, {}
for i = 1, count do
  local number, idBytes, bytes, begins
  number, idBytes, bytes, delays[i], positions[i], priorities[i], items[i], dedupes[i], begins =
    match(blob, "^(%d+) (%d+) (%d+) (%d+) (%S+) (%d) (%d+) (%d+)\n()", at)
  number = tonumber(number)
  local payload = begins + idBytes
  at = payload + bytes
  ids[i], numbers[i], from[i], to[i] = gids[number] .. ":" .. sub(blob, begins, payload - 1), number, payload, at - 1
end
local known, counts = fetch(base .. ":ids", ids), fetch(base .. ":counts", gids)
local first = nextSeq(count) - count + 1
local time, times, answer = string.format("%.0f", now), {}, { string.format("%.0f", first) }
local metas, payloads, stored, added, n = {}, {}, {}, {}, 0
for i = 1, count do
  local id, position, duplicate = ids[i], positions[i], nil
  if known[i] then
    local before, ends = match(known[i], "^(%d+) ?(%d*)$")
    if ends == "" or tonumber(ends) > now then duplicate = before end
  end
  if duplicate then
    answer[#answer + 1] = (i - 1) .. " " .. duplicate
  else
    local number, priority, delay, bytes = numbers[i], priorities[i], delays[i], to[i] - from[i] + 1
    local name = pad(first + i - 1)
    if position == "-" then position = first + i - 1 .. "" end
    local due = times[delay]
    if not due then
      due = string.format("%.0f", now + delay)
      times[delay] = due
    end
    n = n + 2
    metas[n - 1], metas[n] = name, time .. " " .. due .. " " .. position .. " " .. priority .. " " .. items[i] .. " " .. bytes .. " " ..
      dedupes[i] .. " 0 -\n" .. sub(id, #gids[number] + 2)
    payloads[n - 1], payloads[n] = name, sub(blob, from[i], to[i])
    stored[n - 1], stored[n] = id, position
    local g = added[number]
    if not g then
      local c, d, e = match(counts[number] or "0 0 0", "^(%d+) (%d+) (%d+)$")
      g = { ready = {}, born = {}, n = 0, first = due, entries = c, items = d, bytes = e }
      added[number] = g
    end
    local m = g.n + 2
    g.ready[m - 1], g.ready[m] = priority == "0" and position or priority * LANE + position, name
    g.born[m - 1], g.born[m] = due, name
    g.n = m
    if due ~= g.first and tonumber(due) < tonumber(g.first) then g.first = due end
    g.entries, g.items, g.bytes = g.entries + 1, g.items + items[i], g.bytes + bytes
  end
end
each("HSET", base .. ":meta", metas)
each("HSET", base .. ":payload", payloads)
local ready, born, rows, dues, m = base .. ":ready:", base .. ":born:", {}, {}, 0
for number, g in pairs(added) do
  local gid = gids[number]
  each("ZADD", ready .. gid, g.ready)
  each("ZADD", born .. gid, g.born)
  m = m + 2
  rows[m - 1], rows[m] = gid, g.entries .. " " .. g.items .. " " .. g.bytes
  dues[m - 1], dues[m] = g.first, groups[number]
end
each("HSET", base .. ":counts", rows)
-- A paused or held group stands there too early: the claim that comes for it looks again.
for i = 1, m, 1000 do call("ZADD", base .. ":due", "LT", unpack(dues, i, math.min(i + 999, m))) end
-- Last: should the script fail before, a repeat stores the entries again instead of taking them for stored.
each("HSET", base .. ":ids", stored)
changed()
return table.concat(answer, "\n")
`;

/**
 * ARGV: lease, most items, most bytes, credentials to skip …. Answers { number of tenants with something due, changes }
 * and, with a claim, its cid, fence, tenant, credential, exclusive, group, time, and meta, payload and progress of each entry.
 */
const claim = `
alsoWhenFull()
local lease, mostItems, mostBytes, skip = tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4]), {}
for i = 5, #ARGV do skip[ARGV[i]] = true end
local turns = base .. ":turns"
expireLeases()

-- Groups whose time has come stand in for their tenant's turn.
for _, group in ipairs(call("ZRANGEBYSCORE", base .. ":due", "-inf", now, "LIMIT", 0, 1000)) do
  local g = load(group)
  local due = dueOf(g)
  call("ZREM", base .. ":due", group)
  if due > now then
    index(g, due)
  elseif not g.up then
    g.up = true
    call("SADD", key("duegroups", g.tenant), group)
    call("ZADD", turns, call("HGET", key("tenant", g.tenant), "time") or 0, g.tenant)
  end
  save(g)
end

-- Most urgent or oldest ready entry: what a group stands for.
local function standsFor(g, oldest)
  local best, urgency
  for priority = 0, 3 do
    local seq = head(g, priority)
    if seq and not oldest then return seq, priority end
    if seq and (not best or seq < best) then best, urgency = seq, priority end
  end
  return best, urgency
end
local function nextGroup(tenant, oldest)
  local best, bestSeq, bestPriority
  for _, group in ipairs(call("SMEMBERS", key("duegroups", tenant))) do
    local g = load(group)
    if not skip[g.credential] then
      promote(g, 5000)
      local seq, priority = standsFor(g, oldest)
      if not seq then
        refresh(g)
      elseif not best or (oldest and seq < bestSeq) or
        (not oldest and (priority < bestPriority or (priority == bestPriority and seq < bestSeq))) then
        best, bestSeq, bestPriority = g, seq, priority
      end
    end
  end
  return best
end

-- Ready entries, read in pages: lane by lane, or by position whatever the lane.
local PAGE = 100
local function reader(readPage)
  local offset, page, at, more = 0, {}, 1, true
  return {
    peek = function()
      while at > #page and more do
        local seqs = readPage(offset)
        page, at, more = entriesOf(seqs), 1, #seqs == PAGE
        offset = offset + PAGE
      end
      return page[at]
    end,
    skip = function() at = at + 1 end,
  }
end
local function byPriority(g)
  local all = reader(function(offset) return call("ZRANGE", key("ready", g.gid), offset, offset + PAGE - 1) end)
  return function()
    local e = all.peek()
    all.skip()
    return e
  end
end
local function byPosition(g)
  local lanes = {}
  for priority = 0, 3 do
    lanes[priority + 1] = reader(function(offset)
      return call("ZRANGEBYSCORE", key("ready", g.gid), priority * LANE, "(" .. string.format("%.0f", (priority + 1) * LANE), "LIMIT",
        offset, PAGE)
    end)
  end
  return function()
    local best, bestEntry
    for _, lane in ipairs(lanes) do
      local e = lane.peek()
      if e and (not best or before(tonumber(e.position), e.seq, tonumber(bestEntry.position), bestEntry.seq)) then
        best, bestEntry = lane, e
      end
    end
    if best then best.skip() end
    return bestEntry
  end
end
-- As many as fit, at least one. One that was claimed five times without a settle comes alone.
local function fill(g, oldest)
  local stop, taken, items, bytes = g.exclusive and barrier(g), {}, 0, 0
  for e in (g.exclusive or oldest) and byPosition(g) or byPriority(g) do
    if stop and before(stop.position, stop.seq, tonumber(e.position), e.seq) then break end
    local alone, skipped = e.claims >= 5, false
    if #taken > 0 then
      if alone and g.exclusive then break end
      skipped = alone
      if not skipped and (items + e.items > mostItems or bytes + e.bytes > mostBytes) then break end
    end
    if not skipped then
      taken[#taken + 1] = e
      items, bytes = items + e.items, bytes + e.bytes
      if alone then break end
    end
  end
  table.sort(taken, function(a, b) return before(tonumber(a.position), a.seq, tonumber(b.position), b.seq) end)
  return taken
end

local g, taken, tenant
local offset = 0
while not g do
  local page = call("ZRANGE", turns, offset, offset + 49)
  if #page == 0 then break end
  for _, one in ipairs(page) do
    local oldest = (call("HGET", key("tenant", one), "turns") or 0) % 4 == 3
    local candidate = nextGroup(one, oldest)
    while candidate and not g do
      taken = fill(candidate, oldest)
      if #taken > 0 then
        g, tenant = candidate, one
      else
        -- Its times said otherwise: now they are right, or it would come again for ever.
        refresh(candidate)
        if candidate.up then break end
        candidate = nextGroup(one, oldest)
      end
    end
    if g then break end
    if call("ZSCORE", turns, one) then offset = offset + 1 end
  end
end
local answer = { call("ZCARD", turns), tonumber(call("HGET", counters, "changes") or 0) }
if not g then return answer end

local cid, seqs = nextSeq(), {}
if g.exclusive then
  for _, other in ipairs(call("SMEMBERS", key("claims", g.gid))) do forgetClaim(g, other) end
end
for i, e in ipairs(taken) do
  seqs[i] = e.seq
  if e.claim ~= "-" then forgetClaim(g, e.claim) end
end
each("ZREM", key("ready", g.gid), seqs)
each("ZREM", key("born", g.gid), seqs)
call("HSET", key("claim", cid), "group", g.id, "tenant", tenant, "state", "open", "entries", table.concat(seqs, ","))
call("SADD", key("claims", g.gid), cid)
call("ZADD", base .. ":leases", now + lease, cid)
g.fence, g.lease = g.fence + 1, g.exclusive and now + lease or 0
refresh(g)

-- One turn more. A tenant that was away starts where the others are, not where it left.
local time = tonumber(call("HGET", key("tenant", tenant), "time") or 0)
local floor = math.max(time, tonumber(call("HGET", counters, "floor") or 0))
call("HSET", counters, "floor", floor)
call("HSET", key("tenant", tenant), "time", floor + 1)
call("HINCRBY", key("tenant", tenant), "turns", 1)
call("ZADD", turns, "XX", floor + 1, tenant)

for _, value in ipairs({ cid, g.fence, g.tenant, g.credential, g.exclusive and 1 or 0, g.id, now }) do answer[#answer + 1] = value end
local payloads, progress = fetch(base .. ":payload", seqs), fetch(base .. ":progress", seqs)
for i, e in ipairs(taken) do
  answer[#answer + 1] = pack(e)
  answer[#answer + 1] = payloads[i]
  answer[#answer + 1] = progress[i]
end
return answer
`;

const HELD = `
local cid = ARGV[2]
local claim = call("HMGET", key("claim", cid), "group", "state", "entries", "tenant")
`;

/**
 * ARGV: cid, hold or "", outcomes framed as "bytes(id) dead letters rest? retry bytes(progress)\n" id progress, each dead
 * letter as "item bytes(reason) bytes(payload) bytes(detail)\n" reason payload detail.
 */
const settle = String.raw`${HELD}
if not claim[2] then return "lost" end
if claim[2] == "settled" then return "settled" end
alsoWhenFull()
local blob, outcomes, at = ARGV[4], {}, 1
while at <= #blob do
  local idBytes, letters, rest, retry, progressBytes, from = match(blob, "^(%d+) (%d+) ([01]) (%d+) (%d+)\n()", at)
  local outcome = { rest = rest == "1", retry = tonumber(retry), dead = {} }
  local id = sub(blob, from, from + idBytes - 1)
  at = from + idBytes
  outcome.progress = sub(blob, at, at + progressBytes - 1)
  at = at + progressBytes
  for i = 1, letters do
    local item, reasonBytes, payloadBytes, detailBytes, begins = match(blob, "^(%S+) (%d+) (%d+) (%d+)\n()", at)
    local payload = begins + reasonBytes
    local detail = payload + payloadBytes
    at = detail + detailBytes
    outcome.dead[i] = { item, sub(blob, begins, payload - 1), sub(blob, payload, detail - 1), sub(blob, detail, at - 1) }
  end
  outcomes[id] = outcome
end

local g, seqs, gone = load(claim[1]), seqsOf(claim[3]), {}
local back, progress = batch(g), {}
local expired = claim[2] == "expired"
if expired then unqueue(g, seqs) end
for _, e in ipairs(entriesOf(seqs)) do
  local outcome = outcomes[e.id]
  e.claims, e.claim = expired and e.claims or e.claims + 1, "-"
  for _, letter in ipairs(outcome and outcome.dead or {}) do bury(g.id, e, unpack(letter)) end
  if not outcome then
    -- Its first delay does not count again.
    e.due = string.format("%.0f", math.min(e.due, now))
    back.rewrite(e)
    back.toReady(e)
  elseif outcome.rest then
    e.claims = 0
    if outcome.retry > 0 then back.toWait(e, now + outcome.retry) end
    e.due = string.format("%.0f", math.min(e.due, now))
    if outcome.retry <= 0 then back.toReady(e) end
    back.rewrite(e)
    progress[#progress + 1], progress[#progress + 2] = e.seq, outcome.progress
  else
    gone[#gone + 1] = e
  end
end
back.done()
each("HSET", base .. ":progress", progress)
leave(g, gone)
-- Remembered for a repeat whose first answer was lost.
call("HSET", key("claim", cid), "state", "settled", "entries", "")
call("SREM", key("claims", g.gid), cid)
call("ZADD", base .. ":leases", math.max(now + 60000, tonumber(call("ZSCORE", base .. ":leases", cid) or 0)), cid)
if ARGV[3] ~= "" then g.hold = math.max(g.hold, now + ARGV[3]) end
g.lease = leaseOf(g)
refresh(g)
changed()
return "settled"
`;

/** ARGV: cid, hold or "". */
const release = `${HELD}
if not claim[2] or claim[2] == "settled" then return end
alsoWhenFull()
local g, seqs = load(claim[1]), seqsOf(claim[3])
local back, expired = batch(g), claim[2] == "expired"
if expired then unqueue(g, seqs) end
for _, e in ipairs(entriesOf(seqs)) do
  if expired then e.claims, e.claim = e.claims - 1, "-" end
  -- Its first delay does not count again.
  e.due = string.format("%.0f", math.min(e.due, now))
  back.rewrite(e)
  back.toReady(e)
end
back.done()
forgetClaim(g, cid)
local tenant = claim[4]
local time = call("HINCRBY", key("tenant", tenant), "time", -1)
call("HINCRBY", key("tenant", tenant), "turns", -1)
call("ZADD", base .. ":turns", "XX", time, tenant)
if ARGV[3] ~= "" then g.hold = math.max(g.hold, now + ARGV[3]) end
g.lease = leaseOf(g)
refresh(g)
changed()
`;

/** ARGV: cid, lease. */
const extend = `${HELD}
if not claim[2] or claim[2] == "settled" then return 0 end
alsoWhenFull()
call("ZADD", base .. ":leases", now + ARGV[3], cid)
local g = load(claim[1])
if claim[2] == "expired" then
  local seqs, taken = seqsOf(claim[3]), batch(g)
  unqueue(g, seqs)
  for _, e in ipairs(entriesOf(seqs)) do
    e.claims = e.claims - 1
    taken.rewrite(e)
  end
  taken.done()
  call("HSET", key("claim", cid), "state", "open")
end
g.lease = leaseOf(g)
refresh(g)
return 1
`;

/** For wait(): changes so far, and in how long the next group is due that was not at ARGV[2], and the next lease over. */
const peek = `
local due = call("ZRANGEBYSCORE", base .. ":due", "(" .. ARGV[2], "+inf", "WITHSCORES", "LIMIT", 0, 1)[2]
local lease = first(base .. ":leases")
return { tonumber(call("HGET", counters, "changes") or 0), now, math.min(due and due - now or NEVER, lease and lease - now or NEVER) }
`;

export const OUTBOX = {
  open: GROUP + open,
  append: GROUP + append,
  claim: GROUP + claim,
  settle: GROUP + settle,
  release: GROUP + release,
  extend: GROUP + extend,
  peek: GROUP + peek,
};
