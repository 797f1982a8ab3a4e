/**
 * The aliases of Incus's `snapshots.schedule`, meaning what cron means by them. Incus itself spreads
 * their minute and hour by the instance's number; here `jitter` does that, and visibly.
 */
export const aliases: Readonly<Record<string, string>> = {
  '@hourly': '0 * * * *',
  '@daily': '0 0 * * *',
  '@midnight': '0 0 * * *',
  '@weekly': '0 0 * * 0',
  '@monthly': '0 0 1 * *',
  '@annually': '0 0 1 1 *',
  '@yearly': '0 0 1 1 *',
}
