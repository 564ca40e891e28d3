/**
 * What every script begins with. KEYS[1] is the partition: a key that holds nothing and whose hash tag is that of every
 * key the script makes from it, so that a cluster keeps all of them on one node. ARGV[1] is the test's time, or empty.
 */
export const PRELUDE = `
local base, call, match, sub = KEYS[1], redis.call, string.match, string.sub
local now
if ARGV[1] == "" then
  local time = call("TIME")
  now = time[1] * 1000 + math.floor(time[2] / 1000)
else
  now = tonumber(ARGV[1])
end
-- With its memory full Redis refuses the writes of a script, unless an earlier write of it needed no memory. What empties
-- the queue, and what keeps logins alive, has to go on; what fills it calls no such function.
local function alsoWhenFull() call("DEL", base .. ":none") end
local function key(kind, id) return base .. ":" .. kind .. ":" .. id end
`;
