/** The secrets of pings that the environment holds: whatever begins with PING_. */
import { PING_SECRET } from '../../shared/ping/settings.ts'

export const pingSecrets = (environment: NodeJS.ProcessEnv): Record<string, string> =>
  Object.fromEntries(
    Object.entries(environment).flatMap(([name, value = '']) =>
      PING_SECRET.test(name) && value !== '' ? [[name, value] as const] : [],
    ),
  )
