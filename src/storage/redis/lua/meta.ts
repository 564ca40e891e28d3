import { PRELUDE } from "./prelude.ts";

/** The storage as a whole: which schema it has, into how many partitions it is cut. ARGV: schema, partitions wanted. */
const migrate = `
local meta = base .. ":meta"
local found = call("HMGET", meta, "schema", "partitions")
if not found[1] then
  call("HSET", meta, "schema", ARGV[2], "partitions", ARGV[3])
  return { ARGV[2], ARGV[3] }
end
return { found[1], found[2] }
`;

/** Where destinations live: chosen once, by the tenant that opens them first. ARGV: destination, partition, … */
const place = `
local answer = {}
for i = 2, #ARGV, 2 do
  call("HSETNX", base .. ":places", ARGV[i], ARGV[i + 1])
  answer[#answer + 1] = call("HGET", base .. ":places", ARGV[i])
end
return answer
`;

const places = `
return call("HMGET", base .. ":places", unpack(ARGV, 2))
`;

/** The time, and what a user's rights or an old server refuse. ARGV: commands as in {@link COMMANDS}. */
const probe = `
local refused = {}
for i = 2, #ARGV do
  local words = {}
  for word in string.gmatch(ARGV[i], "[^ ]+") do words[#words + 1] = word == "KEY" and key("check", i) or word end
  local answer = redis.pcall(unpack(words))
  if type(answer) == "table" and answer.err then refused[#refused + 1] = words[1] .. ": " .. answer.err end
  redis.pcall("DEL", key("check", i))
end
return { now, refused }
`;

/** Every command the scripts use, on a key that is removed again. */
export const COMMANDS = [
  "GET KEY",
  "SET KEY 1",
  "INCR KEY",
  "EXISTS KEY",
  "DEL KEY",
  "UNLINK KEY",
  "SETBIT KEY 1 1",
  "GETBIT KEY 1",
  "BITPOS KEY 1",
  "HSET KEY f 1",
  "HSETNX KEY f 1",
  "HGET KEY f",
  "HMGET KEY f",
  "HGETALL KEY",
  "HDEL KEY f",
  "HINCRBY KEY f 1",
  "SADD KEY a",
  "SREM KEY a",
  "SMEMBERS KEY",
  "ZADD KEY 1 a",
  "ZREM KEY a",
  "ZCARD KEY",
  "ZSCORE KEY a",
  "ZRANGE KEY 0 0",
  "ZRANGEBYSCORE KEY 0 1",
  "ZREVRANGEBYSCORE KEY 1 0",
  "ZRANGEBYLEX KEY - +",
  "XADD KEY 1-1 f 1",
  "XRANGE KEY - +",
  "XREVRANGE KEY + -",
  "XDEL KEY 1-1",
];

export const META = {
  migrate: PRELUDE + migrate,
  place: PRELUDE + place,
  places: PRELUDE + places,
  probe: PRELUDE + probe,
};
