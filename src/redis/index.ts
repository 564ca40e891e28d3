export type { IoredisClient, NodeRedisClient, NodeRedisCluster, RedisClient } from "../storage/redis/client.ts";
export { type RedisOptions, redis } from "../storage/redis/index.ts";
