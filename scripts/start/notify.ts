/** The secrets of notifications that the environment holds: whatever begins with NOTIFY_. */
import { SECRET_NAME } from '../../shared/notify/channel.ts'

export const notifySecrets = (environment: NodeJS.ProcessEnv): Record<string, string> =>
  Object.fromEntries(
    Object.entries(environment).flatMap(([name, value = '']) =>
      SECRET_NAME.test(name) && value !== '' ? [[name, value] as const] : [],
    ),
  )
