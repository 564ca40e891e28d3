import { PRELUDE } from "./prelude.ts";

/**
 * Members of one partition. "segment" stands for the framed tenant, destination and link. What the rows of a hash say is
 * the library's business (member-rules.ts); here they are bytes, written only if nobody wrote the segment in between.
 *
 *   segment:<segment>     hash  fence, version (writes so far), sid
 *   segments:<tenant>     set   the tenant's segments
 *   names                 hash  sid → segment
 *   bucket:<sid>:<xxxx>   hash  kind and hash → rows: one of 65,536, small enough to be packed by Redis
 *   filled:<sid>          bits  buckets that hold or held something
 *   gone                  zset  "sid:kind and hash" with a row that is not present, by the oldest time one stopped to be
 */
const MEMBERS = `
local function bucketOf(field)
  local high, low = string.byte(field, 2, 3)
  return high * 256 + low
end
local function bucket(sid, number) return key("bucket", sid .. ":" .. string.format("%04x", number)) end
`;

/** ARGV: segment, hashes of 33 bytes each. Answers time, version and the rows of each hash. */
const read = `
local segment = call("HMGET", key("segment", ARGV[2]), "sid", "version")
local answer = { now, segment[2] or "0" }
for at = 1, #ARGV[3], 33 do
  local field = sub(ARGV[3], at, at + 32)
  answer[#answer + 1] = segment[1] and call("HGET", bucket(segment[1], bucketOf(field)), field) or false
end
return answer
`;

/**
 * ARGV: segment, tenant, fence or "" (a sweep), version read, changes framed as "gone bytes\n" hash rows; no rows: none.
 * Answers "lost" if a higher fence has written, "again" if somebody wrote since the rows were read.
 */
const write = String.raw`
alsoWhenFull()
local row = key("segment", ARGV[2])
local segment = call("HMGET", row, "fence", "version", "sid")
local fence = tonumber(segment[1] or 0)
if ARGV[4] ~= "" and tonumber(ARGV[4]) < fence then return "lost" end
if ARGV[5] ~= (segment[2] or "0") then return "again" end
local sid = segment[3]
if not sid then
  sid = call("INCR", base .. ":sid")
  call("HSET", row, "sid", sid)
  call("HSET", base .. ":names", sid, ARGV[2])
  call("SADD", key("segments", ARGV[3]), ARGV[2])
end
call("HSET", row, "fence", ARGV[4] == "" and fence or ARGV[4])
call("HINCRBY", row, "version", 1)
local blob, at = ARGV[6], 1
while at <= #blob do
  local gone, bytes, from = match(blob, "^(%d+) (%d+)\n()", at)
  local field = sub(blob, from, from + 32)
  local number = bucketOf(field)
  at = from + 33 + bytes
  if bytes == "0" then
    call("HDEL", bucket(sid, number), field)
  elseif call("HSET", bucket(sid, number), field, sub(blob, from + 33, at - 1)) == 1 then
    call("SETBIT", key("filled", sid), number, 1)
  end
  if gone ~= "0" then
    call("ZADD", base .. ":gone", gone, sid .. ":" .. field)
  else
    call("ZREM", base .. ":gone", sid .. ":" .. field)
  end
end
return "written"
`;

/** ARGV: segment, first bucket, fields wanted. Answers time, the next bucket or "", and whole buckets as fields and rows. */
const scan = `
local sid, number, wanted = call("HGET", key("segment", ARGV[2]), "sid"), tonumber(ARGV[3]), 2 * tonumber(ARGV[4])
local answer = { now, "" }
if not sid then return answer end
local filled, looked = key("filled", sid), 0
while number < 65536 do
  if #answer - 2 >= wanted or looked == 4096 then
    answer[2] = tostring(number)
    return answer
  end
  local next = call("BITPOS", filled, 1, math.floor(number / 8))
  if next < 0 then return answer end
  if next < number then
    -- In the same byte: bit by bit.
    next = number
    if call("GETBIT", filled, number) == 0 then next = nil end
  end
  if next then
    for _, value in ipairs(call("HGETALL", bucket(sid, next))) do answer[#answer + 1] = value end
    number = next
  end
  looked = looked + 1
  number = number + 1
end
return answer
`;

/** ARGV: tenant. */
const segments = `
return call("SMEMBERS", key("segments", ARGV[2]))
`;

/** ARGV: segment. 1 if no rows are left. */
const drop = `
local row = key("segment", ARGV[2])
local sid = call("HGET", row, "sid")
if not sid then return 1 end
call("HINCRBY", row, "version", 1)
local filled = key("filled", sid)
for _ = 1, 2000 do
  local number = call("BITPOS", filled, 1)
  if number < 0 then
    call("UNLINK", filled)
    return 1
  end
  call("UNLINK", bucket(sid, number))
  call("SETBIT", filled, number, 0)
end
return 0
`;

/** ARGV: age, limit. Answers time and, for hashes with an old row that is not present, segment, version, hash and rows. */
const gone = `
local answer = { now }
for _, member in ipairs(call("ZRANGEBYSCORE", base .. ":gone", "-inf", string.format("(%.0f", now - ARGV[2]), "LIMIT", 0, ARGV[3])) do
  local sid, from = match(member, "^(%d+):()")
  local field = sub(member, from)
  local rows = call("HGET", bucket(sid, bucketOf(field)), field)
  if rows then
    local name = call("HGET", base .. ":names", sid)
    for _, value in ipairs({ name, call("HGET", key("segment", name), "version"), field, rows }) do answer[#answer + 1] = value end
  else
    call("ZREM", base .. ":gone", member)
  end
end
return answer
`;

export const MEMBER_SCRIPTS = {
  readMembers: PRELUDE + MEMBERS + read,
  writeMembers: PRELUDE + MEMBERS + write,
  scanMembers: PRELUDE + MEMBERS + scan,
  segments: PRELUDE + segments,
  dropMembers: PRELUDE + MEMBERS + drop,
  goneMembers: PRELUDE + MEMBERS + gone,
};
