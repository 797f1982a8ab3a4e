/** The engine's dependencies, from the Worker's bindings and secrets. */
import { send } from './chatops/chat.ts'
import { platformsOf } from './chatops/configure.ts'
import { createFollow } from './chatops/follow.ts'
import { type Env, keyDigestOf, relayFilesOf, relayOf } from './env.ts'
import { post } from './notify/send.ts'
import { testChannels } from './notify/test-channels.ts'
import { secretProblems } from './notify/usable.ts'
import type { Io } from './run.ts'
import { noteTested } from './state/notices.ts'
import { retryOnce } from './state/retry-once.ts'
import { vaultOf } from './vault.ts'

/** `deadline`: when the caller stops waiting. */
export async function ioOf(env: Env, now: () => Date, deadline: Date | null = null): Promise<Io> {
  const id = crypto.randomUUID()
  const follower = { kv: env.STATE, now, origin: '', send, platforms: platformsOf(env) }
  return {
    id,
    relay: await relayOf(env, deadline, id),
    files: await relayFilesOf(env, deadline),
    state: retryOnce(env.STATE),
    keyDigest: await keyDigestOf(env),
    follow: createFollow(follower),
    secretProblems: (config) => secretProblems(config, vaultOf(env)),
    async tryChannels(channels) {
      const tested = await testChannels(channels, { vault: vaultOf(env), post, now })
      await noteTested(env.STATE, tested, now())
      return tested
    },
  }
}
