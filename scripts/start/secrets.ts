/** The secrets that stapes.jsonc names: whatever in the environment is called like one of notifications or pings. */
import { SECRET_NAME } from '../../shared/notify/channel.ts'
import { PING_SECRET } from '../../shared/ping/settings.ts'

export const namedSecrets = (environment: NodeJS.ProcessEnv): Record<string, string> =>
  Object.fromEntries(
    Object.entries(environment).flatMap(([name, value = '']) =>
      value !== '' && (SECRET_NAME.test(name) || PING_SECRET.test(name)) ? [[name, value] as const] : [],
    ),
  )
