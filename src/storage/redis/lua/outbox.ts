import { GROUP } from "./group.ts";

/** ARGV: group, destination, tenant, credential, exclusive, … */
const open = `
for i = 2, #ARGV, 5 do
  local group, destination, tenant, credential, exclusive = unpack(ARGV, i, i + 4)
  local g = load(group) or { id = group, fence = 0, hold = 0, lease = 0, due = NEVER, up = false, items = 0, bytes = 0 }
  index(g, NEVER)
  if g.credential and g.credential ~= credential then call("SREM", key("creditgroups", g.credential), group) end
  g.opened, g.tenant, g.credential, g.exclusive = true, tenant, credential, exclusive == "1"
  call("SADD", base .. ":destinations", destination)
  call("SADD", key("groups", destination), group)
  call("SADD", key("creditgroups", credential), group)
  call("HSET", key("group", group), "opened", 1, "tenant", tenant, "credential", credential, "exclusive", exclusive)
  g.paused = #reasonsOf(group, credential) > 0
  g.lease = leaseOf(g)
  refresh(g)
end
changed()
`;

/**
 * ARGV: the entries, framed as "group priority items delay position dedupe bytes(id) bytes(payload)\n" id payload; then
 * the groups they name by number. Answers "1 position" (stored) or "0 position" (duplicate) a line, or the number of a
 * group that is not open.
 */
const append = String.raw`
local blob, groups = ARGV[2], {}
for i = 3, #ARGV do
  local g = load(ARGV[i])
  if not g or not g.opened then return i - 3 end
  g.first, g.all, g.ready, g.linger, g.ids, g.seen = NEVER, {}, {}, {}, {}, {}
  groups[i - 2] = g
end
local entries = tonumber(match(blob, "^(%d+)\n"))
local seq = nextSeq(entries) - entries
local answer, at = {}, #match(blob, "^%d+\n") + 1
for i = 1, entries do
  seq = seq + 1
  local number, priority, items, delay, position, dedupe, idBytes, bytes, from =
    match(blob, "^(%d+) (%d) (%d+) (%d+) (%S+) (%d+) (%d+) (%d+)\n()", at)
  at = from + idBytes + bytes
  local g, id = groups[tonumber(number)], sub(blob, from, from + idBytes - 1)
  local name = pad(seq)
  if position == "-" then position = string.format("%.0f", seq) end
  local stored, ends = g.seen[id], nil
  if not stored then
    stored, ends = match(call("HGET", key("ids", g.id), id) or "", "^(%d+) ?(%d*)$")
    if stored and ends ~= "" and tonumber(ends) <= now then stored = nil end
  end
  if stored then
    answer[i] = "0 " .. stored
  else
    local due = now + delay
    call("HSET", key("entry", name), "m", table.concat({ string.format("%.0f %.0f", now, due), position, priority, items,
      bytes, dedupe, "0 -" }, " ") .. "\n" .. id, "p", sub(blob, from + idBytes, at - 1))
    local all, ready, linger = g.all, g.ready, g.linger
    all[#all + 1], all[#all + 2] = now, name
    ready[#ready + 1], ready[#ready + 2] = priority * LANE + position, name
    g.ids[#g.ids + 1], g.ids[#g.ids + 2] = id, position
    g.seen[id] = position
    if due > now then linger[#linger + 1], linger[#linger + 2] = due, name end
    g.first = math.min(g.first, due)
    g.items, g.bytes = g.items + items, g.bytes + bytes
    answer[i] = "1 " .. position
  end
end
for _, g in ipairs(groups) do
  if #g.all > 0 then
    each("ZADD", key("all", g.id), g.all)
    each("ZADD", key("ready", g.id), g.ready)
    each("ZADD", key("linger", g.id), g.linger)
    if g.exclusive then
      index(g, dueOf(g))
    elseif not g.paused then
      index(g, math.min(g.due, math.max(g.first, g.hold)))
    end
    call("HSET", key("group", g.id), "items", g.items, "bytes", g.bytes, "due", g.due, "up", g.up and 1 or 0)
    -- Last: should the script fail before, a repeat stores the entries again instead of taking them for stored.
    each("HSET", key("ids", g.id), g.ids)
  end
end
changed()
return table.concat(answer, "\n")
`;

/**
 * ARGV: lease, most items, most bytes, credentials to skip …. Answers { number of tenants with something due, changes }
 * and, with a claim, its cid, fence, tenant, credential, exclusive, group, time, and m, p, g of each entry.
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
  call("ZREM", base .. ":due", group)
  call("HSET", key("group", group), "up", 1)
  call("SADD", key("duegroups", g.tenant), group)
  call("ZADD", turns, call("HGET", key("tenant", g.tenant), "time") or 0, g.tenant)
end

-- Most urgent or oldest ready entry: what a group stands for.
local function standsFor(group, oldest)
  local best, urgency
  for priority = 0, 3 do
    local seq = head(group, priority)
    if seq and not oldest then return seq, priority end
    if seq and (not best or seq < best) then best, urgency = seq, priority end
  end
  return best, urgency
end
local function nextGroup(tenant, oldest)
  local best, bestSeq, bestPriority
  for _, group in ipairs(call("SMEMBERS", key("duegroups", tenant))) do
    if not skip[call("HGET", key("group", group), "credential")] then
      promote(group, 5000)
      local seq, priority = standsFor(group, oldest)
      if not seq then
        refresh(load(group))
      elseif not best or (oldest and seq < bestSeq) or
        (not oldest and (priority < bestPriority or (priority == bestPriority and seq < bestSeq))) then
        best, bestSeq, bestPriority = group, seq, priority
      end
    end
  end
  return best and load(best)
end

-- Ready entries in pages: lane by lane, or by position whatever the lane.
local function byPriority(group)
  local offset, page, at = 0, {}, 1
  return function()
    if at > #page then
      page, at = call("ZRANGE", key("ready", group), offset, offset + 99), 1
      offset = offset + 100
    end
    at = at + 1
    return page[at - 1]
  end
end
local function byPosition(group)
  local lanes = {}
  for priority = 0, 3 do
    local offset, page, at = 0, {}, 1
    local function peek()
      if at > #page then
        page, at = call("ZRANGEBYSCORE", key("ready", group), priority * LANE, "(" .. string.format("%.0f", (priority + 1) * LANE),
          "WITHSCORES", "LIMIT", offset, 100), 1
        offset = offset + 100
      end
      return page[at], page[at] and page[at + 1] - priority * LANE
    end
    lanes[#lanes + 1] = { peek = peek, skip = function() at = at + 2 end }
  end
  return function()
    local best, bestSeq, bestPosition
    for _, lane in ipairs(lanes) do
      local seq, position = lane.peek()
      if seq and (not best or before(position, seq, bestPosition, bestSeq)) then best, bestSeq, bestPosition = lane, seq, position end
    end
    if best then best.skip() end
    return bestSeq
  end
end
-- As many as fit, at least one. One that was claimed five times without a settle comes alone.
local function fill(g, oldest)
  local stop, taken, items, bytes = g.exclusive and barrier(g.id), {}, 0, 0
  for seq in (g.exclusive or oldest) and byPosition(g.id) or byPriority(g.id) do
    local stored = call("HMGET", key("entry", seq), "m", "p", "g")
    local e = parse(stored[1])
    e.seq, e.place, e.stored = seq, tonumber(e.position), stored
    if stop and before(stop.position, stop.seq, e.place, seq) then break end
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
  table.sort(taken, function(a, b) return before(a.place, a.seq, b.place, b.seq) end)
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
  for _, other in ipairs(call("SMEMBERS", key("claims", g.id))) do forgetClaim(g.id, other) end
end
for i, e in ipairs(taken) do
  seqs[i] = e.seq
  if e.claim ~= "-" then forgetClaim(g.id, e.claim) end
end
unqueue(g.id, seqs)
call("HSET", key("claim", cid), "group", g.id, "tenant", tenant, "state", "open", "entries", table.concat(seqs, ","))
call("SADD", key("claims", g.id), cid)
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
for _, e in ipairs(taken) do
  for i = 1, 3 do answer[#answer + 1] = e.stored[i] end
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
local expired = claim[2] == "expired"
if expired then unqueue(g.id, seqs) end
for _, seq in ipairs(seqs) do
  local e = entry(seq)
  local outcome = outcomes[e.id]
  local count = expired and e.claims or e.claims + 1
  e.claims, e.claim = count, "-"
  for _, letter in ipairs(outcome and outcome.dead or {}) do bury(g.id, e, unpack(letter)) end
  if not outcome then
    rewrite(seq, e)
    makeReady(g.id, seq, e)
  elseif outcome.rest then
    e.claims, e.due = 0, now + outcome.retry
    call("HSET", key("entry", seq), "m", pack(e), "g", outcome.progress)
    if outcome.retry > 0 then makeWait(g.id, seq, e, e.due) else makeReady(g.id, seq, e) end
  else
    gone[#gone + 1] = { seq = seq, e = e }
  end
end
leave(g, gone)
-- Remembered for a repeat whose first answer was lost.
call("HSET", key("claim", cid), "state", "settled", "entries", "")
call("SREM", key("claims", g.id), cid)
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
if claim[2] == "expired" then unqueue(g.id, seqs) end
for _, seq in ipairs(seqs) do
  local e = entry(seq)
  if claim[2] == "expired" then
    e.claims, e.claim = e.claims - 1, "-"
    rewrite(seq, e)
  end
  makeReady(g.id, seq, e)
end
forgetClaim(g.id, cid)
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
  local seqs = seqsOf(claim[3])
  unqueue(g.id, seqs)
  for _, seq in ipairs(seqs) do
    local e = entry(seq)
    e.claims = e.claims - 1
    rewrite(seq, e)
  end
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
