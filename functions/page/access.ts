/** Cloudflare Access in front of the page: who passed it carries a signed token of the team. */
import { createRemoteJWKSet, errors, type JWTVerifyGetKey, jwtVerify } from 'jose'
import type { Env } from '../env.ts'

type Team = { issuer: string; audience: string }

export const ACCESS_HEADER = 'cf-access-jwt-assertion'

/** Null: it isn't configured. Both are needed: another application of the same team has another audience. */
function teamOf({ ACCESS_TEAM: team = '', ACCESS_AUD: audience = '' }: Env): Team | null {
  if (team === '' || audience === '') return null
  return { issuer: team.includes('://') ? team.replace(/\/+$/, '') : `https://${team}`, audience }
}

let known: { issuer: string; keys: JWTVerifyGetKey } | null = null

/** The team's public keys are fetched when one is needed, and kept between requests of one isolate. */
function keysOf(issuer: string): JWTVerifyGetKey {
  if (known?.issuer !== issuer) {
    const keys = createRemoteJWKSet(new URL(`${issuer}/cdn-cgi/access/certs`), { timeoutDuration: 5000 })
    known = { issuer, keys }
  }
  return known.keys
}

/** `refused`: there is a token of Access, and it does not hold. `none`: there is none, or Access isn't configured. */
export type Passage = 'passed' | 'refused' | 'none'

export async function checkAccess(token: string | undefined, env: Env, now: Date): Promise<Passage> {
  const team = teamOf(env)
  if (team === null || token === undefined || token === '') return 'none'
  try {
    await jwtVerify(token, keysOf(team.issuer), {
      ...{ issuer: team.issuer, audience: team.audience, algorithms: ['RS256'] },
      ...{ currentDate: now, requiredClaims: ['exp'] },
    })
    return 'passed'
  } catch (cause) {
    const why = cause instanceof errors.JOSEError ? cause.code : String(cause)
    console.error(JSON.stringify({ at: 'page', error: `Cloudflare Access: ${why}` }))
    return 'refused'
  }
}
