/** What only a shell has: a file of a snapshot as a file here, and completion. */
import { existsSync } from 'node:fs'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { buildCommand } from '@stricli/core'
import { completionScript, SHELLS } from './completion.ts'
import { EXIT } from './exit-codes.ts'
import { end, type Place, type Route } from './place.ts'
import { save } from './save.ts'
import { createTerminal } from './terminal.ts'

/** The bytes of a file of a snapshot, or a folder as a tar. */
const get: Route = buildCommand<{ output?: string; from?: string }, [string, string, string], Place>({
  docs: {
    brief: 'Write a file of a snapshot, or a folder as a tar, to standard output or a file',
    fullDescription:
      'Write a file of a snapshot, or a folder as a tar, to standard output or a file.\n\n  stapes get web1 daily-20261122T0300Z /etc/hosts --output hosts\n  stapes get web1 daily-20261122T0300Z /etc | tar -t',
  },
  parameters: {
    flags: {
      output: {
        kind: 'parsed',
        brief: 'A file that does not exist yet',
        parse: String,
        optional: true,
        placeholder: 'file',
      },
      from: {
        kind: 'parsed',
        brief: 'The remote whose snapshot it is: the backup server',
        parse: String,
        optional: true,
        placeholder: 'remote',
      },
    },
    positional: {
      kind: 'tuple',
      parameters: [
        { brief: 'The instance', parse: String, placeholder: 'instance' },
        { brief: 'Its snapshot, by its name', parse: String, placeholder: 'snapshot' },
        { brief: 'The path in it, absolute', parse: String, placeholder: 'path' },
      ],
    },
  },
  async func({ output, from }, instance, snapshot, path) {
    const terminal = createTerminal(this.process, {
      json: false,
      command: 'get',
      env: this.process.env ?? {},
    })
    if (output !== undefined && existsSync(output)) {
      terminal.fail([`${output} exists, so nothing was read: name another file`])
      return end(this, EXIT.failed)
    }
    const session = this.session()
    const asked = { instance, snapshot, path, ...(from === undefined ? {} : { from }) }
    const found = session.ok ? await session.value.file(asked, terminal.note) : session
    if (!found.ok) {
      terminal.fail(found.error)
      return end(this, EXIT.failed)
    }
    const bytes = Readable.fromWeb(found.value as never)
    try {
      await (output === undefined ? pipeline(bytes, process.stdout) : save(bytes, output))
    } catch (error) {
      const what = output === undefined ? 'what was written is not whole' : 'nothing was kept'
      terminal.fail([`it broke off, so ${what}: ${error instanceof Error ? error.message : error}`])
      end(this, EXIT.failed)
    }
  },
})

const completion: Route = buildCommand<object, [string], Place>({
  docs: { brief: `Print the completion script of a shell: ${SHELLS.join(', ')}` },
  parameters: {
    positional: { kind: 'tuple', parameters: [{ brief: 'The shell', parse: String, placeholder: 'shell' }] },
  },
  func(_, shell) {
    const script = completionScript(shell)
    if (script !== null) return void this.process.stdout.write(script)
    this.process.stderr.write(`there is no completion for ${shell}: expected ${SHELLS.join(', ')}\n`)
    end(this, EXIT.failed)
  },
})

export const local: Record<string, Route> = { get, completion }
