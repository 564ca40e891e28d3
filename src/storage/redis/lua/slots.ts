import { PRELUDE } from "./prelude.ts";

/**
 * Send slots: the rules of slot-log.ts where the engine's clock is.
 *
 *   times:<key>  string  slots given, ascending, 6 bytes each: those a window may still reach, and the future ones
 *   limit:<key>  hash    blocked (until), window and count: the widest and highest asked for so far
 */

/** ARGV: want, horizon, longest wait, key, count, window, … Answers { 1, in … } or { 0, wait, key }. */
const reserve = `
alsoWhenFull()
local want, horizon, longest = tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local scopes, logs = {}, {}
for i = 5, #ARGV, 3 do
  local id = ARGV[i]
  if not logs[id] then
    local limit = call("HMGET", key("limit", id), "blocked", "window", "count")
    logs[id] = { id = id, times = call("GET", key("times", id)) or "", blocked = tonumber(limit[1] or 0),
      window = tonumber(limit[2] or 0), count = tonumber(limit[3] or 0) }
  end
  scopes[#scopes + 1] = { log = logs[id], count = tonumber(ARGV[i + 1]), window = tonumber(ARGV[i + 2]) }
end
local function at(times, place) return struct.unpack(">I6", times, place * 6 + 1) end
-- How many lie at or before the time.
local function upTo(times, time)
  local low, high = 0, #times / 6
  while low < high do
    local middle = math.floor((low + high) / 2)
    if at(times, middle) <= time then low = middle + 1 else high = middle end
  end
  return low
end
-- The first time from "from" on that one more fits: slots that lie within one window of each other forbid every time
-- that would lie within that window of all of them.
local function free(scope, from)
  if scope.count < 1 then return math.huge end
  local times, candidate = scope.log.times, math.max(from, scope.log.blocked)
  local place = upTo(times, candidate - scope.window)
  while place + scope.count <= #times / 6 do
    local begins, ends = at(times, place), at(times, place + scope.count - 1)
    if ends - scope.window >= candidate then break end
    if ends - begins < scope.window and candidate < begins + scope.window then
      candidate = begins + scope.window
      place = math.max(place, upTo(times, candidate - scope.window) - 1)
    end
    place = place + 1
  end
  return candidate
end
local answer, from = { 1 }, now
for slot = 1, want do
  local time, blockedBy, moved = from, scopes[1] and scopes[1].log.id or "", true
  while moved do
    moved = false
    for _, scope in ipairs(scopes) do
      local next = free(scope, time)
      if next > time then time, blockedBy, moved = next, scope.log.id, true end
    end
  end
  if time > now + horizon then
    if slot > 1 then break end
    return { 0, math.max(1, math.ceil(math.min(time - horizon - now, longest))), blockedBy }
  end
  for _, log in pairs(logs) do
    local place = upTo(log.times, time)
    log.times = sub(log.times, 1, place * 6) .. struct.pack(">I6", time) .. sub(log.times, place * 6 + 1)
  end
  answer[#answer + 1] = time - now
  from = time
end
for _, scope in ipairs(scopes) do
  local log = scope.log
  log.window, log.count = math.max(log.window, scope.window), math.max(log.count, scope.count)
end
for id, log in pairs(logs) do
  -- The last slots stay whatever their age: a later call may bring a wider window.
  local drop = math.min(upTo(log.times, now - log.window), upTo(log.times, now) - log.count)
  if drop > 0 then log.times = sub(log.times, drop * 6 + 1) end
  call("SET", key("times", id), log.times)
  call("HSET", key("limit", id), "blocked", log.blocked, "window", log.window, "count", log.count)
end
return answer
`;

/** ARGV: key, for how long. */
const block = `
alsoWhenFull()
local limit = key("limit", ARGV[2])
call("HSET", limit, "blocked", math.max(tonumber(call("HGET", limit, "blocked") or 0), now + math.ceil(ARGV[3])))
`;

export const SLOTS = { reserve: PRELUDE + reserve, block: PRELUDE + block };
