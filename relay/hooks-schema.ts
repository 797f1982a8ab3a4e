/** The commands that the relay may run in instances: its configuration alone has them, and no caller can send one. */
import { z } from 'zod'
import { NAME, span } from './config-parts.ts'
import type { Hook } from './engine/hooks.ts'

const COMMAND = 'expected a command as a list of its words, such as ["/usr/local/bin/backup-begin"]'

const command = z
  .array(
    z
      .string()
      .min(1)
      .max(10_000)
      .refine((word) => !word.includes('\0'), COMMAND),
    COMMAND,
  )
  .min(1, COMMAND)
  .max(100)

const INSTANCES = 'expected remote/project/instance, with wildcards where you like: "main/default/db-*"'

/** Seconds that each command may take, at most: the instance waits for it. */
const LONGEST = 300
const TIMEOUT = 10

const hook: z.ZodType<Hook> = z.strictObject(
  {
    instances: z
      .array(z.string().regex(/^[^\s/]+\/[^\s/]+\/[^\s/:]+$/, INSTANCES), INSTANCES)
      .min(1, INSTANCES),
    before: command,
    after: command,
    timeout: span
      .refine((seconds) => seconds >= 1 && seconds <= LONGEST, 'expected a span from 1s to 5m')
      .default(TIMEOUT),
  },
  {
    error: ({ code }) =>
      code === 'invalid_type'
        ? 'expected an object, such as { "instances": ["main/default/db"], "before": ["…"], "after": ["…"] }'
        : undefined,
  },
)

export const hooksSchema = z.record(
  z.string().regex(NAME, 'a hook is named with lower-case letters, digits and hyphens'),
  hook,
)
