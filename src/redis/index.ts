/**
 * Storage in Redis or Valkey, over the host's ioredis or node-redis client.
 *
 * @module redis
 */
export type { IoredisClient, NodeRedisClient, NodeRedisCluster, RedisClient } from "../storage/redis/client.ts";
export { type RedisOptions, redis } from "../storage/redis/index.ts";
