/** Short times, so that what a crash leaves behind is taken over within a test. */
export const SETTINGS = {
  leaseMs: 3_000,
  renewEveryMs: 1_000,
  requestTimeoutMs: 1_000,
  lingerMs: 20,
  memberLingerMs: 300,
  settleDownMs: 1_500,
  retryMinMs: 100,
  retryMaxMs: 1_000,
};
