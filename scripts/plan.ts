/** `npm run plan`: what a tick would do now, and why; nothing is done. */
import { fail, openSession } from './remote.ts'

const planned = await openSession().plan()
if (!planned.ok) fail(planned.error)
process.stdout.write(planned.value)
