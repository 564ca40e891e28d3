import { PRELUDE } from "./prelude.ts";

/**
 * Records of one partition.
 *
 *   rows     hash   key → "version expires\nvalue", expires 0: never
 *   index    zset   every key that does not begin with "~", all at score 0: byte order
 *   expires  zset   key by the time it expires; a sweep's list, never asked whether a record is there
 *   version  the last version given
 */
const RECORDS = String.raw`
local rows, index, expires = base .. ":rows", base .. ":index", base .. ":expires"
local function live(key)
  local row = call("HGET", rows, key)
  if not row then return end
  local version, ends, from = match(row, "^(%d+) (%d+)\n()")
  if ends ~= "0" and tonumber(ends) <= now then return end
  return version, row, from
end
local function remove(key)
  call("HDEL", rows, key)
  call("ZREM", index, key)
  call("ZREM", expires, key)
end
local function sweep(most)
  local old = call("ZRANGEBYSCORE", expires, "-inf", now, "LIMIT", 0, most)
  for _, key in ipairs(old) do remove(key) end
  return #old
end
`;

/** ARGV: keys …. Answers version and value of each, or nothing. */
const get = `
local found = {}
for i = 2, #ARGV do
  local version, row, from = live(ARGV[i])
  found[i - 1] = version and { version, sub(row, from) } or false
end
return found
`;

/** ARGV: key, value, version expected or "", time to live or "". */
const put = String.raw`
alsoWhenFull()
local id, value, expected, ttl = ARGV[2], ARGV[3], ARGV[4], ARGV[5]
local found = live(id) or "0"
if expected ~= "" and expected ~= found then return { 0, found } end
local version = call("INCR", base .. ":version")
local ends = ttl == "" and 0 or now + ttl
call("HSET", rows, id, string.format("%.0f %.0f\n", version, ends) .. value)
if sub(id, 1, 1) ~= "~" then call("ZADD", index, 0, id) end
if ttl == "" then
  call("ZREM", expires, id)
else
  call("ZADD", expires, ends, id)
  sweep(50)
end
return { 1, version }
`;

/** ARGV: key, version expected or "". */
const remove = `
local id, expected = ARGV[2], ARGV[3]
local found = live(id)
if not found then return { 1, 0 } end
if expected ~= "" and expected ~= found then return { 0, found } end
remove(id)
return { 1, 1 }
`;

/** ARGV: from, to, limit. */
const list = `
local from, to, limit = ARGV[2], ARGV[3], tonumber(ARGV[4])
local found = {}
while #found < 3 * limit do
  local want = limit - #found / 3
  local page = call("ZRANGEBYLEX", index, from, to, "LIMIT", 0, want)
  for _, id in ipairs(page) do
    local version, row, begins = live(id)
    if version then
      found[#found + 1] = id
      found[#found + 1] = version
      found[#found + 1] = sub(row, begins)
    end
  end
  if #page < want then break end
  from = "(" .. page[#page]
end
return found
`;

/** ARGV: limit. Answers how many records were removed. */
const sweep = `
return sweep(tonumber(ARGV[2]))
`;

const time = `
return now
`;

export const RECORD_SCRIPTS = {
  getRecords: PRELUDE + RECORDS + get,
  putRecord: PRELUDE + RECORDS + put,
  removeRecord: PRELUDE + RECORDS + remove,
  listRecords: PRELUDE + RECORDS + list,
  sweepRecords: PRELUDE + RECORDS + sweep,
  time: PRELUDE + time,
};
