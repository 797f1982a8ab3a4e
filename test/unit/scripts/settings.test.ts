/** What `npm start` needs before it begins. */
import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import { expect, test } from 'vitest'
import { openSettings } from '../../../scripts/start/settings.ts'

test.each([
  [[], / npm start$/],
  [['--dry-run'], / npm start -- --dry-run$/],
])(
  'where its port is taken, another one is named with the command as it was given: %j',
  async (options, said) => {
    const server = createServer().listen(0, '127.0.0.1')
    await once(server, 'listening')
    const PORT = String((server.address() as AddressInfo).port)
    await expect(openSettings({ PORT }, options)).rejects.toThrow(said)
    server.close()
  },
)
