/** The Worker's entry points: HTTP and the cron trigger. Both use the same engine. */

import { createApp } from './app.ts'
import type { Env } from './env.ts'
import { tick } from './scheduled.ts'

const now = () => new Date()
const app = createApp(now)

export default {
  fetch: (request, env, context) => app.fetch(request, env, context),
  scheduled: (controller, env) => tick(controller.scheduledTime, env, now),
} satisfies ExportedHandler<Env>
