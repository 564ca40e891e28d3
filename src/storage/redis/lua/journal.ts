import { PRELUDE } from "./prelude.ts";

/**
 * The journal of one partition.
 *
 *   lines:<destination>  stream  one entry a line, named by its time: d data, i ids framed as "bytes:id" …
 *   ids:<destination>    hash    id → names of its lines, a space behind each
 *   oldest               zset    destinations by the time of their oldest line
 *   last                 the last line's time and number: names rise though a clock may go back
 */

/** ARGV: destination, ids, data, … */
const write = `
local ms, number = match(call("GET", base .. ":last") or "0 0", "^(%d+) (%d+)$")
ms, number = tonumber(ms), tonumber(number)
if now > ms then ms, number = now, 0 end
for i = 2, #ARGV, 3 do
  number = number + 1
  local destination, ids, name = ARGV[i], ARGV[i + 1], string.format("%.0f-%d", ms, number)
  call("XADD", key("lines", destination), name, "d", ARGV[i + 2], "i", ids)
  call("ZADD", base .. ":oldest", "NX", ms, destination)
  local at = 1
  while at <= #ids do
    local bytes, from = match(ids, "^(%d+):()", at)
    at = from + bytes
    local id = sub(ids, from, at - 1)
    local names = call("HGET", key("ids", destination), id) or ""
    if not string.find(names, name .. " ", 1, true) then call("HSET", key("ids", destination), id, names .. name .. " ") end
  end
end
call("SET", base .. ":last", string.format("%.0f %d", ms, number))
`;

/** ARGV: destination, id with "=" before it or "", youngest age, oldest age, before which line or "", limit. */
const find = `
local lines, limit = key("lines", ARGV[2]), tonumber(ARGV[7])
local from, to = math.max(0, now - ARGV[5]), now - ARGV[4]
local found, last = { "" }, ""
local function full()
  if #found <= limit then return false end
  found[1] = last
  return true
end
if to < 0 then return found end
local before = ARGV[6]
if ARGV[3] == "" then
  local upper = before ~= "" and tonumber(match(before, "^%d+")) <= to and "(" .. before or string.format("%.0f", to)
  for _, line in ipairs(call("XREVRANGE", lines, upper, string.format("%.0f", from), "COUNT", limit + 1)) do
    if full() then return found end
    found[#found + 1], last = line[2][2], line[1]
  end
  return found
end
local names = {}
for name in string.gmatch(call("HGET", key("ids", ARGV[2]), sub(ARGV[3], 2)) or "", "%S+") do names[#names + 1] = name end
local passed = before == ""
for i = #names, 1, -1 do
  local name = names[i]
  local at = tonumber(match(name, "^%d+"))
  if passed and at >= from and at <= to then
    if full() then return found end
    local line = call("XRANGE", lines, name, name)[1]
    if line then found[#found + 1], last = line[2][2], name end
  end
  passed = passed or name == before
end
return found
`;

/** ARGV: age, limit. Answers how many lines were removed. */
const expire = `
local removed, limit, before = 0, tonumber(ARGV[3]), now - ARGV[2]
while removed < limit do
  local destination = call("ZRANGEBYSCORE", base .. ":oldest", "-inf", string.format("(%.0f", before), "LIMIT", 0, 1)[1]
  if not destination then break end
  local lines, ids = key("lines", destination), key("ids", destination)
  for _, line in ipairs(call("XRANGE", lines, "-", string.format("%.0f", before - 1), "COUNT", limit - removed)) do
    local at, list = 1, line[2][4]
    while at <= #list do
      local bytes, from = match(list, "^(%d+):()", at)
      at = from + bytes
      local id = sub(list, from, at - 1)
      local names = call("HGET", ids, id) or ""
      local first, last = string.find(names, line[1] .. " ", 1, true)
      if first then names = sub(names, 1, first - 1) .. sub(names, last + 1) end
      if names == "" then call("HDEL", ids, id) else call("HSET", ids, id, names) end
    end
    call("XDEL", lines, line[1])
    removed = removed + 1
  end
  local oldest = call("XRANGE", lines, "-", "+", "COUNT", 1)[1]
  if oldest then
    call("ZADD", base .. ":oldest", match(oldest[1], "^%d+"), destination)
  else
    call("UNLINK", lines, ids)
    call("ZREM", base .. ":oldest", destination)
  end
end
return removed
`;

export const JOURNAL = {
  writeLines: PRELUDE + write,
  findLines: PRELUDE + find,
  expireLines: PRELUDE + expire,
};
